"""Who is who: authentication, names, what the server says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum import __version__
from eardrum.protocol.catalog import (
    Auth,
    AuthReply,
    Change,
    ClientNamed,
    Exit,
    Facility,
    GetServerInfo,
    ServerInfo,
    SetClientName,
    Stat,
    StatReply,
)
from eardrum.protocol.message import NEWEST, OLDEST
from eardrum.server.answers.clients import name_value
from eardrum.server.answers.table import Answers
from eardrum.server.objects import DEVICE_SPEC, Client
from eardrum.server.rights import Right
from eardrum.server.rules import default_source_of
from eardrum.terms.audio import STEREO
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import cleaned

if TYPE_CHECKING:
    from eardrum.server.core import Server

VERSION_MASK = 0xFFFF  # above it are flags: offers of shared memory, which are not taken up


def auth(server: Server, client: Client, tag: int, message: Auth) -> AuthReply:
    """Let a client in if its entry allows it. The reply has no flag: no shared memory.

    A standard server answers it a second time, as PulseAudio does, and then only the version may change.
    """
    if client.version and not client.rights & Right.OWN:
        raise Refused(PulseError.BADSTATE, "AUTH was said before")
    version = message.version & VERSION_MASK
    if version < OLDEST:
        raise Refused(PulseError.VERSION, f"version {version}")
    entry = client.entry
    if not client.version:
        if entry is not None and not entry.door.admits(entry.peer, message.cookie):
            raise Refused(PulseError.ACCESS, "neither its user nor its cookie counts here")
        server.strangers.known(client.number)
    client.version = min(version, NEWEST)
    return AuthReply(version=NEWEST)


def set_client_name(server: Server, client: Client, tag: int, message: SetClientName) -> ClientNamed:
    proplist = message.proplist
    if client.version < 13 and message.name is not None:
        proplist = {"application.name": name_value(message.name)}
    client.proplist.update(cleaned(proplist))
    client.view.changed(Facility.CLIENT, Change.CHANGED, client.index)
    return ClientNamed(index=client.index)


def get_server_info(server: Server, client: Client, tag: int, message: GetServerInfo) -> ServerInfo:
    """The view's names: those of an outlet tell nothing of the host or its user.

    A default device that is missing has a name too, one that nothing is found by: SDL since 2.24 reads both names
    unseen, and null would end its programs.
    """
    view = client.view
    sink, source = view.default_sink, default_source_of(client)
    return ServerInfo(
        package_name="eardrum",
        package_version=__version__,
        user_name=view.user_name,
        host_name=view.name,
        sample_spec=DEVICE_SPEC,
        default_sink=sink.name if sink else "@DEFAULT_SINK@",
        default_source=source.name if source else "@DEFAULT_SOURCE@",
        cookie=0,
        channel_map=STEREO,
    )


ANSWERS: Answers = {
    Auth: auth,
    SetClientName: set_client_name,
    GetServerInfo: get_server_info,
    Exit: lambda server, client, tag, message: server.finish(),
    Stat: lambda server, client, tag, message: StatReply(),
}
