"""Record streams: making them, and what their client asks of them."""

from __future__ import annotations

from functools import partial
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
from eardrum.server.answers.playback import agree, described, nameless, renamed, set_rate
from eardrum.server.answers.table import Answers
from eardrum.server.carried_record import CarriedRecord
from eardrum.server.formats import format_of
from eardrum.server.mixed_record import MixedRecord, cycle_bytes
from eardrum.server.objects import Client, Source
from eardrum.server.playback import SinkInput
from eardrum.server.record import RecordStream
from eardrum.server.routing import check_room
from eardrum.terms.audio import BufferAttr
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.core import Server


def create(
    server: Server, client: Client, tag: int, message: CreateRecordStream, source: Source
) -> RecordStreamCreated | None:
    if nameless(server, client, message):
        return None
    only = None if message.direct_on_input is None else _alone(client, message.direct_on_input, source)
    agreed = agree(client, message, source)
    check_room(server, client.view, source, agreed, cycle_bytes(agreed.spec) if source.bus else 0)
    if source.bus is None:
        carried = CarriedRecord(server, client, source, agreed)
        carried.create(tag, partial(created, carried))
        return None
    stream = MixedRecord(server, client, source, agreed, source.bus, only=only)
    server.add(stream)
    stream.start()
    return created(stream, source.suspended)


def _alone(client: Client, index: int, source: Source) -> SinkInput:
    """The one sink input to record; only the monitor of its sink has it. Raises Refused."""
    stream = client.view.sink_inputs.get(index)
    if stream is None:
        raise Refused(PulseError.NOENTITY, "no such sink input")
    if source.monitor_of is not stream.sink:
        raise Refused(PulseError.INVALID, "it is not played there")
    return stream


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
        BufferAttr(maxlength=message.maxlength, fragsize=message.fragsize).bounded(),
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
