"""Sinks and sources."""

from typing import Annotated

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.kinds import (
    U32,
    U32_,
    Bool,
    CardIndex,
    ChannelMap,
    Counted,
    Formats,
    Level,
    ModuleIndex,
    Proplist,
    SinkIndex,
    SinkName,
    SourceIndex,
    SourceName,
    Spec,
    Str,
    ThisSink,
    ThisSource,
    ToEnd,
    Usec,
    Volume,
)
from eardrum.protocol.message import Message, Record, command, record, reply, since
from eardrum.terms.audio import VOLUME_NORM


@record
class PortInfo(Record):
    """A connector of a device. `available`: 0 unknown, 1 no, 2 yes."""

    name: Str
    description: Str
    priority: U32 = 0
    available: U32 = since(24, default=0)
    availability_group: Str = since(34, default=None)
    type: U32 = since(34, default=0)


Ports = Annotated[list[PortInfo], Counted(PortInfo, U32_)]


@reply
class SinkInfo(Message):
    """`state`: 0 running, 1 idle, 2 suspended."""

    index: ThisSink
    name: SinkName
    description: Str
    sample_spec: Spec
    channel_map: ChannelMap
    module_index: ModuleIndex = None
    volume: Volume
    muted: Bool
    monitor_source_index: SourceIndex = None
    monitor_source_name: SourceName = None
    latency: Usec = 0
    driver: Str
    flags: U32 = 0
    proplist: Proplist = since(13, default={})
    configured_latency: Usec = since(13, default=0)
    base_volume: Level = since(15, default=VOLUME_NORM)
    state: U32 = since(15, default=0)
    volume_steps: U32 = since(15, default=VOLUME_NORM + 1)
    card_index: CardIndex = since(15, default=None)
    ports: Ports = since(16, default=[])
    active_port: Str = since(16, default=None)
    formats: Formats = since(21, default=[])


@reply
class SourceInfo(Message):
    """`state`: 0 running, 1 idle, 2 suspended."""

    index: ThisSource
    name: SourceName
    description: Str
    sample_spec: Spec
    channel_map: ChannelMap
    module_index: ModuleIndex = None
    volume: Volume
    muted: Bool
    monitor_of_sink_index: SinkIndex = None
    monitor_of_sink_name: SinkName = None
    latency: Usec = 0
    driver: Str
    flags: U32 = 0
    proplist: Proplist = since(13, default={})
    configured_latency: Usec = since(13, default=0)
    base_volume: Level = since(15, default=VOLUME_NORM)
    state: U32 = since(15, default=0)
    volume_steps: U32 = since(15, default=VOLUME_NORM + 1)
    card_index: CardIndex = since(15, default=None)
    ports: Ports = since(16, default=[])
    active_port: Str = since(16, default=None)
    formats: Formats = since(22, default=[])


@reply
class SinkInfoList(Message):
    items: Annotated[list[SinkInfo], ToEnd(SinkInfo)]


@reply
class SourceInfoList(Message):
    items: Annotated[list[SourceInfo], ToEnd(SourceInfo)]


@reply
class Found(Message):
    """The index of the object that was looked up by its name."""

    index: U32


@command(10, reply=Found)
class LookupSink(Message):
    name: SinkName


@command(11, reply=Found)
class LookupSource(Message):
    name: SourceName


@command(21, reply=SinkInfo)
class GetSinkInfo(Message):
    index: SinkIndex = None
    name: SinkName = None


@command(22, reply=SinkInfoList)
class GetSinkInfoList(Message):
    pass


@command(23, reply=SourceInfo)
class GetSourceInfo(Message):
    index: SourceIndex = None
    name: SourceName = None


@command(24, reply=SourceInfoList)
class GetSourceInfoList(Message):
    pass


@command(36, reply=Ack)
class SetSinkVolume(Message):
    index: SinkIndex = None
    name: SinkName = None
    volume: Volume


@command(38, reply=Ack)
class SetSourceVolume(Message):
    index: SourceIndex = None
    name: SourceName = None
    volume: Volume


@command(39, reply=Ack)
class SetSinkMute(Message):
    index: SinkIndex = None
    name: SinkName = None
    muted: Bool


@command(40, reply=Ack)
class SetSourceMute(Message):
    index: SourceIndex = None
    name: SourceName = None
    muted: Bool


@command(44, reply=Ack)
class SetDefaultSink(Message):
    name: SinkName


@command(45, reply=Ack)
class SetDefaultSource(Message):
    name: SourceName


@command(70, since=11, reply=Ack)
class SuspendSink(Message):
    """An empty name means every sink."""

    index: SinkIndex = None
    name: SinkName = None
    suspend: Bool


@command(71, since=11, reply=Ack)
class SuspendSource(Message):
    """An empty name means every source."""

    index: SourceIndex = None
    name: SourceName = None
    suspend: Bool


@command(96, since=16, reply=Ack)
class SetSinkPort(Message):
    index: SinkIndex = None
    name: SinkName = None
    port: Str


@command(97, since=16, reply=Ack)
class SetSourcePort(Message):
    index: SourceIndex = None
    name: SourceName = None
    port: Str
