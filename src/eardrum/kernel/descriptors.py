"""How many descriptors this process may have."""

from __future__ import annotations

import resource

OTHERS = 32  # that a process needs for other things than connections


def raise_limit() -> int:
    """Allow as many as the hard limit does; returns how many that are."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def connections() -> int:
    """How many connections fit, with all else that is open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OTHERS
