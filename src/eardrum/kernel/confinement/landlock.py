"""A Landlock domain without any rule: no path, no port, no abstract socket, no process outside.

Constants and structures are those of <linux/landlock.h>; call numbers are the same on every machine.
"""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import suppress
from functools import cache

from eardrum.kernel.confinement.libc import call

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION = 1
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # ABI: the kernel knows this many rights on files, the lowest bits
_PORT_RIGHTS = 0b11  # from ABI 4: to bind and to connect TCP sockets
_SCOPES = 0b11  # from ABI 6: abstract sockets, signals


@cache
def abi() -> int:
    """The newest version that the kernel speaks; 0: it has no Landlock, or is started without."""
    with suppress(OSError):
        return call("syscall", _CREATE_RULESET, 0, 0, _VERSION)
    return 0


def ruleset(version: int) -> bytes:
    """All that this version of Landlock, from 1 on, can forbid."""
    files = max(count for since, count in _FILE_RIGHTS.items() if since <= version)
    rights = [(1 << files) - 1]
    if version >= 4:
        rights.append(_PORT_RIGHTS)
    if version >= 6:
        rights.append(_SCOPES)
    return struct.pack(f"={len(rights)}Q", *rights)


def enter() -> None:
    """Be for ever in a domain that allows nothing; what is open stays so. Raises OSError.

    The process must gain no privileges any more.
    """
    rights = ctypes.create_string_buffer(ruleset(max(1, abi())))
    domain = call("syscall", _CREATE_RULESET, ctypes.addressof(rights), len(rights) - 1, 0)
    try:
        call("syscall", _RESTRICT_SELF, domain, 0)
    finally:
        os.close(domain)
