"""Record streams: making them, and what their client asks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.protocol.catalog import (
    Ack,
    CorkRecordStream,
    CreateRecordStream,
    DeleteRecordStream,
    FlushRecordStream,
    GetRecordLatency,
    RecordStreamCreated,
    RemoveRecordStreamProplist,
    SetRecordStreamBufferAttr,
    SetRecordStreamName,
    UpdateRecordStreamProplist,
    UpdateRecordStreamSampleRate,
)
from eardrum.server.answers.clients import updated, without
from eardrum.server.answers.playback import MAX_STREAMS, described, nameless, renamed, set_rate, stream_proplist
from eardrum.server.answers.table import Answers
from eardrum.server.carried_record import CarriedRecord
from eardrum.server.events import INPUT
from eardrum.server.formats import checked_stream_volume, format_of, negotiated
from eardrum.server.mixed_record import MixedRecord
from eardrum.server.objects import Client, Source
from eardrum.server.record import RecordStream
from eardrum.terms.audio import VOLUME_NORM, BufferAttr, Volume
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.core import Server


def create(
    server: Server, client: Client, tag: int, message: CreateRecordStream, source: Source
) -> RecordStreamCreated | None:
    if nameless(server, client, message):
        return None
    spec, channel_map = negotiated(message, source.spec, source.channel_map)
    volume: Volume = (VOLUME_NORM,) * spec.channels
    if message.volume_set:
        volume = checked_stream_volume(message.volume, spec.channels, is_set=True, listed=bool(message.formats))
    if message.direct_on_input is not None:
        if message.direct_on_input not in client.view.sink_inputs:
            raise Refused(PulseError.NOENTITY, "no such sink input")
        raise Refused(PulseError.NOTSUPPORTED, "recording one sink input")
    if message.passthrough:
        raise Refused(PulseError.NOTSUPPORTED, "passthrough")
    if len(client.view.source_outputs) + server.awaited(INPUT) >= MAX_STREAMS:
        raise Refused(PulseError.TOOLARGE, f"{MAX_STREAMS} streams record")
    mixed = source.bus is not None
    stream = (MixedRecord if mixed else CarriedRecord)(server, client, source, spec, channel_map, volume)
    stream.muted = message.muted and message.muted_set
    stream.corked = message.corked
    stream.variable_rate = message.variable_rate
    stream.proplist = stream_proplist(client, message)
    if isinstance(stream, CarriedRecord):
        stream.create(tag, stream.clean(message), lambda reply: created(stream, reply.suspended))
        return None
    stream.settle(
        BufferAttr(maxlength=message.maxlength, fragsize=message.fragsize),
        adjust_latency=message.adjust_latency,
        early_requests=message.early_requests,
    )
    server.add(stream)
    stream.start()
    return created(stream, False)


def created(stream: RecordStream, suspended: bool) -> RecordStreamCreated:
    """The reply, with our numbers."""
    return RecordStreamCreated(
        channel=stream.channel,
        source_output=stream.index,
        maxlength=stream.attr.maxlength,
        fragsize=stream.attr.fragsize,
        sample_spec=stream.spec,
        channel_map=stream.channel_map,
        source_index=stream.source.index,
        source_name=stream.source.name,
        suspended=suspended,
        latency=stream.latency,
        format=format_of(stream.spec, stream.channel_map),
    )


def delete(server: Server, client: Client, tag: int, message: DeleteRecordStream, stream: RecordStream) -> Ack:
    server.remove(stream)
    return Ack()


def set_attr(
    server: Server, client: Client, tag: int, message: SetRecordStreamBufferAttr, stream: RecordStream
) -> None:
    stream.set_attr(
        tag,
        BufferAttr(maxlength=message.maxlength, fragsize=message.fragsize),
        adjust_latency=message.adjust_latency,
        early_requests=message.early_requests,
    )


ANSWERS: Answers = {
    CreateRecordStream: create,
    DeleteRecordStream: delete,
    SetRecordStreamBufferAttr: set_attr,
    FlushRecordStream: lambda server, client, tag, message, stream: stream.flush(tag),
    CorkRecordStream: lambda server, client, tag, message, stream: stream.cork(tag, message.cork),
    GetRecordLatency: lambda server, client, tag, message, stream: stream.tell_latency(tag, message.client_time),
    SetRecordStreamName: lambda server, client, tag, message, stream: renamed(server, stream, message.name),
    UpdateRecordStreamSampleRate: set_rate,
    UpdateRecordStreamProplist: lambda server, client, tag, message, stream: described(
        server, stream, updated(stream.proplist, message.mode, message.proplist)
    ),
    RemoveRecordStreamProplist: lambda server, client, tag, message, stream: described(
        server, stream, without(stream.proplist, message.keys)
    ),
}
