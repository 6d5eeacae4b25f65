"""What a process may still take of the machine, by resource limits."""

from __future__ import annotations

import resource
from functools import cache
from pathlib import Path
from typing import NamedTuple

_NEVER = (
    resource.RLIMIT_CORE,
    resource.RLIMIT_MEMLOCK,
    resource.RLIMIT_MSGQUEUE,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_RTPRIO,
)


class Limits(NamedTuple):
    """`descriptors`: open at once. `memory`: bytes of address space beyond what it has. `file`: bytes of any file,
    None for as many as the disk has; a pipe and a socket are no file.
    """

    descriptors: int
    memory: int
    file: int | None = 0


def impose(limits: Limits) -> None:
    """Raises OSError."""
    memory = address_space() + limits.memory  # asked while files may be opened
    for kind in _NEVER:
        _lower(kind, 0)
    _lower(resource.RLIMIT_NOFILE, limits.descriptors)
    _lower(resource.RLIMIT_AS, memory)
    if limits.file is not None:
        _lower(resource.RLIMIT_FSIZE, limits.file)


def _lower(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(kind, (most, most))


@cache
def address_space() -> int:
    """Bytes that this process has; a forked one takes the parent's word for it."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
