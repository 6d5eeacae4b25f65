"""Playback streams: making them, and what their client asks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    CreatePlaybackStream,
    DeletePlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    GetPlaybackLatency,
    PlaybackStreamCreated,
    PrebufPlaybackStream,
    RemovePlaybackStreamProplist,
    SetPlaybackStreamBufferAttr,
    SetPlaybackStreamName,
    TriggerPlaybackStream,
    UpdatePlaybackStreamProplist,
    UpdatePlaybackStreamSampleRate,
)
from eardrum.server.answers.clients import name_value, updated, without
from eardrum.server.answers.table import Answers
from eardrum.server.carried_playback import CarriedPlayback
from eardrum.server.events import OUTPUT
from eardrum.server.formats import checked_stream_volume, format_of, negotiated
from eardrum.server.mixed_playback import MixedPlayback
from eardrum.server.objects import Client, Sink
from eardrum.server.playback import PlaybackStream
from eardrum.terms.audio import MAX_RATE, BufferAttr
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import cleaned, value

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.record import RecordStream

MAX_STREAMS = 256  # into one sink, and out of one source, as in PulseAudio


def create(
    server: Server, client: Client, tag: int, message: CreatePlaybackStream, sink: Sink
) -> PlaybackStreamCreated | None:
    if nameless(server, client, message):
        return None
    spec, channel_map = negotiated(message, sink.spec, sink.channel_map)
    volume = checked_stream_volume(
        message.volume, spec.channels, is_set=message.volume_set, listed=bool(message.formats)
    )
    if message.passthrough:
        raise Refused(PulseError.NOTSUPPORTED, "passthrough")
    if len(client.view.sink_inputs) + server.awaited(OUTPUT) >= MAX_STREAMS:
        raise Refused(PulseError.TOOLARGE, f"{MAX_STREAMS} streams play")
    stream: MixedPlayback | CarriedPlayback
    if sink.bus is not None:
        stream = MixedPlayback(server, client, sink, spec, channel_map, volume, bus=sink.bus)
    else:
        stream = CarriedPlayback(server, client, sink, spec, channel_map, volume)
    stream.muted = message.muted
    stream.corked = message.corked
    stream.variable_rate = message.variable_rate
    stream.proplist = stream_proplist(client, message)
    if isinstance(stream, CarriedPlayback):
        stream.create(tag, stream.clean(message), lambda reply: created(stream, reply.missing, reply.suspended))
        return None
    stream.settle(
        BufferAttr(message.maxlength, message.tlength, message.prebuf, message.minreq),
        adjust_latency=message.adjust_latency,
        early_requests=message.early_requests,
    )
    server.add(stream)
    stream.start()
    return created(stream, stream.attr.tlength, False)


def created(stream: PlaybackStream, missing: int, suspended: bool) -> PlaybackStreamCreated:
    """The reply, with our numbers; `missing` are the bytes that the client may write at once."""
    maxlength, tlength, prebuf, minreq, _ = stream.attr
    return PlaybackStreamCreated(
        channel=stream.channel,
        sink_input=stream.index,
        missing=missing,
        maxlength=maxlength,
        tlength=tlength,
        prebuf=prebuf,
        minreq=minreq,
        sample_spec=stream.spec,
        channel_map=stream.channel_map,
        sink_index=stream.sink.index,
        sink_name=stream.sink.name,
        suspended=suspended,
        latency=stream.latency,
        format=format_of(stream.spec, stream.channel_map),
    )


def stream_proplist(client: Client, message: Any) -> dict[str, bytes]:
    """The stream's own properties over those of its client."""
    own = cleaned(message.proplist)
    if client.version < 13 and message.name is not None:
        own = cleaned({"media.name": value(message.name)})
    return {**client.proplist, **own}


def renamed(server: Server, stream: PlaybackStream | RecordStream, name: str | None) -> Ack:
    stream.proplist = {**stream.proplist, **cleaned({"media.name": name_value(name)})}
    server.stream_changed(stream)
    return Ack()


def nameless(server: Server, client: Client, message: Any) -> bool:
    """A new stream of an old client must have a name; one without ends the connection, as in PulseAudio."""
    if client.version >= 13 or message.name is not None:
        return False
    server.hang_up(client, "a stream without a name")
    return True


def set_rate(
    server: Server, client: Client, tag: int, message: Any, stream: PlaybackStream | RecordStream
) -> Ack | None:
    """A stream whose rate is not variable keeps it; its client is told that all is well."""
    if not 1 <= message.rate <= MAX_RATE:
        raise Refused(PulseError.INVALID, f"{message.rate} Hz")
    if not stream.variable_rate:
        return Ack()
    stream.set_rate(tag, message.rate)
    return None


def described(server: Server, stream: PlaybackStream | RecordStream, proplist: dict[str, bytes]) -> Ack:
    stream.proplist = proplist
    server.stream_changed(stream)
    return Ack()


def delete(server: Server, client: Client, tag: int, message: DeletePlaybackStream, stream: PlaybackStream) -> Ack:
    server.remove(stream)
    return Ack()


def set_attr(
    server: Server, client: Client, tag: int, message: SetPlaybackStreamBufferAttr, stream: PlaybackStream
) -> None:
    stream.set_attr(
        tag,
        BufferAttr(message.maxlength, message.tlength, message.prebuf, message.minreq),
        adjust_latency=message.adjust_latency,
        early_requests=message.early_requests,
    )


ANSWERS: Answers = {
    CreatePlaybackStream: create,
    DeletePlaybackStream: delete,
    SetPlaybackStreamBufferAttr: set_attr,
    DrainPlaybackStream: lambda server, client, tag, message, stream: stream.drain(tag),
    FlushPlaybackStream: lambda server, client, tag, message, stream: stream.flush(tag),
    TriggerPlaybackStream: lambda server, client, tag, message, stream: stream.trigger(tag),
    PrebufPlaybackStream: lambda server, client, tag, message, stream: stream.prebuf(tag),
    CorkPlaybackStream: lambda server, client, tag, message, stream: stream.cork(tag, message.cork),
    GetPlaybackLatency: lambda server, client, tag, message, stream: stream.tell_latency(tag, message.client_time),
    SetPlaybackStreamName: lambda server, client, tag, message, stream: renamed(server, stream, message.name),
    UpdatePlaybackStreamSampleRate: set_rate,
    UpdatePlaybackStreamProplist: lambda server, client, tag, message, stream: described(
        server, stream, updated(stream.proplist, message.mode, message.proplist)
    ),
    RemovePlaybackStreamProplist: lambda server, client, tag, message, stream: described(
        server, stream, without(stream.proplist, message.keys)
    ),
}
