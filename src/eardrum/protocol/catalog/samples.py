"""The sample cache: short sounds that the server keeps and plays by name."""

from typing import Annotated

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.kinds import (
    U32,
    Bool,
    ChannelMap,
    Proplist,
    SampleIndex,
    SampleName,
    SinkIndex,
    SinkName,
    Spec,
    Str,
    ThisSample,
    ThisSinkInput,
    ToEnd,
    Usec,
    Volume,
)
from eardrum.protocol.message import Message, command, reply, since
from eardrum.terms.audio import INVALID


@reply
class SampleInfo(Message):
    """A volume of no channels: none is set. `lazy`: read from `file_name` when first played."""

    index: ThisSample
    name: SampleName
    volume: Volume
    duration: Usec
    sample_spec: Spec
    channel_map: ChannelMap
    nbytes: U32
    lazy: Bool = False
    file_name: Str = None
    proplist: Proplist = since(13, default={})


@reply
class SampleInfoList(Message):
    items: Annotated[list[SampleInfo], ToEnd(SampleInfo)]


@reply
class SamplePlayed(Message):
    index: ThisSinkInput = since(13, default=0)


@command(18, reply=SamplePlayed)
class PlaySample(Message):
    sink_index: SinkIndex = None
    sink_name: SinkName = None
    volume: U32 = INVALID  # 0x10000 is 100 %; 0xFFFFFFFF, from version 15: not set
    name: SampleName
    proplist: Proplist = since(13, default={})


@command(19, reply=Ack)
class RemoveSample(Message):
    name: SampleName


@command(33, reply=SampleInfo)
class GetSampleInfo(Message):
    index: SampleIndex = None
    name: SampleName = None


@command(34, reply=SampleInfoList)
class GetSampleInfoList(Message):
    pass
