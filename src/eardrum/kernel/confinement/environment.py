"""What a process knows from its environment and need not know: tokens, addresses, paths of the user."""

from __future__ import annotations

import ctypes
import posix
from functools import cache
from pathlib import Path
from typing import NamedTuple

_POINTER_BYTES = ctypes.sizeof(ctypes.c_void_p)
_BYTES_AT = bytes.__basicsize__ - 1  # where the bytes of a bytes object are
_ENV_START = 47  # in /proc/self/stat, counted from 0 behind the name; proc(5)


class _Places(NamedTuple):
    """`variables`: the C library's `environ`. `start`, `nbytes`: what the kernel wrote when the process began."""

    variables: ctypes.Array[ctypes.c_void_p]
    start: int
    nbytes: int


@cache
def prepare() -> _Places:
    """Where the environment is, found before a fork so that the children need not look. Raises OSError."""
    _, _, fields = Path("/proc/self/stat").read_text().rpartition(")")
    start, end = map(int, fields.split()[_ENV_START : _ENV_START + 2])
    return _Places((ctypes.c_void_p * 1).in_dll(ctypes.CDLL(None), "environ"), start, end - start)


def forget() -> None:
    """Have no environment any more, and overwrite what it was: as the process began, in the C library's memory,
    and in Python's.

    Values that somebody has asked for, or has replaced since, may have copies.
    """
    places = prepare()
    position = places.variables[0]
    while position and (address := ctypes.c_void_p.from_address(position).value):
        ctypes.memset(address, 0, len(ctypes.string_at(address)))
        position += _POINTER_BYTES
    ctypes.memset(places.start, 0, places.nbytes)
    for value in posix.environ.values():
        if len(value) > 1:  # else Python has one for all
            ctypes.memset(id(value) + _BYTES_AT, 0, len(value))
    posix.environ.clear()
