from __future__ import annotations

import resource

from eardrum.kernel import descriptors


def test_the_hard_limit_is_used():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1] // 2, before[1]))
    try:
        assert descriptors.raise_limit() == before[1]
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_not_every_descriptor_is_left_for_connections():
    assert 0 < descriptors.connections() < resource.getrlimit(resource.RLIMIT_NOFILE)[0]
