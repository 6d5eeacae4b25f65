"""The queue of a playback stream: what is asked for, what is written where, what does not fit.

Bytes are of s16 stereo at 48 kHz: 192 a millisecond. The streams here have a prebuf that nobody fills or are corked, so
nothing is played meanwhile.
"""

from __future__ import annotations

from typing import Any

from eardrum.protocol.catalog import (
    Ack,
    DeletePlaybackStream,
    FlushPlaybackStream,
    Overflow,
    PlaybackBufferAttrSet,
    PlaybackStreamCreated,
    Request,
    SetPlaybackStreamBufferAttr,
)
from eardrum.terms.audio import INVALID
from eardrum.testing.conformance.client import Talk, expect
from eardrum.testing.conformance.expectation import CARRIED, MIXING, differs, expectation
from eardrum.testing.conformance.reasons import FAR_JUMPS, PIECES

RELATIVE, ABSOLUTE, ON_READ, TO_END = range(4)
MS = 192  # bytes


def quiet(talk: Talk, **fields: Any) -> PlaybackStreamCreated:
    """A stream that does not start: 100 ms long, 10 ms minreq."""
    return talk.play(**{"corked": True, "tlength": 100 * MS, "minreq": 10 * MS, **fields})


def asked_for(talk: Talk, channel: int = 0) -> int:
    """Bytes that were asked for by REQUEST so far."""
    talk.settle(channel)
    return sum(request.nbytes for request in talk.told(Request) if request.channel == channel)


def indexes(talk: Talk, channel: int = 0) -> tuple[int, int]:
    """Write and read index."""
    latency = talk.settle(channel)
    return latency.write_index, latency.read_index


@expectation
def a_new_stream_has_both_indexes_at_0(talk: Talk) -> None:
    quiet(talk)
    expect(indexes(talk), (0, 0))


@expectation
def what_is_written_moves_the_write_index(talk: Talk) -> None:
    quiet(talk)
    for nbytes in (4, 4000, 65_536, 100_000):
        talk.write(0, bytes(nbytes))
    expect(indexes(talk), (169_540, 0))


@expectation(each={"less than a frame": (3,), "more than a frame": (4001,), "more than a piece": (100_001,)})
def what_is_no_whole_number_of_frames_is_thrown_away(talk: Talk, nbytes: int) -> None:
    quiet(talk)
    talk.write(0, bytes(nbytes))
    talk.write(0, bytes(8))
    expect(indexes(talk), (8, 0))


@expectation
def what_was_asked_for_at_once_is_not_asked_for_again(talk: Talk) -> None:
    made = quiet(talk)
    talk.write(0, bytes(made.missing))
    expect(asked_for(talk), 0)


@expectation
def more_than_was_asked_for_is_taken(talk: Talk) -> None:
    quiet(talk)
    talk.write(0, bytes(500 * MS))
    expect((indexes(talk), asked_for(talk), talk.told(Overflow)), ((500 * MS, 0), 0, []))


@expectation
def a_jump_forward_counts_as_written(talk: Talk) -> None:
    quiet(talk)
    talk.write(0, bytes(10 * MS), RELATIVE, 20 * MS)
    expect((indexes(talk), asked_for(talk)), ((30 * MS, 0), 0))


@expectation
def a_jump_back_in_relative_mode_is_not_asked_for_again(talk: Talk) -> None:
    quiet(talk)
    talk.write(0, bytes(30 * MS))
    talk.write(0, bytes(10 * MS), RELATIVE, -20 * MS)
    expect((indexes(talk), asked_for(talk)), ((20 * MS, 0), 0))


@expectation(each={"absolute": (ABSOLUTE, 10 * MS), "on read": (ON_READ, 10 * MS), "to the end": (TO_END, -20 * MS)})
def a_jump_back_in_other_modes_is_asked_for_again(talk: Talk, mode: int, offset: int) -> None:
    quiet(talk)
    talk.write(0, bytes(30 * MS))
    talk.write(0, bytes(10 * MS), mode, offset)
    expect((indexes(talk), asked_for(talk)), ((20 * MS, 0), 20 * MS))


@expectation(each={"absolute": (ABSOLUTE, 50 * MS), "on read": (ON_READ, 50 * MS), "to the end": (TO_END, 20 * MS)})
def a_jump_forward_in_other_modes_is_taken_off_the_next_request(talk: Talk, mode: int, offset: int) -> None:
    quiet(talk)
    talk.write(0, bytes(30 * MS))
    talk.write(0, bytes(10 * MS), mode, offset)
    expect((indexes(talk), asked_for(talk)), ((60 * MS, 0), 0))
    talk.write(0, bytes(10 * MS), ABSOLUTE, 10 * MS)  # 50 ms back, of which 20 ms were too much
    expect((indexes(talk), asked_for(talk)), ((20 * MS, 0), 30 * MS))


@expectation
def to_the_end_means_the_end_of_what_is_queued(talk: Talk) -> None:
    quiet(talk)
    talk.write(0, bytes(40 * MS))
    talk.write(0, bytes(10 * MS), ABSOLUTE, 0)
    talk.write(0, bytes(10 * MS), TO_END, 0)
    expect(indexes(talk), (50 * MS, 0))


@expectation
def a_jump_before_the_read_index_writes_nothing_that_is_heard(talk: Talk) -> None:
    quiet(talk)
    talk.write(0, bytes(10 * MS), RELATIVE, -40 * MS)
    expect(indexes(talk), (-30 * MS, 0))


@expectation
def only_the_first_packet_jumps(talk: Talk) -> None:
    quiet(talk)
    talk.write(0, bytes(100 * MS), ABSOLUTE, 40 * MS)
    talk.write(0, bytes(10 * MS))
    expect(indexes(talk), (150 * MS, 0))


@expectation
def a_long_packet_jumps_once(talk: Talk) -> None:
    quiet(talk)
    talk.write(0, bytes(1000 * MS), ABSOLUTE, 40 * MS)
    expect(indexes(talk), (1040 * MS, 0))


@expectation(each={"ahead": (2**40,), "behind": (-(2**40),)})
@differs(FAR_JUMPS, (2**30 + 400, 0), "it goes 1 GiB", on=MIXING, cases=("ahead",))
@differs(FAR_JUMPS, (-(2**30) + 400, 0), "it goes 1 GiB", on=MIXING, cases=("behind",))
def a_jump_goes_wherever_it_says(talk: Talk, offset: int) -> None:
    quiet(talk)
    talk.write(0, bytes(400), ABSOLUTE, offset)
    expect(indexes(talk), (offset + 400, 0))


@expectation
def what_does_not_fit_is_told_once_and_moves_the_write_index_all_the_same(talk: Talk) -> None:
    quiet(talk, maxlength=200 * MS)
    talk.write(0, bytes(200 * MS))
    talk.write(0, bytes(4))
    expect((indexes(talk), len(talk.told(Overflow))), ((200 * MS + 4, 0), 1))


@expectation
def what_would_end_too_far_is_thrown_away_whole(talk: Talk) -> None:
    quiet(talk, maxlength=200 * MS)
    talk.write(0, bytes(150 * MS))
    talk.write(0, bytes(100 * MS))
    expect((indexes(talk), len(talk.told(Overflow))), ((250 * MS, 0), 1))


@expectation
@differs(PIECES, ((1000 * MS, 0), 2), "each piece that does not fit is", on=CARRIED)
def a_long_packet_that_does_not_fit_is_thrown_away_whole_too(talk: Talk) -> None:
    quiet(talk, maxlength=500 * MS)
    talk.write(0, bytes(1000 * MS))
    expect((indexes(talk), len(talk.told(Overflow))), ((1000 * MS, 0), 1))
    talk.write(0, bytes(10 * MS), TO_END, 0)
    expect(indexes(talk), (10 * MS, 0))


@expectation
def what_is_queued_beyond_a_shorter_maxlength_may_be_written_over(talk: Talk) -> None:
    quiet(talk)
    talk.write(0, bytes(400 * MS))
    talk.must(PlaybackBufferAttrSet, SetPlaybackStreamBufferAttr(channel=0, maxlength=200 * MS))
    talk.write(0, bytes(400 * MS), ABSOLUTE, 0)
    expect((indexes(talk), talk.told(Overflow)), ((400 * MS, 0), []))
    talk.write(0, bytes(4))
    expect((indexes(talk), len(talk.told(Overflow))), ((400 * MS + 4, 0), 1))


@expectation
def less_than_minreq_is_asked_for_while_there_is_too_little_to_start(talk: Talk) -> None:
    quiet(talk, prebuf=20 * MS)
    talk.write(0, bytes(10 * MS))
    talk.write(0, bytes(5 * MS), ABSOLUTE, 5 * MS)
    expect(asked_for(talk), 5 * MS)


@expectation
def less_than_minreq_is_not_asked_for_while_there_is_enough_to_start(talk: Talk) -> None:
    quiet(talk, prebuf=20 * MS)
    talk.write(0, bytes(30 * MS))
    talk.write(0, bytes(5 * MS), ABSOLUTE, 25 * MS)
    expect(asked_for(talk), 0)


@expectation
def after_an_overflow_writing_goes_on_where_it_would_have(talk: Talk) -> None:
    quiet(talk, maxlength=200 * MS)
    talk.write(0, bytes(300 * MS))
    talk.write(0, bytes(10 * MS), ABSOLUTE, 0)
    expect(indexes(talk), (10 * MS, 0))


@expectation(each={"what was written": (30,), "more than was asked for": (300,)})
def a_flush_sets_the_write_index_back_and_asks_again_for(talk: Talk, ms: int) -> None:
    quiet(talk)
    talk.write(0, bytes(ms * MS))
    talk.must(Ack, FlushPlaybackStream(channel=0))
    expect((indexes(talk), asked_for(talk)), ((0, 0), ms * MS))


@expectation
def a_flush_of_an_empty_stream_asks_for_nothing(talk: Talk) -> None:
    quiet(talk)
    talk.must(Ack, FlushPlaybackStream(channel=0))
    expect((indexes(talk), asked_for(talk)), ((0, 0), 0))


@expectation(each={"more": ((150,), 50 * MS), "less": ((50,), 0), "less, then more": ((50, 120), 20 * MS)})
def a_stream_that_asks_for_another_tlength_is_asked_for_more_with_its_next_write(
    talk: Talk, lengths: tuple[int, ...], wanted: int
) -> None:
    quiet(talk)
    for ms in lengths:
        talk.must(PlaybackBufferAttrSet, SetPlaybackStreamBufferAttr(channel=0, tlength=ms * MS, minreq=10 * MS))
    talk.write(0, bytes(4))
    expect(asked_for(talk), wanted)


@expectation
def a_shorter_maxlength_keeps_what_is_queued(talk: Talk) -> None:
    quiet(talk)
    talk.write(0, bytes(400 * MS))
    change = SetPlaybackStreamBufferAttr(channel=0, maxlength=200 * MS, tlength=INVALID)
    talk.must(PlaybackBufferAttrSet, change)
    expect(indexes(talk), (400 * MS, 0))


@expectation
def sound_for_a_deleted_stream_is_passed_over(talk: Talk) -> None:
    quiet(talk)
    talk.must(Ack, DeletePlaybackStream(channel=0))
    talk.write(0, bytes(400))
    quiet(talk)
    expect(indexes(talk, 1), (0, 0))


@expectation
def sound_for_a_record_stream_is_passed_over(talk: Talk) -> None:
    quiet(talk)
    talk.record(corked=True)
    talk.record(corked=True)
    talk.write(1, bytes(400))
    expect(indexes(talk), (0, 0))
