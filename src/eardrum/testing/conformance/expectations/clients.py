"""Clients: their names and properties."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    Ack,
    ClientInfo,
    ClientInfoList,
    ClientNamed,
    GetClientInfo,
    GetClientInfoList,
    GetSinkInputInfo,
    GetSourceOutputInfo,
    KillClient,
    RemoveClientProplist,
    RemovePlaybackStreamProplist,
    RemoveRecordStreamProplist,
    SetClientName,
    SetPlaybackStreamName,
    SetRecordStreamName,
    SinkInputInfo,
    SourceOutputInfo,
    UpdateClientProplist,
    UpdatePlaybackStreamProplist,
    UpdateRecordStreamProplist,
)
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Fate, Talk, expect
from eardrum.testing.conformance.expectation import differs, expectation
from eardrum.testing.conformance.reasons import IDENTITY, OWN_NAMES, PROPERTIES

INVALID, NOENTITY = PulseError.INVALID, PulseError.NOENTITY
SET, MERGE, REPLACE = range(3)


def info(talk: Talk, index: int | None = None) -> ClientInfo:
    return talk.must(ClientInfo, GetClientInfo(index=talk.index if index is None else index))


def kept(talk: Talk) -> dict[str, bytes]:
    """The client's properties, without those that the server adds."""
    return {key: value for key, value in info(talk).proplist.items() if not key.startswith("native-protocol.")}


@expectation
def a_client_has_its_application_name(talk: Talk) -> None:
    expect(info(talk).name, "test")


@expectation(versions=(8, 12))
def before_version_13_a_name_is_all_that_a_client_says_of_itself(talk: Talk) -> None:
    newer = talk.another(35)
    names = [each.name for each in newer.must(ClientInfoList, GetClientInfoList()).items]
    expect("test" in names, True)
    expect(talk.ask(SetClientName(name="another")), ClientNamed(index=0))
    names = [each.name for each in newer.must(ClientInfoList, GetClientInfoList()).items]
    expect("another" in names, True)


@expectation(versions=(12,))
def before_version_13_no_name_is_no_error(talk: Talk) -> None:
    expect(talk.ask(SetClientName(name=None)), ClientNamed(index=0))


@expectation(versions=(12,))
def before_version_13_a_name_that_is_no_utf8_is_invalid(talk: Talk) -> None:
    expect(talk.ask(SetClientName(name="\udcff")), INVALID)


@expectation
def every_naming_tells_the_same_index(talk: Talk) -> None:
    expect(talk.ask(SetClientName(proplist={})), ClientNamed(index=talk.index))


@expectation
def indexes_of_clients_are_not_used_again(talk: Talk) -> None:
    first = talk.another()
    first.close()
    expect(talk.another().index > first.index, True)


@expectation
def naming_replaces_what_it_names_and_keeps_the_rest(talk: Talk) -> None:
    talk.must(ClientNamed, SetClientName(proplist={"media.title": b"a\0"}))
    talk.must(ClientNamed, SetClientName(proplist={"application.name": b"b\0"}))
    expect(kept(talk), {"application.name": b"b\0", "media.title": b"a\0"})


@expectation
@differs(IDENTITY, set(), "neither")
def the_server_adds_how_a_client_came_and_its_version(talk: Talk) -> None:
    added = {key for key in info(talk).proplist if key.startswith("native-protocol.")}
    expect(added, {"native-protocol.peer", "native-protocol.version"})


@expectation
@differs(OWN_NAMES, ("eardrum", None), "driver `eardrum`, of no module")
def a_client_is_of_the_module_of_the_native_protocol(talk: Talk) -> None:
    told = info(talk)
    expect((told.driver, None if told.module_index is None else "some"), ("protocol-native.c", "some"))


OLD = {"application.name": b"test\0", "media.title": b"old\0"}
UPDATES = {
    "set": (SET, {"media.title": b"new\0"}, {"media.title": b"new\0"}),
    "merge": (MERGE, {"media.title": b"new\0", "media.artist": b"who\0"}, {**OLD, "media.artist": b"who\0"}),
    "replace": (REPLACE, {"media.title": b"new\0"}, {**OLD, "media.title": b"new\0"}),
    "set to nothing": (SET, {}, {}),
}


@expectation(each=UPDATES)
def properties_are_updated_by(talk: Talk, mode: int, said: dict[str, bytes], then: dict[str, bytes]) -> None:
    talk.must(Ack, UpdateClientProplist(mode=REPLACE, proplist=OLD))
    talk.must(Ack, UpdateClientProplist(mode=mode, proplist=said))
    expect(kept(talk), then)


@expectation(each={"3": (3,), "0xFFFFFFFF": (0xFFFFFFFF,)})
def another_mode_of_update_is_invalid(talk: Talk, mode: int) -> None:
    expect(talk.ask(UpdateClientProplist(mode=mode, proplist={})), INVALID)
    talk.play(corked=True)
    expect(talk.ask(UpdatePlaybackStreamProplist(channel=0, mode=mode, proplist={})), INVALID)
    talk.record(corked=True)
    expect(talk.ask(UpdateRecordStreamProplist(channel=0, mode=mode, proplist={})), INVALID)


@expectation
def removing_a_property_that_is_not_there_is_no_error(talk: Talk) -> None:
    talk.must(Ack, UpdateClientProplist(mode=REPLACE, proplist=OLD))
    talk.must(Ack, RemoveClientProplist(keys=["media.title", "media.artist"]))
    expect(kept(talk), {"application.name": b"test\0"})


@expectation
def removing_nothing_is_no_error(talk: Talk) -> None:
    expect(talk.ask(RemoveClientProplist(keys=[])), Ack())


@expectation
@differs(PROPERTIES, None, "it is not kept")
def a_property_of_any_key_is_kept(talk: Talk) -> None:
    talk.must(Ack, UpdateClientProplist(mode=REPLACE, proplist={"test.anything": b"kept\0"}))
    expect(info(talk).proplist.get("test.anything"), b"kept\0")


# streams


def sink_input(talk: Talk, index: int) -> SinkInputInfo:
    return talk.must(SinkInputInfo, GetSinkInputInfo(index=index))


def source_output(talk: Talk, index: int) -> SourceOutputInfo:
    return talk.must(SourceOutputInfo, GetSourceOutputInfo(index=index))


@expectation
def a_stream_has_the_properties_of_its_client_under_its_own(talk: Talk) -> None:
    talk.must(Ack, UpdateClientProplist(mode=SET, proplist=OLD))
    made = talk.play(corked=True, proplist={"media.title": b"mine\0", "media.name": b"song\0"})
    told = sink_input(talk, made.sink_input)
    expect(told.name, "song")
    for key, wanted in {**OLD, "media.title": b"mine\0"}.items():
        expect(told.proplist.get(key), wanted)


@expectation
def a_record_stream_has_the_properties_of_its_client_under_its_own(talk: Talk) -> None:
    talk.must(Ack, UpdateClientProplist(mode=SET, proplist=OLD))
    made = talk.record(corked=True, proplist={"media.name": b"meeting\0"})
    told = source_output(talk, made.source_output)
    expect((told.name, told.proplist.get("media.title")), ("meeting", b"old\0"))


@expectation(versions=(12,))
def before_version_13_a_stream_is_named_when_it_is_made(talk: Talk) -> None:
    made = talk.play(corked=True, name="song")
    expect(sink_input(talk.another(35), made.sink_input).proplist.get("media.name"), b"song\0")


@expectation(each=UPDATES)
def properties_of_a_playback_stream_are_updated_by(
    talk: Talk, mode: int, said: dict[str, bytes], then: dict[str, bytes]
) -> None:
    made = talk.play(corked=True)
    talk.must(Ack, UpdatePlaybackStreamProplist(channel=0, mode=SET, proplist=OLD))
    talk.must(Ack, UpdatePlaybackStreamProplist(channel=0, mode=mode, proplist=said))
    expect(sink_input(talk, made.sink_input).proplist, then)


@expectation(each=UPDATES)
def properties_of_a_record_stream_are_updated_by(
    talk: Talk, mode: int, said: dict[str, bytes], then: dict[str, bytes]
) -> None:
    made = talk.record(corked=True)
    talk.must(Ack, UpdateRecordStreamProplist(channel=0, mode=SET, proplist=OLD))
    talk.must(Ack, UpdateRecordStreamProplist(channel=0, mode=mode, proplist=said))
    expect(source_output(talk, made.source_output).proplist, then)


@expectation
def properties_of_streams_are_removed(talk: Talk) -> None:
    playing, recording = talk.play(corked=True), talk.record(corked=True)
    talk.must(Ack, UpdatePlaybackStreamProplist(channel=0, mode=SET, proplist=OLD))
    talk.must(Ack, UpdateRecordStreamProplist(channel=0, mode=SET, proplist=OLD))
    talk.must(Ack, RemovePlaybackStreamProplist(channel=0, keys=["media.title", "no.such"]))
    talk.must(Ack, RemoveRecordStreamProplist(channel=0, keys=["media.title"]))
    expect(sink_input(talk, playing.sink_input).proplist, {"application.name": b"test\0"})
    expect(source_output(talk, recording.source_output).proplist, {"application.name": b"test\0"})


@expectation
def a_stream_is_renamed(talk: Talk) -> None:
    playing, recording = talk.play(corked=True), talk.record(corked=True)
    talk.must(Ack, SetPlaybackStreamName(channel=0, name="song"))
    talk.must(Ack, SetRecordStreamName(channel=0, name="meeting"))
    expect(sink_input(talk, playing.sink_input).proplist.get("media.name"), b"song\0")
    expect(source_output(talk, recording.source_output).proplist.get("media.name"), b"meeting\0")


@expectation(each={"no name": (None,), "no UTF-8": ("\udcff",)})
def a_stream_cannot_be_renamed_to(talk: Talk, name: str | None) -> None:
    talk.play(corked=True)
    talk.record(corked=True)
    expect(talk.ask(SetPlaybackStreamName(channel=0, name=name)), INVALID)
    expect(talk.ask(SetRecordStreamName(channel=0, name=name)), INVALID)


@expectation
def an_empty_name_is_a_name(talk: Talk) -> None:
    made = talk.play(corked=True)
    talk.must(Ack, SetPlaybackStreamName(channel=0, name=""))
    expect(sink_input(talk, made.sink_input).name, "")


# others


@expectation(each={"a client that is not there": (4711,)})
def there_is_no_info_of_and_no_end_for(talk: Talk, index: int) -> None:
    expect(talk.ask(GetClientInfo(index=index)), NOENTITY)
    expect(talk.ask(KillClient(index=index)), NOENTITY)


@expectation
def a_client_that_left_is_not_there(talk: Talk) -> None:
    other = talk.another()
    expect(info(talk, other.index).name, "test")
    other.close()
    expect(talk.ask(GetClientInfo(index=other.index)), NOENTITY)


@expectation
def a_killed_client_is_hung_up_on(talk: Talk) -> None:
    other = talk.another()
    talk.must(Ack, KillClient(index=other.index))
    expect(other.fate, Fate.CLOSED)
    expect(talk.ask(GetClientInfo(index=other.index)), NOENTITY)


@expectation
def a_client_may_end_itself(talk: Talk) -> None:
    talk.say(KillClient(index=talk.index))
    expect(talk.fate, Fate.CLOSED)
