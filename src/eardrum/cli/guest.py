"""A command as the guest of a worker: it speaks the native protocol on the connection that the desk has handed over."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eardrum.cli.control import Control
from eardrum.cli.place import Place
from eardrum.protocol.conversation import Asking, ErrorReply, Reply, Told
from eardrum.protocol.message import NEWEST, Message
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.terms.audio import Samples
from eardrum.terms.errors import Complaint, PulseError, RemoteProtocolError

Heard = Reply | ErrorReply | Told | SoundPacket
_READ = 64 * 1024  # bytes


class Over(Exception):
    """The worker has ended, and the connection with it."""


class Guest:
    """The connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._asking = Asking(NEWEST)
        self._heard: list[Heard] = []  # together with an answer

    def fileno(self) -> int:
        return self._socket.fileno()

    def say(self, command: Message) -> int:
        """Ask and do not wait; the tag of the answer. Raises Over."""
        tag, packet = self._asking.ask(command)
        self._send(packet)
        return tag

    def ask(self, command: Message) -> Message:
        """The reply; what is heard before it is lost. Raises Over, and Complaint if the command is refused."""
        tag = self.say(command)
        while True:
            batch = self.hear()
            for number, heard in enumerate(batch):
                if isinstance(heard, ErrorReply) and heard.tag == tag:
                    raise Complaint(f"{type(command).__name__} is refused: {_words(heard.code)}")
                if isinstance(heard, Reply) and heard.tag == tag:
                    self._heard = batch[number + 1 :]
                    return heard.message

    def play(self, channel: int, samples: Samples) -> None:
        """Send sound of a playback stream. Raises Over."""
        self._send(sound_head(channel, len(samples)) + bytes(samples))

    def hear(self, timeout: float | None = None) -> list[Heard]:
        """What comes next; nothing after `timeout` seconds. Raises Over."""
        if self._heard:
            heard, self._heard = self._heard, []
            return heard
        if timeout is not None and not select.select([self._socket], [], [], timeout)[0]:
            return []
        try:
            data = self._socket.recv(_READ)
            if not data:
                raise Over
            return [*self._asking.receive(memoryview(data))]
        except (OSError, RemoteProtocolError):
            raise Over from None

    def _send(self, packet: bytes) -> None:
        try:
            self._socket.sendall(packet)
        except OSError:
            raise Over from None


@contextmanager
def guest(runtime: Path, place: Place, verb: str) -> Iterator[Guest]:
    """Be a guest where a place is to `record` or to `play`. Raises NoDesk, NoOutlet, Complaint."""
    with Control(runtime) as control:
        yield Guest(control.native(place.target(verb)))


def _words(error: PulseError) -> str:
    if error is PulseError.NOTSUPPORTED:
        return "this kind of sound cannot be mixed"
    return error.name
