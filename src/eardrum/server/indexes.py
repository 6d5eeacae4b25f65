"""Where a carried playback stream is, as far as can be known here: its queue is upstream.

A client knows one stream with one write and one read index, whichever upstream plays it. What is counted is what it was
asked for, and what it wrote. Replies to latency questions tell exactly where the upstream is.
"""

from __future__ import annotations

from eardrum.protocol.catalog import PlaybackLatency
from eardrum.terms.audio import MAX_QUEUE, BufferAttr, SampleSpec

FARTHEST = 1 << 62  # bytes


def bounded(index: int) -> int:
    """An index that can be said, whatever a client or an upstream has made of it."""
    return max(-FARTHEST, min(index, FARTHEST))


class Indexes:
    """All are bytes. The present upstream's indexes are `base` less than those of the client."""

    __slots__ = ("_heard", "_shift", "base", "lent", "playing", "told", "wanted", "written")

    def __init__(self) -> None:
        self.told = 0  # what the client has been asked for
        self.written = 0  # what it wrote, as it counts itself: a jump counts if it is relative
        self.wanted = 0  # what the upstream has asked for beyond `told`; negative: `told` was more than it wants
        self.lent = 0  # what it may write beyond `told`
        self.base = 0
        self.playing = False  # the upstream takes from the queue
        self._shift = 0  # the write index is so much more than `written`
        self._heard: tuple[float, int] | None = None  # when the upstream told it, and the index that was heard then

    @property
    def write(self) -> int:
        """The client's write index."""
        return self.written + self._shift

    def unasked(self, nbytes: int) -> int:
        """How much it will have written beyond what it was asked for and was lent, with so much more."""
        return self.written + nbytes - self.told - self.lent

    def fill(self, attr: BufferAttr) -> int:
        """What the upstream has queued: it wants `tlength` and has asked for the rest."""
        return attr.tlength - (self.told + self.wanted - self.written)

    def jump(self, seek: int, offset: int, attr: BufferAttr) -> int:
        """The client goes on writing elsewhere; returns the upstream's offset for it."""
        self._heard = None
        if seek == 0:
            self.written += offset
            return offset
        target = (0, 0, self.write - self.fill(attr), self.write)[seek] + offset
        self._shift = target - self.written
        return offset - self.base if seek == 1 else offset

    def stop(self) -> None:
        """It plays no more, or from elsewhere, until the upstream says so."""
        self.playing = False
        self._heard = None

    def flush(self, attr: BufferAttr) -> None:
        """What the upstream has queued is forgotten."""
        self._shift -= self.fill(attr)
        self.stop()

    def learn(self, now: float, latency: PlaybackLatency, written: int, spec: SampleSpec) -> None:
        """The upstream has told where it is, asked when the client had written that much."""
        self._shift = latency.write_index + self.base - written
        self.playing = latency.playing
        heard = latency.read_index + self.base - spec.bytes_for(latency.sink_latency)
        self._heard = (now, heard) if latency.playing else None

    def heard(self, now: float, attr: BufferAttr, spec: SampleSpec) -> int:
        """What is heard now, as a read index of the client."""
        write = self.write
        read = write - self.fill(attr)
        last = write if attr.prebuf else max(write, read)
        if self._heard is not None:
            at, position = self._heard
            read = position + spec.bytes_for(int((now - at) * 1e6))
        return max(write - 2 * MAX_QUEUE, min(read, last, write + MAX_QUEUE))

    def missing(self, heard: int, attr: BufferAttr) -> int:
        """What the client is to be asked for next if all before this read index has been played."""
        return max(self.wanted, attr.tlength - (self.write - heard) - (self.told - self.written))

    def go_on(self, read: int, write: int, missing: int, *, playing: bool) -> None:
        """Another upstream has asked for `missing` bytes, and got what is between these indexes."""
        self.base = read
        self._shift = write - self.written
        self.wanted = missing - max(0, write - read) - (self.told - self.written)
        self.playing = playing
        self._heard = None
