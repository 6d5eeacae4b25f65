"""Playback streams that play out."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    Ack,
    DeletePlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    Started,
    Underflow,
)
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Fate, Talk, expect
from eardrum.testing.conformance.expectation import MIXING, differs, expectation
from eardrum.testing.conformance.reasons import ALL_ANSWERED
from eardrum.testing.conformance.short_streams import MS, NEWS, cork, read_index, short, stays, write


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
@differs(ALL_ANSWERED, ["Started", "Underflow", "Ack", "Ack"], "both are", on=MIXING)
def of_two_drains_only_the_last_is_answered(talk: Talk) -> None:
    short(talk)
    write(talk, 50)
    talk.say(DrainPlaybackStream(channel=0))
    expect(talk.ask(DrainPlaybackStream(channel=0)), Ack())
    expect(talk.order(*NEWS), ["Started", "Underflow", "Ack"])
