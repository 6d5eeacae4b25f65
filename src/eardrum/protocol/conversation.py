"""One side of one connection, without the connection: bytes in, what was heard out; messages in, bytes out.

`Serving` is the server's side, `Asking` the client's. Both read strictly: what they raise ends the connection, and what
came before it in the same bytes is lost with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from eardrum.protocol import codec
from eardrum.protocol.catalog import NEVER_SAID, Auth, AuthReply, Error
from eardrum.protocol.message import NEWEST, NO_TAG, OLDEST, REPLY, Message, Sender
from eardrum.protocol.packets import Reader, SoundPacket
from eardrum.terms.errors import LocalProtocolError, PulseError, RemoteProtocolError

VERSION = 0x0000FFFF  # of the version word; the rest are flags


@dataclass(slots=True)
class Command:
    """The client asks."""

    tag: int
    message: Message


@dataclass(slots=True)
class Reply:
    """The server answers the command with this tag."""

    tag: int
    message: Message


@dataclass(slots=True)
class ErrorReply:
    """The server refuses the command with this tag."""

    tag: int
    code: PulseError


@dataclass(slots=True)
class Told:
    """The server says something unasked."""

    message: Message


Heard = Command | Reply | ErrorReply | Told | SoundPacket


class Serving:
    """The server's side. Speaks version 8 until AUTH says another; with `version` it speaks that at once.

    `once`: what was settled stays, for a client that may not say AUTH again.
    """

    def __init__(self, version: int = OLDEST, *, once: bool = False) -> None:
        self.version = version
        self.reader = Reader()
        self._once = once
        self._settled = once and version > OLDEST

    def receive(self, data: memoryview) -> list[Command | SoundPacket]:
        """What the client said. Sound lies in `data` where it can. Raises RemoteProtocolError."""
        heard: list[Command | SoundPacket] = []
        for item in self.reader.feed(data):
            if isinstance(item, SoundPacket):
                heard.append(item)
                continue
            code, tag = codec.read_head(item)
            if code in (Error.CODE, REPLY):  # we ask nothing
                continue
            message = read_said(code, item, self.version, "client")
            if isinstance(message, Auth):
                said = message.version & VERSION
                if said >= OLDEST and not self._settled:
                    self.version = min(NEWEST, said)
                    self._settled = self._once
            heard.append(Command(tag, message))
        return heard

    def say(self, message: Message, tag: int = NO_TAG) -> bytes:
        """A reply, or with no tag something unasked; no bytes if the client is too old to know it.

        Raises LocalProtocolError.
        """
        if self.version < message.SINCE:
            return b""
        return codec.packet(message, tag, self.version)

    def refuse(self, tag: int, error: PulseError) -> bytes:
        """The answer that the command with this tag is refused."""
        return codec.packet(Error(code=error), tag, self.version)


class Asking:
    """The client's side. Speaks version 8 until the reply to AUTH; with `version` it speaks that at once."""

    def __init__(self, version: int = OLDEST) -> None:
        self.version = version
        self.reader = Reader()
        self._awaited: dict[int, type[Message]] = {}
        self._tag = 0
        self._offered = NEWEST  # the version that our AUTH said

    def ask(self, command: Message) -> tuple[int, bytes]:
        """The tag that the answer will carry, and the bytes to send. Raises LocalProtocolError."""
        if self.version < command.SINCE:
            raise LocalProtocolError(f"version {self.version} does not know {type(command).__name__}")
        tag = self._tag
        packet = codec.packet(command, tag, self.version)
        if command.ANSWER:
            self._awaited[tag] = command.ANSWER
        if isinstance(command, Auth):
            self._offered = command.version & VERSION
        self._tag = (tag + 1) % NO_TAG
        return tag, packet

    def receive(self, data: memoryview) -> list[Reply | ErrorReply | Told | SoundPacket]:
        """What the server said; answers to nothing are passed over. Sound lies in `data` where it can.

        Raises RemoteProtocolError.
        """
        heard: list[Reply | ErrorReply | Told | SoundPacket] = []
        for item in self.reader.feed(data):
            if isinstance(item, SoundPacket):
                heard.append(item)
                continue
            code, tag = codec.read_head(item)
            if code not in (Error.CODE, REPLY):
                heard.append(Told(read_said(code, item, self.version, "server")))
            elif awaited := self._awaited.pop(tag, None):
                heard.append(self._answer(tag, codec.read(awaited if code == REPLY else Error, item, self.version)))
        return heard

    def _answer(self, tag: int, message: Message) -> Reply | ErrorReply:
        if isinstance(message, Error):
            if not message.code:
                raise RemoteProtocolError("an error without an error")
            known = message.code <= PulseError.BUSY
            return ErrorReply(tag, PulseError(message.code) if known else PulseError.UNKNOWN)
        if isinstance(message, AuthReply):
            said = message.version & VERSION
            if said < OLDEST:
                raise RemoteProtocolError(f"a server of version {said}")
            self.version = min(NEWEST, self._offered, said)
        return Reply(tag, message)


def read_said(code: int, data: bytes, version: int, by: Sender) -> Message:
    """What client or server says of itself: a command, or something unasked. Raises RemoteProtocolError."""
    cls = codec.class_of(code, data, version)
    if cls is None:
        raise RemoteProtocolError(f"command {NEVER_SAID.get(code, code)} is not known")
    if by != cls.SENDER and cls.SENDER != "both":
        raise RemoteProtocolError(f"{cls.__name__} is not this side's to say")
    return codec.read(cls, data, version)
