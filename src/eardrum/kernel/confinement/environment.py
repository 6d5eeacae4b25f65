"""What a process knows from its environment and need not know: tokens, addresses, paths of the user."""

from __future__ import annotations

import ctypes
import posix

_BYTES_AT = bytes.__basicsize__ - 1  # where the bytes of a bytes object are


def forget() -> None:
    """Have no environment any more, and overwrite what it was, in the C library's memory and in Python's.

    Values that somebody has asked for may have copies.
    """
    variables = (ctypes.POINTER(ctypes.c_void_p)).in_dll(ctypes.CDLL(None), "environ")
    position = 0
    while variables and (address := variables[position]):
        ctypes.memset(address, 0, len(ctypes.string_at(address)))
        position += 1
    for value in posix.environ.values():
        if len(value) > 1:  # else Python has one for all
            ctypes.memset(id(value) + _BYTES_AT, 0, len(value))
    posix.environ.clear()
