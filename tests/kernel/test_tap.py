"""A socket with a server behind it: everything arrives, and is told of."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from eardrum.kernel.tap import pass_on, server_at
from eardrum.kernel.upstream_socket import Unreachable
from eardrum.protocol import catalog as c
from eardrum.protocol.conversation import Asking, Command, Serving
from eardrum.protocol.message import Message
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.protocol.tap import Riddle, Said

Answer = Callable[[Message], Message]
SOUND = bytes(range(256)) * 300  # more than is read at once


class Tapped:
    """A server of a few lines, and a tap in front of it."""

    def __init__(self, directory: Path) -> None:
        self.real, self.path = directory / "real", directory / "native"
        self.told: list[tuple[int, Said]] = []
        self.lost: list[tuple[int, str]] = []
        self.server_heard: list[Command | SoundPacket] = []

    def run(self, scene: Callable[[], Coroutine[Any, Any, None]], serve: bool = True) -> None:
        """Play `scene` while tap and server are there."""

        async def stage() -> None:
            server = await asyncio.start_unix_server(self._serve, self.real) if serve else None
            with socket.socket(socket.AF_UNIX) as listening:
                listening.setblocking(False)
                listening.bind(str(self.path))
                listening.listen()
                readable, writable = os.pipe()
                tap = asyncio.create_task(
                    pass_on(
                        listening,
                        [str(self.real)],
                        readable,
                        lambda number, said: self.told.append((number, said)),
                        lambda number, why: self.lost.append((number, str(why))),
                    )
                )
                await scene()
                os.close(writable)
                await tap
                os.close(readable)
            if server:
                server.close()
                await server.wait_closed()

        asyncio.run(asyncio.wait_for(stage(), 20))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers AUTH with shared memory, and everything else with Ack; sends back the sound it gets."""
        conversation = Serving()
        while data := await reader.read(4096):
            for heard in conversation.receive(memoryview(data)):
                self.server_heard.append(heard)
                if isinstance(heard, SoundPacket):
                    writer.write(sound_head(heard.channel, len(heard.data)) + bytes(heard.data))
                else:
                    auth = isinstance(heard.message, c.Auth)
                    writer.write(conversation.say(c.AuthReply(version=0xC0000023) if auth else c.Ack(), heard.tag))
        writer.close()

    def said(self, number: int) -> list[str]:
        """Who said what on this connection, in a word each."""
        return [f"{said.by} {type(said.what).__name__}" for connection, said in self.told if connection == number]


@pytest.fixture
def tapped(tmp_path: Path) -> Tapped:
    return Tapped(tmp_path)


async def program(path: Path, *messages: Message) -> tuple[Asking, asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, say AUTH and these, and read all answers."""
    reader, writer = await asyncio.open_unix_connection(path)
    asking = Asking()
    for message in (c.Auth(version=0xC0000023), *messages):
        writer.write(asking.ask(message)[1])
        while not asking.receive(memoryview(await reader.read(4096))):
            pass
    return asking, reader, writer


def test_a_program_and_its_server_hear_each_other_without_shared_memory(tapped: Tapped) -> None:
    async def scene() -> None:
        asking, reader, writer = await program(tapped.path, c.Exit())
        assert asking.version == 35
        writer.close()
        assert await reader.read() == b""

    tapped.run(scene)
    assert tapped.server_heard == [Command(0, c.Auth(version=35)), Command(1, c.Exit())]
    assert tapped.said(1) == ["client Auth", "server AuthReply", "client Exit", "server Ack"]
    assert [said.answers for _, said in tapped.told] == ["", "AUTH", "", "EXIT"]


def test_sound_goes_both_ways(tapped: Tapped) -> None:
    async def scene() -> None:
        asking, reader, writer = await program(tapped.path)
        writer.write(sound_head(0, len(SOUND)) + SOUND)
        heard = b""
        while len(heard) < len(SOUND):
            items = asking.receive(memoryview(await reader.read(4096)))
            heard += b"".join(item.data for item in items if isinstance(item, SoundPacket))
        assert heard == SOUND
        writer.close()

    tapped.run(scene)


def test_connections_are_told_apart(tapped: Tapped) -> None:
    async def scene() -> None:
        programs = [await program(tapped.path) for _ in range(2)]
        for asking, reader, writer in programs:
            writer.write(asking.ask(c.Exit())[1])
            await reader.read(1)
            writer.close()

    tapped.run(scene)
    assert tapped.said(1) == tapped.said(2) == ["client Auth", "server AuthReply", "client Exit", "server Ack"]


def test_what_was_said_before_the_end_is_still_passed_on(tapped: Tapped) -> None:
    async def scene() -> None:
        asking, _, writer = await program(tapped.path)
        for _ in range(50):
            writer.write(asking.ask(c.Exit())[1])
        writer.close()
        await writer.wait_closed()

    tapped.run(scene)
    assert tapped.said(1).count("client Exit") == 50


def test_a_broken_stream_ends_the_connection(tapped: Tapped) -> None:
    async def scene() -> None:
        _, reader, writer = await program(tapped.path)
        writer.write(b"GET / HTTP/1.1\r\nHost: melody\r\n\r\n")
        assert await reader.read() == b""
        writer.close()

    tapped.run(scene)
    assert isinstance(tapped.told[-1][1].what, Riddle)
    assert len(tapped.server_heard) == 1


def test_a_program_whose_server_has_gone_is_hung_up_on(tapped: Tapped) -> None:
    async def scene() -> None:
        reader, writer = await asyncio.open_unix_connection(tapped.path)
        assert await reader.read() == b""
        writer.close()

    tapped.run(scene, serve=False)
    assert tapped.lost == [(1, f"unix:{tapped.real}: no such socket; is the sound server running?")]


def test_the_first_server_that_takes_a_connection_is_taken(tmp_path: Path) -> None:
    async def scene() -> None:
        server = await asyncio.start_unix_server(lambda reader, writer: writer.close(), tmp_path / "two")
        (await server_at([str(tmp_path / "one"), str(tmp_path / "two")])).close()
        server.close()
        with pytest.raises(Unreachable, match="one: no such socket"):
            await server_at([str(tmp_path / "one"), str(tmp_path / "three")])

    asyncio.run(scene())
