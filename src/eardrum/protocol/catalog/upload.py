"""Streams that put a sample into the sample cache."""

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.kinds import U32, ChannelMap, Proplist, SampleName, Spec, UploadChannel
from eardrum.protocol.message import Message, command, reply, since


@reply
class UploadStreamCreated(Message):
    channel: UploadChannel
    length: U32  # bytes


@command(15, reply=UploadStreamCreated)
class CreateUploadStream(Message):
    """Without a name the sample is called by the property `event.id`, then `media.name`."""

    name: SampleName = None
    sample_spec: Spec
    channel_map: ChannelMap
    length: U32  # bytes
    proplist: Proplist = since(13, default={})


@command(16, reply=Ack)
class DeleteUploadStream(Message):
    channel: UploadChannel


@command(17, reply=Ack)
class FinishUploadStream(Message):
    channel: UploadChannel
