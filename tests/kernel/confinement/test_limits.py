"""What a process may still take."""

import mmap
import os
import resource

import pytest

from eardrum.kernel.confinement import limits
from eardrum.kernel.confinement.limits import Limits

MIB = 1 << 20
USUAL = Limits(descriptors=40, memory=64 * MIB)


def limited(in_a_child, act, given=USUAL):
    """What this returns in a child with these limits."""

    def do():
        limits.address_space.cache_clear()  # no earlier test's word for it
        limits.impose(given)
        return act()

    return in_a_child(do)


def test_memory_beyond_what_it_has(in_a_child):
    def take(nbytes):
        return lambda: len(mmap.mmap(-1, nbytes))

    assert limited(in_a_child, take(32 * MIB)) == 32 * MIB
    assert limited(in_a_child, take(96 * MIB)).startswith("OSError: [Errno 12]")


def test_descriptors(in_a_child):
    def take(more):
        return lambda: [os.dup(0) for _ in range(more)][-1] > 0

    assert limited(in_a_child, take(5), Limits(200, MIB)) is True
    assert limited(in_a_child, take(41)).startswith("OSError: [Errno 24]")


def test_no_file_grows(in_a_child, tmp_path):
    def write():
        return os.write(file.fileno(), b"x")

    with open(tmp_path / "file", "wb") as file:
        assert limited(in_a_child, write).startswith("OSError: [Errno 27]")
        assert limited(in_a_child, write, Limits(40, 64 * MIB, None)) == 1


def test_no_core_no_process_no_locked_memory(in_a_child):
    kinds = (resource.RLIMIT_CORE, resource.RLIMIT_NPROC, resource.RLIMIT_MEMLOCK)
    assert limited(in_a_child, lambda: [resource.getrlimit(kind) for kind in kinds]) == [[0, 0]] * 3


@pytest.mark.parametrize("hard", [30, 60])
def test_a_limit_is_never_raised(in_a_child, hard):
    limits.address_space()  # a process that forks has prepared; it may have more descriptors than these

    def lower():
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        limits.impose(Limits(descriptors=40, memory=64 * MIB))
        return resource.getrlimit(resource.RLIMIT_NOFILE)

    assert in_a_child(lower) == [min(hard, 40)] * 2


@pytest.mark.parametrize(("file", "said"), [(0, True), (None, False)])
def test_soft_and_hard_limits_are_one(monkeypatch, file, said):
    set_to: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (10, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", set_to.__setitem__)
    limits.impose(Limits(40, 0, file))
    assert all(soft == hard for soft, hard in set_to.values())
    assert set_to[resource.RLIMIT_NOFILE] == (40, 40)
    assert (resource.RLIMIT_FSIZE in set_to) is said
