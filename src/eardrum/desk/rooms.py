"""Rooms that are in use: each has a worker as long as somebody is connected to it."""

from __future__ import annotations

import asyncio
import socket

from eardrum.desk.workers import Worker, Workers
from eardrum.server.rights import Right
from eardrum.worker.records import Kind, Record
from eardrum.worker.spec import RoomSpec


class Rooms:
    """Rooms exist by being wired: there is nothing to open or close."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._rooms: dict[str, Worker] = {}

    def join(self, name: str, outlet: int, rights: Right) -> socket.socket:
        """Connect the outlet with this number to a room; the other end is the room's."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        attach = Record(Kind.ATTACH, outlet, rights.value)
        with theirs:
            room = self._rooms.get(name)
            if room is None or not room.tell(attach, (theirs.fileno(),)):
                self._start(name).tell(attach, (theirs.fileno(),))
        ours.setblocking(False)
        return ours

    async def finish(self) -> None:
        await asyncio.gather(*(room.finish() for room in self._rooms.values()))

    def _start(self, name: str) -> Worker:
        def ended(worker: Worker) -> None:
            if self._rooms.get(name) is worker:
                del self._rooms[name]

        room = self._workers.spawn(f"room {name}", RoomSpec(name), (), _asks_nothing, ended)
        self._rooms[name] = room
        return room


def _asks_nothing(room: Worker, record: Record) -> None:
    room.kill("speaks of wires and files, but a room has none")
