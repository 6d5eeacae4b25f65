"""What is open: outlets, each with a listening socket, and a worker as soon as somebody connects to it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import Any

from eardrum.desk.alsa_device import AlsaDevice, check_device
from eardrum.desk.host import Host
from eardrum.desk.rooms import Rooms
from eardrum.desk.say import say
from eardrum.desk.wire_files import WireFiles, check_sound
from eardrum.desk.wiring import Wiring, remember, remembered
from eardrum.desk.workers import Worker, Workers
from eardrum.kernel.outlet_directory import NATIVE, Runtime
from eardrum.kernel.upstream_socket import Unreachable
from eardrum.protocol.message import NEWEST
from eardrum.server.events import INPUT, OUTPUT
from eardrum.server.rights import Right
from eardrum.terms.audio import VOLUME_MAX
from eardrum.terms.errors import Complaint, PulseError
from eardrum.terms.names import SPEAKERS, WireEnd, checked_name
from eardrum.worker.records import MUTED, Kind, Record
from eardrum.worker.spec import Level, OutletSpec

RETRY = 1.0  # seconds until a worker that could not even start is tried again
SPACING = 0.2  # seconds at least between two starts: a worker may have left the listening socket unusable
_ROOM_RIGHTS = {
    OUTPUT: Right.CONNECT | Right.LOOK | Right.PLAY,
    INPUT: Right.CONNECT | Right.LOOK | Right.RECORD,
}


class Taken(Complaint):
    """An outlet of this name is there."""


class Outlet:
    """One open outlet. The desk looks at its listening socket only while it has no worker."""

    def __init__(self, number: int, wiring: Wiring, listening: socket.socket, desk: Outlets) -> None:
        """Takes over the socket."""
        self.wiring = wiring
        self.note = ""  # why it cannot play, or nothing
        self._number = number
        self._listening = listening
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        self._ends: dict[int, WireEnd | None] = {OUTPUT: wiring.output_end(), INPUT: wiring.input_end()}
        self._devices: list[AlsaDevice] = []
        self._files = WireFiles(self._ends, self._device)
        self._levels = {OUTPUT: Level(), INPUT: Level()}
        self._worker: Worker | None = None
        self._started = 0.0  # when the newest worker was, in the loop's time
        self._connecting: dict[int, asyncio.Task[None]] = {}
        self._given: dict[int, socket.socket] = {}
        self._open = True

    def open_files(self, fresh: bool) -> None:
        """Raises Complaint if a file, FIFO or device at the end of a wire cannot be what it must be."""
        self._files.begin(fresh)

    def _device(self, wire: int, end: WireEnd) -> AlsaDevice:
        device = AlsaDevice(f"outlet {self.wiring.name}", end, self._desk.workers, captures=wire == INPUT)
        self._devices.append(device)
        return device

    def watch(self) -> None:
        """Look out for the first connection."""
        if self._open and self._worker is None:
            self._loop.add_reader(self._listening, self._start)

    def as_json(self) -> dict[str, Any]:
        directory = self._desk.runtime.outlet(self.wiring.name)
        worker = self._worker
        return {
            "name": self.wiring.name,
            "output": self.wiring.output,
            "input": self.wiring.input,
            "directory": str(directory),
            "socket": str(directory / NATIVE),
            "mode": self.wiring.mode,
            "group": self.wiring.group,
            "modules": self.wiring.modules,
            "hear": self.wiring.hear,
            "worker": worker.pid if worker else None,
            "connections": worker.connections if worker else 0,
            "playing": worker.playing if worker else 0,
            "recording": worker.recording if worker else 0,
            "note": next((note for note in (self.note, *(device.note for device in self._devices)) if note), ""),
        }

    def worker(self) -> Worker:
        """Its worker, started if there is none. Raises Complaint."""
        if self._worker is None:
            self._start()
        if self._worker is None:
            raise Complaint(f"outlet {self.wiring.name}: cannot be served now; {self.note or 'try again'}")
        return self._worker

    def microphone(self) -> WireEnd:
        """Where its input comes from. Raises Complaint if it has none."""
        end = self.end_of(INPUT)
        if end is None:
            raise Complaint(f"outlet {self.wiring.name}: has no microphone; open it with --input silence or room:NAME")
        return end

    async def end(self) -> None:
        """Serve nobody any more; return when the recording, if there is one, is complete."""
        self._open = False
        self._loop.remove_reader(self._listening)
        self._listening.close()
        if self._worker:
            await self._worker.finish()
        self._files.end()

    def _start(self) -> None:
        """Somebody connects: from now on the worker accepts."""
        self._loop.remove_reader(self._listening)
        try:
            self._started = self._loop.time()
            self._worker = self._spawn()
            self.note = ""
        except (Complaint, OSError) as problem:
            self.note = str(problem)
            self._loop.call_later(RETRY, self.watch)

    def _spawn(self) -> Worker:
        ends, files = self._files.take()
        output, input = (str(ends.get(wire) or self.end_of(wire) or "") for wire in (OUTPUT, INPUT))
        wiring, levels = self.wiring, self._levels
        spec = OutletSpec(wiring.name, output, input, levels[OUTPUT], levels[INPUT], wiring.modules, wiring.hear)
        descriptors = [os.dup(self._listening.fileno()), *files]
        what = f"outlet {self.wiring.name}"
        return self._desk.workers.spawn(what, spec, descriptors, self._heed, self._worker_ended)

    def _worker_ended(self, worker: Worker) -> None:
        self._worker = None
        for task in self._connecting.values():
            task.cancel()
        self._connecting.clear()
        while self._given:
            self._given.popitem()[1].close()
        self._loop.call_at(self._started + (SPACING if worker.ready else RETRY), self.watch)

    def end_of(self, wire: int) -> WireEnd | None:
        """What the wire leads to on this machine."""
        end = self._ends.get(wire)
        if end and end.kind == "host" and not self._desk.host:
            return WireEnd("room", SPEAKERS) if wire == OUTPUT else WireEnd("silence")
        return end

    def _heed(self, worker: Worker, record: Record) -> None:
        if record.kind is Kind.WANT:
            if record.b:
                self._wants(worker, record.a)
        elif record.kind is Kind.LEVEL:
            self._keep_level(worker, record)
        elif record.kind is Kind.WIRE:
            self._note_wire(worker, record)
        elif record.kind is Kind.FILE_FAILED and (failure := self._files.failed(record.a)):
            self.note = failure
            say(f"outlet {self.wiring.name}: {self.note}")
        else:
            worker.kill("speaks of a file, but has none")

    def _note_wire(self, worker: Worker, record: Record) -> None:
        """The other end refuses streams, or takes them again."""
        _, wire, error, _ = record
        end = self.end_of(wire)
        if end is None or error > PulseError.BUSY:
            worker.kill("speaks of a wire that is not there, or in no known words")
        elif error:
            self.note = f"{end}: the server there refuses streams: {PulseError(error).name}"
        else:
            self.note = ""

    def _keep_level(self, worker: Worker, record: Record) -> None:
        """The next worker of the outlet begins with it."""
        wire, volume = record.a & ~MUTED, record[2:]
        if wire in self._ends and max(volume) <= VOLUME_MAX:
            self._levels[wire] = Level(volume, bool(record.a & MUTED))
        else:
            worker.kill("tells a level that cannot be")

    def _wants(self, worker: Worker, wire: int) -> None:
        end = self.end_of(wire)
        if end is None or end.kind not in ("host", "room"):
            worker.kill(f"wants wire {wire}, which leads nowhere")
        elif end.kind == "room":
            self._join(worker, wire, end.argument)
        elif wire not in self._connecting:
            self._connecting[wire] = self._loop.create_task(self._connect(worker, wire))

    def _join(self, worker: Worker, wire: int, room: str) -> None:
        try:
            ours = self._desk.rooms.join(room, self._number, _ROOM_RIGHTS[wire])
        except OSError as error:
            self.note = f"room {room}: cannot be reached: {error.strerror}"
            worker.tell(Record(Kind.NO_UPSTREAM, wire, PulseError.CONNECTIONREFUSED))
        else:
            self._give(worker, wire, ours, NEWEST)

    async def _connect(self, worker: Worker, wire: int) -> None:
        try:
            connection, version = await self._desk.host.connect()
        except Unreachable as unreachable:
            self.note = str(unreachable)
            worker.tell(Record(Kind.NO_UPSTREAM, wire, unreachable.error))
        else:
            self.note = ""
            self._give(worker, wire, connection, version)
        self._connecting.pop(wire, None)

    def _give(self, worker: Worker, wire: int, connection: socket.socket, version: int) -> None:
        """Hand over a connection. The one given before is cut, so that no worker can use up the upstream's."""
        before = self._given.pop(wire, None)
        if before:
            _cut(before)
        self._given[wire] = connection
        worker.tell(Record(Kind.UPSTREAM, wire, version), (connection.fileno(),))


class Outlets:
    """All open outlets, and what they share."""

    def __init__(self, runtime: Runtime, workers: Workers, host: Host) -> None:
        self.runtime = runtime
        self.workers = workers
        self.host = host
        self.rooms = Rooms(workers)
        self._outlets: dict[str, Outlet] = {}
        self._held: set[str] = set()
        self._closing: set[str] = set()
        self._number = 0
        self._ending = False

    def __iter__(self) -> Iterator[Outlet]:
        return iter(self._outlets.values())

    def named(self, name: str) -> Outlet:
        """The open outlet of this name. Raises KeyError, also if it is just being closed."""
        if name in self._closing:
            raise KeyError(name)
        return self._outlets[name]

    def open(self, wiring: Wiring, held: bool = False) -> Outlet:
        """Open a new outlet; it is remembered unless somebody holds it. Raises Complaint."""
        name = wiring.checked().name
        if name in self._closing:
            raise Taken(f"outlet {name}: is just being closed; try again")
        if name in self._outlets:
            there = self._outlets[name].wiring
            how = "like this" if there == wiring else f"with output {there.output}"
            raise Taken(f"outlet {name}: is open already, {how}; choose another name or close it first")
        if self._ending:
            raise Complaint(f"outlet {name}: the desk is just ending; start it again")
        if not held:
            self._remember(wiring)
        try:
            outlet = self._serve(wiring, fresh=True)
        except Complaint:
            self.runtime.remove_outlet(name)
            self._remember()
            raise
        if held:
            self._held.add(name)
        return outlet

    async def check(self, wiring: Wiring) -> None:
        """Find out what takes a moment, before `open`. Raises Complaint if a file or device is not fit for it."""
        output, input = wiring.checked().output_end(), wiring.input_end()
        await check_sound(self.workers, input)
        await check_device(self.workers, output, captures=False)
        await check_device(self.workers, input, captures=True)

    def open_remembered(self) -> None:
        """Serve again what the desk before us had open. Raises Complaint if that cannot be read."""
        before = remembered(self.runtime)
        self.rooms.kept.update(before.rooms)
        for name in self.runtime.forsaken({wiring.name for wiring in before.outlets}):
            self.runtime.remove_outlet(name)  # it was held, and its desk was killed
        for wiring in before.outlets:
            try:
                self._serve(wiring, fresh=False)
            except Complaint as complaint:
                say(f"outlet {wiring.name} cannot be served again: {complaint}")

    async def close(self, name: str) -> None:
        """Close an outlet for good; returns when its recording is complete. Raises KeyError, Complaint."""
        outlet = self._outlets[name]
        if name in self._closing:
            raise Taken(f"outlet {name}: is just being closed")
        self._closing.add(name)
        try:
            self._remember()
        except Complaint:
            self._closing.discard(name)
            raise
        try:
            self.runtime.remove_outlet(name)
            await outlet.end()
        finally:
            self._closing.discard(name)
            self._held.discard(name)
            del self._outlets[name]

    def list_rooms(self) -> list[dict[str, Any]]:
        """Every room, by name; with the outlets whose wires lead to it."""
        ends = [outlet.end_of(wire) for outlet in self for wire in (OUTPUT, INPUT)]
        wired = {end.argument for end in ends if end and end.kind == "room"}
        return [self.room_json(name) for name in sorted(wired | self.rooms.names())]

    def room_json(self, name: str) -> dict[str, Any]:
        return self.rooms.as_json(name) | {"players": self._wired(OUTPUT, name), "hearers": self._wired(INPUT, name)}

    def keep_room(self, name: str) -> None:
        """Have this room, also if nobody uses it, until it is closed. Raises Complaint."""
        self._set_kept(self.rooms.kept | {checked_name(name, "room")})

    async def close_room(self, name: str) -> None:
        """Keep this room no longer; it goes on while outlets are wired to it. Raises KeyError, Complaint."""
        wired = sorted({*self._wired(OUTPUT, name), *self._wired(INPUT, name)})
        if name in self.rooms.kept:
            self._set_kept(self.rooms.kept - {name})
        elif wired:
            raise Complaint(f"room {name}: is there as long as outlets are wired to it: {', '.join(wired)}; close them")
        elif name not in self.rooms.names():
            raise KeyError(name)
        if not wired:
            await self.rooms.end(name)

    def _set_kept(self, rooms: set[str]) -> None:
        before, self.rooms.kept = self.rooms.kept, rooms
        try:
            self._remember()
        except Complaint:
            self.rooms.kept = before
            raise

    def _wired(self, wire: int, room: str) -> list[str]:
        """The outlets whose wire leads to this room."""
        return sorted(name for name, outlet in self._outlets.items() if outlet.end_of(wire) == WireEnd("room", room))

    async def end(self) -> None:
        """The desk ends: recordings are completed; outlets that nobody holds stay remembered."""
        self._ending = True
        for name in self._held - self._closing:
            self.runtime.remove_outlet(name)
        await asyncio.gather(*(outlet.end() for outlet in self._outlets.values()))
        await self.rooms.finish()

    def number(self) -> int:
        """A number that no outlet and no guest has had: their views in a room are told apart by it."""
        self._number += 1
        return self._number

    def _serve(self, wiring: Wiring, fresh: bool) -> Outlet:
        listening = self.runtime.listen_outlet(wiring.name, wiring.access())
        outlet = Outlet(self.number(), wiring, listening, self)
        try:
            outlet.open_files(fresh)
        except Complaint:
            listening.close()
            raise
        self._outlets[wiring.name] = outlet
        outlet.watch()
        return outlet

    def _remember(self, *more: Wiring) -> None:
        kept = [outlet.wiring for name, outlet in self._outlets.items() if name not in self._held | self._closing]
        remember(self.runtime, [*kept, *more], self.rooms.kept)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
