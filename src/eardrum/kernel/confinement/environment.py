"""What a process knows from its environment and need not know: tokens, addresses, paths of the user."""

from __future__ import annotations

import ctypes
import posix
from functools import cache

_POINTER_BYTES = ctypes.sizeof(ctypes.c_void_p)
_BYTES_AT = bytes.__basicsize__ - 1  # where the bytes of a bytes object are


@cache
def prepare() -> ctypes.Array[ctypes.c_void_p]:
    """The C library's variable, found before a fork so that the children need not look."""
    return (ctypes.c_void_p * 1).in_dll(ctypes.CDLL(None), "environ")


def forget() -> None:
    """Have no environment any more, and overwrite what it was, in the C library's memory and in Python's.

    Values that somebody has asked for may have copies.
    """
    position = prepare()[0]
    while position and (address := ctypes.c_void_p.from_address(position).value):
        ctypes.memset(address, 0, len(ctypes.string_at(address)))
        position += _POINTER_BYTES
    for value in posix.environ.values():
        if len(value) > 1:  # else Python has one for all
            ctypes.memset(id(value) + _BYTES_AT, 0, len(value))
    posix.environ.clear()
