"""Cards: the hardware behind sinks and sources."""

from typing import Annotated

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.kinds import (
    S64,
    STRING_,
    U8,
    U32,
    U32_,
    CardIndex,
    CardName,
    Counted,
    ModuleIndex,
    Proplist,
    Str,
    ThisCard,
    ToEnd,
)
from eardrum.protocol.message import Message, Record, command, record, reply, since


@record
class CardProfile(Record):
    name: Str
    description: Str
    sinks: U32 = 0
    sources: U32 = 0
    priority: U32 = 0
    available: U32 = since(29, default=1)


@record
class CardPort(Record):
    """`available`: 0 unknown, 1 no, 2 yes; `direction`: 1 output, 2 input; `latency_offset` in µs."""

    name: Str
    description: Str
    priority: U32 = 0
    available: U32 = 0
    direction: U8 = 0
    proplist: Proplist
    profiles: Annotated[list[str | None], Counted(STRING_, U32_)]
    latency_offset: S64 = since(27, default=0)
    availability_group: Str = since(34, default=None)
    type: U32 = since(34, default=0)


@reply
class CardInfo(Message):
    index: ThisCard
    name: CardName
    module_index: ModuleIndex = None
    driver: Str
    profiles: Annotated[list[CardProfile], Counted(CardProfile, U32_)]
    active_profile: Str
    proplist: Proplist
    ports: Annotated[list[CardPort], Counted(CardPort, U32_)] = since(26, default=[])


@reply
class CardInfoList(Message):
    items: Annotated[list[CardInfo], ToEnd(CardInfo)]


@command(88, since=15, reply=CardInfo)
class GetCardInfo(Message):
    index: CardIndex = None
    name: CardName = None


@command(89, since=15, reply=CardInfoList)
class GetCardInfoList(Message):
    pass


@command(90, since=15, reply=Ack)
class SetCardProfile(Message):
    index: CardIndex = None
    name: CardName = None
    profile: Str


@command(100, since=27, reply=Ack)
class SetPortLatencyOffset(Message):
    index: CardIndex = None
    name: CardName = None
    port: Str
    offset: S64  # µs
