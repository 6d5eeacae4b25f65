"""Whom a worker answers to: the desk (`desk_link.py`), or for `eardrum serve` whoever started it (`standard.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from eardrum.server.effects import KeepLevel, WireSays
from eardrum.worker.records import Record

Counts = tuple[int, int, int]  # connections, streams that play, streams that record


class Owner(Protocol):
    """What is said between the two is the vocabulary of `records.py`, whoever the owner is."""

    descriptor: int  # becomes readable when the owner says something
    lingers: float | None  # seconds that the worker waits for the next connection; None: until FINISH
    orphan: bool  # the owner is gone: only those who are connected are served on
    stale: bool  # there may be something to report

    def receive(self) -> tuple[Record, list[int]] | None:
        """What the owner says, with descriptors that are now ours; None: nothing."""

    def tell(self, record: Record) -> None: ...

    def keep_level(self, effect: KeepLevel) -> None: ...

    def wire_says(self, effect: WireSays) -> None: ...

    @property
    def due(self) -> float | None:
        """When the next report may be made, if there is one."""

    def report(self, now: float, count: Callable[[], Counts]) -> None:
        """Tell what has changed, if the last report is long enough ago."""

    def tell_news(self) -> None:
        """Tell at once what `keep_level` and `wire_says` noted."""

    def close(self) -> None: ...
