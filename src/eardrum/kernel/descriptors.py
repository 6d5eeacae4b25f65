"""How many descriptors this process may have."""

from __future__ import annotations

import resource


def raise_limit() -> int:
    """Allow as many as the hard limit does; returns how many that are."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
