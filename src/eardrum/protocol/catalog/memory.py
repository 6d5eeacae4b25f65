"""Shared memory between client and server. We take no part in it; the codes are known so that they can be refused."""

from eardrum.protocol.kinds import U32
from eardrum.protocol.message import Message, command


@command(101, since=30, sender="both", descriptors=2)
class EnableSrbchannel(Message):
    pass


@command(102, since=30, sender="both")
class DisableSrbchannel(Message):
    pass


@command(103, since=31, sender="both", descriptors=1)
class RegisterMemfdShmid(Message):
    shm_id: U32
