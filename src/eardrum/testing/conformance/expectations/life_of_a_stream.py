"""When a playback stream plays: prebuffering, underruns, cork, drain, trigger, flush.

Bytes are of s16 stereo at 48 kHz: 192 a millisecond. The streams are short, so that little time passes.
"""

from __future__ import annotations

from typing import Any

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    DeletePlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    PlaybackStreamCreated,
    PrebufPlaybackStream,
    Request,
    Started,
    TriggerPlaybackStream,
    Underflow,
)
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Fate, Talk, expect
from eardrum.testing.conformance.expectation import MIXED, differs, expectation
from eardrum.testing.conformance.reasons import ALL_ANSWERED

MS = 192  # bytes
TLENGTH = 60 * MS
NEVER = 2**64 - 1
NEWS = (Started, Underflow, Ack)


def short(talk: Talk, **fields: Any) -> PlaybackStreamCreated:
    """A stream of 60 ms that starts when 40 ms are written."""
    return talk.play(**{"tlength": TLENGTH, "minreq": 10 * MS, "prebuf": 40 * MS, **fields})


def write(talk: Talk, ms: int, channel: int = 0) -> None:
    talk.write(channel, bytes(ms * MS))


def cork(talk: Talk, corked: bool, channel: int = 0) -> None:
    talk.must(Ack, CorkPlaybackStream(channel=channel, cork=corked))


def read_index(talk: Talk, channel: int = 0) -> int:
    return talk.settle(channel).read_index


def stays(talk: Talk, channel: int = 0) -> None:
    """The stream does not play while time passes."""
    before = read_index(talk, channel)
    talk.moment()
    expect(read_index(talk, channel), before)


def plays_to(talk: Talk, index: int, channel: int = 0) -> None:
    """The stream plays until its read index is there."""
    talk.until(lambda: talk.latency(channel).read_index >= index, "the stream to play on")


@expectation
def a_stream_waits_for_prebuf_and_then_tells_that_it_has_started(talk: Talk) -> None:
    short(talk)
    write(talk, 39)
    stays(talk)
    expect(talk.told(Started), [])
    write(talk, 1)
    talk.hear(Started, channel=0)


@expectation
def a_stream_that_holds_enough_does_not_wait_for_prebuf_again(talk: Talk) -> None:
    short(talk)
    write(talk, 40)
    talk.hear(Started)
    write(talk, 1)
    plays_to(talk, 41 * MS)


@expectation
def a_stream_that_runs_empty_says_so_once_with_its_read_index(talk: Talk) -> None:
    short(talk)
    write(talk, 50)
    expect(talk.hear(Underflow).read_index, 50 * MS)
    talk.moment()
    expect(talk.told(Underflow), [])


@expectation(versions=(13, 22))
def before_version_23_the_read_index_is_not_told(talk: Talk) -> None:
    short(talk)
    write(talk, 50)
    expect(talk.hear(Underflow).read_index, 0)


@expectation(versions=(8, 12))
def before_version_13_a_start_is_not_told(talk: Talk) -> None:
    short(talk)
    write(talk, 50)
    talk.hear(Underflow)
    expect(talk.told(Started), [])


@expectation
def the_start_is_told_before_the_underrun(talk: Talk) -> None:
    short(talk)
    write(talk, 50)
    talk.hear(Underflow)
    expect(talk.order(*NEWS), ["Started", "Underflow"])


@expectation
def a_stream_that_ran_empty_waits_for_prebuf_again(talk: Talk) -> None:
    short(talk)
    write(talk, 50)
    talk.hear(Underflow)
    talk.forget()
    write(talk, 39)
    stays(talk)
    write(talk, 1)
    talk.hear(Started)


@expectation
def a_new_stream_with_nothing_to_play_tells_no_underrun(talk: Talk) -> None:
    short(talk)
    talk.moment()
    talk.settle(0)
    expect(talk.told(Underflow), [])


@expectation
def what_was_played_is_asked_for_again(talk: Talk) -> None:
    made = short(talk)
    talk.write(0, bytes(made.missing))
    talk.hear(Underflow)
    talk.settle(0)
    expect(sum(request.nbytes for request in talk.told(Request)), TLENGTH)


@expectation
def a_request_is_never_below_minreq_while_the_stream_plays(talk: Talk) -> None:
    made = short(talk, tlength=100 * MS)
    talk.write(0, bytes(made.missing))
    talk.hear(Started)
    while read_index(talk) < 300 * MS:
        asked = talk.hear(Request)
        expect(asked.nbytes >= made.minreq, True)
        talk.write(0, bytes(asked.nbytes))


@expectation
def a_client_that_writes_what_it_is_asked_for_never_runs_empty(talk: Talk) -> None:
    made = short(talk, tlength=200 * MS)
    talk.write(0, bytes(made.missing))
    while talk.latency(0).read_index < 500 * MS:
        talk.write(0, bytes(talk.hear(Request).nbytes))
    expect(talk.told(Underflow), [])


@expectation
def with_prebuf_0_a_stream_starts_at_once_and_runs_on_while_it_is_empty(talk: Talk) -> None:
    short(talk, prebuf=0)
    plays_to(talk, 30 * MS)
    talk.hear(Request)
    expect((talk.told(Underflow), len(talk.told(Started))), ([], 1))


@expectation
def with_prebuf_0_what_is_written_late_is_behind_the_read_index(talk: Talk) -> None:
    short(talk, prebuf=0)
    plays_to(talk, 50 * MS)
    write(talk, 10)
    latency = talk.settle(0)
    expect((latency.write_index, latency.read_index >= 50 * MS), (10 * MS, True))


@expectation
def with_prebuf_0_a_stream_that_plays_tells_of_its_underrun_and_runs_on(talk: Talk) -> None:
    short(talk, prebuf=0, corked=True)
    write(talk, 50)
    cork(talk, False)
    talk.hear(Started)
    talk.hear(Underflow)
    plays_to(talk, 100 * MS)


@expectation
def with_prebuf_0_silence_counts_as_playing(talk: Talk) -> None:
    short(talk, prebuf=0)
    plays_to(talk, 30 * MS)
    latency = talk.settle(0)
    expect((latency.playing, latency.underrun_for, latency.playing_for >= 30 * MS), (True, 0, True))


@expectation
def with_prebuf_0_an_underrun_is_no_end_of_playing(talk: Talk) -> None:
    short(talk, prebuf=0, corked=True)
    write(talk, 50)
    cork(talk, False)
    talk.hear(Underflow)
    plays_to(talk, 80 * MS)
    latency = talk.settle(0)
    expect((latency.playing, latency.underrun_for, latency.playing_for >= 80 * MS), (True, 0, True))
    talk.write(0, bytes(50 * MS), 2, 0)
    talk.hear(Underflow)
    expect(len(talk.told(Started)), 1)


# cork


@expectation
def a_corked_stream_stands_still_and_keeps_what_is_queued(talk: Talk) -> None:
    short(talk, corked=True)
    write(talk, 60)
    stays(talk)
    expect((talk.told(Started), talk.told(Underflow)), ([], []))
    cork(talk, False)
    talk.hear(Started)
    plays_to(talk, 60 * MS)


@expectation
def a_stream_is_corked_while_it_plays(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    talk.hear(Started)
    cork(talk, True)
    stays(talk)
    expect(talk.settle(0).playing, False)
    expect(talk.told(Underflow), [])


@expectation
def a_stream_that_goes_on_tells_that_it_has_started_again(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    talk.hear(Started)
    cork(talk, True)
    cork(talk, False)
    talk.hear(Started)


@expectation
def a_stream_that_goes_on_waits_for_prebuf(talk: Talk) -> None:
    short(talk, corked=True)
    write(talk, 39)
    cork(talk, False)
    stays(talk)
    write(talk, 1)
    talk.hear(Started)


@expectation
def a_stream_that_goes_on_with_less_than_prebuf_tells_no_underrun(talk: Talk) -> None:
    short(talk)
    write(talk, 40)
    talk.hear(Started)
    cork(talk, True)
    talk.forget()
    cork(talk, False)
    stays(talk)
    expect(talk.told(Underflow), [])


@expectation
def a_corked_stream_that_is_flushed_tells_no_underrun(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    talk.hear(Started)
    cork(talk, True)
    talk.must(Ack, FlushPlaybackStream(channel=0))
    cork(talk, False)
    stays(talk)
    expect(talk.told(Underflow), [])


@expectation
def to_cork_twice_is_no_error(talk: Talk) -> None:
    short(talk)
    for corked in (False, True, True, False, False):
        cork(talk, corked)


# trigger, prebuf, flush


@expectation
def a_trigger_starts_a_stream_before_its_prebuf(talk: Talk) -> None:
    short(talk)
    write(talk, 10)
    talk.must(Ack, TriggerPlaybackStream(channel=0))
    talk.hear(Started)
    expect(talk.hear(Underflow).read_index, 10 * MS)


@expectation
def a_trigger_does_not_uncork(talk: Talk) -> None:
    short(talk, corked=True)
    write(talk, 10)
    talk.must(Ack, TriggerPlaybackStream(channel=0))
    stays(talk)


@expectation
def prebuf_makes_a_stream_wait_that_holds_less(talk: Talk) -> None:
    short(talk, tlength=1000 * MS, prebuf=900 * MS)
    write(talk, 900)
    talk.hear(Started)
    plays_to(talk, 10 * MS)
    talk.must(Ack, PrebufPlaybackStream(channel=0))
    talk.hear(Underflow)
    stays(talk)
    write(talk, 900)
    talk.moment()
    expect(read_index(talk) > 10 * MS, True)


@expectation
def a_flush_throws_away_and_waits_for_prebuf(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    talk.hear(Started)
    talk.must(Ack, FlushPlaybackStream(channel=0))
    latency = talk.settle(0)
    expect(latency.write_index, latency.read_index)
    talk.forget()
    write(talk, 39)
    stays(talk)
    write(talk, 1)
    talk.hear(Started)


@expectation
def a_flush_of_a_stream_that_plays_is_an_underrun(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    talk.hear(Started)
    talk.must(Ack, FlushPlaybackStream(channel=0))
    talk.hear(Underflow)


# drain


@expectation
def a_drain_of_an_empty_stream_is_answered_at_once(talk: Talk) -> None:
    short(talk)
    expect(talk.ask(DrainPlaybackStream(channel=0)), Ack())
    expect(talk.order(*NEWS), ["Ack"])


@expectation
def a_drain_plays_what_is_left_without_waiting_for_prebuf(talk: Talk) -> None:
    short(talk)
    write(talk, 10)
    expect(talk.ask(DrainPlaybackStream(channel=0)), Ack())
    expect(talk.order(*NEWS), ["Started", "Underflow", "Ack"])
    expect(read_index(talk), 10 * MS)


@expectation
def a_drain_is_answered_when_the_stream_has_run_empty(talk: Talk) -> None:
    made = short(talk)
    talk.write(0, bytes(made.missing))
    expect(talk.ask(DrainPlaybackStream(channel=0)), Ack())
    expect(talk.order(*NEWS), ["Started", "Underflow", "Ack"])


@expectation
def a_drain_does_not_hold_up_other_answers(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    drain = talk.say(DrainPlaybackStream(channel=0))
    expect(talk.fate, Fate.ALIVE)
    talk.must(Ack, DeletePlaybackStream(channel=0))
    expect(talk.answer(drain), PulseError.NOENTITY)


@expectation
def a_deleted_stream_is_gone_for_its_drain_before_its_deletion_is_answered(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    drain = talk.say(DrainPlaybackStream(channel=0))
    delete = talk.say(DeletePlaybackStream(channel=0))
    expect(talk.answer(drain), PulseError.NOENTITY)
    expect(talk.answer(delete), Ack())


@expectation
def a_drain_of_a_corked_stream_waits_until_it_has_played(talk: Talk) -> None:
    short(talk, corked=True)
    write(talk, 10)
    drain = talk.say(DrainPlaybackStream(channel=0))
    stays(talk)
    cork(talk, False)
    expect(talk.answer(drain), Ack())
    expect(talk.order(Started, Underflow), ["Started", "Underflow"])


@expectation
def a_drained_stream_plays_again(talk: Talk) -> None:
    short(talk)
    for index in (50, 100):
        write(talk, 50)
        expect(talk.ask(DrainPlaybackStream(channel=0)), Ack())
        expect(read_index(talk), index * MS)


@expectation
def a_drained_stream_waits_for_prebuf_again(talk: Talk) -> None:
    short(talk)
    write(talk, 50)
    talk.must(Ack, DrainPlaybackStream(channel=0))
    write(talk, 39)
    stays(talk)


@expectation
def a_flush_ends_a_drain(talk: Talk) -> None:
    short(talk, tlength=2000 * MS)
    write(talk, 2000)
    drain = talk.say(DrainPlaybackStream(channel=0))
    talk.must(Ack, FlushPlaybackStream(channel=0))
    expect(talk.answer(drain), Ack())
    expect(talk.latency(0).playing_for < 2000 * MS, True)


@expectation
@differs(ALL_ANSWERED, ["Started", "Underflow", "Ack", "Ack"], "both are", on=MIXED)
def of_two_drains_only_the_last_is_answered(talk: Talk) -> None:
    short(talk)
    write(talk, 50)
    talk.say(DrainPlaybackStream(channel=0))
    expect(talk.ask(DrainPlaybackStream(channel=0)), Ack())
    expect(talk.order(*NEWS), ["Started", "Underflow", "Ack"])


# what latency replies say of it


@expectation
def while_it_is_corked_a_stream_is_not_playing(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    plays_to(talk, 30 * MS)
    cork(talk, True)
    latency = talk.settle(0)
    expect((latency.playing, latency.playing_for), (False, 0))


@expectation
def the_time_of_the_client_is_echoed_and_that_of_the_server_told(talk: Talk) -> None:
    short(talk)
    told = talk.latency(0)
    expect((told.client_time, told.unused), ((1, 2), 0))
    expect((told.server_time[0] > 1_600_000_000, told.server_time[1] < 1_000_000), (True, True))


@expectation
def before_its_first_start_a_stream_has_been_starved_for_ever(talk: Talk) -> None:
    short(talk)
    latency = talk.settle(0)
    expect((latency.playing, latency.underrun_for, latency.playing_for), (False, NEVER, 0))


@expectation
def while_it_plays_a_stream_counts_for_how_long(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    plays_to(talk, 30 * MS)
    latency = talk.latency(0)
    expect((latency.playing, latency.underrun_for), (True, 0))
    expect(0 < latency.playing_for <= 1000 * MS, True)


@expectation
def after_an_underrun_it_counts_for_how_long_it_has_been_starved(talk: Talk) -> None:
    short(talk)
    write(talk, 50)
    talk.hear(Underflow)
    talk.until(lambda: talk.latency(0).underrun_for > 10 * MS, "the underrun to grow")
    expect(talk.latency(0).playing_for, 0)


@expectation
def two_streams_play_at_once(talk: Talk) -> None:
    for channel in (0, 1):
        short(talk)
        write(talk, 50, channel)
    for channel in (0, 1):
        talk.hear(Underflow, channel=channel)
