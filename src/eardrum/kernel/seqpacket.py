"""One packet with its descriptors over a SOCK_SEQPACKET pair: how desk, nursery and workers talk."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Sequence

from eardrum.terms.errors import RemoteProtocolError

_INT_BYTES = array.array("i").itemsize


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends; both are closed on exec."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(link: socket.socket, packet: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send one packet; the descriptors stay open here.

    Raises BlockingIOError if the link does not block and the peer does not read, another OSError if it is gone.
    """
    if descriptors:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        link.sendmsg([packet], [rights], socket.MSG_NOSIGNAL)
    else:
        link.send(packet, socket.MSG_NOSIGNAL)


def receive(link: socket.socket, longest: int, descriptors: int = 0) -> tuple[bytes, list[int]]:
    """Receive one packet of at most `longest` bytes and `descriptors` descriptors; b"" when the peer is gone.

    Raises RemoteProtocolError, with nothing left open, if the packet was longer or brought more descriptors, and
    BlockingIOError if the link does not block and nothing is there.
    """
    room = socket.CMSG_LEN(descriptors * _INT_BYTES) if descriptors else 0
    packet, ancillary, flags, _ = link.recvmsg(longest, room, socket.MSG_CMSG_CLOEXEC)
    received = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            received.frombytes(data[: len(data) - len(data) % _INT_BYTES])
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        for descriptor in received:
            os.close(descriptor)
        raise RemoteProtocolError("a packet that is too long or brings too many descriptors")
    return packet, list(received)
