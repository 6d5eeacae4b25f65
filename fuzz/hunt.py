"""What one episode of a hunt is given, and what it raises when something is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


class Found(Exception):
    """Something that must hold does not."""


@dataclass
class Play:
    """One episode: where chance comes from, and what was fed, so that it can be told."""

    seed: int
    messages: int = 0
    fed: list[str] = field(default_factory=list)
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def feeds(self, to: str, data: bytes) -> None:
        """These bytes are fed now. Counts as one message."""
        self.messages += 1
        words = data.rstrip(b"\0")
        nulls = len(data) - len(words)
        self.fed.append(to + (f"{words.hex()} and {nulls} null bytes" if nulls > 40 else data.hex()))

    def happens(self, what: object) -> None:
        """Something else than bytes happens."""
        self.fed.append(str(what))
