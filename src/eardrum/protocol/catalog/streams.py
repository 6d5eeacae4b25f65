"""Sink inputs and source outputs: the streams of every client, as the server's objects."""

from typing import Annotated

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.catalog.playback import PCM
from eardrum.protocol.kinds import (
    Bool,
    ChannelMap,
    ClientIndex,
    Format,
    ModuleIndex,
    Proplist,
    SinkIndex,
    SinkInputIndex,
    SinkName,
    SourceIndex,
    SourceName,
    SourceOutputIndex,
    Spec,
    Str,
    ThisSinkInput,
    ThisSourceOutput,
    ToEnd,
    Usec,
    Volume,
)
from eardrum.protocol.message import Message, command, reply, since
from eardrum.terms.audio import VOLUME_NORM


@reply
class SinkInputInfo(Message):
    index: ThisSinkInput
    name: Str
    module_index: ModuleIndex = None
    client_index: ClientIndex
    sink_index: SinkIndex
    sample_spec: Spec
    channel_map: ChannelMap
    volume: Volume
    buffer_latency: Usec = 0
    sink_latency: Usec = 0
    resample_method: Str = None
    driver: Str
    muted: Bool = since(11, default=False)
    proplist: Proplist = since(13, default={})
    corked: Bool = since(19, default=False)
    has_volume: Bool = since(20, default=True)
    volume_writable: Bool = since(20, default=True)
    format: Format = since(21, default=PCM)


@reply
class SourceOutputInfo(Message):
    index: ThisSourceOutput
    name: Str
    module_index: ModuleIndex = None
    client_index: ClientIndex
    source_index: SourceIndex
    sample_spec: Spec
    channel_map: ChannelMap
    buffer_latency: Usec = 0
    source_latency: Usec = 0
    resample_method: Str = None
    driver: Str
    proplist: Proplist = since(13, default={})
    corked: Bool = since(19, default=False)
    volume: Volume = since(22, default=(VOLUME_NORM,))
    muted: Bool = since(22, default=False)
    has_volume: Bool = since(22, default=True)
    volume_writable: Bool = since(22, default=True)
    format: Format = since(22, default=PCM)


@reply
class SinkInputInfoList(Message):
    items: Annotated[list[SinkInputInfo], ToEnd(SinkInputInfo)]


@reply
class SourceOutputInfoList(Message):
    items: Annotated[list[SourceOutputInfo], ToEnd(SourceOutputInfo)]


@command(29, reply=SinkInputInfo)
class GetSinkInputInfo(Message):
    index: SinkInputIndex


@command(30, reply=SinkInputInfoList)
class GetSinkInputInfoList(Message):
    pass


@command(31, reply=SourceOutputInfo)
class GetSourceOutputInfo(Message):
    index: SourceOutputIndex


@command(32, reply=SourceOutputInfoList)
class GetSourceOutputInfoList(Message):
    pass


@command(37, reply=Ack)
class SetSinkInputVolume(Message):
    index: SinkInputIndex
    volume: Volume


@command(49, reply=Ack)
class KillSinkInput(Message):
    index: SinkInputIndex


@command(50, reply=Ack)
class KillSourceOutput(Message):
    index: SourceOutputIndex


@command(67, since=10, reply=Ack)
class MoveSinkInput(Message):
    index: SinkInputIndex
    sink_index: SinkIndex = None
    sink_name: SinkName = None


@command(68, since=10, reply=Ack)
class MoveSourceOutput(Message):
    index: SourceOutputIndex
    source_index: SourceIndex = None
    source_name: SourceName = None


@command(69, since=11, reply=Ack)
class SetSinkInputMute(Message):
    index: SinkInputIndex
    muted: Bool


@command(98, since=22, reply=Ack)
class SetSourceOutputVolume(Message):
    index: SourceOutputIndex
    volume: Volume


@command(99, since=22, reply=Ack)
class SetSourceOutputMute(Message):
    index: SourceOutputIndex
    muted: Bool
