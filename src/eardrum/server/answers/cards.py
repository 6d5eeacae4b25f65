"""Cards and ports: no view has any, hardware never shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from eardrum.protocol.catalog import CardInfoList, GetCardInfoList, SetSinkPort, SetSourcePort
from eardrum.protocol.message import Message
from eardrum.server.answers.table import Answers
from eardrum.server.objects import Client, Sink, Source
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.core import Server


def no_port(server: Server, client: Client, tag: int, message: Message, device: Sink | Source) -> NoReturn:
    raise Refused(PulseError.NOTIMPLEMENTED, "it has no ports")


ANSWERS: Answers = {
    GetCardInfoList: lambda server, client, tag, message: CardInfoList(items=[]),
    SetSinkPort: no_port,
    SetSourcePort: no_port,
}
