"""Frames gathered by intervals of time: how sound goes to a rate so low that only a measure of it is left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eardrum.sound.block import Block


class Intervals:
    """One stream at `rate_in`, cut into the intervals of `rate_out`, a lower rate (Hz), and gathered in each.

    `gather` makes one of two samples and leaves a sample as it is beside 0.
    """

    __slots__ = ("_gather", "_rate_in", "_rate_out", "held", "taken")

    def __init__(self, rate_in: int, rate_out: int, channels: int, gather: np.ufunc) -> None:
        self._rate_in = rate_in
        self._rate_out = rate_out
        self._gather = gather
        self.taken = 0  # frames
        self.held = np.zeros(channels, np.float32)  # what the interval has gathered that is not over

    @property
    def begun(self) -> int:
        """Frames that were taken of the interval that is not over."""
        return self.taken - -(-(self.taken * self._rate_out // self._rate_in) * self._rate_in // self._rate_out)

    def feed(self, block: Block) -> tuple[Block, NDArray[np.int64]]:
        """Take the next block; return a frame for each interval that ends in it, and how many frames each had."""
        start = self.taken
        self.taken += len(block)
        numbers = np.arange(start * self._rate_out // self._rate_in, self.taken * self._rate_out // self._rate_in + 1)
        begins = -(-numbers * self._rate_in // self._rate_out)
        cuts = np.maximum(begins - start, 0)
        cuts = cuts[cuts < len(block)]
        gathered = np.zeros((len(begins), len(self.held)), np.float32)
        if len(cuts):
            self._gather.reduceat(block, cuts, axis=0, out=gathered[: len(cuts)])
        self._gather(gathered[0], self.held, out=gathered[0])
        self.held = gathered[-1].copy()
        return gathered[:-1], np.diff(begins)
