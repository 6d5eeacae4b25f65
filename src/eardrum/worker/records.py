"""The closed vocabulary between desk and worker: small fixed records, no text, no path, one packet each.

A worker may have been taken over, so the desk drops one that says anything else (`parse` raises).
Records travel over a SOCK_SEQPACKET pair; some carry one descriptor.
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

from eardrum.terms.errors import RemoteProtocolError

_RECORD = struct.Struct(">B3xIII")
RECORD_BYTES = _RECORD.size


class Kind(enum.IntEnum):
    """What a record says; its numbers are named a, b, c."""

    # desk to worker
    UPSTREAM = 1  # a: wire, b: protocol version; one descriptor, a connection that is already authenticated
    NO_UPSTREAM = 2  # a: wire, b: error code
    ATTACH = 3  # to a room: a: the outlet's number, b: rights; one descriptor, the room's end of a socketpair
    FINISH = 4  # finish the file, say FINISHED, end
    TRACE = 5  # a: 1 with sound packets; one descriptor, the connection of somebody who wants to watch
    # worker to desk
    READY = 16  # serving
    WANT = 17  # a: wire: please connect it
    COUNTS = 18  # a: connections, b: streams that play, c: streams that record
    FINISHED = 19  # it is over; the file, if there is one, is complete
    FILE_FAILED = 20  # a: wire; its file cannot be written on, and what is in it is complete, or not be read on
    LEVEL = 21  # a: wire, and MUTED or not; b, c: volume left and right
    WIRE = 22  # a: wire, b: why its upstream refuses streams, an error code; 0: it takes them again
    STILL_WRITING = 23  # the file is being completed, which takes long
    DEVICE = 24  # of an ALSA device's process: a: 0 if the device is there (again), else the number of the error


FROM_DESK = frozenset((Kind.UPSTREAM, Kind.NO_UPSTREAM, Kind.ATTACH, Kind.FINISH, Kind.TRACE))
FROM_WORKER = frozenset(
    (
        Kind.READY, Kind.WANT, Kind.COUNTS, Kind.FINISHED, Kind.FILE_FAILED, Kind.LEVEL, Kind.WIRE, Kind.STILL_WRITING,
        Kind.DEVICE,
    )
)  # fmt: skip


MUTED = 1 << 8  # in the a of LEVEL


class Record(NamedTuple):
    kind: Kind
    a: int = 0
    b: int = 0
    c: int = 0

    def __bytes__(self) -> bytes:
        return _RECORD.pack(self.kind, self.a, self.b, self.c)


def parse(data: bytes, allowed: frozenset[Kind]) -> Record:
    """Read one record. Raises RemoteProtocolError for anything that is not exactly one of the allowed kinds."""
    if len(data) != RECORD_BYTES:
        raise RemoteProtocolError(f"a record of {len(data)} bytes")
    number, a, b, c = _RECORD.unpack(data)
    if number not in allowed or data[1:4] != b"\0\0\0":
        raise RemoteProtocolError(f"record kind {number} is not allowed here")
    return Record(Kind(number), a, b, c)
