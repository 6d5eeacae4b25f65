"""One wire of an open outlet, as the desk has it: where it leads, and what it is connected to."""

from __future__ import annotations

import asyncio
import math
import os
import select
import socket
import time
from contextlib import suppress
from functools import partial
from typing import Any

from eardrum.desk.gate import OutletGate
from eardrum.desk.host import Failed, Host
from eardrum.desk.rooms import Rooms
from eardrum.desk.workers import Worker
from eardrum.kernel.upstream_socket import Unreachable
from eardrum.protocol.message import NEWEST
from eardrum.server.events import INPUT, OUTPUT
from eardrum.server.rights import Right
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.worker.records import Kind, Record, end_in_pipe

SPACING = 0.2  # seconds at least between two connections: who hangs up at once must not keep us busy
ROOM_RETRY = 1.0  # seconds until a room is tried again that could not be joined
GATE_RETRY = 1.0  # seconds until a server is connected again whose gate could not be made
NAMES = {OUTPUT: "output", INPUT: "input"}
_ROOM_RIGHTS = {
    OUTPUT: Right.CONNECT | Right.LOOK | Right.PLAY,
    INPUT: Right.CONNECT | Right.LOOK | Right.RECORD,
}


class Wire:
    """`end` is the one that was asked for, None where there is no wire; `leads_to` what that is on this machine now.

    A worker's `WANT` stands until the wire is connected; meanwhile this goes on trying by itself.
    """

    def __init__(
        self,
        wire: int,
        end: WireEnd | None,
        outlet: int,
        host: Host,
        rooms: Rooms,
        *,
        gate: OutletGate | None,
        fixed: bool,
        most: int,
    ) -> None:
        """`outlet` is the number by which rooms tell outlets apart. What is mixed at a `fixed` one stays mixed.

        It has at most `most` connections.
        """
        self.end = end
        self._wire = wire
        self._outlet = outlet
        self._fixed = fixed
        self._most = most
        self._host = host
        self._rooms = rooms
        self._gate = gate
        self._loop = asyncio.get_running_loop()
        self._worker: Worker | None = None
        self._told: WireEnd | None = None  # where the worker knows it to lead
        self.carries = False  # the worker has streams carried here, also where that is nowhere
        self._connecting: asyncio.Task[None] | None = None
        self._given: socket.socket | None = None  # the worker has it too
        self._more: list[socket.socket] = []  # as many as the worker wants besides, in their order
        self._adding: asyncio.Task[None] | None = None
        self._given_at = -math.inf  # in the loop's time
        self._since = 0.0  # seconds since 1970: when what it does now began
        self._why = ""  # it is not connected yet
        self._refusal: PulseError | None = None  # why the server there takes no streams

    @property
    def leads_to(self) -> WireEnd | None:
        return self._host.place_of(self._wire, self.end) if self.end else None

    def serve(self, worker: Worker) -> None:
        """A new worker, which was told where the wire leads now."""
        self._worker, self._told = worker, self.leads_to
        self.carries = self._told is not None and self._told.is_carried

    def release(self) -> None:
        """The worker is gone."""
        self._stop_connecting()
        self._cut()
        self._worker = self._told = self._refusal = None

    # -- what the worker says

    def want(self, wanted: bool) -> bool:
        """The worker wants it connected, or no more; False if there is no such wire."""
        self._stop_connecting()
        if wanted and self.carries:
            self._cut()
            self._connect()
        return self.carries

    def refuses(self, error: int) -> bool:
        """The server there refuses streams for this reason, or with 0 takes them again; False if that cannot be."""
        if self._told is None or error > PulseError.BUSY:
            return False
        self._refusal = PulseError(error) if error else None
        self._since = time.time()
        return True

    def want_more(self, number: int) -> bool:
        """The worker wants one more connection beside the one that it has; False if it cannot have so many."""
        is_next = number == len(self._more) + 1 and (self._adding is None or self._adding.done())
        if is_next and self._worker and self._told and self._told.kind == "host" and self._given:
            self._adding = self._loop.create_task(self._add(self._worker, self._told, number))
        return self.carries and number < self._most

    # -- where it leads

    def follows(self, end: WireEnd | None) -> bool:
        """Whether its worker, if there is one, can go on when the wire has this end."""
        if self._worker is None or end == self.end:
            return True
        follows = self.carries or (self._told is not None and self._told.is_nowhere and not self._fixed)
        return follows and end is not None and (end.is_carried or end.is_nowhere)

    def rewire(self) -> None:
        """It may lead elsewhere now: tell the worker, and connect it there if it is wanted."""
        leads = self.leads_to
        if self._worker is None or leads is None or leads == self._told:
            return
        wanted = self._connecting is not None
        self._stop_connecting()
        self._told, self._refusal = leads, None
        self.carries |= leads.is_carried
        pipe = end_in_pipe(leads)
        self._worker.tell(Record(Kind.REWIRE, self._wire), (pipe,))
        os.close(pipe)
        self._cut()
        if wanted:
            self._connect()

    # -- what is told of it

    def as_json(self) -> dict[str, Any] | None:
        leads = self.leads_to
        if leads is None:
            return None
        state, since = self._state(leads)
        return {"leads_to": str(leads), "state": state, "since": since, "why": self.note}

    @property
    def note(self) -> str:
        """What is wrong with it, or nothing."""
        if self._connecting:
            return self._why
        if self._refusal is PulseError.NOENTITY:
            return f"{self._told}: the server there has no {'sink' if self._wire == OUTPUT else 'microphone'} like this"
        if self._refusal:
            return f"{self._told}: the server there refuses streams: {self._refusal.name}"
        return ""

    def _state(self, leads: WireEnd) -> tuple[str, float | None]:
        """In a word, and since when that lasts, in seconds since 1970."""
        if leads.is_nowhere:
            return "silent", None
        if not leads.is_carried:
            return "here", None
        if self._connecting:
            return "waiting", self._since
        if self._refusal:
            return "refused", self._since
        if self._given and not _is_over(self._given):
            return "connected", self._since
        return "idle", None

    # -- connections

    def _connect(self) -> None:
        if self._worker and self._told and self._told.is_carried:  # else it has just been told otherwise
            self._since, self._why = time.time(), ""
            self._connecting = self._loop.create_task(self._seek(self._worker, self._told))

    def _stop_connecting(self) -> None:
        if self._connecting:
            self._connecting.cancel()
            self._connecting = None

    async def _seek(self, worker: Worker, end: WireEnd) -> None:
        """Connect the wire, however long it takes."""
        await asyncio.sleep(self._given_at + SPACING - self._loop.time())
        failed = partial(self._failed, worker)
        if end.kind == "room":
            connection, version = await self._join(end.argument, failed), NEWEST
            led = connection
        else:
            connection, led, version = await self._reach_host(end, failed)
        self._connecting = None
        self._given, self._given_at, self._since = connection, self._loop.time(), time.time()
        self._give(worker, led, Record(Kind.UPSTREAM, self._wire, version))

    async def _add(self, worker: Worker, end: WireEnd, number: int) -> None:
        try:
            connection, version = await self._host.connect_once()
            led = self._led(end, connection, version)
        except Unreachable as why:
            worker.tell(Record(Kind.NO_UPSTREAM, self._wire, why.error, number))
        except OSError:
            _end(connection)
            worker.tell(Record(Kind.NO_UPSTREAM, self._wire, PulseError.INTERNAL, number))
        else:
            self._more.append(connection)
            self._give(worker, led, Record(Kind.UPSTREAM, self._wire, version, number))

    def _give(self, worker: Worker, led: socket.socket, record: Record) -> None:
        """Let the worker have the end of a connection that is meant for it."""
        worker.tell(record, (led.fileno(),))
        if led is not self._given and led not in self._more:
            led.close()

    async def _reach_host(self, end: WireEnd, failed: Failed) -> tuple[socket.socket, socket.socket, int]:
        """The connection to the host's server, what the worker gets of it, and the version to speak."""
        while True:
            connection, version = await self._host.connect(failed)
            try:
                return connection, self._led(end, connection, version), version
            except OSError as error:
                _end(connection)
                failed(Unreachable("", f"the gate to the host's server cannot be made: {error.strerror}"))
            await asyncio.sleep(GATE_RETRY)

    def _led(self, end: WireEnd, connection: socket.socket, version: int) -> socket.socket:
        """What the worker gets of a connection to the host's server: itself, or the way through the gate."""
        return connection if self._gate is None else self._gate.lead(self._wire, end, connection, version)

    async def _join(self, room: str, failed: Failed) -> socket.socket:
        while True:
            try:
                return self._rooms.join(room, self._outlet, _ROOM_RIGHTS[self._wire])
            except OSError as error:
                failed(Unreachable("", f"room {room}: cannot be reached: {error.strerror}"))
            await asyncio.sleep(ROOM_RETRY)

    def _failed(self, worker: Worker, why: Unreachable) -> None:
        if str(why) != self._why:
            self._why = str(why)
            worker.tell(Record(Kind.NO_UPSTREAM, self._wire, why.error))

    def _cut(self) -> None:
        """End the connections that were given last, so that no worker can use up the upstream's."""
        if self._adding:
            self._adding.cancel()
        while self._more:
            _end(self._more.pop())
        if self._given:
            _end(self._given)
            self._given = None


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _is_over(connection: socket.socket) -> bool:
    """One of both sides has closed it."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return bool(poll.poll(0))
