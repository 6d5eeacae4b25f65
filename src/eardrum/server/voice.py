"""A voice: the bytes of one stream become the sound that a bus can add to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from eardrum.sound import convert, remap
from eardrum.sound.block import SAMPLE_BYTES, Block
from eardrum.sound.resample import Resampler, resampler
from eardrum.sound.volume import Gains
from eardrum.terms.audio import ChannelMap, Samples, SampleSpec

if TYPE_CHECKING:
    from eardrum.server.mixed import Bus


class Queue(Protocol):
    """Where the bytes come from: `r` is how many were taken, `w` how many there have been; it may be behind."""

    r: int
    w: int

    def take(self, nbytes: int) -> Samples: ...

    def skip(self, nbytes: int) -> None:
        """As `take`, when nobody wants the bytes."""


def held_back(spec: SampleSpec, bus: Bus) -> int:
    """Bytes of sound that a voice of this spec holds back on this bus: many where a low rate becomes a high one."""
    found = resampler(spec.rate, bus.rate, spec.channels)
    return found.lead * spec.channels * SAMPLE_BYTES if found else 0


class Voice:
    """The bytes of a queue, in a spec of their own, and how they sound on a bus.

    With `no_remap` its channels keep their order on the bus; with `no_remix` each goes only to its own position.
    """

    __slots__ = (
        "_bus", "_channel_map", "_gain", "_kept", "_mixing", "_patience", "_queue", "_ready", "_resampler", "_spec",
        "_unheard",
    )  # fmt: skip

    def __init__(
        self,
        queue: Queue,
        spec: SampleSpec,
        channel_map: ChannelMap,
        bus: Bus,
        *,
        no_remap: bool = False,
        no_remix: bool = False,
    ) -> None:
        self._queue = queue
        self._channel_map = channel_map
        self._kept = no_remap, no_remix
        self._bus = bus
        self.set_gain(None)
        self._resampler: Resampler | None = None
        self._ready = np.zeros((0, spec.channels), np.float32)  # resampled, not yet played
        self._unheard = 0  # what has left the queue unheard and is not yet over, in frames of the bus * rate
        self._spec = spec
        self.tune(spec)

    def set_gain(self, gain: Gains | None) -> None:
        """The factors of the stream's volume, by its own channels."""
        self._gain = gain
        way = remap.matrix(self._channel_map, self._bus.channel_map, *self._kept)
        self._mixing = remap.mixing(way, gain)

    def tune(self, spec: SampleSpec) -> None:
        """From here on the bytes have this spec, which may differ in rate only; what has left the queue is kept."""
        if self._resampler is not None:
            self._ready = np.concatenate([self._ready, self._resampler.flush()])
        self._unheard = self._unheard * spec.rate // self._spec.rate
        self._spec = spec
        self._resampler = resampler(spec.rate, self._bus.rate, spec.channels)
        self._patience = self._resampler.lead if self._resampler else 0  # frames of silence that may come first

    def move(self, bus: Bus) -> None:
        """From here on it sounds on this bus; what has left the queue is kept."""
        before, self._bus = self._bus, bus
        self.set_gain(self._gain)
        if bus.rate == before.rate:
            return
        self.tune(self._spec)
        self._unheard = self._unheard * bus.rate // before.rate
        if len(self._ready):
            carry = Resampler(before.rate, bus.rate, self._spec.channels)
            self._ready = np.concatenate([carry.feed(self._ready), carry.flush()])

    @property
    def held_back(self) -> int:
        """As the function of this name."""
        return self._resampler.lead * self._spec.channels * SAMPLE_BYTES if self._resampler else 0

    @property
    def fill(self) -> int:
        """Bytes in the queue."""
        return max(0, self._queue.w - self._queue.r)

    @property
    def spent(self) -> bool:
        """Nothing is left to be played."""
        return not self.fill and not self._ahead

    @property
    def ahead_usec(self) -> int:
        """How long that will sound which has left the queue and was not played yet, in µs."""
        return self._ahead * 1_000_000 // self._bus.rate

    @property
    def _ahead(self) -> int:
        """The same in frames of the bus."""
        pending = self._resampler.pending if self._resampler else 0
        return len(self._ready) + pending + self._unheard // self._spec.rate

    @property
    def rest(self) -> float:
        """Seconds until all it has is played."""
        return self.fill // self._spec.frame_bytes / self._spec.rate + self.ahead_usec / 1e6

    def hush(self) -> None:
        """Forget what has left the queue and was not played yet."""
        if self._resampler is not None:
            self._resampler.flush()
            self._patience = self._resampler.lead
        self._ready = self._ready[:0]
        self._unheard = 0

    def take(self, frames: int, *, last: bool = True) -> tuple[Block, int]:
        """The next `frames` frames at the bus's rate and channels, fewer if there is no more.

        With them come the bytes that were taken from the queue for it, which may be more or less than sounds now. If
        what is queued is not the `last`, silence may come first, until a resampler has been given its lead.
        """
        block, consumed = self._pull(frames, last)
        return remap.mix(block, self._mixing), consumed

    @property
    def plain(self) -> bool:
        """Its bytes need only be decoded to sound on the bus."""
        return self._mixing is None and self._resampler is None and not len(self._ready) and not self._unheard

    def take_bytes(self, frames: int) -> Samples:
        """As `take`, of a plain voice: in its spec, which is all that was taken from the queue."""
        return self._queue.take(min(frames * self._spec.frame_bytes, self.fill))

    def skip(self, frames: int) -> tuple[int, int]:
        """As `take`, when nobody hears it: how many frames there were, and the bytes that were taken for them."""
        rate, frame_bytes = self._spec.rate, self._spec.frame_bytes
        if self._resampler is None and not self._unheard and not len(self._ready):
            nbytes = min(frames * frame_bytes, self.fill)
            self._queue.skip(nbytes)
            return nbytes // frame_bytes, nbytes
        if len(self._ready) or (self._resampler is not None and self._resampler.pending):
            ahead = self._ahead * rate
            self.hush()
            self._unheard = ahead
        missing = max(0, frames * rate - self._unheard)
        taken = min(-(-missing // self._bus.rate), self.fill // frame_bytes)
        self._queue.skip(taken * frame_bytes)
        self._unheard += taken * self._bus.rate - frames * rate
        if self._unheard >= 0:
            return frames, taken * frame_bytes
        short = -(self._unheard // rate)
        self._unheard = 0
        return frames - short, taken * frame_bytes

    def _pull(self, frames: int, last: bool) -> tuple[Block, int]:
        """As `take`, in the stream's own channels and at full level."""
        if self._unheard:  # gone unheard, it is silence now
            self._add_ready(np.zeros((self._unheard // self._spec.rate, self._spec.channels), np.float32))
            self._unheard = 0
        frame_bytes = self._spec.frame_bytes
        resampler = self._resampler
        if resampler is None:
            kept, self._ready = self._ready[:frames], self._ready[frames:]
            consumed = min((frames - len(kept)) * frame_bytes, self.fill)
            block = convert.decode(self._queue.take(consumed), self._spec)
            return np.concatenate([kept, block]) if len(kept) else block, consumed
        missing = frames + resampler.lead - resampler.pending - len(self._ready)
        wanted = max(0, -(-missing * self._spec.rate // self._bus.rate))
        consumed = min(wanted * frame_bytes, self.fill)
        if consumed:
            self._add_ready(resampler.feed(convert.decode(self._queue.take(consumed), self._spec)))
        lacking = frames - len(self._ready)
        if lacking > 0 and not last and resampler.waits and self._patience >= lacking:
            self._patience -= lacking
            self._ready = np.concatenate([np.zeros((lacking, self._spec.channels), np.float32), self._ready])
        elif lacking > 0:
            self._add_ready(resampler.flush())
            self._patience = resampler.lead
        block, self._ready = self._ready[:frames], self._ready[frames:]
        return block, consumed

    def _add_ready(self, block: Block) -> None:
        if len(block):
            self._ready = np.concatenate([self._ready, block]) if len(self._ready) else block
