"""When a playback stream starts and what it tells when it runs empty."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    Request,
    Started,
    Underflow,
)
from eardrum.testing.conformance.client import Talk, expect
from eardrum.testing.conformance.expectation import expectation
from eardrum.testing.conformance.short_streams import MS, NEWS, TLENGTH, cork, plays_to, read_index, short, stays, write


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
