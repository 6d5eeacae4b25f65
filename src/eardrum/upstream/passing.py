"""One direction of a connection that is only looked through: packets are cut where they lie, sound is not waited for.

What passes is given out in runs, as few as can be, so that a wake-up ends with one write.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Container

from eardrum.protocol.codec import HEAD_BYTES
from eardrum.protocol.packets import CONTROL, DESCRIPTOR_BYTES
from eardrum.terms.audio import Samples
from eardrum.terms.errors import RemoteProtocolError

_DESCRIPTOR = struct.Struct(">IIqI")  # length of what follows, channel, offset, flags
_CODE = struct.Struct(">xI")  # of a control packet, behind its descriptor


class Passing:
    """What may raise is RemoteProtocolError; the connection is then over, and nothing of what was just fed may pass."""

    def __init__(
        self,
        heeded: Container[int],
        control: Callable[[memoryview], bytes | None],
        sound: Callable[[int, int, int], bytes | None],
        longest: int,
    ) -> None:
        """`control` gets control packets whose codes are `heeded`, whole and with their descriptor, and returns what
        passes instead, None: the packet as it is. `sound` gets channel, length and flags of sound packets and returns
        one byte that all their samples are to be instead, None: they pass as they are. No control packet has more than
        `longest` bytes.
        """
        self._heeded = heeded
        self._control = control
        self._sound = sound
        self._longest = longest
        self._held = b""  # the beginning of a descriptor or a control packet
        self._rest = 0  # bytes of a sound packet that are still to come
        self._instead: bytes | None = None  # of its samples

    def feed(self, data: memoryview) -> list[Samples]:
        """What passes; parts of it lie in `data`."""
        if self._held:
            data, self._held = memoryview(self._held + data), b""
        passed: list[Samples] = []
        position = run = 0
        end = len(data)
        while position < end:
            if self._rest:
                size = min(self._rest, end - position)
                if self._instead is not None:
                    if run < position:
                        passed.append(data[run:position])
                    passed.append(self._instead * size)
                    run = position + size
                self._rest -= size
                position += size
                continue
            start = position + DESCRIPTOR_BYTES
            if start > end:
                break
            length, channel, _, flags = _DESCRIPTOR.unpack_from(data, position)
            if channel != CONTROL:
                self._instead = self._sound(channel, length, flags)
                self._rest, position = length, start
                continue
            if not HEAD_BYTES <= length <= self._longest:
                raise RemoteProtocolError(f"a control packet of {length} bytes")
            stop = start + length
            if stop > end:
                break
            if _CODE.unpack_from(data, start)[0] in self._heeded:
                instead = self._control(data[position:stop])
                if instead is not None:
                    if run < position:
                        passed.append(data[run:position])
                    passed.append(instead)
                    run = stop
            position = stop
        if run < position:
            passed.append(data[run:position])
        if position < end:
            self._held = bytes(data[position:])
        return passed
