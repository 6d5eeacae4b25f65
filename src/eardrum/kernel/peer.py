"""Who is at the other end of a UNIX socket, as the kernel knows it: nothing that the peer says counts."""

from __future__ import annotations

import functools
import grp
import os
import pwd
import socket
import struct
from pathlib import Path

from eardrum.server.admission import Peer

NOBODY = 65534  # how the kernel shows users and groups that have no number in our user namespace
_UCRED = struct.Struct("iII")  # pid, uid, gid
_SO_PEERGROUPS = 59
_MOST_BYTES = 1024  # that Python reads of a socket option: 256 groups


def peer_of(connection: socket.socket, *, with_groups: bool = True) -> Peer:
    """Who connected, at the time of its connect(). Its groups are those of its process, and those that this machine's
    user database gives to its user.
    """
    _, uid, gid = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    known = None if uid == NOBODY and not _all_have_numbers() else uid
    if not with_groups:
        return Peer(known)
    groups = {gid, *_supplementary(connection)}
    if known is not None:
        groups |= _listed(known, gid)
    return Peer(known, frozenset(groups if _all_have_numbers() else groups - {NOBODY}))


def _supplementary(connection: socket.socket) -> tuple[int, ...]:
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_BYTES)
    except OSError:  # an older kernel, or more groups than fit
        return ()
    return struct.unpack(f"{len(raw) // 4}I", raw)


def _listed(uid: int, gid: int) -> set[int]:
    try:
        return set(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid))
    except KeyError:
        return set()


def user_name(uid: int) -> str:
    """What this machine calls the user, or the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """What this machine calls the group, or the number."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def root_as_seen() -> tuple[int, ...]:
    """The uids that files of root may have for us: in a user namespace without root they seem to be nobody's."""
    return (0,) if _all_have_numbers() else (0, NOBODY)


@functools.cache
def _all_have_numbers() -> bool:
    """We are in no user namespace of a part of the users: 65534 is a user, and not all those who have no number."""
    try:
        return Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
    except OSError:
        return False
