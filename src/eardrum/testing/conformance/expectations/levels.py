"""Volumes and mutes of devices and streams."""

from __future__ import annotations

from typing import Any

from eardrum.protocol.catalog import (
    Ack,
    GetSinkInfo,
    GetSinkInputInfo,
    GetSourceInfo,
    GetSourceOutputInfo,
    SetSinkInputMute,
    SetSinkInputVolume,
    SetSinkMute,
    SetSinkVolume,
    SetSourceMute,
    SetSourceOutputMute,
    SetSourceOutputVolume,
    SetSourceVolume,
    SinkInfo,
    SinkInputInfo,
    SourceInfo,
    SourceOutputInfo,
)
from eardrum.terms.audio import VOLUME_MAX, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import S16, Talk, expect
from eardrum.testing.conformance.expectation import expectation

INVALID, NOENTITY = PulseError.INVALID, PulseError.NOENTITY
NOWHERE = 4711
LOUD = (VOLUME_NORM, VOLUME_NORM)


@expectation(
    each={
        "one channel": ((7,), (7, 7)),
        "two channels": ((7, 8), (7, 8)),
        "the highest": ((VOLUME_MAX,), (VOLUME_MAX,) * 2),
    }
)
def a_device_takes_a_volume_of(talk: Talk, volume: tuple[int, ...], then: tuple[int, ...]) -> None:
    for name in ("output",):
        talk.must(Ack, SetSinkVolume(name=name, volume=volume))
        expect(talk.must(SinkInfo, GetSinkInfo(name=name)).volume, then)
        talk.must(Ack, SetSinkVolume(name=name, volume=LOUD))
    for name in ("output.monitor", "input"):
        talk.must(Ack, SetSourceVolume(name=name, volume=volume))
        expect(talk.must(SourceInfo, GetSourceInfo(name=name)).volume, then)
        talk.must(Ack, SetSourceVolume(name=name, volume=LOUD))


@expectation(each={"one channel": ((7,), (7, 7)), "two channels": ((7, 8), (7, 8))})
def a_stream_takes_a_volume_of(talk: Talk, volume: tuple[int, ...], then: tuple[int, ...]) -> None:
    playing, recording = talk.play(corked=True).sink_input, talk.record(corked=True).source_output
    talk.must(Ack, SetSinkInputVolume(index=playing, volume=volume))
    expect(talk.must(SinkInputInfo, GetSinkInputInfo(index=playing)).volume, then)
    talk.must(Ack, SetSourceOutputVolume(index=recording, volume=volume))
    expect(talk.must(SourceOutputInfo, GetSourceOutputInfo(index=recording)).volume, then)


WRONG = {"no channel": (), "three channels": (7,) * 3, "32 channels": (7,) * 32, "above the highest": (VOLUME_MAX + 1,)}


@expectation(each={name: (volume,) for name, volume in WRONG.items()})
def nothing_takes_a_volume_of(talk: Talk, volume: tuple[int, ...]) -> None:
    playing, recording = talk.play(corked=True).sink_input, talk.record(corked=True).source_output
    for command in (
        SetSinkVolume(name="output", volume=volume),
        SetSourceVolume(name="input", volume=volume),
        SetSinkInputVolume(index=playing, volume=volume),
        SetSourceOutputVolume(index=recording, volume=volume),
    ):
        expect(talk.ask(command), INVALID)


@expectation
def a_mono_stream_takes_no_stereo_volume(talk: Talk) -> None:
    made = talk.play(S16._replace(channels=1), corked=True)
    expect(talk.ask(SetSinkInputVolume(index=made.sink_input, volume=LOUD)), INVALID)


@expectation
def devices_and_streams_are_muted(talk: Talk) -> None:
    playing, recording = talk.play(corked=True).sink_input, talk.record(corked=True).source_output
    for muted in (True, False):
        talk.must(Ack, SetSinkMute(name="output", muted=muted))
        talk.must(Ack, SetSourceMute(name="input", muted=muted))
        talk.must(Ack, SetSinkInputMute(index=playing, muted=muted))
        talk.must(Ack, SetSourceOutputMute(index=recording, muted=muted))
        expect(talk.must(SinkInfo, GetSinkInfo(name="output")).muted, muted)
        expect(talk.must(SourceInfo, GetSourceInfo(name="input")).muted, muted)
        expect(talk.must(SinkInputInfo, GetSinkInputInfo(index=playing)).muted, muted)
        expect(talk.must(SourceOutputInfo, GetSourceOutputInfo(index=recording)).muted, muted)


DEVICE_LEVELS: dict[str, Any] = {
    "SET_SINK_VOLUME": lambda index, name: SetSinkVolume(index=index, name=name, volume=LOUD),
    "SET_SINK_MUTE": lambda index, name: SetSinkMute(index=index, name=name, muted=False),
    "SET_SOURCE_VOLUME": lambda index, name: SetSourceVolume(index=index, name=name, volume=LOUD),
    "SET_SOURCE_MUTE": lambda index, name: SetSourceMute(index=index, name=name, muted=False),
}


@expectation(each={name: (say,) for name, say in DEVICE_LEVELS.items()})
def a_device_is_meant_by_index_or_name(talk: Talk, say: Any) -> None:
    expect(talk.ask(say(None, None)), INVALID)
    expect(talk.ask(say(0, "output")), INVALID)
    expect(talk.ask(say(None, "a b")), INVALID)


@expectation
def a_device_may_be_meant_by_wildcard(talk: Talk) -> None:
    expect(talk.ask(SetSinkMute(name="@DEFAULT_SINK@", muted=False)), Ack())
    expect(talk.ask(SetSourceMute(name="@DEFAULT_SOURCE@", muted=False)), Ack())
    expect(talk.ask(SetSourceMute(name="@DEFAULT_MONITOR@", muted=False)), Ack())


@expectation
def a_stream_of_another_client_is_levelled_all_the_same(talk: Talk) -> None:
    made = talk.another().play(corked=True)
    talk.must(Ack, SetSinkInputMute(index=made.sink_input, muted=True))
    expect(talk.must(SinkInputInfo, GetSinkInputInfo(index=made.sink_input)).muted, True)
