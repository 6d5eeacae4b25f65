"""Rooms: a room has one worker, to which outlets' workers and commands of the owner are connected."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any

from eardrum.desk.workers import Worker, Workers
from eardrum.server.rights import Right
from eardrum.worker.records import Kind, Record
from eardrum.worker.spec import RoomSpec


class Rooms:
    """A room is there as soon as somebody names it, and a kept one until it is closed; its worker only while needed."""

    def __init__(self, workers: Workers, kept: Iterable[str] = ()) -> None:
        self.kept = set(kept)
        self._workers = workers
        self._rooms: dict[str, Worker] = {}

    def names(self) -> set[str]:
        """The rooms that are there though no outlet is wired to them."""
        return self.kept | set(self._rooms)

    def as_json(self, name: str) -> dict[str, Any]:
        worker = self._rooms.get(name)
        return {
            "name": name,
            "kept": name in self.kept,
            "worker": worker.pid if worker else None,
            "confinement": worker.confinement.names if worker and worker.ready else None,
            "connections": worker.connections if worker else 0,
            "playing": worker.playing if worker else 0,
            "recording": worker.recording if worker else 0,
        }

    def worker(self, name: str) -> Worker:
        """The room's worker, started if there is none. Raises OSError."""
        return self._rooms.get(name) or self._start(name)

    def join(self, name: str, outlet: int, rights: Right) -> socket.socket:
        """Connect the outlet with this number to a room; the other end is the room's. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        attach = Record(Kind.ATTACH, outlet, rights.value)
        with theirs:
            if not self.worker(name).tell(attach, (theirs.fileno(),)):
                self._start(name).tell(attach, (theirs.fileno(),))
        ours.setblocking(False)
        return ours

    async def end(self, name: str) -> None:
        """End its worker, and with it every connection to the room; who comes now gets another."""
        if worker := self._rooms.pop(name, None):
            await worker.finish()

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
