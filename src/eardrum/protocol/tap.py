"""A conversation overheard: bytes of either side in; out come what was said, and the bytes to pass on in their place.

For people who look for a mistake, not a guard: what cannot be read is told and passed on all the same. Shared memory
is kept off, for what went through it could not be heard.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from eardrum.protocol import codec
from eardrum.protocol.catalog import NEVER_SAID, Auth, AuthReply, Error
from eardrum.protocol.conversation import VERSION, read_said
from eardrum.protocol.message import CATALOG, NEWEST, NO_TAG, OLDEST, REPLY, Message, wire_name
from eardrum.protocol.packets import MAX_SOUND, Reader, SoundPacket, control, sound_head
from eardrum.terms.errors import RemoteProtocolError

Side = Literal["client", "server"]


@dataclass(slots=True)
class Riddle:
    """What cannot be read."""

    why: str


@dataclass(slots=True)
class Said:
    """One packet.

    `data` is the packet as it came, a control packet without its descriptor, sound without its samples; of a broken
    stream all that is left. `passes` are the bytes that the other side is to get for it.
    """

    by: Side
    what: Message | SoundPacket | Riddle
    version: int = NEWEST  # it was said in
    tag: int = NO_TAG
    answers: str = ""  # the name of the command that it answers or refuses
    data: bytes = b""
    passes: bytes = b""


class Tap:
    """One connection."""

    def __init__(self) -> None:
        self.broken = False  # nothing more can be understood: the connection is to be ended
        self._version = OLDEST
        self._readers: dict[Side, Reader] = {"client": Reader(MAX_SOUND), "server": Reader(MAX_SOUND)}
        self._asked: dict[int, tuple[str, type[Message] | None]] = {}  # by tag: the command's name and its reply

    def hear(self, by: Side, data: memoryview) -> list[Said]:
        """What is complete now. Sound lies in `data` where it can; a long sound packet comes in pieces."""
        items: list[bytes | SoundPacket] = []
        fault = None
        try:
            self._readers[by].feed(data, items)
        except RemoteProtocolError as error:
            fault = error
        heard = [self._sound(by, item) if isinstance(item, SoundPacket) else self._control(by, item) for item in items]
        if fault:
            self.broken = True
            heard.append(Said(by, Riddle(str(fault)), self._version, data=self._readers[by].rest))
        return heard

    def _sound(self, by: Side, sound: SoundPacket) -> Said:
        channel, seek, offset, data, first, total = sound
        head = sound_head(channel, total, seek, offset) if first else b""
        return Said(by, sound, self._version, data=head, passes=head + data)

    def _control(self, by: Side, payload: bytes) -> Said:
        said = Said(by, Riddle(""), self._version, data=payload, passes=control(payload))
        try:
            code, said.tag = codec.read_head(payload)
            if by == "client":
                self._client(said, code, payload)
            else:
                self._server(said, code, payload)
        except RemoteProtocolError as fault:
            said.what = Riddle(str(fault))
        return said

    def _client(self, said: Said, code: int, payload: bytes) -> None:
        name = wire_name(CATALOG[code]) if code in CATALOG else NEVER_SAID.get(code, f"command {code}")
        self._asked[said.tag] = name, None  # it may be refused, even if it cannot be read
        said.what = message = read_said(code, payload, self._version, "client")
        self._asked[said.tag] = wire_name(type(message)), message.ANSWER
        if isinstance(message, Auth):
            version = message.version & VERSION
            said.passes = codec.packet(dataclasses.replace(message, version=version), said.tag, self._version)
            if version >= OLDEST:
                self._version = min(NEWEST, version)

    def _server(self, said: Said, code: int, payload: bytes) -> None:
        if code not in (Error.CODE, REPLY):
            said.what = read_said(code, payload, self._version, "server")
            return
        said.answers, reply = self._asked.pop(said.tag, ("", None))
        if code == Error.CODE:
            reply = Error
        if not said.answers or reply is None:
            raise RemoteProtocolError(f"a reply to {said.answers or 'nothing that was asked'}")
        said.what = message = codec.read(reply, payload, self._version)
        if isinstance(message, AuthReply):
            version = message.version & VERSION
            said.passes = codec.packet(AuthReply(version=version), said.tag, self._version)
            if version >= OLDEST:
                self._version = min(self._version, version)
