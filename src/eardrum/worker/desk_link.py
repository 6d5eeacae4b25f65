"""The worker's end of its link to the desk: what the desk says, and what it is told, seldom enough."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable

from eardrum.kernel import seqpacket
from eardrum.server.effects import KeepLevel, WireSays
from eardrum.terms.errors import RemoteProtocolError
from eardrum.worker.owner import Counts
from eardrum.worker.records import FROM_DESK, MUTED, RECORD_BYTES, Kind, Record, parse

REPORT_EVERY = 0.5  # seconds at least between two reports of counts, levels and wires
LINGER = 20.0  # seconds that a worker waits for the next connection


class DeskLink:
    """The desk as the `Owner` of a worker."""

    lingers: float | None = LINGER

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)
        self.descriptor = descriptor
        self.orphan = False
        self.stale = False
        self._counts: Counts = (0, 0, 0)
        self._reported = 0.0
        self._news: dict[tuple[Kind, int], Record] = {}  # by kind and wire: only the newest is told

    def receive(self, most: int = 1) -> tuple[Record, list[int]] | None:
        """What the desk says, with at most so many descriptors that are now ours; None: nothing, look whether it is
        gone.
        """
        try:
            packet, descriptors = seqpacket.receive(self._socket, RECORD_BYTES, most)
        except BlockingIOError:
            return None
        except (OSError, RemoteProtocolError):
            packet, descriptors = b"", []
        try:
            return parse(packet, FROM_DESK), descriptors
        except RemoteProtocolError:  # the desk is gone, or it says what no desk says
            self.orphan = True
            for descriptor in descriptors:
                os.close(descriptor)
            return None

    def tell(self, record: Record) -> None:
        if not self.orphan:
            with contextlib.suppress(OSError):
                seqpacket.send(self._socket, bytes(record))

    def keep_level(self, effect: KeepLevel) -> None:
        left, right = effect.volume
        wire = effect.wire
        self._news[Kind.LEVEL, wire] = Record(Kind.LEVEL, wire | (MUTED if effect.muted else 0), left, right)
        self.stale = True

    def wire_says(self, effect: WireSays) -> None:
        self._news[Kind.WIRE, effect.wire] = Record(Kind.WIRE, effect.wire, effect.error or 0)
        self.stale = True

    @property
    def due(self) -> float | None:
        """When the next report may be made, if there is one."""
        return self._reported + REPORT_EVERY if self.stale else None

    def report(self, now: float, count: Callable[[], Counts]) -> None:
        """Tell what has changed, if the last report is long enough ago."""
        if self.stale and now - self._reported >= REPORT_EVERY:
            self.stale = False
            self._reported = now
            counts = count()
            if counts != self._counts:
                self._counts = counts
                self.tell(Record(Kind.COUNTS, *counts))
            self.tell_news()

    def tell_news(self) -> None:
        """Tell levels and wires at once."""
        while self._news:
            self.tell(self._news.popitem()[1])

    def close(self) -> None:
        self._socket.close()
