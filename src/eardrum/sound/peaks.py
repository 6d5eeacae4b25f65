"""What a level meter shows: the loudest sample of each interval."""

from __future__ import annotations

import numpy as np

from eardrum.sound.block import Block


class Peaks:
    """A stream at `rate_in` becomes its peaks at `rate_out`, a lower rate (Hz): one frame when an interval is over."""

    __slots__ = ("_held", "_rate_in", "_rate_out", "_taken")

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        self._rate_in = rate_in
        self._rate_out = rate_out
        self._taken = 0  # frames
        self._held = np.zeros(channels, np.float32)  # the loudest of the interval that is not over

    @property
    def delay_usec(self) -> int:
        """How long ago the interval began that is not over, in µs."""
        interval = self._taken * self._rate_out // self._rate_in
        begun = -(-interval * self._rate_in // self._rate_out)
        return max(0, self._taken - begun) * 1_000_000 // self._rate_in

    def feed(self, block: Block) -> Block:
        """Take the next block; return the peaks of the intervals that end in it."""
        if not len(block):
            return block
        start, end = self._taken, self._taken + len(block)
        self._taken = end
        intervals = np.arange(start * self._rate_out // self._rate_in, end * self._rate_out // self._rate_in + 1)
        begins = -(-intervals * self._rate_in // self._rate_out) - start
        over = begins[-1] >= len(block)  # nothing of the last interval is here yet
        peaks: Block = np.maximum.reduceat(np.abs(block), np.clip(begins, 0, len(block) - 1), axis=0)
        np.maximum(peaks[0], self._held, out=peaks[0])
        self._held = np.zeros_like(self._held) if over else peaks[-1].copy()
        return peaks[:-1]
