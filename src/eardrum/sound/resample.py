"""A stream at one rate becomes a stream at another, from 1 Hz on.

soxr resamples. Below `LOWEST` it would hold back seconds of sound and megabytes, and nothing that can be heard is there
to be kept: a stream so slow is drawn as straight lines, and who wants so little gets the mean of each interval.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import soxr

from eardrum.sound.block import Block
from eardrum.sound.intervals import Intervals

LOWEST = 1000  # Hz; at this rate soxr holds back 0.9 s at HQ, and it is more the lower the rate is
_BLOCKS = 8  # of what soxr gives out: they show how uneven they are
_STEP = 8  # frames at least that are tried at once
Quality = Literal["QQ", "LQ", "MQ", "HQ", "VHQ"]


def resampler(rate_in: int, rate_out: int, channels: int, quality: Quality = "HQ") -> Resampler | None:
    """What a stream at `rate_in` needs to be heard at `rate_out` (Hz): None if the rates are equal."""
    return None if rate_in == rate_out else Resampler(rate_in, rate_out, channels, quality)


@lru_cache(maxsize=512)
def lead(rate_in: int, rate_out: int, quality: Quality) -> int:
    """Frames (at the rate out) that a resampler holds back at most: soxr works in long blocks, of uneven lengths."""
    stream = soxr.ResampleStream(rate_in, rate_out, 1, quality=quality)
    step = np.zeros((max(_STEP, rate_in // 1000), 1), np.float32)
    taken = given = most = blocks = 0
    while blocks < _BLOCKS:
        taken += len(step)
        most = max(most, taken * rate_out // rate_in - given)
        ready = len(stream.resample_chunk(step))
        given += ready
        blocks += ready > 0
    return most + -(-len(step) * rate_out // rate_in)


class Resampler:
    """Resamples one stream of blocks.

    Frames come out later than they went in, and in pieces of other lengths, but a whole stream of n frames
    comes out as exactly n * rate_out / rate_in frames, rounded (half up). It takes memory from the first block on.
    """

    __slots__ = ("_channels", "_given", "_lead", "_quality", "_rate_in", "_rate_out", "_stream", "_taken")

    def __init__(self, rate_in: int, rate_out: int, channels: int, quality: Quality = "HQ") -> None:
        self._rate_in = rate_in
        self._rate_out = rate_out
        self._channels = channels
        self._quality = quality
        self._lead: int | None = None
        self._stream: soxr.ResampleStream | _Lines | _Means | None = None
        self._taken = 0  # frames in since the stream began
        self._given = 0  # frames out since the stream began

    @property
    def pending(self) -> int:
        """Frames (at the rate out) that have gone in and not come out yet."""
        return (2 * self._taken * self._rate_out + self._rate_in) // (2 * self._rate_in) - self._given

    @property
    def _slow(self) -> bool:
        return min(self._rate_in, self._rate_out) < LOWEST

    @property
    def lead(self) -> int:
        """Given so many frames (at the rate out) more than are wanted, it always has as many ready as are wanted."""
        if self._lead is None:  # kept here: to find it takes milliseconds, and there are more rates than are remembered
            slow = self._rate_out // self._rate_in + 2
            self._lead = slow if self._slow else lead(self._rate_in, self._rate_out, self._quality)
        return self._lead

    @property
    def waits(self) -> bool:
        """Something has gone in and nothing has come out yet."""
        return bool(self._taken) and not self._given

    @property
    def delay_usec(self) -> int:
        """How long what is pending will sound, in µs."""
        return self.pending * 1_000_000 // self._rate_out

    def feed(self, block: Block) -> Block:
        """Take the next block of the stream; return what is ready, which may be nothing."""
        if self._stream is None:
            self._stream = self._begun()
        self._taken += len(block)
        ready: Block = self._stream.resample_chunk(block)
        self._given += len(ready)
        return ready

    def flush(self) -> Block:
        """End the stream: return all that is pending. The next `feed` begins a new stream."""
        tail = np.zeros((self.pending, self._channels), np.float32)
        if self._stream is not None:
            rest = self._stream.resample_chunk(np.zeros((0, self._channels), np.float32), last=True)
            tail[: len(rest)] = rest[: len(tail)]  # soxr may give a frame more or less
            self._stream.clear()
        self._taken = self._given = 0
        return tail

    def _begun(self) -> soxr.ResampleStream | _Lines | _Means:
        if not self._slow:
            return soxr.ResampleStream(self._rate_in, self._rate_out, self._channels, quality=self._quality)
        way = _Lines if self._rate_in < self._rate_out else _Means
        return way(self._rate_in, self._rate_out, self._channels)


class _Lines:
    """Straight lines from frame to frame, for a rate that becomes higher; speaks as soxr does."""

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        self._rate_in = rate_in
        self._rate_out = rate_out
        self._channels = channels
        self.clear()

    def clear(self) -> None:
        self._held = np.zeros((0, self._channels), np.float32)  # the last frame that came
        self._position = 0  # of the first frame of what is known
        self._given = 0  # frames out

    def resample_chunk(self, block: Block, last: bool = False) -> Block:
        known = np.concatenate([self._held, block])
        if last:
            known = np.concatenate([known, known[-1:]])
        lines = max(0, len(known) - 1)
        end = -(-(self._position + lines) * self._rate_out // self._rate_in)
        at = np.arange(self._given, max(end, self._given)) * self._rate_in
        left = at // self._rate_out
        part = ((at - left * self._rate_out) / self._rate_out).astype(np.float32)[:, np.newaxis]
        begin = known[left - self._position]
        self._given += len(at)
        ready: Block = begin + (known[left - self._position + 1] - begin) * part
        self._position += lines
        self._held = known[-1:]
        return ready


class _Means:
    """The mean of each interval, for a rate that becomes lower; speaks as soxr does."""

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        self._shape = rate_in, rate_out, channels
        self.clear()

    def clear(self) -> None:
        self._sums = Intervals(*self._shape, np.add)

    def resample_chunk(self, block: Block, last: bool = False) -> Block:
        sums, frames = self._sums.feed(block)
        means: Block = (sums / frames[:, np.newaxis]).astype(np.float32)
        if not last:
            return means
        return np.concatenate([means, [self._sums.held / np.float32(max(1, self._sums.begun))]])
