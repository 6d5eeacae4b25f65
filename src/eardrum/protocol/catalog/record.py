"""Streams that a client records."""

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.catalog.playback import NO_SPEC, PCM
from eardrum.protocol.kinds import (
    S64,
    U32,
    Bool,
    ChannelMap,
    Format,
    Formats,
    Proplist,
    RecordChannel,
    SinkInputIndex,
    SourceIndex,
    SourceName,
    Spec,
    Str,
    Strings,
    ThisSourceOutput,
    Time,
    Usec,
    Volume,
)
from eardrum.protocol.message import Message, command, reply, since, until
from eardrum.terms.audio import INVALID, MONO, VOLUME_NORM


@reply
class RecordStreamCreated(Message):
    """Buffer metrics in bytes."""

    channel: RecordChannel
    source_output: ThisSourceOutput
    maxlength: U32 = since(9, default=0)
    fragsize: U32 = since(9, default=0)
    sample_spec: Spec = since(12, default=NO_SPEC)
    channel_map: ChannelMap = since(12, default=MONO)
    source_index: SourceIndex = since(12, default=None)
    source_name: SourceName = since(12, default=None)
    suspended: Bool = since(12, default=False)
    latency: Usec = since(13, default=0)
    format: Format = since(22, default=PCM)


@command(5, reply=RecordStreamCreated)
class CreateRecordStream(Message):
    """Buffer metrics in bytes, 0xFFFFFFFF: the server chooses. `direct_on_input`: hear only this sink input."""

    name: Str = until(13, default=None)
    sample_spec: Spec
    channel_map: ChannelMap
    source_index: SourceIndex = None
    source_name: SourceName = None
    maxlength: U32 = INVALID
    corked: Bool = False
    fragsize: U32 = INVALID
    no_remap: Bool = since(12, default=False)
    no_remix: Bool = since(12, default=False)
    fix_format: Bool = since(12, default=False)
    fix_rate: Bool = since(12, default=False)
    fix_channels: Bool = since(12, default=False)
    no_move: Bool = since(12, default=False)
    variable_rate: Bool = since(12, default=False)
    peak_detect: Bool = since(13, default=False)
    adjust_latency: Bool = since(13, default=False)
    proplist: Proplist = since(13, default={})
    direct_on_input: SinkInputIndex = since(13, default=None)
    early_requests: Bool = since(14, default=False)
    dont_inhibit_auto_suspend: Bool = since(15, default=False)
    fail_on_suspend: Bool = since(15, default=False)
    formats: Formats = since(22, default=[])
    volume: Volume = since(22, default=(VOLUME_NORM,))
    muted: Bool = since(22, default=False)
    volume_set: Bool = since(22, default=False)
    muted_set: Bool = since(22, default=False)
    relative_volume: Bool = since(22, default=False)
    passthrough: Bool = since(22, default=False)


@command(6, reply=Ack)
class DeleteRecordStream(Message):
    channel: RecordChannel


@command(47, reply=Ack)
class SetRecordStreamName(Message):
    channel: RecordChannel
    name: Str


@reply
class RecordLatency(Message):
    """`monitor_latency` is that of the monitored sink. `client_time` is the client's own, echoed. Indexes in bytes."""

    monitor_latency: Usec
    source_latency: Usec
    playing: Bool
    client_time: Time
    server_time: Time
    write_index: S64
    read_index: S64


@command(57, reply=RecordLatency)
class GetRecordLatency(Message):
    channel: RecordChannel
    client_time: Time


@command(58, reply=Ack)
class CorkRecordStream(Message):
    channel: RecordChannel
    cork: Bool


@command(59, reply=Ack)
class FlushRecordStream(Message):
    channel: RecordChannel


@command(65, sender="server")
class RecordStreamKilled(Message):
    channel: RecordChannel


@reply
class RecordBufferAttrSet(Message):
    maxlength: U32
    fragsize: U32
    latency: Usec = since(13, default=0)


@command(73, since=12, reply=RecordBufferAttrSet)
class SetRecordStreamBufferAttr(Message):
    channel: RecordChannel
    maxlength: U32 = INVALID
    fragsize: U32 = INVALID
    adjust_latency: Bool = since(13, default=False)
    early_requests: Bool = since(14, default=False)


@command(75, since=12, reply=Ack)
class UpdateRecordStreamSampleRate(Message):
    channel: RecordChannel
    rate: U32  # Hz


@command(77, since=12, sender="server")
class RecordStreamSuspended(Message):
    channel: RecordChannel
    suspended: Bool


@command(79, since=12, sender="server")
class RecordStreamMoved(Message):
    channel: RecordChannel
    source_index: SourceIndex
    source_name: SourceName
    suspended: Bool
    maxlength: U32 = since(13, default=0)
    fragsize: U32 = since(13, default=0)
    latency: Usec = since(13, default=0)


@command(80, since=13, reply=Ack)
class UpdateRecordStreamProplist(Message):
    """`mode` 0 sets, 1 adds what is missing, 2 replaces what is there."""

    channel: RecordChannel
    mode: U32
    proplist: Proplist


@command(83, since=13, reply=Ack)
class RemoveRecordStreamProplist(Message):
    channel: RecordChannel
    keys: Strings


@command(93, since=15, sender="server")
class RecordStreamEvent(Message):
    channel: RecordChannel
    event: Str
    proplist: Proplist


@command(95, since=15, sender="server")
class RecordBufferAttrChanged(Message):
    """Never say it: libpulse reads it with the fields of PLAYBACK_BUFFER_ATTR_CHANGED and hangs up."""

    channel: RecordChannel
    maxlength: U32
    fragsize: U32
    latency: Usec
