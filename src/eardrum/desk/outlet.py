"""One open outlet: a listening socket, wires, and a worker as soon as somebody connects."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec

from eardrum.desk.alsa_device import AlsaDevice
from eardrum.desk.gate import OutletGate
from eardrum.desk.knobs import Knobs, Turning
from eardrum.desk.say import say
from eardrum.desk.wire import NAMES, Wire
from eardrum.desk.wire_files import WireFiles
from eardrum.desk.wiring import Wiring
from eardrum.desk.workers import Worker
from eardrum.kernel.outlet_directory import NATIVE
from eardrum.server.events import INPUT, OUTPUT
from eardrum.terms.audio import VOLUME_MAX
from eardrum.terms.budget import Budget
from eardrum.terms.errors import Complaint
from eardrum.terms.names import WireEnd
from eardrum.worker.records import MUTED, Kind, Record
from eardrum.worker.spec import Level, OutletSpec

if TYPE_CHECKING:
    from eardrum.desk.outlets import Outlets

HOST_STREAMS = 128  # of an outlet that is wired to the host: PulseAudio takes 256 into one sink, of all programs
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
        """Others must have room at the host's server, unless the person says how many streams this one may have."""
        budget = self._desk.budget.but(self.wiring.budget)
        at_the_host = any(end is not None and end.kind == "host" for end in _ends(self.wiring).values())
        if not at_the_host or "streams" in self.wiring.budget:
            return budget
        return msgspec.structs.replace(budget, streams=min(budget.streams, HOST_STREAMS))

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


def _ends(wiring: Wiring) -> dict[int, WireEnd | None]:
    return {OUTPUT: wiring.output_end(), INPUT: wiring.input_end()}
