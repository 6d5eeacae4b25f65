"""How the process takes memory from the kernel and gives it back. Constants are those of glibc's <malloc.h>."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGE = 64 * 1024  # bytes: queues and blocks of sound


@cache
def _function(name: str) -> Callable[..., int] | None:
    """A function of the C library, if it has it."""
    return getattr(ctypes.CDLL(None), name, None)


def give_back_early() -> None:
    """Let large buffers be mappings of their own, so that freeing one returns its pages at once.

    Setting the threshold also stops glibc from raising it by itself, after which freed queues would stay in the heap.
    Where the C library has no mallopt nothing happens.
    """
    mallopt = _function("mallopt")
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)


def give_back() -> None:
    """Return what is free inside the heap: one small thing that is kept holds back all that lies before it."""
    malloc_trim = _function("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)
