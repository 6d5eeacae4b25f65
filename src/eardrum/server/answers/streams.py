"""Streams as objects of the view: sink inputs and source outputs, of whatever connection to this outlet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.protocol.catalog import (
    Ack,
    GetSinkInputInfo,
    GetSinkInputInfoList,
    GetSourceOutputInfo,
    GetSourceOutputInfoList,
    KillSinkInput,
    KillSourceOutput,
    MoveSinkInput,
    MoveSourceOutput,
    SetSinkInputMute,
    SetSinkInputVolume,
    SetSourceOutputMute,
    SetSourceOutputVolume,
    SinkInputInfo,
    SinkInputInfoList,
    SourceOutputInfo,
    SourceOutputInfoList,
)
from eardrum.server import emulated_modules, routing
from eardrum.server.answers.devices import checked_volume
from eardrum.server.answers.table import Answers
from eardrum.server.formats import format_of
from eardrum.server.objects import Sink, Source
from eardrum.server.playback import SinkInput
from eardrum.server.record import SourceOutput
from eardrum.terms.audio import Volume
from eardrum.terms.properties import text

if TYPE_CHECKING:
    from eardrum.server.core import Server


def sink_input_info(stream: SinkInput) -> SinkInputInfo:
    return SinkInputInfo(
        index=stream.index,
        name=text(stream.proplist, "media.name"),
        module_index=stream.module,
        client_index=stream.client.index,
        sink_index=stream.sink.index,
        sample_spec=stream.spec,
        channel_map=stream.channel_map,
        volume=stream.volume,
        buffer_latency=0,
        sink_latency=0,
        driver="eardrum",
        muted=stream.muted,
        proplist=stream.proplist,
        corked=stream.corked,
        has_volume=not stream.agreed.passthrough,
        format=format_of(stream.spec, stream.channel_map),
    )


def source_output_info(stream: SourceOutput) -> SourceOutputInfo:
    return SourceOutputInfo(
        index=stream.index,
        name=text(stream.proplist, "media.name"),
        module_index=stream.module,
        client_index=stream.client.index,
        source_index=stream.source.index,
        sample_spec=stream.spec,
        channel_map=stream.channel_map,
        driver="eardrum",
        proplist=stream.proplist,
        corked=stream.corked,
        volume=stream.volume,
        muted=stream.muted,
        has_volume=not stream.agreed.passthrough,
        format=format_of(stream.spec, stream.channel_map),
    )


def _set_level(server: Server, stream: SinkInput | SourceOutput, volume: Volume, muted: bool) -> Ack:
    channels = stream.spec.channels
    stream.volume = checked_volume(volume, channels) * (channels // len(volume))
    stream.muted = muted
    stream.level_changed()
    server.stream_changed(stream)
    return Ack()


def _kill(server: Server, stream: SinkInput | SourceOutput) -> Ack:
    view = stream.client.view
    if stream.module is None:
        server.kill(stream)
    else:
        emulated_modules.unload(server, view, view.modules[stream.module])
    return Ack()


def _move(server: Server, stream: SinkInput | SourceOutput, device: Sink | Source) -> Ack:
    """Somebody wants it there: it stays when the default changes, unless that is the default."""
    routing.move(server, stream, device)
    view = stream.client.view
    stream.placed = device not in (view.default_sink, view.default_source)
    return Ack()


ANSWERS: Answers = {
    GetSinkInputInfo: lambda server, client, tag, message, stream: sink_input_info(stream),
    GetSinkInputInfoList: lambda server, client, tag, message: SinkInputInfoList(
        items=[sink_input_info(stream) for stream in client.view.sink_inputs.values()]
    ),
    GetSourceOutputInfo: lambda server, client, tag, message, stream: source_output_info(stream),
    GetSourceOutputInfoList: lambda server, client, tag, message: SourceOutputInfoList(
        items=[source_output_info(stream) for stream in client.view.source_outputs.values()]
    ),
    SetSinkInputVolume: lambda server, client, tag, message, stream: _set_level(
        server, stream, message.volume, stream.muted
    ),
    SetSinkInputMute: lambda server, client, tag, message, stream: _set_level(
        server, stream, stream.volume, message.muted
    ),
    SetSourceOutputVolume: lambda server, client, tag, message, stream: _set_level(
        server, stream, message.volume, stream.muted
    ),
    SetSourceOutputMute: lambda server, client, tag, message, stream: _set_level(
        server, stream, stream.volume, message.muted
    ),
    KillSinkInput: lambda server, client, tag, message, stream: _kill(server, stream),
    KillSourceOutput: lambda server, client, tag, message, stream: _kill(server, stream),
    MoveSinkInput: lambda server, client, tag, message, stream, sink: _move(server, stream, sink),
    MoveSourceOutput: lambda server, client, tag, message, stream, source: _move(server, stream, source),
}
