"""The clients of the server."""

from typing import Annotated

from eardrum.protocol.catalog.hello import Ack
from eardrum.protocol.kinds import U32, ClientIndex, ModuleIndex, Proplist, Str, Strings, ThisClient, ToEnd
from eardrum.protocol.message import Message, command, reply, since


@reply
class ClientInfo(Message):
    index: ThisClient
    name: Str
    module_index: ModuleIndex = None
    driver: Str
    proplist: Proplist = since(13, default={})


@reply
class ClientInfoList(Message):
    items: Annotated[list[ClientInfo], ToEnd(ClientInfo)]


@command(27, reply=ClientInfo)
class GetClientInfo(Message):
    index: ClientIndex


@command(28, reply=ClientInfoList)
class GetClientInfoList(Message):
    pass


@command(48, reply=Ack)
class KillClient(Message):
    index: ClientIndex


@command(82, since=13, reply=Ack)
class UpdateClientProplist(Message):
    """`mode` 0 sets, 1 adds what is missing, 2 replaces what is there."""

    mode: U32
    proplist: Proplist


@command(85, since=13, reply=Ack)
class RemoveClientProplist(Message):
    keys: Strings


@command(91, since=15, sender="server")
class ClientEvent(Message):
    event: Str
    proplist: Proplist
