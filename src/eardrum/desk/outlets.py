"""What is open: outlets, each with a listening socket, and a worker as soon as somebody connects to it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from eardrum.desk.alsa_device import AlsaDevice, check_device
from eardrum.desk.config import Config
from eardrum.desk.gate import OutletGate
from eardrum.desk.host import Host
from eardrum.desk.knobs import Knobs, Turning
from eardrum.desk.rooms import Rooms
from eardrum.desk.say import say
from eardrum.desk.wire import NAMES, Wire
from eardrum.desk.wire_files import WireFiles, check_sound
from eardrum.desk.wiring import Wiring, remember, remembered
from eardrum.desk.workers import Worker, Workers
from eardrum.kernel.outlet_directory import NATIVE, Runtime
from eardrum.server.events import INPUT, OUTPUT
from eardrum.terms.audio import VOLUME_MAX
from eardrum.terms.budget import Budget
from eardrum.terms.errors import Complaint
from eardrum.terms.names import WireEnd, checked_name
from eardrum.worker.records import MUTED, Kind, Record
from eardrum.worker.spec import Level, OutletSpec

RETRY = 1.0  # seconds until a worker that could not even start is tried again
SPACING = 0.2  # seconds at least between two starts: a worker may have left the listening socket unusable
_NO_SOCKET = "its socket is gone: who may write to its directory has put it away; close and open it"


class Taken(Complaint):
    """An outlet of this name is there."""


class Outlet:
    """One open outlet. The desk looks at its listening socket only while it has no worker."""

    def __init__(self, number: int, wiring: Wiring, knobs: Knobs, listening: socket.socket, desk: Outlets) -> None:
        """Takes over the socket."""
        self.wiring = wiring
        self.knobs = knobs
        self.note = ""  # why it cannot play, or nothing
        self._listening = listening
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        ends, most = _ends(wiring), self._budget.upstream_connections
        gated = desk.gate if wiring.gate is None else wiring.gate
        self._gate = OutletGate(desk.workers, wiring, knobs) if gated else None
        self.wires = {
            wire: Wire(wire, end, number, desk.host, desk.rooms, gate=self._gate, fixed=wiring.modules, most=most)
            for wire, end in ends.items()
        }
        self._files = WireFiles(ends, self._device)
        self._levels: dict[int, Level | None] = {OUTPUT: None, INPUT: None}
        self._worker: Worker | None = None
        self._started = 0.0  # when the newest worker was, in the loop's time
        self._open = True
        self._rewiring = False

    def open_files(self, fresh: bool) -> None:
        """Raises Complaint if a file, FIFO or device at the end of a wire cannot be what it must be."""
        self._files.begin(fresh)

    def _device(self, wire: int, end: WireEnd) -> AlsaDevice:
        return AlsaDevice(f"outlet {self.wiring.name}", end, self._desk.workers, captures=wire == INPUT)

    def watch(self) -> None:
        """Look out for the first connection."""
        if self._open and self._worker is None and not self._rewiring:
            self._loop.add_reader(self._listening, self._start)

    def as_json(self) -> dict[str, Any]:
        directory = self._desk.runtime.outlet(self.wiring.name)
        worker = self._worker
        permissions = self._desk.runtime.permissions(self.wiring.name)
        notes = (
            self.note,
            *self._files.notes,
            *(wire.note for wire in self.wires.values()),
            "" if permissions else _NO_SOCKET,
        )
        return {
            "name": self.wiring.name,
            "output": self.wiring.output,
            "input": self.wiring.input,
            "directory": str(directory),
            "socket": str(directory / NATIVE),
            "mode": self.wiring.mode,
            "group": self.wiring.group,
            "permissions": permissions and asdict(permissions),
            "modules": self.wiring.modules,
            "hear": self.wiring.hear,
            "ceiling": self.wiring.ceiling,
            "budget": msgspec.to_builtins(self._budget),
            "gate": self._gate is not None,
            "gate_process": self._gate.pid if self._gate else None,
            "levels": {
                "output": self.knobs.as_json(OUTPUT),
                "input": self.knobs.as_json(INPUT) if self.wires[INPUT].end else None,
            },
            "configured": self._desk.opens_by_itself(self.wiring.name),
            "worker": worker.pid if worker else None,
            "confinement": worker.confinement.names if worker and worker.ready else None,
            "connections": worker.connections if worker else 0,
            "playing": worker.playing if worker else 0,
            "recording": worker.recording if worker else 0,
            "wires": {NAMES[number]: wire.as_json() for number, wire in self.wires.items()},
            "note": next(filter(None, notes), ""),
        }

    @property
    def _budget(self) -> Budget:
        return self._desk.budget.but(self.wiring.budget)

    def worker(self) -> Worker:
        """Its worker, started if there is none. Raises Complaint."""
        if self._worker is None:
            self._start()
        if self._worker is None:
            raise Complaint(f"outlet {self.wiring.name}: cannot be served now; {self.note or 'try again'}")
        return self._worker

    def microphone(self) -> WireEnd:
        """Where its input comes from. Raises Complaint if it has none."""
        end = self.wires[INPUT].leads_to
        if end is None:
            raise Complaint(f"outlet {self.wiring.name}: has no microphone; open it with --input silence or room:NAME")
        return end

    @property
    def levelled(self) -> set[int]:
        """The wires of which programs have set a level."""
        return {wire for wire, level in self._levels.items() if level}

    def turn(self, wire: int, turning: Turning) -> None:
        """Set the person's level of a wire, at once. Raises Complaint."""
        record = self.knobs.turn(wire, turning)
        if self._gate is not None:
            self._gate.turn(record)
        if self._worker is not None:
            self._worker.tell(record)
        self._desk.remember()

    @property
    def makes_do(self) -> bool:
        """It has a worker that plays into a room for want of a sound server."""
        return self._worker is not None and any(wire.leads_to != wire.end for wire in self.wires.values())

    async def rewire(self, wiring: Wiring) -> None:
        """Let its wires have these ends. Raises Complaint if that cannot be while programs are connected."""
        if self._rewiring:
            raise Taken(f"outlet {self.wiring.name}: is just being rewired; try again")
        ends = {wire: end for wire, end in _ends(wiring).items() if end != self.wires[wire].end}
        self._rewiring = True
        try:
            await self._make_way(ends)
            self._files.change(ends)
            self.wiring, self.note = wiring, ""
            for number, end in ends.items():
                self.wires[number].end = end
                self.wires[number].rewire()
        finally:
            self._rewiring = False
            self.watch()

    async def _make_way(self, ends: Mapping[int, WireEnd | None]) -> None:
        """Let the worker end if it cannot go on with these ends. Raises Complaint if programs are connected."""
        while self._worker and (stuck := [wire for wire, end in ends.items() if not self.wires[wire].follows(end)]):
            if not await self._worker.retire():
                wire = stuck[0]
                raise Complaint(
                    f"outlet {self.wiring.name}: programs that are connected cannot go along from {NAMES[wire]}"
                    f" {self.wires[wire].end or 'none'} to {ends[wire]}; end them and try again"
                )
        if not self._open:
            raise Taken(f"outlet {self.wiring.name}: is just being closed")

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
        output, input = (str(ends.get(number) or wire.leads_to or "") for number, wire in self.wires.items())
        wiring, levels = self.wiring, (self._levels[OUTPUT], self._levels[INPUT])
        spec = OutletSpec(
            wiring.name, output, input, *levels, wiring.modules, wiring.hear,
            self.knobs.output, self.knobs.input, wiring.highest(), self._budget,
        )  # fmt: skip
        descriptors = [os.dup(self._listening.fileno()), *files]
        what = f"outlet {self.wiring.name}"
        worker = self._desk.workers.spawn(what, spec, descriptors, self._heed, self._worker_ended)
        for wire in self.wires.values():
            wire.serve(worker)
        self._desk.look_out()
        return worker

    def _worker_ended(self, worker: Worker) -> None:
        self._worker = None
        for wire in self.wires.values():
            wire.release()
        if self._gate is not None:
            self._gate.end()
        self._loop.call_at(self._started + (SPACING if worker.ready else RETRY), self.watch)

    def _heed(self, worker: Worker, record: Record) -> None:
        wire = self.wires.get(record.a)
        if record.kind is Kind.WANT:
            if wire is None or not (wire.want_more(record.c) if record.c else wire.want(bool(record.b))):
                worker.kill(f"wants wire {record.a}, which leads nowhere")
        elif record.kind is Kind.LEVEL:
            self._keep_level(worker, record)
        elif record.kind is Kind.WIRE:
            if wire is None or not wire.refuses(record.b):
                worker.kill("speaks of a wire that is not there, or in no known words")
        elif record.kind is Kind.FILE_FAILED and (failure := self._files.failed(record.a)):
            self.note = failure
            say(f"outlet {self.wiring.name}: {self.note}")
        else:
            worker.kill("speaks of a file, but has none")

    def _keep_level(self, worker: Worker, record: Record) -> None:
        """The next worker of the outlet begins with it."""
        wire, volume = record.a & ~MUTED, record[2:]
        if wire in self.wires and max(volume) <= VOLUME_MAX:
            self._levels[wire] = Level(volume, bool(record.a & MUTED))
        else:
            worker.kill("tells a level that cannot be")


class Outlets:
    """All open outlets, and what they share."""

    def __init__(self, runtime: Runtime, workers: Workers, host: Host, config: Config) -> None:
        self.runtime = runtime
        self.workers = workers
        self.host = host
        self.budget = config.budget  # of outlets that were opened with no other
        self._configured = {wiring.name: wiring for wiring in config.outlet}
        self.gate = config.host.gate  # of outlets that were opened with neither
        self.rooms = Rooms(workers)
        self._outlets: dict[str, Outlet] = {}
        self._held: set[str] = set()
        self._knobs: dict[str, Knobs] = {}
        self._closing: set[str] = set()
        self._number = 0
        self._ending = False
        host.appeared = self._rewire_to_host

    def __iter__(self) -> Iterator[Outlet]:
        return iter(self._outlets.values())

    def named(self, name: str) -> Outlet:
        """The open outlet of this name. Raises KeyError, also if it is just being closed."""
        if name in self._closing:
            raise KeyError(name)
        return self._outlets[name]

    def open(self, wiring: Wiring, held: bool = False) -> Outlet:
        """Open a new outlet; it is remembered unless somebody holds it or it is configured. Raises Complaint."""
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
            self.remember(wiring)
        try:
            self._knobs.setdefault(name, Knobs()).reset()
            outlet = self._serve(wiring, fresh=True)
        except Complaint:
            self.runtime.remove_outlet(name)
            self.remember()
            raise
        if held:
            self._held.add(name)
        return outlet

    async def check(self, wiring: Wiring, before: Wiring | None = None) -> None:
        """Find out what takes a moment. Raises Complaint if a file or device is not fit for a wire that is new."""
        output, input = wiring.checked().output_end(), wiring.input_end()
        if before is None or input != before.input_end():
            await check_sound(self.workers, input)
            await check_device(self.workers, input, captures=True)
        if before is None or output != before.output_end():
            await check_device(self.workers, output, captures=False)

    def opens_by_itself(self, name: str) -> bool:
        """Every desk opens an outlet of this name, as the configuration has it."""
        return name in self._configured

    def open_first(self) -> None:
        """Serve what the configuration names, and again what the desk before us had open.

        Raises Complaint if that cannot be read.
        """
        before = remembered(self.runtime)
        wanted = {wiring.name: wiring for wiring in before.outlets} | self._configured
        self.rooms.kept.update(before.rooms)
        self._knobs.update(before.knobs)
        for name in self.runtime.forsaken(wanted):
            self.runtime.remove_outlet(name)  # it was held and its desk was killed, or it is configured no more
        for wiring in wanted.values():
            try:
                self._serve(wiring, fresh=False)
            except Complaint as complaint:
                say(f"outlet {wiring.name} cannot be served: {complaint}")

    async def close(self, name: str) -> None:
        """Close an outlet, until the next desk if it is configured; returns when its recording is complete.

        Raises KeyError, Complaint.
        """
        outlet = self._outlets[name]
        if name in self._closing:
            raise Taken(f"outlet {name}: is just being closed")
        self._closing.add(name)
        outlet.knobs.reset(outlet.levelled)
        try:
            self.remember()
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

    async def rewire(self, wiring: Wiring) -> Outlet:
        """Have the open outlet of this name lead elsewhere, remembered as by `open`. Raises KeyError, Complaint."""
        outlet = self.named(wiring.checked().name)
        before = outlet.wiring
        await self.check(wiring, before)
        try:
            self.remember(wiring)
            await outlet.rewire(wiring)
        finally:
            self.remember()
        return outlet

    def look_out(self) -> None:
        """Where no server of the host has been there yet: look for one while a worker would be rewired to it."""
        self.host.look_out(lambda: any(outlet.makes_do for outlet in self))

    def _rewire_to_host(self) -> None:
        for outlet in self:
            for wire in outlet.wires.values():
                wire.rewire()

    def list_rooms(self) -> list[dict[str, Any]]:
        """Every room, by name; with the outlets whose wires lead to it."""
        ends = [wire.leads_to for outlet in self for wire in outlet.wires.values()]
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
            self.remember()
        except Complaint:
            self.rooms.kept = before
            raise

    def _wired(self, wire: int, room: str) -> list[str]:
        """The outlets whose wire leads to this room."""
        end = WireEnd("room", room)
        return sorted(name for name, outlet in self._outlets.items() if outlet.wires[wire].leads_to == end)

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
        outlet = Outlet(self.number(), wiring, self._knobs.setdefault(wiring.name, Knobs()), listening, self)
        try:
            outlet.open_files(fresh)
        except Complaint:
            listening.close()
            raise
        self._outlets[wiring.name] = outlet
        outlet.watch()
        return outlet

    def remember(self, new: Wiring | None = None) -> None:
        """Write down what is open, and how; `new` is an outlet that is just being opened or rewired."""
        kept = {name: outlet.wiring for name, outlet in self._outlets.items()}
        if new is not None:
            kept[new.name] = new
        forgotten = self._held | self._closing | self._configured.keys()
        outlets = [wiring for name, wiring in kept.items() if name not in forgotten]
        knobs = {name: knobs for name, knobs in self._knobs.items() if knobs}
        remember(self.runtime, outlets, self.rooms.kept, knobs)


def _ends(wiring: Wiring) -> dict[int, WireEnd | None]:
    return {OUTPUT: wiring.output_end(), INPUT: wiring.input_end()}
