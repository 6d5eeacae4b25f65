"""What is open: outlets, each with a listening socket, and a worker as soon as somebody connects to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from eardrum.desk.alsa_device import check_device
from eardrum.desk.config import Config
from eardrum.desk.host import Host
from eardrum.desk.knobs import Knobs
from eardrum.desk.outlet import Outlet, Taken
from eardrum.desk.rooms import Rooms
from eardrum.desk.say import say
from eardrum.desk.wire_files import check_sound
from eardrum.desk.wiring import Wiring, remember, remembered
from eardrum.desk.workers import Workers
from eardrum.kernel.outlet_directory import Runtime
from eardrum.server.events import INPUT, OUTPUT
from eardrum.terms.errors import Complaint
from eardrum.terms.names import WireEnd, checked_name


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
        if "host" in {end.kind for end in (output, input) if end}:
            await self.host.look()  # else the room in its place would hear how the first program begins

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
