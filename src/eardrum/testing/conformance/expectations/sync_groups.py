"""Streams of one connection with the same sync id."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    PlaybackStreamCreated,
    Started,
    TriggerPlaybackStream,
)
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Talk, expect
from eardrum.testing.conformance.expectation import MIXED, differs, expectation
from eardrum.testing.conformance.reasons import SYNC_GROUPS

MS = 192  # bytes


def pair(talk: Talk) -> None:
    """Two corked streams, 0 and 1, with the same sync id, each with 50 ms."""
    for channel in (0, 1):
        talk.play(corked=True, sync_id=7, tlength=60 * MS, minreq=10 * MS, prebuf=40 * MS)
        talk.write(channel, bytes(50 * MS))


@expectation
@differs(SYNC_GROUPS, "granted", "granted", on=MIXED)
def who_joins_one_that_is_not_corked_is_invalid(talk: Talk) -> None:
    talk.play(sync_id=7)
    answer = talk.ask(talk.playing(sync_id=7))
    expect("granted" if isinstance(answer, PlaybackStreamCreated) else answer, PulseError.INVALID)


@expectation
def the_same_id_on_another_connection_is_another_group(talk: Talk) -> None:
    talk.play(sync_id=7)
    talk.another().play(sync_id=7)


@expectation
@differs(SYNC_GROUPS, 50 * MS, "of that one only", on=MIXED)
def a_flush_of_one_is_a_flush_of_all(talk: Talk) -> None:
    pair(talk)
    talk.must(Ack, FlushPlaybackStream(channel=0))
    expect(talk.settle(1).write_index, 0)


@expectation
def both_start_when_the_last_goes_on(talk: Talk) -> None:
    pair(talk)
    for channel in (0, 1):
        talk.must(Ack, CorkPlaybackStream(channel=channel, cork=False))
    for channel in (0, 1):
        talk.hear(Started, channel=channel)


@expectation
def a_drain_of_one_lets_it_play_out(talk: Talk) -> None:
    pair(talk)
    for channel in (0, 1):
        talk.must(Ack, CorkPlaybackStream(channel=channel, cork=False))
    expect(talk.ask(DrainPlaybackStream(channel=1)), Ack())


@expectation
def a_trigger_of_one_is_granted(talk: Talk) -> None:
    pair(talk)
    expect(talk.ask(TriggerPlaybackStream(channel=1)), Ack())
