"""What clients ask of streams and devices, their own and others': volumes, mutes, rates, ends, moves."""

from __future__ import annotations

from typing import Any

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    CorkRecordStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    DeleteUploadStream,
    DrainPlaybackStream,
    FinishUploadStream,
    FlushPlaybackStream,
    FlushRecordStream,
    GetClientInfo,
    GetPlaybackLatency,
    GetRecordLatency,
    GetSinkInputInfo,
    GetSinkInputInfoList,
    GetSourceOutputInfo,
    GetSourceOutputInfoList,
    KillSinkInput,
    KillSourceOutput,
    MoveSinkInput,
    MoveSourceOutput,
    PlaybackStreamKilled,
    PrebufPlaybackStream,
    RecordStreamKilled,
    RemovePlaybackStreamProplist,
    RemoveRecordStreamProplist,
    SetPlaybackStreamBufferAttr,
    SetPlaybackStreamName,
    SetRecordStreamBufferAttr,
    SetRecordStreamName,
    SetSinkInputMute,
    SetSinkInputVolume,
    SetSinkMute,
    SetSinkVolume,
    SetSourceMute,
    SetSourceOutputMute,
    SetSourceOutputVolume,
    SetSourceVolume,
    SinkInputInfo,
    SourceOutputInfo,
    TriggerPlaybackStream,
    UpdatePlaybackStreamProplist,
    UpdatePlaybackStreamSampleRate,
    UpdateRecordStreamProplist,
    UpdateRecordStreamSampleRate,
)
from eardrum.protocol.message import Message
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Talk, expect
from eardrum.testing.conformance.expectation import differs, expectation
from eardrum.testing.conformance.reasons import ORDER, OWN_NAMES

INVALID, NOENTITY = PulseError.INVALID, PulseError.NOENTITY
NOWHERE = 4711
NOW = (1, 2)
LOUD = (VOLUME_NORM, VOLUME_NORM)

OF_PLAYBACK: dict[str, Any] = {
    "DELETE": DeletePlaybackStream, "DRAIN": DrainPlaybackStream, "FLUSH": FlushPlaybackStream,
    "TRIGGER": TriggerPlaybackStream, "PREBUF": PrebufPlaybackStream,
    "CORK": lambda channel: CorkPlaybackStream(channel=channel, cork=True),
    "GET_LATENCY": lambda channel: GetPlaybackLatency(channel=channel, client_time=NOW),
    "SET_NAME": lambda channel: SetPlaybackStreamName(channel=channel, name="song"),
    "SET_BUFFER_ATTR": SetPlaybackStreamBufferAttr,
    "UPDATE_SAMPLE_RATE": lambda channel: UpdatePlaybackStreamSampleRate(channel=channel, rate=48_000),
    "UPDATE_PROPLIST": lambda channel: UpdatePlaybackStreamProplist(channel=channel, mode=0, proplist={}),
    "REMOVE_PROPLIST": lambda channel: RemovePlaybackStreamProplist(channel=channel, keys=[]),
}  # fmt: skip
OF_RECORD: dict[str, Any] = {
    "DELETE": DeleteRecordStream, "FLUSH": FlushRecordStream,
    "CORK": lambda channel: CorkRecordStream(channel=channel, cork=True),
    "GET_LATENCY": lambda channel: GetRecordLatency(channel=channel, client_time=NOW),
    "SET_NAME": lambda channel: SetRecordStreamName(channel=channel, name="meeting"),
    "SET_BUFFER_ATTR": SetRecordStreamBufferAttr,
    "UPDATE_SAMPLE_RATE": lambda channel: UpdateRecordStreamSampleRate(channel=channel, rate=48_000),
    "UPDATE_PROPLIST": lambda channel: UpdateRecordStreamProplist(channel=channel, mode=0, proplist={}),
    "REMOVE_PROPLIST": lambda channel: RemoveRecordStreamProplist(channel=channel, keys=[]),
}  # fmt: skip
OF_UPLOAD: dict[str, Any] = {"DELETE": DeleteUploadStream, "FINISH": FinishUploadStream}


@expectation(each={name: (say,) for name, say in OF_PLAYBACK.items()})
def what_is_asked_of_a_playback_stream_needs_one(talk: Talk, say: Any) -> None:
    talk.record(corked=True)
    talk.record(corked=True)
    talk.play(corked=True)
    for channel in (1, NOWHERE):
        expect(talk.ask(say(channel=channel)), NOENTITY)


@expectation(each={name: (say,) for name, say in OF_RECORD.items()})
def what_is_asked_of_a_record_stream_needs_one(talk: Talk, say: Any) -> None:
    talk.play(corked=True)
    talk.play(corked=True)
    talk.record(corked=True)
    for channel in (1, NOWHERE):
        expect(talk.ask(say(channel=channel)), NOENTITY)


@expectation(each={name: (say,) for name, say in OF_UPLOAD.items()})
def what_is_asked_of_an_upload_stream_needs_one(talk: Talk, say: Any) -> None:
    talk.play(corked=True)
    for channel in (0, NOWHERE):
        expect(talk.ask(say(channel=channel)), NOENTITY)


BOTH_WRONG: dict[str, Message] = {
    "SET_PLAYBACK_STREAM_NAME": SetPlaybackStreamName(channel=NOWHERE, name=None),
    "SET_RECORD_STREAM_NAME": SetRecordStreamName(channel=NOWHERE, name=None),
    "UPDATE_PLAYBACK_STREAM_SAMPLE_RATE": UpdatePlaybackStreamSampleRate(channel=NOWHERE, rate=0),
    "UPDATE_RECORD_STREAM_SAMPLE_RATE": UpdateRecordStreamSampleRate(channel=NOWHERE, rate=0),
    "UPDATE_PLAYBACK_STREAM_PROPLIST": UpdatePlaybackStreamProplist(channel=NOWHERE, mode=3, proplist={}),
    "UPDATE_RECORD_STREAM_PROPLIST": UpdateRecordStreamProplist(channel=NOWHERE, mode=3, proplist={}),
    "SET_SINK_INPUT_VOLUME": SetSinkInputVolume(index=NOWHERE, volume=()),
    "SET_SOURCE_OUTPUT_VOLUME": SetSourceOutputVolume(index=NOWHERE, volume=()),
    "SET_SINK_VOLUME": SetSinkVolume(index=NOWHERE, volume=()),
    "SET_SOURCE_VOLUME": SetSourceVolume(index=NOWHERE, volume=()),
}


@expectation(each={name: (command,) for name, command in BOTH_WRONG.items()})
@differs(ORDER, NOENTITY)
def of_a_wrong_value_for_nothing_the_value_is_told(talk: Talk, command: Message) -> None:
    expect(talk.ask(command), INVALID)


NO_NUMBER = {name: OF_PLAYBACK[name] for name in ("CORK", "FLUSH", "TRIGGER", "PREBUF")}


@expectation(each={name: (say,) for name, say in NO_NUMBER.items()})
@differs(ORDER, NOENTITY)
def no_number_of_a_playback_stream_is_invalid(talk: Talk, say: Any) -> None:
    expect(talk.ask(say(channel=0xFFFFFFFF)), INVALID)


# infos


@expectation
def a_sink_input_tells_what_it_is(talk: Talk) -> None:
    made = talk.play(corked=True, volume=(100, 200), muted=True, muted_set=True)
    told = talk.must(SinkInputInfo, GetSinkInputInfo(index=made.sink_input))
    expect((told.client_index, told.sink_index), (talk.index, made.sink_index))
    expect((told.sample_spec, told.channel_map, told.format), (made.sample_spec, made.channel_map, made.format))
    expect((told.volume, told.muted, told.corked), ((100, 200), True, True))
    expect((told.has_volume, told.volume_writable), (True, True))


@expectation
def a_source_output_tells_what_it_is(talk: Talk) -> None:
    made = talk.record(corked=True, volume=(100, 200), volume_set=True, muted=True, muted_set=True)
    told = talk.must(SourceOutputInfo, GetSourceOutputInfo(index=made.source_output))
    expect((told.client_index, told.source_index), (talk.index, made.source_index))
    expect((told.sample_spec, told.channel_map, told.format), (made.sample_spec, made.channel_map, made.format))
    expect((told.volume, told.muted, told.corked), ((100, 200), True, True))
    expect((told.has_volume, told.volume_writable), (True, True))


@expectation
@differs(OWN_NAMES, ("eardrum", None), "driver `eardrum`, of no module")
def a_stream_is_of_the_module_of_the_native_protocol(talk: Talk) -> None:
    told = talk.must(SinkInputInfo, GetSinkInputInfo(index=talk.play(corked=True).sink_input))
    expect((told.driver, None if told.module_index is None else "some"), ("protocol-native.c", "some"))


@expectation
def streams_are_listed_for_every_client(talk: Talk) -> None:
    playing, recording = talk.play(corked=True).sink_input, talk.record(corked=True).source_output
    other = talk.another()
    expect(playing in [each.index for each in other.ask(GetSinkInputInfoList()).items], True)
    expect(recording in [each.index for each in other.ask(GetSourceOutputInfoList()).items], True)


@expectation
def a_deleted_stream_is_not_there(talk: Talk) -> None:
    playing, recording = talk.play(corked=True).sink_input, talk.record(corked=True).source_output
    talk.must(Ack, DeletePlaybackStream(channel=0))
    talk.must(Ack, DeleteRecordStream(channel=0))
    expect(talk.ask(GetSinkInputInfo(index=playing)), NOENTITY)
    expect(talk.ask(GetSourceOutputInfo(index=recording)), NOENTITY)


@expectation
def the_streams_of_a_client_that_left_are_not_there(talk: Talk) -> None:
    other = talk.another()
    playing, recording = other.play(corked=True).sink_input, other.record(corked=True).source_output
    other.close()
    expect(talk.ask(GetSinkInputInfo(index=playing)), NOENTITY)
    expect(talk.ask(GetSourceOutputInfo(index=recording)), NOENTITY)


NOTHING: dict[str, Message] = {
    "GET_SINK_INPUT_INFO": GetSinkInputInfo(index=NOWHERE),
    "GET_SOURCE_OUTPUT_INFO": GetSourceOutputInfo(index=NOWHERE),
    "SET_SINK_INPUT_VOLUME": SetSinkInputVolume(index=NOWHERE, volume=LOUD),
    "SET_SINK_INPUT_MUTE": SetSinkInputMute(index=NOWHERE, muted=True),
    "SET_SOURCE_OUTPUT_VOLUME": SetSourceOutputVolume(index=NOWHERE, volume=LOUD),
    "SET_SOURCE_OUTPUT_MUTE": SetSourceOutputMute(index=NOWHERE, muted=True),
    "SET_SINK_VOLUME": SetSinkVolume(index=NOWHERE, volume=LOUD),
    "SET_SINK_MUTE": SetSinkMute(name="no-such", muted=True),
    "SET_SOURCE_VOLUME": SetSourceVolume(index=NOWHERE, volume=LOUD),
    "SET_SOURCE_MUTE": SetSourceMute(name="no-such", muted=True),
    "KILL_SINK_INPUT": KillSinkInput(index=NOWHERE),
    "KILL_SOURCE_OUTPUT": KillSourceOutput(index=NOWHERE),
    "MOVE_SINK_INPUT": MoveSinkInput(index=NOWHERE, sink_name="output"),
    "MOVE_SOURCE_OUTPUT": MoveSourceOutput(index=NOWHERE, source_name="input"),
}


@expectation(each={name: (command,) for name, command in NOTHING.items()})
def what_is_not_there_is_no_entity(talk: Talk, command: Message) -> None:
    expect(talk.ask(command), NOENTITY)


NO_INDEX: dict[str, tuple[Message, PulseError]] = {
    "GET_CLIENT_INFO": (GetClientInfo(index=None), INVALID),
    "GET_SINK_INPUT_INFO": (GetSinkInputInfo(index=None), INVALID),
    "GET_SOURCE_OUTPUT_INFO": (GetSourceOutputInfo(index=None), INVALID),
    "SET_SINK_INPUT_VOLUME": (SetSinkInputVolume(index=None, volume=LOUD), INVALID),
    "SET_SINK_INPUT_MUTE": (SetSinkInputMute(index=None, muted=True), INVALID),
    "SET_SOURCE_OUTPUT_VOLUME": (SetSourceOutputVolume(index=None, volume=LOUD), INVALID),
    "SET_SOURCE_OUTPUT_MUTE": (SetSourceOutputMute(index=None, muted=True), INVALID),
    "KILL_SINK_INPUT": (KillSinkInput(index=None), NOENTITY),
    "KILL_SOURCE_OUTPUT": (KillSourceOutput(index=None), NOENTITY),
    "MOVE_SINK_INPUT": (MoveSinkInput(index=None, sink_name="output"), INVALID),
    "MOVE_SOURCE_OUTPUT": (MoveSourceOutput(index=None, source_name="input"), INVALID),
}


@expectation(each=NO_INDEX)
def without_an_index_the_answer_is_that_of(talk: Talk, command: Message, error: PulseError) -> None:
    expect(talk.ask(command), error)


# rates


@expectation(each={"variable": (True,), "fixed": (False,)})
def a_change_of_rate_is_granted_whether_the_rate_is(talk: Talk, variable: bool) -> None:
    talk.play(corked=True, variable_rate=variable)
    talk.record(corked=True, variable_rate=variable)
    expect(talk.ask(UpdatePlaybackStreamSampleRate(channel=0, rate=47_000)), Ack())
    expect(talk.ask(UpdateRecordStreamSampleRate(channel=0, rate=47_000)), Ack())


@expectation(each={"variable": (True, 47_000), "fixed": (False, 48_000)})
def the_rate_of_a_stream_changes_only_if_it_is(talk: Talk, variable: bool, rate: int) -> None:
    playing, recording = (
        talk.play(corked=True, variable_rate=variable),
        talk.record(corked=True, variable_rate=variable),
    )
    talk.must(Ack, UpdatePlaybackStreamSampleRate(channel=0, rate=47_000))
    talk.must(Ack, UpdateRecordStreamSampleRate(channel=0, rate=47_000))
    expect(talk.must(SinkInputInfo, GetSinkInputInfo(index=playing.sink_input)).sample_spec.rate, rate)
    expect(talk.must(SourceOutputInfo, GetSourceOutputInfo(index=recording.source_output)).sample_spec.rate, rate)


@expectation(each={"0": (0,), "above the highest": (387_841,), "0xFFFFFFFF": (0xFFFFFFFF,)})
def a_rate_cannot_be(talk: Talk, rate: int) -> None:
    talk.play(corked=True, variable_rate=True)
    talk.record(corked=True, variable_rate=True)
    expect(talk.ask(UpdatePlaybackStreamSampleRate(channel=0, rate=rate)), INVALID)
    expect(talk.ask(UpdateRecordStreamSampleRate(channel=0, rate=rate)), INVALID)


# ends


@expectation
def a_killed_stream_is_gone_and_its_client_told(talk: Talk) -> None:
    other = talk.another()
    playing, recording = other.play(corked=True), other.record(corked=True)
    talk.must(Ack, KillSinkInput(index=playing.sink_input))
    talk.must(Ack, KillSourceOutput(index=recording.source_output))
    other.hear(PlaybackStreamKilled, channel=0)
    other.hear(RecordStreamKilled, channel=0)
    expect(other.ask(DeletePlaybackStream(channel=0)), NOENTITY)
    expect(other.ask(DeleteRecordStream(channel=0)), NOENTITY)


@expectation
def a_client_that_kills_its_own_stream_is_told_too(talk: Talk) -> None:
    made = talk.play(corked=True)
    talk.must(Ack, KillSinkInput(index=made.sink_input))
    talk.hear(PlaybackStreamKilled, channel=0)


@expectation
def a_drain_of_a_killed_stream_is_no_entity(talk: Talk) -> None:
    made = talk.play(corked=True)
    talk.write(0, bytes(1000))
    drain = talk.say(DrainPlaybackStream(channel=0))
    talk.another().must(Ack, KillSinkInput(index=made.sink_input))
    expect(talk.answer(drain), NOENTITY)


# moves


@expectation
def a_move_to_where_a_stream_is_is_granted(talk: Talk) -> None:
    playing, recording = talk.play(corked=True), talk.record(corked=True)
    expect(talk.ask(MoveSinkInput(index=playing.sink_input, sink_name="output")), Ack())
    expect(talk.ask(MoveSourceOutput(index=recording.source_output, source_name="input")), Ack())


@expectation(each={"to nothing": ("no-such", NOENTITY), "to what cannot be": ("a b", INVALID)})
def a_move_needs_a_device(talk: Talk, name: str, error: PulseError) -> None:
    playing, recording = talk.play(corked=True), talk.record(corked=True)
    expect(talk.ask(MoveSinkInput(index=playing.sink_input, sink_name=name)), error)
    expect(talk.ask(MoveSourceOutput(index=recording.source_output, source_name=name)), error)


@expectation(each={"both": (0, "output"), "neither": (None, None)})
def a_move_names_its_device_once(talk: Talk, index: int | None, name: str | None) -> None:
    made = talk.play(corked=True)
    expect(talk.ask(MoveSinkInput(index=made.sink_input, sink_index=index, sink_name=name)), INVALID)
