"""The view's sink and sources, and their levels, which are this outlet's and nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eardrum.protocol.catalog import (
    MASK_ALL,
    Ack,
    Found,
    GetSinkInfo,
    GetSinkInfoList,
    GetSourceInfo,
    GetSourceInfoList,
    LookupSink,
    LookupSource,
    SetDefaultSink,
    SetDefaultSource,
    SetSinkMute,
    SetSinkVolume,
    SetSourceMute,
    SetSourceVolume,
    SinkInfo,
    SinkInfoList,
    SourceInfo,
    SourceInfoList,
    Subscribe,
    SuspendSink,
    SuspendSource,
)
from eardrum.protocol.kinds import FormatInfo
from eardrum.server import levels
from eardrum.server.answers.table import Answers
from eardrum.server.objects import Client, Sink, Source
from eardrum.server.routing import follow_default, suspend
from eardrum.server.rules import sources_of
from eardrum.terms.audio import Volume, valid_volume
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import value

if TYPE_CHECKING:
    from eardrum.server.core import Server

LATENCY, DECIBEL_VOLUME = 0x2, 0x20
SINK_DYNAMIC_LATENCY, SOURCE_DYNAMIC_LATENCY = 0x80, 0x40
RUNNING, IDLE, SUSPENDED = range(3)
PCM = 1  # encoding


def sink_info(client: Client, sink: Sink) -> SinkInfo:
    monitor = next((source for source in sources_of(client) if source.monitor_of is sink), None)
    return SinkInfo(
        index=sink.index,
        name=sink.name,
        description=sink.description,
        sample_spec=sink.spec,
        channel_map=sink.channel_map,
        volume=sink.volume,
        muted=sink.silent,
        monitor_source_index=monitor.index if monitor else None,
        monitor_source_name=monitor.name if monitor else None,
        module_index=sink.module,
        driver="eardrum",
        flags=LATENCY | DECIBEL_VOLUME | SINK_DYNAMIC_LATENCY,
        proplist={**_proplist(sink.description, "sound"), **sink.proplist},
        state=SUSPENDED if sink.suspended else RUNNING if sink.running else IDLE,
        formats=[FormatInfo(PCM, {})],
    )


def source_info(source: Source) -> SourceInfo:
    sink = source.monitor_of
    return SourceInfo(
        index=source.index,
        name=source.name,
        description=source.description,
        sample_spec=source.spec,
        channel_map=source.channel_map,
        volume=source.volume,
        muted=source.silent,
        monitor_of_sink_index=sink.index if sink else None,
        monitor_of_sink_name=sink.name if sink else None,
        module_index=source.module,
        driver="eardrum",
        flags=LATENCY | DECIBEL_VOLUME | SOURCE_DYNAMIC_LATENCY,
        proplist={**_proplist(source.description, "monitor" if sink else "sound"), **source.proplist},
        state=SUSPENDED if source.suspended else RUNNING if source.running else IDLE,
        formats=[FormatInfo(PCM, {})],
    )


def _proplist(description: str, device_class: str) -> dict[str, bytes]:
    return {"device.description": value(description), "device.class": value(device_class)}


def sink_list(server: Server, client: Client, tag: int, message: GetSinkInfoList) -> SinkInfoList:
    return SinkInfoList(items=[sink_info(client, sink) for sink in client.view.sinks.values()])


def source_list(server: Server, client: Client, tag: int, message: GetSourceInfoList) -> SourceInfoList:
    return SourceInfoList(items=[source_info(source) for source in sources_of(client)])


def checked_volume(volume: Volume, channels: int) -> Volume:
    """`volume` itself if it can be set on something with so many channels. Raises Refused(INVALID)."""
    if not valid_volume(volume) or len(volume) not in (1, channels):
        raise Refused(PulseError.INVALID, f"a volume of {len(volume)} channels for {channels}")
    return volume


def _set_level(server: Server, client: Client, device: Sink | Source, volume: Volume, muted: bool) -> Ack:
    levels.set_level(server, client.view, device, checked_volume(volume, len(device.channel_map)), muted)
    return Ack()


def set_default_sink(server: Server, client: Client, tag: int, message: SetDefaultSink, sink: Sink | None) -> Ack:
    before = client.view.default_sink
    client.view.chosen_sink = None if sink is None else sink.name
    client.view.server_changed()
    follow_default(server, client.view, before)
    return Ack()


def set_default_source(
    server: Server, client: Client, tag: int, message: SetDefaultSource, source: Source | None
) -> Ack:
    before = client.view.default_source
    client.view.chosen_source = None if source is None else source.name
    client.view.server_changed()
    follow_default(server, client.view, before)
    return Ack()


def _suspend(server: Server, client: Client, devices: Sequence[Sink | Source], suspended: bool) -> Ack:
    for device in devices:
        suspend(server, client.view, device, suspended)
    return Ack()


def subscribe(server: Server, client: Client, tag: int, message: Subscribe) -> Ack:
    if message.mask & ~MASK_ALL:
        raise Refused(PulseError.INVALID, f"subscription mask {message.mask:#x}")
    client.mask = message.mask
    return Ack()


ANSWERS: Answers = {
    GetSinkInfo: lambda server, client, tag, message, sink: sink_info(client, sink),
    GetSinkInfoList: sink_list,
    GetSourceInfo: lambda server, client, tag, message, source: source_info(source),
    GetSourceInfoList: source_list,
    LookupSink: lambda server, client, tag, message, sink: Found(index=sink.index),
    LookupSource: lambda server, client, tag, message, source: Found(index=source.index),
    SetSinkVolume: lambda server, client, tag, message, sink: _set_level(
        server, client, sink, message.volume, sink.muted
    ),
    SetSourceVolume: lambda server, client, tag, message, source: _set_level(
        server, client, source, message.volume, source.muted
    ),
    SetSinkMute: lambda server, client, tag, message, sink: _set_level(
        server, client, sink, sink.volume, message.muted
    ),
    SetSourceMute: lambda server, client, tag, message, source: _set_level(
        server, client, source, source.volume, message.muted
    ),
    SetDefaultSink: set_default_sink,
    SetDefaultSource: set_default_source,
    SuspendSink: lambda server, client, tag, message, sinks: _suspend(server, client, sinks, message.suspend),
    SuspendSource: lambda server, client, tag, message, sources: _suspend(server, client, sources, message.suspend),
    Subscribe: subscribe,
}
