"""One packet with its descriptors."""

from __future__ import annotations

import os

import pytest

from eardrum.kernel import seqpacket
from eardrum.terms.errors import RemoteProtocolError


@pytest.fixture
def ends():
    one, other = seqpacket.pair()
    with one, other:
        yield one, other


def open_descriptors() -> int:
    return len(list(os.scandir("/proc/self/fd")))


def fill(link) -> None:
    while True:
        seqpacket.send(link, bytes(1000))


def test_packets_keep_their_borders(ends):
    one, other = ends
    seqpacket.send(one, b"first")
    seqpacket.send(one, b"second")
    assert seqpacket.receive(other, 100) == (b"first", [])
    assert seqpacket.receive(other, 100) == (b"second", [])


def test_descriptors_come_along_in_their_order(ends):
    one, other = ends
    files = [os.open(name, os.O_RDONLY) for name in ("/dev/null", "/dev/zero")]
    seqpacket.send(one, b"take these", files)
    packet, received = seqpacket.receive(other, 100, 2)
    assert packet == b"take these"
    assert [os.fstat(file).st_rdev for file in received] == [os.fstat(file).st_rdev for file in files]
    assert not any(os.get_inheritable(file) for file in received)
    for file in files + received:
        os.close(file)


def test_the_end_is_an_empty_packet(ends):
    one, other = ends
    one.close()
    assert seqpacket.receive(other, 100) == (b"", [])


def test_what_is_too_long_is_refused(ends):
    one, other = ends
    seqpacket.send(one, b"12345")
    with pytest.raises(RemoteProtocolError):
        seqpacket.receive(other, 4)


@pytest.mark.parametrize("expected", [0, 1, 2])
def test_too_many_descriptors_are_refused_and_closed(ends, expected):
    one, other = ends
    seqpacket.send(one, b"x", [0] * 5)
    before = open_descriptors()
    with pytest.raises(RemoteProtocolError):
        seqpacket.receive(other, 100, expected)
    assert open_descriptors() == before


def test_a_link_that_does_not_block_says_so(ends):
    one, other = ends
    one.setblocking(False)
    other.setblocking(False)
    with pytest.raises(BlockingIOError):
        seqpacket.receive(other, 100)
    with pytest.raises(BlockingIOError):
        fill(one)
