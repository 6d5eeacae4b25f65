"""The closed vocabulary between desk and worker: small fixed records, no text, no path, one packet each.

A worker may have been taken over, so the desk drops one that says anything else (`parse` raises).
Records travel over a SOCK_SEQPACKET pair; some carry one descriptor. The one text that the desk says, a wire end, is in
a pipe (`end_in_pipe`, `end_from_pipe`).

A wire of a worker is wanted or not: `WANT` with b = 1 stands, and the desk goes on trying by itself, until it says
`UPSTREAM`, until the worker says `WANT` with b = 0, or until the wire leads nowhere. `NO_UPSTREAM` only tells why it
takes longer. `UPSTREAM` for a wire that is connected replaces the connection. A worker that lost a connection which it
still needs says `WANT` again. `REWIRE` ends the connection that the wire has; a `WANT` that stands goes on standing.

All that is so for connection 0 of a wire. Where that takes no more streams the worker may want others beside it, 1 and
so on, each once: `UPSTREAM` or `NO_UPSTREAM` with its number settles that. They end with connection 0.
"""

from __future__ import annotations

import enum
import os
import struct
from typing import NamedTuple

from eardrum.server.events import OUTPUT
from eardrum.terms.errors import Complaint, RemoteProtocolError
from eardrum.terms.names import WireEnd, input_end, output_end

_RECORD = struct.Struct(">B3xIII")
RECORD_BYTES = _RECORD.size
LONGEST_END = 512  # bytes of a wire end as text


class Kind(enum.IntEnum):
    """What a record says; its numbers are named a, b, c."""

    # desk to worker
    UPSTREAM = 1  # a: wire, b: protocol version, c: number; one descriptor, a connection that is already authenticated
    NO_UPSTREAM = 2  # a: wire, b: error code: why it is not connected yet, c: number
    ATTACH = 3  # to a room: a: the outlet's number, b: rights; one descriptor, the room's end of a socketpair
    FINISH = 4  # finish the file, say FINISHED, end
    TRACE = 5  # a: 1 with sound packets; one descriptor, the connection of somebody who wants to watch
    REWIRE = 6  # a: wire; one descriptor, a pipe with the wire end that it leads to from now on
    RETIRE = 7  # FINISH, unless somebody is connected; then say STAYS
    KNOB = 8  # what the person has set; a: wire, and MUTED or not, b: volume
    PASS = 12  # to a gate; a: wire, b: protocol version; a connection to the host's server, one of the worker's, a pipe
    #            with the wire end
    # worker to desk
    READY = 16  # serving; a: the layers of its confinement that hold
    WANT = 17  # a: wire, b: 1: please connect it; 0: no more; c: number
    COUNTS = 18  # a: connections, b: streams that play, c: streams that record
    FINISHED = 19  # it is over; the file, if there is one, is complete
    FILE_FAILED = 20  # a: wire; its file cannot be written on, and what is in it is complete, or not be read on
    LEVEL = 21  # what a program has set; a: wire, and MUTED or not; b, c: volume left and right
    WIRE = 22  # a: wire, b: why its upstream refuses streams, an error code; 0: it takes them again
    STILL_WRITING = 23  # the file is being completed, which takes long
    DEVICE = 24  # of an ALSA device's process: a: 0 if the device is there (again), else the number of the error
    STAYS = 25  # it was told RETIRE, but somebody is connected or has left what must last
    REFUSED = 40  # of a gate: a: wire, b: the code of a command that is never said, 0xFFFFFFFF: it was none


FROM_DESK = frozenset(
    (
        Kind.UPSTREAM, Kind.NO_UPSTREAM, Kind.ATTACH, Kind.FINISH, Kind.TRACE, Kind.REWIRE, Kind.RETIRE, Kind.KNOB,
        Kind.PASS,
    )
)  # fmt: skip
FROM_WORKER = frozenset(
    (
        Kind.READY, Kind.WANT, Kind.COUNTS, Kind.FINISHED, Kind.FILE_FAILED, Kind.LEVEL, Kind.WIRE, Kind.STILL_WRITING,
        Kind.DEVICE, Kind.STAYS, Kind.REFUSED,
    )
)  # fmt: skip


MUTED = 1 << 8  # in the a of LEVEL and KNOB


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


def end_in_pipe(end: WireEnd) -> int:
    """A pipe that holds this wire end, to be handed over with REWIRE. Raises OSError."""
    reader, writer = os.pipe()
    try:
        os.write(writer, str(end).encode())
    finally:
        os.close(writer)
    return reader


def end_from_pipe(wire: int, descriptor: int) -> WireEnd:
    """The wire end that REWIRE brought; the descriptor is closed. Raises RemoteProtocolError."""
    try:
        text = os.read(descriptor, LONGEST_END).decode()
        return output_end(text) if wire == OUTPUT else input_end(text)
    except (OSError, ValueError, Complaint) as problem:
        raise RemoteProtocolError(f"no wire end: {problem}") from None
    finally:
        os.close(descriptor)
