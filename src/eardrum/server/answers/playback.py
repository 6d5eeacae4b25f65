"""Playback streams: making them, and what their client asks of them."""

from __future__ import annotations

from functools import partial
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
from eardrum.server.buffers import queue_bytes
from eardrum.server.carried_playback import CarriedPlayback
from eardrum.server.formats import checked_stream_volume, fixed, format_of, negotiated, refitted
from eardrum.server.mixed_playback import MixedPlayback
from eardrum.server.objects import Client, Sink, Source
from eardrum.server.playback import PlaybackStream
from eardrum.server.routing import check_room
from eardrum.server.stream import Agreed
from eardrum.terms.audio import MAX_RATE, VOLUME_NORM, BufferAttr, Volume
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import cleaned, value

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.record import RecordStream


def create(
    server: Server, client: Client, tag: int, message: CreatePlaybackStream, sink: Sink
) -> PlaybackStreamCreated | None:
    if nameless(server, client, message):
        return None
    group = next((each for each in client.playback.values() if each.sync_id == message.sync_id), None)
    if group is not None and message.sink_index is None and message.sink_name is None:
        sink = group.sink
    agreed = agree(client, message, sink)
    here = not isinstance(group, CarriedPlayback) or group.stood_in is not None
    if group is not None and (group.sink is not sink or (here and not group.corked)):
        raise Refused(PulseError.INVALID, "its group is in another sink, or plays")
    how: dict[str, Any] = {"adjust_latency": agreed.adjust_latency, "early_requests": agreed.early_requests}
    check_room(server, client.view, sink, agreed, queue_bytes(agreed.attr, agreed.spec, **how))
    if sink.bus is None:
        carried = CarriedPlayback(server, client, sink, agreed)
        carried.create(tag, message.sync_id, partial(created, carried))
        return None
    stream = MixedPlayback(server, client, sink, agreed, sink.bus)
    stream.sync_id = message.sync_id
    if isinstance(group, MixedPlayback):
        stream.follow(group.ring.r)
    server.add(stream)
    stream.start()
    return created(stream, stream.attr.tlength, sink.suspended)


def agree(client: Client, message: Any, device: Sink | Source) -> Agreed:
    """What of a CREATE_PLAYBACK_STREAM or CREATE_RECORD_STREAM can be granted. Raises Refused."""
    asked, asked_map = negotiated(message, device.spec, device.channel_map)
    plays = isinstance(device, Sink)
    volume: Volume = (VOLUME_NORM,) * asked.channels
    if plays or message.volume_set:
        listed = bool(message.formats)
        volume = checked_stream_volume(message.volume, asked.channels, is_set=message.volume_set, listed=listed)
    spec, channel_map = fixed(message, asked, asked_map, device.spec, device.channel_map)
    if plays:
        attr = BufferAttr(message.maxlength, message.tlength, message.prebuf, message.minreq).bounded()
    else:
        attr = BufferAttr(maxlength=message.maxlength, fragsize=message.fragsize).bounded()
    return Agreed(
        spec,
        channel_map,
        (VOLUME_NORM,) * spec.channels if message.passthrough else refitted(volume, asked_map, channel_map),
        muted=message.muted and (plays or message.muted_set),
        muted_set=message.muted_set,
        corked=message.corked,
        proplist=stream_proplist(client, message),
        attr=attr,
        adjust_latency=message.adjust_latency,
        early_requests=message.early_requests,
        variable_rate=message.variable_rate,
        no_remap=message.no_remap,
        no_remix=message.no_remix,
        no_move=message.no_move,
        fail_on_suspend=message.fail_on_suspend,
        passthrough=message.passthrough,
        dont_inhibit_auto_suspend=message.dont_inhibit_auto_suspend,
        peaks=not plays and message.peak_detect,
    )


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
    """Nobody is told of a name that is as it was: a tunnel of PulseAudio says it again whenever it is told."""
    proplist = {**stream.proplist, **cleaned({"media.name": name_value(name)})}
    if proplist != stream.proplist:
        stream.proplist = proplist
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
    if not stream.agreed.variable_rate:
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
        BufferAttr(message.maxlength, message.tlength, message.prebuf, message.minreq).bounded(),
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
