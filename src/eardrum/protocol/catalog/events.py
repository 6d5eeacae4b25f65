"""News about the objects of the server."""

import enum
from typing import Annotated

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.kinds import EVENT_, MASK_, U32_, Ref
from eardrum.protocol.message import Message, command


class Facility(enum.IntEnum):
    """What kind of object an event is about; 1 << facility is its bit in the mask of Subscribe."""

    SINK = 0
    SOURCE = 1
    SINK_INPUT = 2
    SOURCE_OUTPUT = 3
    MODULE = 4
    CLIENT = 5
    SAMPLE_CACHE = 6
    SERVER = 7
    CARD = 9


class Change(enum.IntEnum):
    """What happened to the object."""

    NEW = 0x00
    CHANGED = 0x10
    REMOVED = 0x20


MASK_ALL = 0x02FF


@command(35, reply=Ack)
class Subscribe(Message):
    """Replaces the earlier mask; 0 ends it."""

    mask: Annotated[int, MASK_]


@command(66, sender="server")
class SubscribeEvent(Message):
    """`event` is facility | change."""

    event: Annotated[int, EVENT_]
    index: Annotated[int, U32_, Ref("event")]
