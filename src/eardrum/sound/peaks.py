"""What a level meter shows: the loudest sample of each interval."""

from __future__ import annotations

import numpy as np

from eardrum.sound.block import Block
from eardrum.sound.intervals import Intervals


class Peaks:
    """A stream at `rate_in` becomes its peaks at `rate_out`, a lower rate (Hz): one frame when an interval is over."""

    __slots__ = ("_intervals", "_rate_in")

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        self._rate_in = rate_in
        self._intervals = Intervals(rate_in, rate_out, channels, np.maximum)

    @property
    def delay_usec(self) -> int:
        """How long ago the interval began that is not over, in µs."""
        return self._intervals.begun * 1_000_000 // self._rate_in

    def feed(self, block: Block) -> Block:
        """Take the next block; return the peaks of the intervals that end in it."""
        return self._intervals.feed(np.abs(block))[0]
