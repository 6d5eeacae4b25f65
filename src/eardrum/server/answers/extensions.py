"""What modules add to the protocol elsewhere: no module here has an extension. Objects that hear messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from eardrum.protocol import catalog as c
from eardrum.protocol.message import Message
from eardrum.server.answers.clients import name_value
from eardrum.server.answers.table import Answers
from eardrum.server.objects import Client
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.core import Server

OBJECTS = '[{"name":"/core","description":"Core message handler"}]'


def no_extension(server: Server, client: Client, tag: int, message: Message) -> NoReturn:
    if isinstance(message, c.Extension) and (message.index is None) == (message.name is None):
        raise Refused(PulseError.INVALID, "not one index or one name")
    raise Refused(PulseError.NOEXTENSION, "no module with an extension")


def object_message(server: Server, client: Client, tag: int, message: c.SendObjectMessage) -> c.ObjectMessageAnswered:
    for said in (message.path, message.message):
        name_value(said)
    if message.path != "/core":
        raise Refused(PulseError.NOENTITY, "no such object")
    if message.message != "list-handlers":
        raise Refused(PulseError.NOTIMPLEMENTED, "it does not know this message")
    return c.ObjectMessageAnswered(response=OBJECTS)


ANSWERS: Answers = {
    c.Extension: no_extension,
    c.StreamRestoreTest: no_extension,
    c.StreamRestoreRead: no_extension,
    c.StreamRestoreWrite: no_extension,
    c.StreamRestoreDelete: no_extension,
    c.StreamRestoreSubscribe: no_extension,
    c.DeviceRestoreTest: no_extension,
    c.DeviceRestoreSubscribe: no_extension,
    c.DeviceRestoreReadFormatsAll: no_extension,
    c.DeviceRestoreReadFormats: no_extension,
    c.DeviceRestoreSaveFormats: no_extension,
    c.DeviceManagerTest: no_extension,
    c.DeviceManagerRead: no_extension,
    c.DeviceManagerRename: no_extension,
    c.DeviceManagerDelete: no_extension,
    c.DeviceManagerRoleDevicePriorityRouting: no_extension,
    c.DeviceManagerReorder: no_extension,
    c.DeviceManagerSubscribe: no_extension,
    c.SendObjectMessage: object_message,
}
