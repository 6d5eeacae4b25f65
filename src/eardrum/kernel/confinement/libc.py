"""Functions of the C library that Python does not have."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache


@cache
def _functions() -> dict[str, Callable[..., int]]:
    """Found all at once, so that a forked process need not look."""
    libc = ctypes.CDLL(None, use_errno=True)
    return {name: libc[name] for name in ("prctl", "capset", "syscall")}


def call(function: str, *arguments: int) -> int:
    """Call a function that returns an int, and -1 if it fails. Raises OSError then."""
    result = _functions()[function](*map(ctypes.c_long, arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
