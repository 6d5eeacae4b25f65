"""Streams that go on at another device."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    Ack,
    DeletePlaybackStream,
    MoveSinkInput,
    MoveSourceOutput,
    RecordStreamKilled,
    RecordStreamMoved,
)
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Talk, expect
from eardrum.testing.conformance.expectation import expectation

INVALID, NOENTITY = PulseError.INVALID, PulseError.NOENTITY


@expectation
def a_record_stream_moves_to_another_source(talk: Talk) -> None:
    made = talk.record(source_name="input", corked=True)
    expect(talk.ask(MoveSourceOutput(index=made.source_output, source_name="output.monitor")), Ack())
    talk.hear(RecordStreamMoved, channel=0, source_name="output.monitor")


@expectation
def a_stream_that_must_not_move_stays(talk: Talk) -> None:
    made = talk.play(corked=True, no_move=True)
    expect(talk.ask(MoveSinkInput(index=made.sink_input, sink_name="no-such")), NOENTITY)


@expectation
def a_stream_moves_to_where_it_is_even_if_it_must_not_move(talk: Talk) -> None:
    made = talk.play(corked=True, no_move=True)
    expect(talk.ask(MoveSinkInput(index=made.sink_input, sink_name="output")), Ack())


@expectation
def a_record_stream_that_must_not_move_stays(talk: Talk) -> None:
    made = talk.record(source_name="output.monitor", corked=True, no_move=True)
    expect(talk.ask(MoveSourceOutput(index=made.source_output, source_name="input")), INVALID)


@expectation
def who_records_one_sink_input_stays(talk: Talk) -> None:
    played = talk.play(corked=True)
    made = talk.record(direct_on_input=played.sink_input, corked=True)
    expect(made.source_name, "output.monitor")
    expect(talk.ask(MoveSourceOutput(index=made.source_output, source_name="input")), INVALID)


@expectation
def who_records_one_sink_input_is_killed_with_it(talk: Talk) -> None:
    played = talk.play(corked=True)
    made = talk.record(direct_on_input=played.sink_input)
    talk.must(Ack, DeletePlaybackStream(channel=played.channel))
    talk.hear(RecordStreamKilled, channel=made.channel)
