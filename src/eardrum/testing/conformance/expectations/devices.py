"""Sinks and sources: how they are found, and what is told of them."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    Found,
    GetCardInfo,
    GetCardInfoList,
    GetModuleInfo,
    GetSampleInfo,
    GetSampleInfoList,
    GetServerInfo,
    GetSinkInfo,
    GetSinkInfoList,
    GetSourceInfo,
    GetSourceInfoList,
    LookupSink,
    LookupSource,
    ServerInfo,
    SinkInfo,
    SinkInfoList,
    SourceInfo,
    SourceInfoList,
)
from eardrum.protocol.kinds import FormatInfo
from eardrum.protocol.message import Message
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Talk, expect
from eardrum.testing.conformance.expectation import SERVE, differs, expectation
from eardrum.testing.conformance.reasons import FIRST_SINK, FIXED_DEVICES

INVALID, NOENTITY = PulseError.INVALID, PulseError.NOENTITY
NOWHERE = 4711


def sink(talk: Talk, **what: object) -> SinkInfo:
    return talk.must(SinkInfo, GetSinkInfo(**what))  # type: ignore[arg-type]


def source(talk: Talk, **what: object) -> SourceInfo:
    return talk.must(SourceInfo, GetSourceInfo(**what))  # type: ignore[arg-type]


@expectation
def the_default_sink_and_source_are_named(talk: Talk) -> None:
    info = talk.must(ServerInfo, GetServerInfo())
    expect((info.default_sink, info.default_source), ("output", "input"))


@expectation
def the_default_sample_spec_is_that_of_the_sink(talk: Talk) -> None:
    info = talk.must(ServerInfo, GetServerInfo())
    expect((info.sample_spec, info.channel_map), (sink(talk).sample_spec, sink(talk).channel_map))


@expectation
def neither_index_nor_name_means_the_default_sink(talk: Talk) -> None:
    expect(sink(talk).name, "output")


@expectation
def neither_index_nor_name_means_the_default_source(talk: Talk) -> None:
    expect(source(talk).name, "input")


WILDCARDS = {"@DEFAULT_SOURCE@": ("input",), "@DEFAULT_MONITOR@": ("output.monitor",)}


@expectation
def a_wildcard_means_the_default_sink(talk: Talk) -> None:
    expect(sink(talk, name="@DEFAULT_SINK@").name, "output")
    expect(talk.ask(LookupSink(name="@DEFAULT_SINK@")), Found(index=sink(talk).index))


@expectation(each={wildcard: (wildcard, *name) for wildcard, name in WILDCARDS.items()})
def a_wildcard_means_a_source(talk: Talk, wildcard: str, name: str) -> None:
    expect(source(talk, name=wildcard).name, name)
    expect(talk.ask(LookupSource(name=wildcard)), Found(index=source(talk, name=name).index))


@expectation(
    each={"of sources": (GetSinkInfo(name="@DEFAULT_SOURCE@"),), "of monitors": (LookupSink(name="@DEFAULT_MONITOR@"),)}
)
def for_sinks_there_is_no_wildcard(talk: Talk, command: Message) -> None:
    expect(talk.ask(command), INVALID)


@expectation(each={"of sinks": (GetSourceInfo(name="@DEFAULT_SINK@"),), "unknown": (LookupSource(name="@DEFAULT@"),)})
def for_sources_there_is_no_wildcard(talk: Talk, command: Message) -> None:
    expect(talk.ask(command), INVALID)


@expectation
def a_number_as_a_name_means_the_index(talk: Talk) -> None:
    index = sink(talk).index
    expect(sink(talk, name=str(index)).name, "output")
    expect(talk.ask(LookupSink(name=str(index))), Found(index=index))
    expect(source(talk, name=str(source(talk).index)).name, "input")


@expectation(
    each={
        "GET_SINK_INFO": (GetSinkInfo(name=str(NOWHERE)),),
        "GET_SOURCE_INFO": (GetSourceInfo(name=str(NOWHERE)),),
        "LOOKUP_SINK": (LookupSink(name=str(NOWHERE)),),
        "LOOKUP_SOURCE": (LookupSource(name=str(NOWHERE)),),
    }
)
def a_number_of_nothing_is_no_entity(talk: Talk, command: Message) -> None:
    expect(talk.ask(command), NOENTITY)


@expectation(
    each={
        "GET_SINK_INFO": (GetSinkInfo(index=NOWHERE),),
        "GET_SOURCE_INFO": (GetSourceInfo(index=NOWHERE),),
        "GET_SINK_INFO by name": (GetSinkInfo(name="no-such"),),
        "GET_SOURCE_INFO by name": (GetSourceInfo(name="no-such"),),
        "LOOKUP_SINK": (LookupSink(name="no-such"),),
        "LOOKUP_SOURCE": (LookupSource(name="no-such"),),
        "a sink among sources": (LookupSource(name="output"),),
        "a source among sinks": (LookupSink(name="input"),),
        "GET_MODULE_INFO": (GetModuleInfo(index=NOWHERE),),
        "GET_CARD_INFO": (GetCardInfo(index=NOWHERE),),
        "GET_CARD_INFO by name": (GetCardInfo(name="no-such"),),
        "GET_SAMPLE_INFO": (GetSampleInfo(index=NOWHERE),),
        "GET_SAMPLE_INFO by name": (GetSampleInfo(name="no-such"),),
    }
)
def what_is_not_there_is_no_entity(talk: Talk, command: Message) -> None:
    expect(talk.ask(command), NOENTITY)


BOTH = {
    "GET_SINK_INFO": (GetSinkInfo(index=0, name="output"),),
    "GET_SOURCE_INFO": (GetSourceInfo(index=0, name="input"),),
    "GET_CARD_INFO": (GetCardInfo(index=0, name="card"),),
    "GET_SAMPLE_INFO": (GetSampleInfo(index=0, name="bell"),),
}


@expectation(each=BOTH)
def index_and_name_together_are_invalid(talk: Talk, command: Message) -> None:
    expect(talk.ask(command), INVALID)


@expectation(
    each={
        "GET_CARD_INFO": (GetCardInfo(),),
        "GET_SAMPLE_INFO": (GetSampleInfo(),),
        "GET_MODULE_INFO": (GetModuleInfo(index=None),),
    }
)
def where_there_is_no_default_neither_is_invalid(talk: Talk, command: Message) -> None:
    expect(talk.ask(command), INVALID)


NAMES = {
    "empty": "",
    "a space": "a b",
    "a slash": "a/b",
    "129 characters": "a" * 129,
    "not ASCII": "ä",
    "a plus": "a+b",
}


@expectation(each={name: (value,) for name, value in NAMES.items()})
def a_name_that_no_device_can_have_is_invalid(talk: Talk, name: str) -> None:
    for command in (LookupSink(name=name), LookupSource(name=name), GetSinkInfo(name=name), GetSourceInfo(name=name)):
        expect(talk.ask(command), INVALID)


@expectation
def a_name_may_have_128_characters(talk: Talk) -> None:
    expect(talk.ask(LookupSink(name="a" * 128)), NOENTITY)
    expect(talk.ask(LookupSource(name="A.z_0-" + "a" * 122)), NOENTITY)


@expectation
@differs(FIRST_SINK, ["auto_null", "output"], "also `auto_null`, with which it began", on=SERVE)
def a_list_holds_what_single_questions_tell(talk: Talk) -> None:
    sinks = talk.must(SinkInfoList, GetSinkInfoList()).items
    expect([info.name for info in sinks], ["output"])
    expect(sinks[0].index, sink(talk, name="output").index)
    sources = talk.must(SourceInfoList, GetSourceInfoList()).items
    expect([info.name for info in sources], ["output.monitor", "input"])
    for info in sources:
        expect(source(talk, index=info.index).name, info.name)


@expectation
def lists_may_be_empty(talk: Talk) -> None:
    expect(talk.ask(GetCardInfoList()).items, [])
    expect(talk.ask(GetSampleInfoList()).items, [])


@expectation
def a_sink_and_its_monitor_know_each_other(talk: Talk) -> None:
    output = sink(talk)
    monitor = source(talk, name="output.monitor")
    expect((output.monitor_source_name, output.monitor_source_index), (monitor.name, monitor.index))
    expect((monitor.monitor_of_sink_name, monitor.monitor_of_sink_index), (output.name, output.index))
    heard = source(talk)
    expect((heard.monitor_of_sink_name, heard.monitor_of_sink_index), (None, None))


@expectation
def a_sink_takes_one_format_pcm_without_properties(talk: Talk) -> None:
    expect(sink(talk).formats, [FormatInfo(1, {})])
    expect(source(talk).formats, [FormatInfo(1, {})])


@expectation
@differs(FIXED_DEVICES, 0xA2, "its formats cannot be set")
def a_null_sink_has_latency_decibels_dynamic_latency_and_settable_formats(talk: Talk) -> None:
    expect(sink(talk).flags, 0x1A2)


@expectation
def its_monitor_has_latency_decibels_and_dynamic_latency(talk: Talk) -> None:
    expect(source(talk, name="output.monitor").flags, 0x62)


@expectation
def volumes_in_software_have_65537_steps_and_base_100_percent(talk: Talk) -> None:
    for info in (sink(talk), source(talk)):
        expect((info.base_volume, info.volume_steps), (0x10000, 65537))


@expectation
def a_device_without_hardware_has_no_card_and_no_ports(talk: Talk) -> None:
    for info in (sink(talk), source(talk)):
        expect((info.card_index, info.ports, info.active_port), (None, [], None))


@expectation
def a_sink_is_idle_while_nothing_plays_and_runs_while_something_does(talk: Talk) -> None:
    expect(sink(talk).state, 1)
    talk.play(tlength=19_200)
    expect(sink(talk).state, 0)


@expectation
def a_corked_stream_leaves_a_sink_idle(talk: Talk) -> None:
    talk.play(corked=True)
    expect(sink(talk).state, 1)


@expectation
def a_source_runs_while_it_is_recorded(talk: Talk) -> None:
    expect(source(talk, name="input").state, 1)
    talk.record(source_name="input")
    expect(source(talk, name="input").state, 0)


@expectation
def a_monitor_names_its_class(talk: Talk) -> None:
    expect(source(talk, name="output.monitor").proplist.get("device.class"), b"monitor\0")
