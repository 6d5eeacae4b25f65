"""Streams of one connection with the same sync id."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    GetSinkInputInfoList,
    MoveSinkInput,
    PlaybackStreamCreated,
    SinkInputInfoList,
    Started,
    TriggerPlaybackStream,
)
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Talk, expect
from eardrum.testing.conformance.expectation import expectation

MS = 192  # bytes


def pair(talk: Talk) -> None:
    """Two corked streams, 0 and 1, with the same sync id, each with 50 ms."""
    for channel in (0, 1):
        talk.play(corked=True, sync_id=7, tlength=60 * MS, minreq=10 * MS, prebuf=40 * MS)
        talk.write(channel, bytes(50 * MS))


@expectation
def who_joins_one_that_is_not_corked_is_invalid(talk: Talk) -> None:
    talk.play(sync_id=7)
    answer = talk.ask(talk.playing(sync_id=7))
    expect("granted" if isinstance(answer, PlaybackStreamCreated) else answer, PulseError.INVALID)


@expectation
def the_same_id_on_another_connection_is_another_group(talk: Talk) -> None:
    talk.play(sync_id=7)
    talk.another().play(sync_id=7)


@expectation
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
def one_who_goes_on_takes_all_along(talk: Talk) -> None:
    pair(talk)
    talk.must(Ack, CorkPlaybackStream(channel=0, cork=False))
    for channel in (0, 1):
        talk.hear(Started, channel=channel)
    talk.must(Ack, CorkPlaybackStream(channel=1, cork=True))
    mine = [
        info for info in talk.must(SinkInputInfoList, GetSinkInputInfoList()).items if info.client_index == talk.index
    ]
    expect([info.corked for info in mine], [True, True])
    positions = [talk.settle(channel).read_index for channel in (0, 1)]
    expect(positions[0], positions[1])


@expectation
def who_goes_on_waits_for_prebuf_and_who_is_taken_along_as_it_was_before(talk: Talk) -> None:
    for channel in (0, 1):
        talk.play(corked=True, sync_id=7, tlength=60 * MS, minreq=10 * MS, prebuf=40 * MS)
        talk.write(channel, bytes(20 * MS))
    talk.must(Ack, CorkPlaybackStream(channel=0, cork=False))
    talk.write(1, bytes(20 * MS))
    talk.hear(Started, channel=1)
    expect(talk.settle(0).read_index, 0)


@expectation
def a_trigger_of_one_starts_all(talk: Talk) -> None:
    for channel in (0, 1):
        talk.play(corked=True, sync_id=7, tlength=60 * MS, minreq=10 * MS, prebuf=40 * MS)
        talk.write(channel, bytes(20 * MS))
    talk.must(Ack, CorkPlaybackStream(channel=0, cork=False))
    talk.must(Ack, TriggerPlaybackStream(channel=0))
    for channel in (0, 1):
        talk.hear(Started, channel=channel)


@expectation
def who_joins_begins_where_the_group_is(talk: Talk) -> None:
    pair(talk)
    talk.must(Ack, CorkPlaybackStream(channel=0, cork=False))
    talk.until(lambda: talk.latency(0).read_index == 50 * MS, "all to be played")
    talk.must(Ack, CorkPlaybackStream(channel=0, cork=True))
    talk.play(corked=True, sync_id=7)
    group, joined = talk.settle(0), talk.settle(2)
    expect((joined.read_index, joined.write_index), (group.read_index, group.read_index))


@expectation
def a_group_stays_in_its_sink(talk: Talk) -> None:
    talk.play(corked=True, sync_id=7)
    made = talk.play(corked=True, sync_id=7)
    expect(talk.ask(MoveSinkInput(index=made.sink_input, sink_name="output")), Ack())


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
