"""Which version a connection speaks, and who may speak at all."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    Auth,
    AuthReply,
    ClientInfo,
    ClientNamed,
    GetClientInfo,
    GetClientInfoList,
    GetModuleInfoList,
    GetPlaybackLatency,
    GetRecordLatency,
    GetSampleInfoList,
    GetServerInfo,
    GetSinkInfo,
    GetSinkInfoList,
    GetSinkInputInfo,
    GetSinkInputInfoList,
    GetSourceInfo,
    GetSourceInfoList,
    GetSourceOutputInfo,
    GetSourceOutputInfoList,
    LookupSink,
    ServerInfo,
    SetClientName,
    SinkInfo,
    Stat,
    Subscribe,
)
from eardrum.terms.audio import SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Talk, expect
from eardrum.testing.conformance.expectation import OUTLETS, differs, expectation
from eardrum.testing.conformance.reasons import MASKED, NO_SHARED_MEMORY, ONCE

ACCESS, VERSION = PulseError.ACCESS, PulseError.VERSION
SHM, MEMFD = 0x80000000, 0x40000000


@expectation(each={str(version): (version,) for version in (8, 9, 13, 29, 35, 36, 0xFFFF)})
def auth_of_any_version_from_8_on_is_answered_with_35(talk: Talk, version: int) -> None:
    expect(talk.stranger().ask(Auth(version=version)), AuthReply(version=35))


@expectation(each={"7": (7,), "0": (0,)})
def auth_of_a_version_below_8_is_refused_and_may_be_repeated(talk: Talk, version: int) -> None:
    stranger = talk.stranger()
    expect(stranger.ask(Auth(version=version)), VERSION)
    expect(stranger.ask(GetSinkInfoList()), ACCESS)
    expect(stranger.ask(Auth(version=35)), AuthReply(version=35))


@expectation
@differs(MASKED, VERSION)
def flags_above_a_version_below_13_count_as_part_of_the_version(talk: Talk) -> None:
    expect(talk.stranger().ask(Auth(version=SHM | 5)), AuthReply(version=35))


FLAGS = {
    "shared memory and memfd": (SHM | MEMFD | 35, SHM | MEMFD | 35),
    "shared memory alone": (SHM | 35, SHM | MEMFD | 35),
    "memfd alone": (MEMFD | 35, 35),
    "neither": (35, 35),
    "shared memory by a version that has no flag for it": (12, SHM | 35),
    "shared memory before memfd": (SHM | 29, SHM | 35),
    "memfd before it was usual": (SHM | MEMFD | 31, SHM | 35),
}


SHARING = tuple(name for name, (_, taken) in FLAGS.items() if taken != 35)


@expectation(each=FLAGS)
@differs(NO_SHARED_MEMORY, AuthReply(version=35), "35, without flags", cases=SHARING)
def the_reply_to_auth_takes_up_the_offer_of(talk: Talk, offered: int, taken: int) -> None:
    expect(talk.stranger().ask(Auth(version=offered)), AuthReply(version=taken))


@expectation(versions=(8, 9, 11, 12, 13, 14, 15, 17, 21, 22, 30, 34))
def replies_have_the_fields_of_the_version(talk: Talk) -> None:
    """A field too many or too few cannot be read."""
    info = talk.must(SinkInfo, GetSinkInfo(name="output"))
    expect(len(info.formats), 1 if talk.version >= 21 else 0)
    expect("device.description" in info.proplist, talk.version >= 13)
    playing = talk.play(corked=True)
    recording = talk.record(source_name="output.monitor", corked=True)
    for asking in (
        Stat(), GetServerInfo(), GetSinkInfoList(), GetSourceInfoList(), GetClientInfoList(), GetModuleInfoList(),
        GetSinkInputInfoList(), GetSourceOutputInfoList(), GetSampleInfoList(), GetSourceInfo(name="input"),
        GetSinkInputInfo(index=playing.sink_input), GetSourceOutputInfo(index=recording.source_output),
        GetPlaybackLatency(channel=0, client_time=(1, 2)), GetRecordLatency(channel=0, client_time=(1, 2)),
    ):  # fmt: skip
        expect(type(talk.ask(asking)), asking.ANSWER)


@expectation
def a_newer_client_is_spoken_to_in_version_35(talk: Talk) -> None:
    newer = talk.another(36)
    expect(len(newer.must(SinkInfo, GetSinkInfo(name="output")).formats), 1)


@expectation
@differs(ONCE, PulseError.BADSTATE, on=OUTLETS)
def the_last_auth_counts(talk: Talk) -> None:
    talk.must(AuthReply, Auth(version=12))
    expect(talk.must(SinkInfo, GetSinkInfo(name="output")).proplist, {})
    talk.must(AuthReply, Auth(version=35))
    expect(len(talk.must(SinkInfo, GetSinkInfo(name="output")).formats), 1)


BEFORE = {
    "GET_SERVER_INFO": GetServerInfo(), "GET_SINK_INFO_LIST": GetSinkInfoList(), "STAT": Stat(),
    "LOOKUP_SINK": LookupSink(name="output"), "SUBSCRIBE": Subscribe(mask=0),
    "GET_CLIENT_INFO": GetClientInfo(index=0),
}  # fmt: skip


@expectation(each={name: (command,) for name, command in BEFORE.items()})
def before_auth_there_is_no_access_to(talk: Talk, command: object) -> None:
    expect(talk.stranger().ask(command), ACCESS)  # type: ignore[arg-type]


@expectation
def before_auth_no_stream_can_be_made(talk: Talk) -> None:
    expect(talk.stranger().ask(talk.playing()), ACCESS)


@expectation
def before_auth_a_name_is_taken(talk: Talk) -> None:
    stranger = talk.stranger()
    expect(stranger.ask(SetClientName(name="early")), ClientNamed(index=0))
    stranger.must(AuthReply, Auth(version=35))
    index = stranger.must(ClientNamed, SetClientName(proplist={})).index
    expect(talk.must(ClientInfo, GetClientInfo(index=index)).name, "early")


@expectation
def before_auth_a_client_is_listed(talk: Talk) -> None:
    stranger = talk.stranger()
    stranger.must(ClientNamed, SetClientName(name="early"))
    names = [info.name for info in talk.ask(GetClientInfoList()).items]
    expect("early" in names, True)


@expectation
def the_server_has_a_name_and_a_version(talk: Talk) -> None:
    info = talk.must(ServerInfo, GetServerInfo())
    expect(all((info.package_name, info.package_version, info.user_name, info.host_name)), True)


@expectation(versions=(8, 11))
def a_client_that_cannot_know_s32_is_told_float32(talk: Talk) -> None:
    newer = talk.another(35)
    made = newer.play(SampleSpec(SampleFormat.S32LE, 1, 48_000), corked=True)
    seen = talk.ask(GetSinkInputInfo(index=made.sink_input))
    expect(seen.sample_spec, SampleSpec(SampleFormat.FLOAT32LE, 1, 48_000))
