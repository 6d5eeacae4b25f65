"""Where a carried playback stream is, told from what it was asked for, what it wrote, and what its upstream said."""

from __future__ import annotations

import pytest

from eardrum.protocol.catalog import PlaybackLatency
from eardrum.server.indexes import Indexes
from eardrum.terms.audio import MAX_QUEUE, BufferAttr, SampleFormat, SampleSpec

SPEC = SampleSpec(SampleFormat.S16LE, 2, 48000)
SECOND = SPEC.bytes_for(1_000_000)
ATTR = BufferAttr(maxlength=MAX_QUEUE, tlength=SECOND, prebuf=4000, minreq=4000)


def latency(write: int, read: int, usec: int = 0, playing: bool = True) -> PlaybackLatency:
    return PlaybackLatency(
        sink_latency=usec, playing=playing, client_time=(0, 0), server_time=(0, 0), write_index=write, read_index=read
    )


@pytest.fixture
def full() -> Indexes:
    """A stream that has just been made and filled."""
    indexes = Indexes()
    indexes.told = indexes.written = SECOND
    return indexes


def test_what_was_asked_for_again_has_been_played(full):
    assert (full.fill(ATTR), full.heard(0.0, ATTR, SPEC)) == (SECOND, 0)
    full.told += 8000
    assert (full.fill(ATTR), full.heard(0.0, ATTR, SPEC)) == (SECOND - 8000, 8000)


def test_a_latency_reply_says_it_exactly_and_time_goes_on_from_there(full):
    full.learn(10.0, latency(SECOND, SECOND // 2, usec=250_000), SECOND, SPEC)
    assert full.heard(10.0, ATTR, SPEC) == SECOND // 4
    assert full.heard(10.25, ATTR, SPEC) == SECOND // 2
    assert full.heard(99.0, ATTR, SPEC) == full.write == SECOND


def test_what_was_written_after_the_question_counts(full):
    full.written += 400
    full.learn(10.0, latency(SECOND - 4, 0), SECOND, SPEC)
    assert full.write == SECOND - 4 + 400


def test_a_stream_that_was_stopped_stands_still(full):
    full.learn(10.0, latency(SECOND, SECOND // 2), SECOND, SPEC)
    full.stop()
    assert full.heard(10.0, ATTR, SPEC) == full.heard(20.0, ATTR, SPEC)


def test_a_flush_takes_the_write_index_back(full):
    full.told += 8000
    full.flush(ATTR)
    assert full.write == 8000


@pytest.mark.parametrize(
    ("seek", "offset", "upstream", "write"),
    [
        (0, -400, -400, SECOND - 400),  # relative
        (1, 5000, 4000, 5000),  # absolute: the upstream began 1000 bytes later
        (2, 400, 400, 400),  # from the read index
        (3, 400, 400, SECOND + 400),  # from the end
    ],
)
def test_a_jump_is_followed_and_said_in_the_upstreams_own_numbers(full, seek, offset, upstream, write):
    full.base = 1000
    assert full.jump(seek, offset, ATTR) == upstream
    assert full.write == write


def test_what_was_asked_before_is_not_asked_once_more_by_the_next_upstream(full):
    full.told += 8000
    full.go_on(read=8000, write=SECOND, missing=SECOND, playing=True)
    assert (full.base, full.write, full.wanted) == (8000, SECOND, 0)
    full.go_on(read=4000, write=SECOND, missing=SECOND // 2, playing=True)
    assert full.wanted < 0


@pytest.mark.parametrize("read", [-(2**60), 2**60])
def test_no_upstream_can_say_where_a_stream_cannot_be(full, read):
    full.learn(10.0, latency(SECOND, read), SECOND, SPEC)
    assert abs(full.write - full.heard(10.0, ATTR, SPEC)) <= 2 * MAX_QUEUE
