"""The 20-byte descriptor before every packet: cutting a stream of bytes into packets.

Sound packets are not copied when they lie whole in what was fed, and never more than one piece is held.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from eardrum.terms.errors import RemoteProtocolError

DESCRIPTOR_BYTES = 20
CONTROL = 0xFFFFFFFF  # the channel of control packets
PIECE = 65_536  # bytes of sound given out at once
MAX_SOUND = 16 * 1024 * 1024
MAX_CONTROL = 256 * 1024
_SHARED_MEMORY = 0xFF000000  # flags of shared memory, in which we take no part
_SEEK = 0x000000FF
_LAST_SEEK = 3  # relative, absolute, relative on read, relative to the end
_DESCRIPTOR = struct.Struct(">IIqI")  # length of what follows, channel, offset, flags
_describe = _DESCRIPTOR.pack
_read_descriptor = _DESCRIPTOR.unpack_from


class SoundPacket(NamedTuple):
    """A sound packet, or one piece of 65 536 bytes (the last: the rest) of a longer one.

    `seek` and `offset` (bytes) say where the whole packet goes; `first` is true for its first piece. `total` is the
    length of the whole packet. `data` may be overwritten at the next feed.
    """

    channel: int
    seek: int
    offset: int
    data: memoryview
    first: bool
    total: int


class Reader:
    """Cuts what one peer sends."""

    def __init__(self, max_control: int = MAX_CONTROL) -> None:
        self._max_control = max_control
        self._held = bytearray()  # the beginning of a packet or piece whose end has not come yet
        self._rest = 0  # bytes of a long sound packet that have not been given out
        self._long = (0, 0, 0, 0)  # its channel, seek, offset and length

    def feed(self, data: memoryview, items: list[bytes | SoundPacket] | None = None) -> list[bytes | SoundPacket]:
        """What is complete now, in order: control packets without descriptor as bytes, sound as SoundPacket.

        Raises RemoteProtocolError; the connection is then over. Then what was complete before is in `items`, if given.
        """
        items = [] if items is None else items
        while self._held:
            missing = self._wanted() - len(self._held)
            if missing:
                if not data:
                    return items
                self._held += data[:missing]
                data = data[missing:]
                continue
            whole, self._held = memoryview(self._held), bytearray()
            self._cut(whole, items)
        self._cut(data, items)
        return items

    @property
    def rest(self) -> bytes:
        """What was fed and has not been given out. After a RemoteProtocolError it begins with what is wrong."""
        return bytes(self._held)

    @property
    def begun(self) -> bool:
        """A packet has begun and has not been given out to its end."""
        return bool(self._held or self._rest)

    @property
    def inside(self) -> bool:
        """A long sound packet has begun, and what it began with has been given out."""
        return bool(self._rest)

    def _wanted(self) -> int:
        """The length that `_held` must reach before anything can be done with it."""
        if self._rest:
            return min(self._rest, PIECE)
        if len(self._held) < DESCRIPTOR_BYTES:
            return DESCRIPTOR_BYTES
        length: int
        length, channel, _, flags = _read_descriptor(self._held)
        self._check(length, channel, flags)
        return DESCRIPTOR_BYTES + (length if channel == CONTROL else min(length, PIECE))

    def _cut(self, data: memoryview, items: list[bytes | SoundPacket]) -> None:
        position, end = 0, len(data)
        while True:
            if self._rest:
                size = min(self._rest, PIECE)
                if position + size > end:
                    break
                channel, seek, offset, length = self._long
                piece = data[position : position + size]
                items.append(SoundPacket(channel, seek, offset, piece, False, length))
                self._rest -= size
                position += size
                continue
            start = position + DESCRIPTOR_BYTES
            if start > end:
                break
            length, channel, offset, flags = _read_descriptor(data, position)
            try:
                self._check(length, channel, flags)
            except RemoteProtocolError:
                self._held += data[position:]
                raise
            stop = start + length
            if channel == CONTROL:
                if stop > end:
                    break
                items.append(bytes(data[start:stop]))
            else:
                if length > PIECE:
                    stop = start + PIECE
                if stop > end:
                    break
                seek = flags & _SEEK
                items.append(SoundPacket(channel, seek, offset, data[start:stop], True, length))
                if length > PIECE:
                    self._rest, self._long = length - PIECE, (channel, seek, offset, length)
            position = stop
        if position < end:
            self._held += data[position:]

    def _check(self, length: int, channel: int, flags: int) -> None:
        if not 0 < length <= MAX_SOUND:
            raise RemoteProtocolError(f"a packet of {length} bytes")
        if channel == CONTROL:
            if flags:
                raise RemoteProtocolError(f"a control packet with flags {flags:#x}")
            if length > self._max_control:
                raise RemoteProtocolError(f"a control packet of {length} bytes")
        elif flags & _SHARED_MEMORY:
            raise RemoteProtocolError(f"shared memory that was never agreed on, flags {flags:#x}")
        elif flags & _SEEK > _LAST_SEEK:
            raise RemoteProtocolError(f"seek mode {flags & _SEEK}")


def control(payload: bytes) -> bytes:
    """A whole control packet."""
    return _describe(len(payload), CONTROL, 0, 0) + payload


def sound_head(channel: int, length: int, seek: int = 0, offset: int = 0) -> bytes:
    """The descriptor of a sound packet of `length` bytes, which follow it."""
    return _describe(length, channel, offset, seek)
