from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from eardrum.sound import ring as module
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


def test_what_is_too_late_leaves_no_trace():
    ring = Ring(0, LIMIT)
    ring.take(4)
    ring.write(0, b"abcd")
    far = module._FIRST_BYTES + 3  # the same place in the circle as 3
    ring.write(far, b"x")
    assert ring.take(far - 3) == bytes(far - 4) + b"x"


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


def test_what_is_queued_beyond_a_lower_limit_may_be_written_over():
    ring = Ring(0, 10)
    ring.write(0, b"0123456789")
    ring.limit = 4
    assert ring.write(8, b"89")
    assert not ring.write(9, b"9a")


def test_the_owner_may_move_the_write_index():
    ring = Ring(0, LIMIT)
    ring.write(0, b"abcd")
    ring.w = 2
    ring.write(ring.w, b"X")
    assert ring.w == 3
    assert ring.take(4) == b"abXd"


def test_the_end_is_that_of_what_is_queued_wherever_the_write_index_is():
    ring = Ring(0, LIMIT)
    ring.write(0, b"abcdef")
    ring.w = 2
    assert ring.end == 6
    ring.take(8)
    assert ring.end == 8


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


def test_a_long_take_leaves_silence_behind():
    ring = Ring(0, 10_000_000)
    ring.write(0, b"a" * 500_000)
    ring.take(500_000)
    ring.write(ring.r + 490_000, b"b")
    assert ring.take(490_001) == bytes(490_000) + b"b"


def test_so_does_a_take_around_the_end_of_the_circle():
    ring = Ring(0, LIMIT)
    ring.skip(module._FIRST_BYTES - 400)
    ring.write(ring.r, b"a" * 1000)
    ring.take(1000)
    ring.write(ring.r + module._FIRST_BYTES - 1, b"b")
    assert ring.take(module._FIRST_BYTES) == bytes(module._FIRST_BYTES - 1) + b"b"


def test_a_queue_that_wraps_before_and_after_growing_keeps_its_order():
    ring = Ring(0, LIMIT)
    ring.skip(24_000)
    piece = bytes(range(250)) * 16
    for _ in range(6):
        ring.write(max(ring.r, ring.w), piece)
    assert ring.take(24_000) == piece * 6


class RingAgainstDict(RuleBasedStateMachine):
    """A ring behaves as a dict of positions does; it is made tiny so that it wraps and grows all the time."""

    def __init__(self) -> None:
        super().__init__()
        self.tiny = mock.patch.multiple(module, _FIRST_BYTES=8, _STEP_BYTES=4)
        self.tiny.start()

    def teardown(self) -> None:
        self.tiny.stop()

    @initialize(silence=st.sampled_from([0, 0x80]), limit=st.sampled_from([5, 30, 100]))
    def begin(self, silence: int, limit: int) -> None:
        self.silence = silence
        self.limit = limit
        self.ring = Ring(silence, limit)
        self.model: dict[int, int] = {}
        self.r = self.w = 0

    @rule(offset=st.integers(-6, 30), data=st.binary(max_size=30))
    def write(self, offset: int, data: bytes) -> None:
        position = self.r + offset
        fits = position + len(data) <= self.r + self.limit
        assert self.ring.write(position, data) == fits
        if fits:
            self.model.update((position + i, byte) for i, byte in enumerate(data) if position + i >= self.r)
            self.w = max(self.w, position + len(data))

    @rule(nbytes=st.integers(0, 40))
    def take(self, nbytes: int) -> None:
        wanted = bytes(self.model.pop(position, self.silence) for position in range(self.r, self.r + nbytes))
        assert self.ring.take(nbytes) == wanted
        self.r += nbytes

    @rule(nbytes=st.integers(0, 40))
    def skip(self, nbytes: int) -> None:
        self.ring.skip(nbytes)
        self.r += nbytes

    @rule()
    def clear(self) -> None:
        self.ring.clear()
        self.model.clear()
        self.w = self.r

    @rule(offset=st.integers(-10, 10))
    def move_the_write_index(self, offset: int) -> None:
        self.w = self.ring.w = self.r + offset

    @invariant()
    def indexes_agree(self) -> None:
        assert (self.ring.r, self.ring.w) == (self.r, self.w)


TestRingAgainstDict = RingAgainstDict.TestCase
TestRingAgainstDict.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def test_a_queue_may_begin_below_zero():
    ring = Ring(7, 100)
    ring.begin(-(1 << 40), -(1 << 40) + 4)
    assert (ring.r, ring.w, ring.end) == (-(1 << 40), -(1 << 40) + 4, -(1 << 40))
    assert ring.write(ring.w, b"abcd")
    assert ring.take(8) == bytes((7,)) * 4 + b"abcd"
    ring.clear()
    assert ring.w == ring.r


def test_memory_that_is_not_needed_is_given_back_and_what_is_queued_stays():
    ring = Ring(0, 1 << 20)
    ring.write(0, bytes(range(256)) * 2048)
    ring.take(500_000)
    ring.shrink()
    assert ring.take(24_288) == (bytes(range(256)) * 2048)[500_000:]
    ring.write(ring.w, b"more" * 100_000)
    assert ring.take(400_000) == b"more" * 100_000
