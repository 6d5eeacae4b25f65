"""The queue of one stream: bytes at absolute positions, kept in a circle that grows when it must."""

from __future__ import annotations

from eardrum.terms.audio import Samples

_FIRST_BYTES = 4 * 1024  # what a ring starts with
_STEP_BYTES = 4 * 1024  # it grows by whole pages
_SILENCE_BYTES = 64 * 1024
_SILENCE: dict[int, memoryview] = {}  # shared by all rings, by silence byte


class Ring:
    """The bytes from `r`, the read index, on. What was never written, or was read already, is silence.

    `w` is the write index: the end of what was written furthest, unless its owner sets it. It may be behind `r` (an
    underrun). `limit` is how many bytes after `r` may be written; its owner may set it.
    """

    __slots__ = ("_end", "_silence", "_size", "_view", "limit", "r", "w")

    # Every byte in the circle that does not stand for a position in [r, _end) is silence.

    def __init__(self, silence: int, limit: int) -> None:
        """An empty queue: `silence` is the byte that, repeated, is silence; `limit` is in bytes."""
        self.r = 0
        self.w = 0
        self.limit = limit
        self._end = 0
        self._silence = _SILENCE.setdefault(silence, memoryview(bytes((silence,)) * _SILENCE_BYTES))
        self._size = _FIRST_BYTES
        self._view = self._silent_view(_FIRST_BYTES)

    @property
    def end(self) -> int:
        """Where what is queued ends; the read index if nothing is."""
        return max(self._end, self.r)

    def begin(self, read: int, write: int) -> None:
        """Nothing is queued yet: begin at these indexes, which may be below zero."""
        self._end = self.r = read
        self.w = write

    def fits(self, end: int) -> bool:
        """Whether what ends there may be written: `limit` bytes after `r`, or over what is queued already."""
        return end <= max(self.r + self.limit, self._end)

    def write(self, position: int, data: Samples) -> bool:
        """Put `data` at `position`, over what is there; the part before `r` is dropped, a hole stays silent.

        False, and nothing is changed, if it does not fit.
        """
        end = position + len(data)
        if not self.fits(end):
            return False
        if position < self.r:
            data = memoryview(data)[self.r - position :]
            position = self.r
        if end > self.r + self._size:
            self._grow(end - self.r)
        at = position % self._size
        past = at + len(data)
        if past <= self._size:
            self._view[at:past] = data
        else:
            room = self._size - at
            data = memoryview(data)
            self._view[at:] = data[:room]
            self._view[: past - self._size] = data[room:]
        if end > self._end:
            self._end = end
        if end > self.w:
            self.w = end
        return True

    def take(self, nbytes: int) -> bytes:
        """The next `nbytes` from the read index, which moves on."""
        held = min(self._end - self.r, nbytes)
        data = self._cut(held) if held > 0 else b""
        self.r += nbytes
        return data if held == nbytes else data + bytes(self._silence[:1]) * (nbytes - len(data))

    def skip(self, nbytes: int) -> None:
        """Move the read index on by `nbytes` and forget what was there."""
        held = min(self._end - self.r, nbytes)
        if held > 0:
            self._forget(held)
        self.r += nbytes

    def clear(self) -> None:
        """Forget what is queued; the write index goes back, or on, to the read index."""
        if self._end > self.r:
            self._forget(self._end - self.r)
        self._end = self.w = self.r

    def _cut(self, nbytes: int) -> bytes:
        """The `nbytes` at the read index, with silence left in their place."""
        at = self.r % self._size
        past = at + nbytes
        data = bytes(self._view[at:past])
        if past > self._size:
            data += bytes(self._view[: past - self._size])
        self._forget(nbytes)
        return data

    def _forget(self, nbytes: int) -> None:
        """Leave silence in place of the `nbytes` at the read index."""
        at = self.r % self._size
        past = at + nbytes
        if past <= self._size:
            self._hush(at, past)
        else:
            self._hush(at, self._size)
            self._hush(0, past - self._size)

    def _hush(self, start: int, stop: int) -> None:
        if stop - start <= _SILENCE_BYTES:
            self._view[start:stop] = self._silence[: stop - start]
            return
        for at in range(start, stop, _SILENCE_BYTES):
            past = min(at + _SILENCE_BYTES, stop)
            self._view[at:past] = self._silence[: past - at]

    def _grow(self, needed: int) -> None:
        """Make room for `needed` bytes and little more: a queue stays near the length it was asked for."""
        size = max(needed, self._size + self._size // 4)
        self._resize(-(-size // _STEP_BYTES) * _STEP_BYTES)

    def _resize(self, size: int) -> None:
        """Have a circle of so many bytes, in which all that is queued has room."""
        held = max(self._end - self.r, 0)
        data = self._cut(held)
        self._size = size
        self._view = self._silent_view(self._size)
        at = self.r % self._size
        room = self._size - at
        self._view[at : at + held] = data[:room]
        self._view[: max(held - room, 0)] = data[room:]

    def shrink(self) -> None:
        """Give back the memory that what is queued does not need."""
        held = max(self._end - self.r, 0)
        size = max(_FIRST_BYTES, -(-held // _STEP_BYTES) * _STEP_BYTES)
        if size < self._size:
            self._resize(size)

    def _silent_view(self, size: int) -> memoryview:
        silence = self._silence[0]
        return memoryview(bytearray((silence,)) * size if silence else bytearray(size))
