"""Streams of one wire on several connections."""

from __future__ import annotations

import pytest

from eardrum.protocol.catalog import CreatePlaybackStream, CreateRecordStream
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.upstream.spread import FULL, Spread

SPEC = SampleSpec(SampleFormat.S16LE, 2, 48000)
MOST = 4
RECORD = CreateRecordStream(sample_spec=SPEC, channel_map=STEREO)


def play(group: int) -> CreatePlaybackStream:
    return CreatePlaybackStream(sample_spec=SPEC, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, sync_id=group)


@pytest.fixture
def spread() -> Spread:
    """Streams 0 to 9 are made, each in a group of its own."""
    spread = Spread(MOST)
    for stream in range(10):
        assert spread.place(stream, stream, play(stream)) == 0
        spread.made(stream)
    return spread


def test_a_stream_that_finds_its_connection_full_goes_to_the_next(spread):
    assert spread.place(10, 50, play(10)) == 0
    assert spread.refused(50, FULL) == (10, play(10))
    assert spread.place(10, 50, play(10)) == 1
    assert (spread.at(9), spread.at(10)) == (0, 1)
    assert spread.place(11, 51, play(11)) == 1


def test_record_streams_too():
    spread = Spread(MOST)
    assert spread.place(1, 1, RECORD) == 0
    spread.made(1)
    assert spread.place(2, 2, RECORD) == 0
    assert spread.refused(2, FULL) == (2, RECORD)
    assert spread.place(2, 2, RECORD) == 1


def test_any_other_refusal_holds(spread):
    for error in (PulseError.TOOLARGE, PulseError.INVALID, PulseError.NOENTITY):
        spread.place(10, 50, play(10))
        assert spread.refused(50, error) is None
    assert spread.place(10, 50, play(10)) == 0


def test_a_refusal_where_there_is_nothing_else_holds():
    spread = Spread(MOST)
    spread.place(1, 1, play(1))
    assert spread.refused(1, FULL) is None


def test_an_answer_to_something_else_is_no_refusal(spread):
    assert spread.refused(4711, FULL) is None


def test_a_group_stays_together(spread):
    spread.place(10, 50, play(10))
    spread.refused(50, FULL)
    assert spread.place(11, 51, play(3)) == 0
    assert spread.refused(51, FULL) is None
    assert spread.place(10, 52, play(10)) == 1
    assert spread.place(12, 53, play(10)) == 1


def test_where_a_stream_has_gone_there_is_room(spread):
    spread.place(10, 50, play(10))
    spread.refused(50, FULL)
    assert spread.place(10, 50, play(10)) == 1
    spread.forget(4)
    assert spread.place(11, 51, play(11)) == 0
    spread.forget(99)


def test_there_are_only_so_many_connections(spread):
    for number, stream in enumerate(range(10, 10 + 2 * MOST, 2)):
        assert spread.place(stream, stream, play(stream)) == number
        spread.made(stream)
        spread.place(stream + 1, stream + 1, play(stream + 1))
        spread.refused(stream + 1, FULL)
    assert spread.place(99, 99, play(99)) == MOST
