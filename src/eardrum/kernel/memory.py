"""How the process takes memory from the kernel and gives it back. Constants are those of glibc's <malloc.h>."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGE = 64 * 1024  # bytes: queues and blocks of sound


def give_back_early() -> None:
    """Let large buffers be mappings of their own, so that freeing one returns its pages at once.

    Setting the threshold also stops glibc from raising it by itself, after which freed queues would stay in the heap.
    Where the C library has no mallopt nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)
