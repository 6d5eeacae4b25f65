"""Who watches an outlet's conversations, and what they are told: one JSON object a line for each message.

A watcher only reads. One that reads too slowly misses lines and is told how many; nobody else waits for it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import msgspec

from eardrum.kernel.link import Link
from eardrum.kernel.loop import READ, WRITE, Loop, readable
from eardrum.protocol.message import NO_TAG, Message, wire_name
from eardrum.protocol.packets import SoundPacket
from eardrum.protocol.tap import Said, Side
from eardrum.protocol.trace import said_json, said_line

BEHIND_BYTES = 256 * 1024  # what a watcher may have unread before it misses lines


class Watcher:
    """A person's connection, handed over by the desk. With `sound` it is told of sound packets too."""

    __slots__ = ("link", "missed", "sound")

    def __init__(self, connection: socket.socket, sound: bool) -> None:
        self.link = Link(connection)
        self.sound = sound
        self.missed = 0  # lines


class Watchers:
    """All watchers of one worker; false while there are none. `read` reads a link into scratch memory."""

    def __init__(self, loop: Loop, read: Callable[[Link], memoryview | None]) -> None:
        self._loop = loop
        self._read = read
        self._watchers: list[Watcher] = []
        self._begun = 0.0
        self._asked: dict[tuple[int, int], str] = {}  # client and tag: the command that is not answered yet

    def __bool__(self) -> bool:
        return bool(self._watchers)

    def add(self, now: float, connection: socket.socket, sound: bool) -> Watcher:
        """Somebody wants to see the conversations; what they say themselves is not heard."""
        if not self._watchers:
            self._begun = now
            self._asked.clear()
        watcher = Watcher(connection, sound)
        self._watchers.append(watcher)
        self._loop.watch(watcher.link.descriptor, READ, lambda events: self._happened(watcher, events))
        return watcher

    def flush(self) -> None:
        """Write what was queued."""
        for watcher in tuple(self._watchers):
            if watcher.link.flush():
                self._loop.change(watcher.link.descriptor, READ | (WRITE if watcher.link.queued else 0))
            else:
                self._lose(watcher)

    def _happened(self, watcher: Watcher, events: int) -> None:
        if readable(events) and self._read(watcher.link) is None:
            self._lose(watcher)

    def _lose(self, watcher: Watcher) -> None:
        if watcher in self._watchers:
            self._watchers.remove(watcher)
            self._loop.forget(watcher.link.descriptor)
            watcher.link.close()

    def asked(self, now: float, client: int, version: int, tag: int, message: Message) -> None:
        """A client said a command."""
        self._asked[client, tag] = wire_name(type(message))
        self._tell(now, client, Said("client", message, version, tag))

    def said(self, now: float, client: int, version: int, tag: int, message: Message, why: str = "") -> None:
        """The worker answered or told something; `why` it refused."""
        answers = self._asked.pop((client, tag), "") if tag != NO_TAG else ""
        self._tell(now, client, Said("server", message, version, tag, answers), why)

    def sound(self, now: float, client: int, by: Side, packet: SoundPacket) -> None:
        if packet.first and any(watcher.sound for watcher in self._watchers):
            self._tell(now, client, Said(by, packet))

    def left(self, client: int) -> None:
        """A connection is gone; nobody answers what it asked."""
        self._asked = {key: name for key, name in self._asked.items() if key[0] != client}

    def _tell(self, now: float, client: int, said: Said, why: str = "") -> None:
        told = {"time": round(now - self._begun, 6), "connection": client, **said_json(said), "line": said_line(said)}
        if why:
            told["why"] = why
        line = msgspec.json.encode(told) + b"\n"
        for watcher in self._watchers:
            if isinstance(said.what, SoundPacket) and not watcher.sound:
                continue
            if watcher.link.queued > BEHIND_BYTES:
                watcher.missed += 1
                continue
            if watcher.missed:
                watcher.link.queue(msgspec.json.encode({"missed": watcher.missed}) + b"\n")
                watcher.missed = 0
            watcher.link.queue(line)
