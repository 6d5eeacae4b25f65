"""Sound that comes by one clock and goes by another: it is stretched, so little that nobody hears it.

Two clocks of 48 kHz differ by some hundred thousandths, so that what waits between them grows or shrinks for ever. What
waits is looked at, and steered back to where it should be.
"""

from __future__ import annotations

import numpy as np
import soxr

from eardrum.sound.block import Block

MOST = 0.002  # that it is faster or slower: 3.5 cents
MEAN = 2.0  # seconds over which what waits is averaged: it comes and goes in blocks
LEARN = 1.0  # seconds in which it is seen what waits, if nobody says what should
RETURN = 20.0  # seconds in which a third of a difference remains
_SLEW = 0.1  # seconds in which a new factor is reached


class Drift:
    """Stretches one stream of blocks. `held` frames of it are inside."""

    held = 240

    def __init__(self, rate: int, channels: int, wanted: float | None = None) -> None:
        """`wanted` frames at `rate` Hz are to wait, on average; without it, as many as do in the first second."""
        self._rate = rate
        self._wanted = wanted
        self._mean = wanted or 0.0
        self._age = 0.0
        self.factor = 1.0
        self._stream = soxr.ResampleStream(1 + MOST, 1.0, channels, quality="HQ", vr=True)
        self._stream.set_io_ratio(1.0, 1.0, 0)

    def feed(self, block: Block) -> Block:
        """The next block of the stream, and what becomes of it: so much, more or less."""
        stretched: Block = self._stream.resample_chunk(np.ascontiguousarray(block))
        return stretched

    def steer(self, waits: int, seconds: float) -> None:
        """So many frames wait now; so long ago this was said last."""
        self._age += seconds
        over = MEAN if self._wanted is not None else self._age
        self._mean += (waits - self._mean) * min(1.0, seconds / over if over else 1.0)
        if self._wanted is None:
            if self._age < LEARN:
                return
            self._wanted = self._mean
        off = (self._mean - self._wanted) / (RETURN * self._rate)
        self.factor = 1 + min(MOST, max(-MOST, off))
        self._stream.set_io_ratio(self.factor, 1.0, round(_SLEW * self._rate))
