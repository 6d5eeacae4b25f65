"""The clients of the view: the connections to this outlet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.protocol.catalog import (
    Ack,
    Change,
    ClientInfo,
    ClientInfoList,
    Facility,
    GetClientInfo,
    GetClientInfoList,
    KillClient,
    RemoveClientProplist,
    UpdateClientProplist,
)
from eardrum.server.answers.table import Answers
from eardrum.server.objects import Client
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import cleaned, text, value

if TYPE_CHECKING:
    from eardrum.server.core import Server

SET, MERGE, REPLACE = range(3)  # modes of a property update


def updated(old: dict[str, bytes], mode: int, new: dict[str, bytes]) -> dict[str, bytes]:
    """The properties after an update with what a client said. Raises Refused(INVALID) for an unknown mode."""
    match mode:
        case 0:
            return cleaned(new)
        case 1:
            return {**cleaned(new), **old}
        case 2:
            return {**old, **cleaned(new)}
    raise Refused(PulseError.INVALID, f"update mode {mode}")


def name_value(name: str | None) -> bytes:
    """A name as a property's value. Raises Refused(INVALID) if there is none or if it is no UTF-8."""
    if name is None or any("\udc80" <= c <= "\udcff" for c in name):  # bytes that are no UTF-8 come as surrogates
        raise Refused(PulseError.INVALID, "no name")
    return value(name)


def without(old: dict[str, bytes], keys: list[str]) -> dict[str, bytes]:
    return {key: held for key, held in old.items() if key not in keys}


def client_info(client: Client) -> ClientInfo:
    return ClientInfo(
        index=client.index,
        name=text(client.proplist, "application.name"),
        driver="eardrum",
        proplist=client.proplist,
    )


def kill_client(server: Server, client: Client, tag: int, message: KillClient, victim: Client) -> Ack:
    server.hang_up(victim, "killed by a client of its outlet")
    return Ack()


def update_proplist(server: Server, client: Client, tag: int, message: UpdateClientProplist) -> Ack:
    client.proplist = updated(client.proplist, message.mode, message.proplist)
    client.view.changed(Facility.CLIENT, Change.CHANGED, client.index)
    return Ack()


def remove_proplist(server: Server, client: Client, tag: int, message: RemoveClientProplist) -> Ack:
    client.proplist = without(client.proplist, message.keys)
    client.view.changed(Facility.CLIENT, Change.CHANGED, client.index)
    return Ack()


ANSWERS: Answers = {
    GetClientInfo: lambda server, client, tag, message, found: client_info(found),
    GetClientInfoList: lambda server, client, tag, message: ClientInfoList(
        items=[client_info(each) for each in client.view.clients.values()]
    ),
    KillClient: kill_client,
    UpdateClientProplist: update_proplist,
    RemoveClientProplist: remove_proplist,
}
