"""Playback streams that are held, triggered, made to wait and flushed."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    Ack,
    FlushPlaybackStream,
    PrebufPlaybackStream,
    Started,
    TriggerPlaybackStream,
    Underflow,
)
from eardrum.testing.conformance.client import Talk, expect
from eardrum.testing.conformance.expectation import expectation
from eardrum.testing.conformance.short_streams import MS, cork, plays_to, read_index, short, stays, write


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
