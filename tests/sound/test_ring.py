from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from eardrum.sound.ring import Ring

LIMIT = 100_000


def test_what_is_written_comes_back_once():
    ring = Ring(0, LIMIT)
    assert ring.write(0, b"abcdef")
    assert (ring.r, ring.w) == (0, 6)
    assert ring.take(4) == b"abcd"
    assert ring.take(4) == b"ef\0\0"
    assert (ring.r, ring.w) == (8, 6)


def test_holes_are_silence():
    ring = Ring(0x80, LIMIT)
    ring.write(2, b"ab")
    ring.write(6, b"c")
    assert ring.take(8) == b"\x80\x80ab\x80\x80c\x80"


def test_later_words_win():
    ring = Ring(0, LIMIT)
    ring.write(0, b"abcdef")
    ring.write(2, b"XY")
    assert ring.w == 6
    assert ring.take(6) == b"abXYef"


def test_what_is_too_late_is_dropped():
    ring = Ring(0, LIMIT)
    ring.take(4)
    assert ring.write(1, b"abcdef")
    assert ring.take(4) == b"def\0"
    assert ring.write(0, b"ab")
    assert ring.take(4) == bytes(4)


def test_the_limit_counts_from_the_read_index():
    ring = Ring(0, 10)
    assert not ring.write(0, bytes(11))
    assert not ring.write(9, b"ab")
    assert ring.w == 0
    assert ring.write(8, b"ab")
    ring.take(3)
    assert ring.write(10, b"cde")
    assert not ring.write(13, b"f")
    ring.limit = 11
    assert ring.write(13, b"f")


def test_the_owner_may_move_the_write_index():
    ring = Ring(0, LIMIT)
    ring.write(0, b"abcd")
    ring.w = 2
    ring.write(ring.w, b"X")
    assert ring.w == 3
    assert ring.take(4) == b"abXd"


def test_clear_forgets_and_brings_the_write_index_back():
    ring = Ring(0, LIMIT)
    ring.write(0, b"abcdef")
    ring.take(1)
    ring.clear()
    assert (ring.r, ring.w) == (1, 1)
    assert ring.take(5) == bytes(5)
    ring.clear()
    assert (ring.r, ring.w) == (6, 6)


def test_skip_is_a_take_without_looking():
    ring = Ring(0, LIMIT)
    ring.write(0, b"abcdef")
    ring.skip(2)
    assert ring.take(2) == b"cd"
    ring.skip(1000)
    assert ring.r == 1004
    assert ring.take(2) == bytes(2)


@pytest.mark.parametrize("silence", [0, 0x80])
def test_a_long_queue_grows_and_keeps_what_it_holds(silence):
    ring = Ring(silence, 10_000_000)
    ring.write(0, bytes(1000))
    ring.take(1000)
    piece = bytes(range(251)) * 10
    for _ in range(400):
        assert ring.write(ring.w, piece)
    assert ring.take(1_004_000) == piece * 400
    assert ring.take(1_004_000) == bytes((silence,)) * 1_004_000


def test_positions_may_be_huge():
    ring = Ring(0, LIMIT)
    ring.skip(2**62)
    ring.write(2**62 + 1, b"abc")
    assert ring.take(4) == b"\0abc"


class RingAgainstDict(RuleBasedStateMachine):
    """A ring behaves as a dict of positions does."""

    ring: Ring
    model: dict[int, int]

    @initialize(silence=st.sampled_from([0, 0x80]), limit=st.sampled_from([3000, 40_000, 200_000]))
    def begin(self, silence, limit):
        self.silence = silence
        self.limit = limit
        self.ring = Ring(silence, limit)
        self.model = {}
        self.r = self.w = 0

    @rule(offset=st.integers(-20_000, 60_000), length=st.integers(0, 70_000), byte=st.integers(0, 200))
    def write(self, offset, length, byte):
        position = self.r + offset
        data = bytes((byte + i) % 251 for i in range(length))
        fits = position + length <= self.r + self.limit
        assert self.ring.write(position, data) == fits
        if fits:
            self.model.update((position + i, value) for i, value in enumerate(data) if position + i >= self.r)
            self.w = max(self.w, position + length)

    @rule(nbytes=st.integers(0, 80_000))
    def take(self, nbytes):
        wanted = bytes(self.model.pop(position, self.silence) for position in range(self.r, self.r + nbytes))
        assert self.ring.take(nbytes) == wanted
        self.r += nbytes

    @rule(nbytes=st.integers(0, 80_000))
    def skip(self, nbytes):
        self.ring.skip(nbytes)
        self.r += nbytes

    @rule()
    def clear(self):
        self.ring.clear()
        self.model.clear()
        self.w = self.r

    @rule(offset=st.integers(-10_000, 10_000))
    def move_the_write_index(self, offset):
        self.w = self.ring.w = self.r + offset

    @invariant()
    def indexes_agree(self):
        assert (self.ring.r, self.ring.w) == (self.r, self.w)


TestRingAgainstDict = RingAgainstDict.TestCase
TestRingAgainstDict.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
