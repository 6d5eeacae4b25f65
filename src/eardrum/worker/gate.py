"""The process between an outlet's worker and the host's sound server, to which it has the connections.

One for all connections of an outlet. It begins with the first and lives as long as the desk wants it, or, when the desk
is gone, as long as a connection does. What passes is judged by `upstream/gate.py`; what is never said ends its
connection, and the desk hears of it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from eardrum.kernel.confinement import Layer, Profile, confine
from eardrum.kernel.link import Link, Scratch
from eardrum.kernel.loop import READ, WRITE, Loop, gone, readable
from eardrum.server.events import INPUT
from eardrum.terms.audio import INVALID, Samples
from eardrum.terms.errors import RemoteProtocolError
from eardrum.upstream.gate import Gate, Terms, Violation
from eardrum.worker import profiles
from eardrum.worker.desk_link import DeskLink
from eardrum.worker.records import MUTED, Kind, Record, end_from_pipe
from eardrum.worker.spec import GateSpec

_DESCRIPTORS = 3  # that come with PASS


class _Side:
    """One end of what is passed on: what is read there is judged and written to the other."""

    __slots__ = ("judge", "link", "other", "waits_for")

    other: _Side

    def __init__(self, connection: socket.socket, judge: Callable[[memoryview], list[Samples]]) -> None:
        self.link = Link(connection)
        self.judge = judge
        self.waits_for = READ


class _Way:
    """A connection of the worker's, and the one to the host's server for it."""

    def __init__(self, wire: int, gate: Gate, server: socket.socket, worker: socket.socket) -> None:
        self.wire = wire
        self.gate = gate
        one, other = _Side(worker, gate.up), _Side(server, gate.down)
        one.other, other.other = other, one
        self.sides = one, other


class Gatehouse:
    """The process."""

    def __init__(self, spec: GateSpec, desk: DeskLink) -> None:
        self._spec = spec
        self._desk = desk
        self._loop = Loop(lambda now, wall: None, self._settled)
        self._scratch = Scratch()
        self._ways: set[_Way] = set()
        self._hushed = spec.hushed

    def run(self, confine: Callable[[Profile], Layer] = confine) -> None:
        """Pass on until it is over, confined for ever."""
        self._loop.watch(self._desk.descriptor, READ, self._hear_desk)
        self._desk.tell(Record(Kind.READY, confine(profiles.GATE)))
        self._loop.run()
        for way in tuple(self._ways):
            self._end(way)
        self._loop.close()
        self._desk.close()

    def _settled(self) -> None:
        if self._desk.orphan and not self._ways:
            self._loop.running = False

    def _hear_desk(self, events: int) -> None:
        heard = self._desk.receive(_DESCRIPTORS)
        if self._desk.orphan:
            self._loop.forget(self._desk.descriptor)
        if heard is None:
            return
        record, descriptors = heard
        match record.kind:
            case Kind.PASS if len(descriptors) == _DESCRIPTORS:
                self._begin(record.a, record.b, *descriptors)
                return
            case Kind.KNOB if record.a & ~MUTED == INPUT:
                self._hushed = bool(record.a & MUTED)
                for way in self._ways:
                    way.gate.hushed = self._hushed
            case Kind.FINISH:
                self._loop.running = False
        for descriptor in descriptors:
            os.close(descriptor)

    def _begin(self, wire: int, version: int, server: int, worker: int, pipe: int) -> None:
        spec = self._spec
        device = end_from_pipe(wire, pipe).device
        gate = Gate(version, Terms(spec.name, wire == INPUT, device, spec.hear, spec.ceiling))
        gate.hushed = self._hushed
        way = _Way(wire, gate, socket.socket(fileno=server), socket.socket(fileno=worker))
        self._ways.add(way)
        for side in way.sides:
            self._watch(way, side)

    def _watch(self, way: _Way, side: _Side) -> None:
        self._loop.watch(side.link.descriptor, READ, lambda events: self._ready(way, side, events))

    def _end(self, way: _Way) -> None:
        """End it for both; the desk has the connection to the server too, so it is not over by being closed here."""
        self._ways.discard(way)
        for side in way.sides:
            self._loop.forget(side.link.descriptor)
            side.link.shut()
            side.link.close()

    def _ready(self, way: _Way, side: _Side, events: int) -> None:
        other = side.other
        if events & WRITE and not side.link.flush():
            self._end(way)
            return
        if readable(events) and not other.link.queued:
            if not self._pass_on(way, side):
                self._end(way)
                return
        elif gone(events):
            self._end(way)
            return
        if side.link.queued or other.link.queued or side.waits_for != READ or other.waits_for != READ:
            self._wait(side)
            self._wait(other)

    def _pass_on(self, way: _Way, side: _Side) -> bool:
        """What has come from here goes to the other side, as far as it may; False: the connection is over."""
        data = side.link.read(self._scratch)
        if data is None:
            return False
        link = side.other.link
        try:
            link.queue(*side.judge(data))
        except Violation as violation:
            code = INVALID if violation.code is None else violation.code
            self._desk.tell(Record(Kind.REFUSED, way.wire, code))
            return False
        except RemoteProtocolError:
            return False
        passed = link.flush()
        self._scratch.reset()
        return passed

    def _wait(self, side: _Side) -> None:
        """Nothing is read for a side that does not take what it has."""
        wanted = (0 if side.other.link.queued else READ) | (WRITE if side.link.queued else 0)
        if wanted != side.waits_for:
            side.waits_for = wanted
            self._loop.change(side.link.descriptor, wanted)


def serve(spec: GateSpec, link: int) -> None:
    """Pass on until it is over. `link` leads to the desk and becomes this process's."""
    Gatehouse(spec, DeskLink(link)).run()
