"""The codec and both sides of a conversation: foreign bytes make sense or raise RemoteProtocolError, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hunt import Found, Play
from words import VERSIONS, Words, damaged, pieces

from eardrum.protocol import codec
from eardrum.protocol.catalog import Auth, Error
from eardrum.protocol.conversation import Asking, Command, Reply, Serving, Told
from eardrum.protocol.message import NO_TAG, REPLY, Message, every
from eardrum.protocol.packets import DESCRIPTOR_BYTES, control, sound_head
from eardrum.protocol.tap import Said, Side, Tap
from eardrum.terms.errors import RemoteProtocolError

BY_CLIENT = [cls for cls in every() if cls.SENDER != "server" and cls is not Auth]
BY_SERVER = [cls for cls in every() if cls.SENDER != "client" and cls.CODE not in (Error.CODE, REPLY)]


def episode(play: Play) -> None:
    """One connection, from one side, to its end."""
    version = play.random.choice(VERSIONS)
    if play.random.random() < 0.5:
        _client_speaks(play, version)
    else:
        _server_speaks(play, version)


def _client_speaks(play: Play, version: int) -> None:
    words, serving, sending = Words(play.random), Serving(version), _Sending(play)
    tap = Tap()
    tap.hear("client", memoryview(codec.packet(Auth(version=version), 0, version)))
    for tag in range(play.random.randrange(1, 40)):
        message = words.message(play.random.choice(BY_CLIENT), version)
        good, data = sending.packet(codec.packet(message, tag, version))
        expected = [Command(tag, message)] if good else None
        if not (_hear(play, data, serving.receive, expected) and _overhear(play, tap, "client", data, good)):
            return


def _server_speaks(play: Play, version: int) -> None:
    words, asking, sending = Words(play.random), Asking(version), _Sending(play)
    tap = Tap()
    tap.hear("client", memoryview(codec.packet(Auth(version=version), 0, version)))
    for _ in range(play.random.randrange(1, 40)):
        message, tag, expected = _something(play, words, asking, tap, version)
        good, data = sending.packet(codec.packet(message, tag, version))
        heard = _hear(play, data, asking.receive, expected if good else None)
        if not (heard and _overhear(play, tap, "server", data, good)):
            return


def _something(
    play: Play, words: Words, asking: Asking, tap: Tap, version: int
) -> tuple[Message, int, list[Any] | None]:
    """What a server may say, its tag, and what is heard then, if that is known."""
    command = words.message(play.random.choice(BY_CLIENT), version)
    chance = play.random.random()
    if chance < 0.2 or version < command.SINCE or command.ANSWER is None:
        message: Message = words.message(play.random.choice(BY_SERVER), version)
        return message, NO_TAG, [Told(message)]
    tag, packet = asking.ask(command)
    tap.hear("client", memoryview(packet))
    if chance < 0.3:
        return words.message(Error, version), tag, None  # a code that is not known is heard as UNKNOWN
    message = words.message(command.ANSWER, version)
    return message, tag, [Reply(tag, message)]


class _Sending:
    """Sends packets as they are, damaged, or something else."""

    def __init__(self, play: Play) -> None:
        self._random = play.random
        self._in_step = True  # a packet begins where the last one ended

    def packet(self, packet: bytes) -> tuple[bool, bytes]:
        """What is sent for it, and whether it is read as it is."""
        chance = self._random.random()
        if chance < 0.7:
            return self._in_step, packet
        if chance < 0.85:
            return False, control(damaged(self._random, packet[DESCRIPTOR_BYTES:]) or b"x")
        if chance < 0.95:
            sound = self._random.randbytes(self._random.choice((1, 4, 4096, 70_000)))
            return False, sound_head(self._random.randrange(5), len(sound), self._random.randrange(5), -4) + sound
        self._in_step = False
        noise = self._random.randbytes(self._random.randrange(1, 60))
        return False, damaged(self._random, packet) if chance < 0.98 else noise


def _hear(play: Play, data: bytes, receive: Callable[[memoryview], list[Any]], expected: list[Any] | None) -> bool:
    """Feed it; False when that ends the connection. `expected` is what must be heard, if that is known."""
    play.feeds("", data)
    heard: list[Any] = []
    try:
        for piece in pieces(play.random, data):
            heard += receive(memoryview(piece))
    except RemoteProtocolError as fault:
        if expected is not None:
            raise Found(f"refused: {expected}: {fault}") from fault
        return False
    if expected is not None and heard != expected:
        raise Found(f"said {expected}, heard {heard}")
    return True


def _overhear(play: Play, tap: Tap, by: Side, data: bytes, good: bool) -> bool:
    """A tap raises nothing at all, and passes on every byte that it does not change."""
    said: list[Said] = []
    for piece in pieces(play.random, data):
        said += tap.hear(by, memoryview(piece))
    if good and b"".join(one.passes for one in said) != data:
        raise Found(f"a tap passes on other bytes: {said}")
    return not tap.broken
