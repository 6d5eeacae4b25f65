"""From what a person says of who is let in to the numbers and bytes by which it is judged."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from eardrum.kernel.outlet_directory import Access
from eardrum.kernel.standard_place import own_directory
from eardrum.protocol.kinds import COOKIE_BYTES
from eardrum.server.admission import USUAL_COOKIE, Admission, Door
from eardrum.terms.errors import Complaint
from eardrum.upstream.discovery import config_home, mode_of_ours
from eardrum.upstream.surroundings import Surroundings

_LAST_GROUP = 2**32 - 2
_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def door(
    admission: Admission, around: Surroundings, without: Callable[[Complaint], None] = lambda complaint: None
) -> Door:
    """The rules of a socket of this process' user. A cookie that lacks is made.

    Raises Complaint: an unknown group, a cookie that cannot be read or made. Where nobody named a cookie it goes
    without the usual one too; `without` hears why.
    """
    everybody = Door(os.geteuid(), anonymous=admission.anonymous)
    if admission.anonymous:
        return everybody
    found = replace(everybody, group=group_number(admission.group))
    try:
        return replace(found, cookie=_cookie(admission.cookie, around))
    except Complaint as complaint:
        if admission.cookie != USUAL_COOKIE:
            raise
        without(complaint)
        return found


def group_number(group: str | None) -> int | None:
    """The number of a group, said by its name or its number. Raises Complaint."""
    if group is None:
        return None
    if group.isascii() and group.isdigit() and len(group) < 11 and int(group) <= _LAST_GROUP:
        return int(group)
    return Access(group=group).group_id()


def _cookie(name: str | None, around: Surroundings) -> bytes | None:
    if name is None:
        return None
    config = Path(config_home(around))
    path = config / name
    old = Path(around.home or "/", ".pulse-cookie")
    if name == USUAL_COOKIE and os.access(old, os.F_OK) and not os.access(path, os.F_OK):
        path = old
    elif not name.startswith("/"):
        own_directory(config, mode_of_ours(around.environment))
    return kept_cookie(path)


def kept_cookie(path: Path) -> bytes:
    """The 256 bytes in this file; they are made, for its owner only, if there is none. Raises Complaint."""
    try:
        descriptor, writable = _opened(path)
        with open(descriptor, "r+b" if writable else "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Complaint(f"{path}: is no file, so no cookie; name another")
            # whoever makes a cookie holds this lock, clients too: half of one is never seen
            fcntl.lockf(file, fcntl.LOCK_EX if writable else fcntl.LOCK_SH)
            cookie = file.read(COOKIE_BYTES)
            if not cookie and writable:
                cookie = os.urandom(COOKIE_BYTES)
                file.write(cookie)
    except OSError as error:
        raise Complaint(f"{path}: no cookie can be read or made there: {error.strerror}; name another") from None
    if len(cookie) < COOKIE_BYTES:
        raise Complaint(f"{path}: holds {len(cookie)} bytes, a cookie has {COOKIE_BYTES}; remove it, and one is made")
    return cookie


def _opened(path: Path) -> tuple[int, bool]:
    """A descriptor, and whether it may be written to."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600), True
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EROFS):
            raise
    return os.open(path, os.O_RDONLY | _FLAGS), False
