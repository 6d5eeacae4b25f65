"""Making playback and record streams: what is granted, and what the reply says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eardrum.protocol.catalog import (
    Ack,
    DeletePlaybackStream,
    DeleteRecordStream,
    GetSinkInfo,
    GetSinkInputInfo,
    GetSourceInfo,
    PlaybackStreamCreated,
    RecordStreamCreated,
    SinkInfo,
    SinkInputInfo,
    SourceInfo,
)
from eardrum.protocol.kinds import FormatInfo
from eardrum.protocol.message import Message
from eardrum.terms.audio import MONO, STEREO, VOLUME_MAX, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.terms.properties import value
from eardrum.testing.conformance.client import S16, Fate, Talk, expect
from eardrum.testing.conformance.expectation import differs, expectation
from eardrum.testing.conformance.reasons import BUDGET, CHOICE, FULL_FORMATS, UNSET

INVALID, NOENTITY, NOTSUPPORTED, TOOLARGE = (
    PulseError.INVALID, PulseError.NOENTITY, PulseError.NOTSUPPORTED, PulseError.TOOLARGE,
)  # fmt: skip
PCM, AC3, ANY, NO_ENCODING = 1, 2, 0, 99
NO_SPEC = SampleSpec(255, 0, 0)
MAX_RATE = 387_840  # Hz

Make = Callable[..., Message]  # CREATE_… from a spec and fields
BOTH: dict[str, tuple[Make, str]] = {"playback": (Talk.playing, "sink"), "record": (Talk.recording, "source")}


def asked(talk: Talk, make: Make, spec: SampleSpec = S16, **fields: Any) -> Any:
    """The answer to a CREATE_… command with these fields."""
    return talk.ask(make(talk, spec, **fields))


def at(device: str, what: str, value: int | str) -> dict[str, Any]:
    """Where to: what is "index" or "name"."""
    return {f"{device}_{what}": value}


@expectation(each=BOTH)
def index_and_name_together_are_invalid(talk: Talk, make: Make, device: str) -> None:
    name = {"sink": "output", "source": "input"}[device]
    expect(asked(talk, make, **at(device, "index", 0), **at(device, "name", name)), INVALID)


@expectation(each=BOTH)
def a_name_that_no_device_can_have_is_invalid(talk: Talk, make: Make, device: str) -> None:
    for name in ("", "a b", "a" * 129):
        expect(asked(talk, make, **at(device, "name", name)), INVALID)


@expectation(each=BOTH)
def a_device_that_is_not_there_is_no_entity(talk: Talk, make: Make, device: str) -> None:
    expect(asked(talk, make, **at(device, "name", "no-such")), NOENTITY)
    expect(asked(talk, make, **at(device, "name", "4711")), NOENTITY)
    expect(asked(talk, make, **at(device, "index", 4711)), NOENTITY)


@expectation
def without_a_device_the_default_is_taken(talk: Talk) -> None:
    playing, recording = talk.play(), talk.record()
    expect((playing.sink_name, recording.source_name), ("output", "input"))
    sink, source = talk.must(SinkInfo, GetSinkInfo()), talk.must(SourceInfo, GetSourceInfo())
    expect((playing.sink_index, recording.source_index), (sink.index, source.index))


@expectation
def a_device_may_be_named_by_wildcard_by_number_and_by_index(talk: Talk) -> None:
    sink = talk.must(SinkInfo, GetSinkInfo())
    for where in ({"sink_name": "@DEFAULT_SINK@"}, {"sink_name": str(sink.index)}, {"sink_index": sink.index}):
        expect(talk.play(**where).sink_name, "output")
    source = talk.must(SourceInfo, GetSourceInfo())
    for where in ({"source_name": "@DEFAULT_SOURCE@"}, {"source_index": source.index}):
        expect(talk.record(**where).source_name, "input")
    expect(talk.record(source_name=str(source.index)).source_name, "input")
    expect(talk.record(source_name="@DEFAULT_MONITOR@").source_name, "output.monitor")


SPECS = {
    "no channels": SampleSpec(SampleFormat.S16LE, 0, 48_000),
    "33 channels": SampleSpec(SampleFormat.S16LE, 33, 48_000),
    "0 Hz": SampleSpec(SampleFormat.S16LE, 2, 0),
    "more than the highest rate": SampleSpec(SampleFormat.S16LE, 2, MAX_RATE + 1),
    "format 13": SampleSpec(13, 2, 48_000),
    "format 255": SampleSpec(255, 2, 48_000),
}


@expectation(each={f"{spec}, {kind}": (BOTH[kind][0], SPECS[spec]) for kind in BOTH for spec in SPECS})
def a_sample_spec_must_make_sense(talk: Talk, make: Make, spec: SampleSpec) -> None:
    given = {"channel_map": STEREO, "volume": (VOLUME_NORM,) * 2}
    expect(asked(talk, make, spec, **given), INVALID)


@expectation
def the_highest_rate_is_384_khz_and_a_hundredth(talk: Talk) -> None:
    spec = S16._replace(rate=MAX_RATE)
    expect(talk.play(spec, corked=True).sample_spec, spec)


MAPS = {
    "a channel too few": MONO,
    "a channel too many": bytes((1, 2, 3)),
    "no channel": b"",
    "position 51": bytes((1, 51)),
}


@expectation(each={f"{name}, {kind}": (BOTH[kind][0], MAPS[name]) for kind in BOTH for name in MAPS})
def a_channel_map_must_fit(talk: Talk, make: Make, channel_map: bytes) -> None:
    expect(asked(talk, make, channel_map=channel_map), INVALID)


VOLUMES = {
    "a channel too few": (VOLUME_NORM,),
    "a channel too many": (VOLUME_NORM,) * 3,
    "no channel": (),
    "above the highest": (VOLUME_NORM, VOLUME_MAX + 1),
}


@expectation(
    each={f"{name}, {told}": (VOLUMES[name], told == "set") for name in VOLUMES for told in ("set", "not set")}
)
def a_volume_must_fit_even_if_it_is_not_set(talk: Talk, volume: tuple[int, ...], is_set: bool) -> None:
    expect(asked(talk, Talk.playing, volume=volume, volume_set=is_set), INVALID)


@expectation(each={name: (volume,) for name, volume in VOLUMES.items()})
def a_volume_to_record_with_must_fit(talk: Talk, volume: tuple[int, ...]) -> None:
    expect(asked(talk, Talk.recording, volume=volume, volume_set=True), INVALID)


@expectation(each={name: (volume,) for name, volume in VOLUMES.items()})
@differs(UNSET, "granted", "granted")
def a_volume_to_record_with_must_fit_even_if_it_is_not_set(talk: Talk, volume: tuple[int, ...]) -> None:
    answer = asked(talk, Talk.recording, volume=volume, volume_set=False)
    expect("granted" if isinstance(answer, RecordStreamCreated) else answer, INVALID)


@expectation(versions=(8, 12))
def before_version_13_a_stream_without_a_name_ends_the_connection(talk: Talk) -> None:
    expect(asked(talk.another(talk.version), Talk.playing, name=None), Fate.CLOSED)
    expect(asked(talk, Talk.recording, name=None), Fate.CLOSED)


@expectation
def stream_numbers_of_playback_and_record_count_apart_from_0(talk: Talk) -> None:
    expect([talk.play().channel for _ in range(2)], [0, 1])
    expect([talk.record().channel for _ in range(2)], [0, 1])


@expectation
def stream_numbers_are_not_used_again(talk: Talk) -> None:
    for number in range(3):
        expect(talk.play().channel, number)
        expect(talk.record().channel, number)
        talk.must(Ack, DeletePlaybackStream(channel=number))
        talk.must(Ack, DeleteRecordStream(channel=number))


@expectation
def stream_numbers_are_the_connections_own(talk: Talk) -> None:
    talk.play()
    other = talk.another()
    expect(other.ask(DeletePlaybackStream(channel=0)), NOENTITY)
    expect(other.play().channel, 0)


@expectation
def indexes_are_not_used_again(talk: Talk) -> None:
    first = talk.play()
    talk.must(Ack, DeletePlaybackStream(channel=first.channel))
    expect(talk.play().sink_input > first.sink_input, True)


SAME = {
    "s16le": S16,
    "s16be": S16._replace(format=SampleFormat.S16BE),
    "u8": S16._replace(format=SampleFormat.U8),
    "float32le": S16._replace(format=SampleFormat.FLOAT32LE),
    "float32be": S16._replace(format=SampleFormat.FLOAT32BE),
    "s32le": S16._replace(format=SampleFormat.S32LE),
    "s32be": S16._replace(format=SampleFormat.S32BE),
    "mono": S16._replace(channels=1),
    "8 kHz": S16._replace(rate=8000),
    "192 kHz": S16._replace(rate=192_000),
    "alaw": S16._replace(format=SampleFormat.ALAW),
    "ulaw": S16._replace(format=SampleFormat.ULAW),
    "s24le": S16._replace(format=SampleFormat.S24LE),
    "s24be": S16._replace(format=SampleFormat.S24BE),
    "s24-32le": S16._replace(format=SampleFormat.S24_32LE),
    "s24-32be": S16._replace(format=SampleFormat.S24_32BE),
    "6 channels": S16._replace(channels=6),
    "32 channels": S16._replace(channels=32),
    "1 Hz": S16._replace(rate=1),
    "999 Hz": S16._replace(rate=999),
}


@expectation(each={name: (spec,) for name, spec in SAME.items()})
def a_playback_stream_has_the_spec_and_map_that_were_asked_for(talk: Talk, spec: SampleSpec) -> None:
    asking = talk.playing(spec, corked=True)
    made = talk.must(PlaybackStreamCreated, asking)
    expect((made.sample_spec, made.channel_map), (spec, asking.channel_map))


@expectation(each={name: (spec,) for name, spec in SAME.items()})
def a_record_stream_has_the_spec_and_map_that_were_asked_for(talk: Talk, spec: SampleSpec) -> None:
    asking = talk.recording(spec, corked=True)
    made = talk.must(RecordStreamCreated, asking)
    expect((made.sample_spec, made.channel_map), (spec, asking.channel_map))


DESCRIBED = {
    "format.sample_format": value('"s16le"'), "format.rate": value("48000"), "format.channels": value("2"),
    "format.channel_map": value('"front-left,front-right"'),
}  # fmt: skip


@expectation
def a_stream_by_sample_spec_has_the_format_that_says_the_same(talk: Talk) -> None:
    expect(talk.play().format, FormatInfo(PCM, DESCRIBED))
    expect(talk.record().format, FormatInfo(PCM, DESCRIBED))


def listed(*formats: FormatInfo, **fields: Any) -> dict[str, Any]:
    """What libpulse says with a list of formats: no spec, no map, a volume of 32 channels."""
    return {"channel_map": b"", "volume": (VOLUME_NORM,) * 32, "volume_set": False, "formats": list(formats), **fields}


@expectation
def a_format_without_properties_takes_those_of_the_sink(talk: Talk) -> None:
    sink = talk.must(SinkInfo, GetSinkInfo())
    made = talk.play(NO_SPEC, **listed(FormatInfo(PCM, {})))
    expect((made.sample_spec, made.channel_map), (sink.sample_spec, sink.channel_map))


@expectation
@differs(FULL_FORMATS, FormatInfo(PCM, DESCRIBED), "with all that was left open")
def the_reply_has_the_format_as_it_was_listed(talk: Talk) -> None:
    made = talk.play(NO_SPEC, **listed(FormatInfo(PCM, {})))
    expect(made.format, FormatInfo(PCM, {}))


@expectation
def a_format_with_properties_is_taken_as_it_is(talk: Talk) -> None:
    wanted = FormatInfo(
        PCM,
        {
            **DESCRIBED,
            "format.rate": value("44100"),
            "format.channels": value("1"),
            "format.channel_map": value('"mono"'),
        },
    )
    made = talk.play(NO_SPEC, **listed(wanted))
    expect((made.sample_spec, made.format), (SampleSpec(SampleFormat.S16LE, 1, 44_100), wanted))


@expectation
def of_several_formats_the_first_that_the_sink_takes_is_taken(talk: Talk) -> None:
    rate = FormatInfo(PCM, {**DESCRIBED, "format.rate": value("32000")})
    made = talk.play(NO_SPEC, **listed(FormatInfo(AC3, {"format.rate": value("48000")}), rate, FormatInfo(PCM, {})))
    expect(made.sample_spec.rate, 32_000)


@expectation(each={"one channel": (1, True), "two channels": (2, True), "three channels": (3, False)})
def beside_a_list_of_formats_a_volume_that_is_set_has_one_channel_or_the_formats(
    talk: Talk, channels: int, fits: bool
) -> None:
    fields = {**listed(FormatInfo(PCM, DESCRIBED)), "volume": (0,) * channels, "volume_set": True}
    made = asked(talk, Talk.playing, NO_SPEC, **fields)
    expect(isinstance(made, PlaybackStreamCreated) or made, fits or INVALID)


@expectation(each=BOTH)
def an_unknown_encoding_is_invalid(talk: Talk, make: Make, device: str) -> None:
    expect(asked(talk, make, NO_SPEC, **listed(FormatInfo(NO_ENCODING, {}))), INVALID)


@expectation(each={"AC3": (AC3, {"format.rate": value("48000")}), "any": (ANY, {})})
def a_format_that_the_sink_cannot_play_is_not_supported(talk: Talk, encoding: int, proplist: dict[str, bytes]) -> None:
    expect(asked(talk, Talk.playing, NO_SPEC, **listed(FormatInfo(encoding, proplist))), NOTSUPPORTED)


CHOICES = {"a list": "[44100,48000]", "a range": '{"min":8000,"max":192000}', "no JSON": "x"}


@expectation(each={name: (rate,) for name, rate in CHOICES.items()})
@differs(CHOICE, NOTSUPPORTED, cases=("a list", "a range"))
def the_rate_of_a_format_is_one_number_and_else_invalid(talk: Talk, rate: str) -> None:
    info = FormatInfo(PCM, {**DESCRIBED, "format.rate": value(rate)})
    expect(asked(talk, Talk.playing, NO_SPEC, **listed(info)), INVALID)


@expectation(each={"32": (32,), "33": (33,), "255": (255,)})
@differs(BUDGET, TOOLARGE, cases=("33", "255"))
def as_many_formats_may_be_listed_as_the_wire_can_count(talk: Talk, count: int) -> None:
    talk.play(NO_SPEC, **listed(*(FormatInfo(PCM, {}),) * count))


@expectation
@differs(CHOICE, "granted", "it is")
def a_format_with_a_choice_is_not_passed_over(talk: Talk) -> None:
    choice = FormatInfo(PCM, {**DESCRIBED, "format.rate": value(CHOICES["a list"])})
    answer = asked(talk, Talk.playing, NO_SPEC, **listed(choice, FormatInfo(PCM, DESCRIBED)))
    expect("granted" if isinstance(answer, PlaybackStreamCreated) else answer, INVALID)


AIFF = {
    "1": (0,), "2": (1, 2), "3": (1, 2, 3), "4": (1, 3, 2, 4), "5": (1, 2, 3, 5, 6), "6": (1, 8, 3, 2, 9, 4),
    "7": (1, 8, 3, 2, 9, 4, 12),
}  # fmt: skip


@expectation(each={name: (positions,) for name, positions in AIFF.items()})
def channels_without_a_map_are_those_of_aiff(talk: Talk, positions: tuple[int, ...]) -> None:
    info = FormatInfo(PCM, {"format.channels": value(str(len(positions)))})
    answer = asked(talk, Talk.playing, NO_SPEC, **listed(info))
    expect(answer if isinstance(answer, PulseError) else answer.channel_map, bytes(positions))


FIX = {"format": {"fix_format": True}, "rate": {"fix_rate": True}, "channels": {"fix_channels": True}}


@expectation(each={name: (flags,) for name, flags in FIX.items()})
def a_stream_that_says_fix_gets_what_the_sink_has_for(talk: Talk, flags: dict[str, bool]) -> None:
    sink = talk.must(SinkInfo, GetSinkInfo())
    mine = SampleSpec(SampleFormat.FLOAT32LE, 1, 44_100)
    made = talk.play(mine, **flags)
    wanted = mine._replace(
        **{name.removeprefix("fix_"): getattr(sink.sample_spec, name.removeprefix("fix_")) for name in flags}
    )
    expect(made.sample_spec, wanted)


@expectation
def a_pcm_stream_that_passes_through_is_alone(talk: Talk) -> None:
    made = talk.play(passthrough=True, corked=True)
    info = talk.must(SinkInputInfo, GetSinkInputInfo(index=made.sink_input))
    expect((info.volume, info.has_volume), ((VOLUME_NORM,) * 2, False))
    expect(talk.ask(talk.playing(corked=True)), PulseError.BUSY)


@expectation
def into_one_sink_go_256_streams_and_one_more_is_too_large(talk: Talk) -> None:
    tags = [talk.say(talk.playing(corked=True)) for _ in range(257)]
    answers = [talk.answer(tag) for tag in tags]
    expect([type(answer) for answer in answers[:256]], [PlaybackStreamCreated] * 256)
    expect(answers[256] if isinstance(answers[256], PulseError) else type(answers[256]), TOOLARGE)


@expectation
def out_of_one_source_come_256_streams_and_one_more_is_too_large(talk: Talk) -> None:
    tags = [talk.say(talk.recording(corked=True)) for _ in range(257)]
    answers = [talk.answer(tag) for tag in tags]
    expect([type(answer) for answer in answers[:256]], [RecordStreamCreated] * 256)
    expect(answers[256] if isinstance(answers[256], PulseError) else type(answers[256]), TOOLARGE)


@expectation
def streams_need_not_be_awaited_one_by_one(talk: Talk) -> None:
    first, second = talk.say(talk.playing()), talk.say(talk.playing())
    made = talk.answer(second)
    expect(isinstance(talk.answer(first), PlaybackStreamCreated) and isinstance(made, PlaybackStreamCreated), True)


@expectation(each={"a sink input that is not there": (4711,)})
def recording_one_sink_input_needs_it_to_be_there(talk: Talk, index: int) -> None:
    expect(talk.ask(talk.recording(source_name="output.monitor", direct_on_input=index)), NOENTITY)
