"""The 20-byte descriptor before every packet."""

from __future__ import annotations

import struct

DESCRIPTOR_BYTES = 20
CONTROL = 0xFFFFFFFF  # the channel of control packets
_DESCRIPTOR = struct.Struct(">IIQI")


def control(payload: bytes) -> bytes:
    """A whole control packet."""
    return _DESCRIPTOR.pack(len(payload), CONTROL, 0, 0) + payload
