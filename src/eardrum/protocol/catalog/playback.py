"""Streams that a client plays."""

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.kinds import (
    S64,
    U32,
    U64,
    Bool,
    ChannelMap,
    Format,
    FormatInfo,
    Formats,
    PlaybackChannel,
    Proplist,
    SinkIndex,
    SinkName,
    Spec,
    Str,
    Strings,
    ThisSinkInput,
    Time,
    Usec,
    Volume,
)
from eardrum.protocol.message import Message, command, reply, since, until
from eardrum.terms.audio import INVALID, MONO, SampleSpec

NO_SPEC = SampleSpec(0, 0, 0)
PCM = FormatInfo(1, {})


@reply
class PlaybackStreamCreated(Message):
    """Buffer metrics in bytes. `missing`: how much the client may write at once."""

    channel: PlaybackChannel
    sink_input: ThisSinkInput
    missing: U32
    maxlength: U32 = since(9, default=0)
    tlength: U32 = since(9, default=0)
    prebuf: U32 = since(9, default=0)
    minreq: U32 = since(9, default=0)
    sample_spec: Spec = since(12, default=NO_SPEC)
    channel_map: ChannelMap = since(12, default=MONO)
    sink_index: SinkIndex = since(12, default=None)
    sink_name: SinkName = since(12, default=None)
    suspended: Bool = since(12, default=False)
    latency: Usec = since(13, default=0)
    format: Format = since(21, default=PCM)


@command(3, reply=PlaybackStreamCreated)
class CreatePlaybackStream(Message):
    """Buffer metrics in bytes, 0xFFFFFFFF: the server chooses. Streams with the same `sync_id` start together."""

    name: Str = until(13, default=None)
    sample_spec: Spec
    channel_map: ChannelMap
    sink_index: SinkIndex = None
    sink_name: SinkName = None
    maxlength: U32 = INVALID
    corked: Bool = False
    tlength: U32 = INVALID
    prebuf: U32 = INVALID
    minreq: U32 = INVALID
    sync_id: U32 = 0
    volume: Volume
    no_remap: Bool = since(12, default=False)
    no_remix: Bool = since(12, default=False)
    fix_format: Bool = since(12, default=False)
    fix_rate: Bool = since(12, default=False)
    fix_channels: Bool = since(12, default=False)
    no_move: Bool = since(12, default=False)
    variable_rate: Bool = since(12, default=False)
    muted: Bool = since(13, default=False)
    adjust_latency: Bool = since(13, default=False)
    proplist: Proplist = since(13, default={})
    volume_set: Bool = since(14, default=True)
    early_requests: Bool = since(14, default=False)
    muted_set: Bool = since(15, default=False)
    dont_inhibit_auto_suspend: Bool = since(15, default=False)
    fail_on_suspend: Bool = since(15, default=False)
    relative_volume: Bool = since(17, default=False)
    passthrough: Bool = since(18, default=False)
    formats: Formats = since(21, default=[])


@command(4, reply=Ack)
class DeletePlaybackStream(Message):
    channel: PlaybackChannel


@command(12, reply=Ack)
class DrainPlaybackStream(Message):
    """Answered when all that was written has been played."""

    channel: PlaybackChannel


@reply
class PlaybackLatency(Message):
    """`client_time` is the client's own, echoed. Indexes and the last two in bytes of the stream."""

    sink_latency: Usec
    unused: Usec = 0
    playing: Bool
    client_time: Time
    server_time: Time
    write_index: S64
    read_index: S64
    underrun_for: U64 = since(13, default=0)  # 2⁶⁴-1 before the first start
    playing_for: U64 = since(13, default=0)


@command(14, reply=PlaybackLatency)
class GetPlaybackLatency(Message):
    channel: PlaybackChannel
    client_time: Time


@command(41, reply=Ack)
class CorkPlaybackStream(Message):
    channel: PlaybackChannel
    cork: Bool


@command(42, reply=Ack)
class FlushPlaybackStream(Message):
    channel: PlaybackChannel


@command(43, reply=Ack)
class TriggerPlaybackStream(Message):
    channel: PlaybackChannel


@command(46, reply=Ack)
class SetPlaybackStreamName(Message):
    channel: PlaybackChannel
    name: Str


@command(60, reply=Ack)
class PrebufPlaybackStream(Message):
    channel: PlaybackChannel


@command(61, sender="server")
class Request(Message):
    """The client may write `nbytes` more."""

    channel: PlaybackChannel
    nbytes: U32


@command(62, sender="server")
class Overflow(Message):
    """What was written did not fit."""

    channel: PlaybackChannel


@command(63, sender="server")
class Underflow(Message):
    """Nothing is left to play; `read_index` in bytes of the stream."""

    channel: PlaybackChannel
    read_index: S64 = since(23, default=0)


@command(64, sender="server")
class PlaybackStreamKilled(Message):
    channel: PlaybackChannel


@reply
class PlaybackBufferAttrSet(Message):
    maxlength: U32
    tlength: U32
    prebuf: U32
    minreq: U32
    latency: Usec = since(13, default=0)


@command(72, since=12, reply=PlaybackBufferAttrSet)
class SetPlaybackStreamBufferAttr(Message):
    channel: PlaybackChannel
    maxlength: U32 = INVALID
    tlength: U32 = INVALID
    prebuf: U32 = INVALID
    minreq: U32 = INVALID
    adjust_latency: Bool = since(13, default=False)
    early_requests: Bool = since(14, default=False)


@command(74, since=12, reply=Ack)
class UpdatePlaybackStreamSampleRate(Message):
    channel: PlaybackChannel
    rate: U32  # Hz


@command(76, since=12, sender="server")
class PlaybackStreamSuspended(Message):
    channel: PlaybackChannel
    suspended: Bool


@command(78, since=12, sender="server")
class PlaybackStreamMoved(Message):
    channel: PlaybackChannel
    sink_index: SinkIndex
    sink_name: SinkName
    suspended: Bool
    maxlength: U32 = since(13, default=0)
    tlength: U32 = since(13, default=0)
    prebuf: U32 = since(13, default=0)
    minreq: U32 = since(13, default=0)
    latency: Usec = since(13, default=0)


@command(81, since=13, reply=Ack)
class UpdatePlaybackStreamProplist(Message):
    """`mode` 0 sets, 1 adds what is missing, 2 replaces what is there."""

    channel: PlaybackChannel
    mode: U32
    proplist: Proplist


@command(84, since=13, reply=Ack)
class RemovePlaybackStreamProplist(Message):
    channel: PlaybackChannel
    keys: Strings


@command(86, since=13, sender="server")
class Started(Message):
    """The first sound after a start or an underrun is playing."""

    channel: PlaybackChannel


@command(92, since=15, sender="server")
class PlaybackStreamEvent(Message):
    channel: PlaybackChannel
    event: Str
    proplist: Proplist


@command(94, since=15, sender="server")
class PlaybackBufferAttrChanged(Message):
    channel: PlaybackChannel
    maxlength: U32
    tlength: U32
    prebuf: U32
    minreq: U32
    latency: Usec
