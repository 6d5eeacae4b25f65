"""One connected stream socket: reading, writing, and a peer that does not do its part."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eardrum.kernel.link import READ_BYTES, Link, Scratch


@pytest.fixture
def pair() -> Iterator[tuple[Link, socket.socket]]:
    one, peer = socket.socketpair()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    link = Link(one)
    with peer:
        peer.settimeout(10)
        yield link, peer
    link.close()


def taken(link: Link, peer: socket.socket, nbytes: int) -> bytes:
    """What the peer reads while the link is flushed until so much has come."""
    heard = b""
    while len(heard) < nbytes:
        assert link.flush()
        heard += peer.recv(100_000)
    return heard


# -- reading


def test_what_has_come_lies_in_the_scratch_memory(pair):
    link, peer = pair
    scratch = Scratch()
    assert link.read(scratch) == b""
    peer.send(b"hello")
    first = link.read(scratch)
    peer.send(b"again")
    second = link.read(scratch)
    assert (bytes(first), bytes(second)) == (b"hello", b"again")  # the second did not overwrite the first


def test_at_once_no_more_is_read_than_fits(pair):
    link, peer = pair
    scratch = Scratch()
    peer.setblocking(False)
    sent = peer.send(bytes(READ_BYTES + 1000))
    first, second = link.read(scratch), link.read(scratch)
    assert len(first) + len(second) == sent
    assert len(first) <= READ_BYTES


def test_scratch_memory_is_full_and_used_again(pair):
    link, peer = pair
    scratch = Scratch(2 * READ_BYTES)
    reads = 0
    while not scratch.full:
        peer.send(bytes(40_000))
        link.read(scratch)
        reads += 1
    assert reads == 2
    scratch.reset()
    assert not scratch.full
    peer.send(b"new")
    assert link.read(scratch) == b"new"


def test_the_end_is_none_after_all_that_came_before_it(pair):
    link, peer = pair
    scratch = Scratch()
    peer.send(b"last words")
    peer.close()
    assert link.read(scratch) == b"last words"
    assert link.read(scratch) is None
    assert link.read(scratch) is None


def test_half_an_end_is_an_end(pair):
    link, peer = pair
    peer.shutdown(socket.SHUT_WR)
    assert link.read(Scratch()) is None


def test_a_closed_link_reads_its_end_and_cannot_write(pair):
    link, _ = pair
    link.close()
    link.close()
    assert link.read(Scratch()) is None
    link.queue(b"x")
    assert not link.flush()


def test_descriptors_that_come_along_are_closed(pair):
    """As many as a peer may send in one packet, and again and again: none stays open here, none is leaked there."""
    link, peer = pair
    scratch = Scratch()
    before = len(list(Path("/proc/self/fd").iterdir()))
    reading, writing = os.pipe()
    passed = array.array("i", [writing] * 250)
    for _ in range(40):
        peer.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
        assert link.read(scratch) == b"x"
        scratch.reset()
    os.close(writing)
    assert os.read(reading, 1) == b""  # nobody holds the other end any more
    os.close(reading)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# -- writing


def test_what_is_queued_goes_out_in_order_with_one_flush(pair):
    link, peer = pair
    link.queue(b"one ", bytearray(b"two "))
    link.queue(memoryview(b"three"))
    assert link.queued == 13
    assert link.flush()
    assert link.queued == 0
    assert peer.recv(100) == b"one two three"


def test_flushing_nothing_is_fine(pair):
    link, _ = pair
    link.queue(b"")
    assert link.flush()
    assert link.flush()


def test_what_the_peer_does_not_take_is_kept_and_goes_out_later(pair):
    link, peer = pair
    words = os.urandom(300_000)
    link.queue(words[:100], words[100:200_000], words[200_000:])
    assert link.flush()
    assert 0 < link.queued < 300_000
    link.queue(b"end")
    assert taken(link, peer, 300_003) == words + b"end"
    assert link.queued == 0


def test_what_is_kept_is_no_longer_in_scratch_memory(pair):
    link, peer = pair
    scratch = bytearray(os.urandom(200_000))
    words = bytes(scratch)
    link.queue(memoryview(scratch))
    assert link.flush()
    scratch[:] = bytes(200_000)
    assert taken(link, peer, 200_000) == words


def test_more_parts_than_one_call_may_have(pair):
    link, peer = pair
    parts = [bytes((n % 256,)) for n in range(5000)]
    link.queue(*parts)
    assert taken(link, peer, 5000) == b"".join(parts)


def test_the_end_of_the_peer_is_seen_when_writing(pair):
    link, peer = pair
    peer.close()
    link.queue(b"x")
    assert not link.flush()


def test_a_peer_that_ends_with_words_unread_is_seen_too(pair):
    link, peer = pair
    link.queue(bytes(200_000))
    assert link.flush()
    peer.close()
    assert not link.flush()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.binary(max_size=20) | st.integers(0, 30_000).map(bytes), max_size=4) | st.integers(1, 50_000),
        max_size=20,
    )
)
def test_whatever_the_sizes_all_arrives_in_order(steps):
    """Lists are queued and flushed, numbers are bytes that the peer takes."""
    one, peer = socket.socketpair()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    peer.setblocking(False)
    link, said, heard = Link(one), b"", b""
    with peer:
        for step in steps:
            if isinstance(step, list):
                link.queue(*step)
                said += b"".join(step)
                assert link.flush()
            elif len(heard) < len(said):
                assert link.flush()
                heard += peer.recv(step)
        peer.settimeout(10)
        while len(heard) < len(said):
            assert link.flush()
            assert link.queued <= len(said) - len(heard)
            heard += peer.recv(100_000)
    link.close()
    assert heard == said
    assert link.queued == 0
