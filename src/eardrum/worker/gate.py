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
from eardrum.kernel.link import READ_BYTES, Link
from eardrum.kernel.loop import READ, WRITE, Events, Loop, gone, readable
from eardrum.server.events import INPUT
from eardrum.terms.audio import INVALID
from eardrum.terms.errors import RemoteProtocolError
from eardrum.upstream.gate import Gate, Judge, Terms
from eardrum.worker import profiles
from eardrum.worker.desk_link import DeskLink
from eardrum.worker.records import MUTED, Kind, Record, end_from_pipe
from eardrum.worker.spec import GateSpec

_DESCRIPTORS = 3  # that come with PASS


class _Side:
    """One end of what is passed on: what is read there is judged and written to the other."""

    __slots__ = ("judge", "link", "other", "receive", "waits_for", "way")

    other: _Side

    def __init__(self, way: _Way, connection: socket.socket, judge: Judge) -> None:
        self.way = way
        self.link = Link(connection)
        self.receive = connection.recv_into
        self.judge = judge
        self.waits_for = READ


class _Way:
    """A connection of the worker's, and the one to the host's server for it."""

    __slots__ = ("gate", "server", "wire", "worker")

    def __init__(self, wire: int, gate: Gate, server: socket.socket, worker: socket.socket) -> None:
        self.wire = wire
        self.gate = gate
        self.worker, self.server = _Side(self, worker, gate.up), _Side(self, server, gate.down)
        self.worker.other, self.server.other = self.server, self.worker


class Gatehouse:
    """The process."""

    def __init__(self, spec: GateSpec, desk: DeskLink) -> None:
        self._spec = spec
        self._desk = desk
        self._loop = Loop(lambda now, wall: None, self._settled)
        self._loop.first = self._take
        self._memory = memoryview(bytearray(READ_BYTES))  # that all is read into
        self._sides: dict[int, _Side] = {}  # by descriptor
        self._hushed = spec.hushed

    def run(self, confine: Callable[[Profile], Layer] = confine) -> None:
        """Pass on until it is over, confined for ever."""
        self._loop.watch(self._desk.descriptor, READ, self._hear_desk)
        self._desk.tell(Record(Kind.READY, confine(profiles.GATE)))
        self._loop.run()
        for side in tuple(self._sides.values()):
            self._end(side.way)
        self._loop.close()
        self._desk.close()

    def _settled(self) -> None:
        if self._desk.orphan and not self._sides:
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
                for side in self._sides.values():
                    side.way.gate.hushed = self._hushed
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
        for side in (way.worker, way.server):
            self._watch(side)

    def _watch(self, side: _Side) -> None:
        self._sides[side.link.descriptor] = side
        self._loop.watch(side.link.descriptor, READ, lambda events: self._ready(side, events))

    def _end(self, way: _Way) -> None:
        """End it for both; the desk has the connection to the server too, so it is not over by being closed here."""
        for side in (way.worker, way.server):
            self._sides.pop(side.link.descriptor, None)
            self._loop.forget(side.link.descriptor)
            side.link.shut()
            side.link.close()

    def _take(self, events: Events) -> Events:
        """Pass on where nothing waits; returns the other events. What a wake-up costs is the code that it takes."""
        left = []
        for event in events:
            side = self._sides.get(event[0])
            if side is None or event[1] != READ or side.link.queued or side.other.link.queued:
                left.append(event)
            elif not self._pass_on(side):
                self._end(side.way)
                left.append(event)  # it may have been the last
        return left

    def _ready(self, side: _Side, events: int) -> None:
        other = side.other
        over = bool(events & WRITE) and not side.link.flush()
        if not over and readable(events):
            over = gone(events) if other.link.queued else not self._pass_on(side)
        if over:
            self._end(side.way)
            return
        self._wait(side)
        self._wait(other)

    def _pass_on(self, side: _Side) -> bool:
        """What has come from here goes to the other side, as far as it may; False: the connection is over."""
        try:
            nbytes = side.receive(self._memory)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not nbytes:
            return False
        try:
            passed = side.judge(self._memory[:nbytes])
        except RemoteProtocolError as problem:
            if side is side.way.worker:
                code = getattr(problem, "code", None)
                self._desk.tell(Record(Kind.REFUSED, side.way.wire, INVALID if code is None else code))
            return False
        link = side.other.link
        if len(passed) != 1:
            link.queue(*passed)
        elif not link.send(passed[0]):
            return False
        if link.queued:
            if not link.flush():  # keeps what is not taken, elsewhere than in this memory
                return False
            self._wait(side)
            self._wait(side.other)
        return True

    def _wait(self, side: _Side) -> None:
        """Nothing is read for a side that does not take what it has."""
        wanted = (0 if side.other.link.queued else READ) | (WRITE if side.link.queued else 0)
        if wanted != side.waits_for:
            side.waits_for = wanted
            self._loop.change(side.link.descriptor, wanted)


def serve(spec: GateSpec, link: int) -> None:
    """Pass on until it is over. `link` leads to the desk and becomes this process's."""
    Gatehouse(spec, DeskLink(link)).run()
