"""What the workers of outlets, of rooms and of `serve` share: a server core with real connections around it.

Events come from sockets and the clock, effects go to sockets and to the file or FIFO. After `Worker.run` has begun,
nothing is imported and nothing is opened.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from eardrum.kernel import memory
from eardrum.kernel.confinement import Layer
from eardrum.kernel.link import Link, Scratch
from eardrum.kernel.loop import READ, Loop
from eardrum.protocol.catalog import Request
from eardrum.protocol.message import NEWEST
from eardrum.server import knob
from eardrum.server.core import Server
from eardrum.server.effects import (
    Answer,
    CloseFifo,
    CloseShortcut,
    Finish,
    HangUp,
    KeepLevel,
    Listen,
    OpenFifo,
    OpenShortcut,
    Refuse,
    Reissue,
    ReissueSound,
    SendSound,
    StopListening,
    Tell,
    WakeMe,
    WantUpstream,
    WireSays,
    WriteFile,
)
from eardrum.server.events import OUTPUT, Event, Passed, Rewired, Turned, UpstreamLost, UpstreamTold, Woke
from eardrum.server.knob import Knob
from eardrum.server.rights import Right
from eardrum.server.views import MakeView
from eardrum.terms.budget import USUAL, Budget
from eardrum.terms.errors import PulseError
from eardrum.worker.clients import Clients
from eardrum.worker.ends import NONE, Ends, Input, Output
from eardrum.worker.openings import Openings, Places
from eardrum.worker.owner import Owner
from eardrum.worker.records import MUTED, Kind, Record, end_from_pipe
from eardrum.worker.shortcuts import Shortcuts
from eardrum.worker.tracing import Watchers
from eardrum.worker.upstream_links import UpstreamLinks

TIDY_EVERY = 0.5  # seconds at least between two times that freed memory is given back


class Worker:
    """One process. `name` is the outlet's or the room's.

    It ends when its owner says FINISH, or a while after its last connection, unless it writes a file or FIFO.
    """

    def __init__(
        self,
        name: str,
        make_view: MakeView,
        owner: Owner,
        *,
        listening: int | None = None,
        rights: Right = Right.NONE,
        ends: Ends = NONE,
        devices: Mapping[int, str] = MappingProxyType({}),
        places: Places | None = None,
        knobs: Sequence[Knob] = knob.USUAL,
        budget: Budget = USUAL,
    ) -> None:
        self._name = name
        writes_file = (OUTPUT,) if ends.writer is not None else ()
        self._core = Server(make_view, writes_file=writes_file, knobs=knobs, budget=budget)
        self._loop = Loop(self._woke, self._settled)
        self._scratch = Scratch()
        self._owner = owner
        self._output = Output(ends.writer, owner)
        self._core.buses.output.steady = ends.steady
        self._core.buses.output.delay = ends.delay
        self._core.buses.output.longest, self._core.buses.input.longest = ends.cycles
        if ends.reader is not None:
            self._core.buses.input.inflow = Input(ends.reader, owner)
        self._upstreams = UpstreamLinks(
            name,
            self._loop,
            self._do_upstream,
            self._read,
            self._core.wires.active,
            lambda wire, number: owner.tell(Record(Kind.WANT, wire, 1, number)),
            devices,
            bool(rights & Right.HEAR),
            budget,
        )
        self._watchers = Watchers(self._loop, self._read)
        self._clients = Clients(
            self._loop,
            owner,
            self._watchers,
            self._scratch,
            self._read,
            self._do,
            rights=rights,
            budget=budget,
        )
        self._shortcuts = Shortcuts(
            self._loop, self._clients, self._upstreams, self._watchers, self._scratch, self._read
        )
        self._loop.first = self._shortcuts.take
        self._openings = Openings(self._loop, self._core.buses, self._clients.accept, self._do, places)
        self._listening = socket.socket(fileno=listening) if listening is not None else None
        self._finishing = False
        self._wanted: set[int] = set()  # wires that the owner was asked for
        self._core_due: float | None = None
        self._now = time.monotonic()
        self._tidied = 0.0  # when memory was last given back
        self._carry_out: dict[type, Callable[[Any], None]] = {
            Answer: self._clients.answer,
            Tell: self._clients.tell,
            SendSound: self._clients.send_sound,
            ReissueSound: self._upstreams.reissue_sound,
            OpenShortcut: self._shortcuts.open,
            CloseShortcut: self._shortcuts.close,
            Reissue: self._upstreams.reissue,
            Refuse: self._clients.refuse,
            WakeMe: self._wake_me,
            WriteFile: self._write_file,
            HangUp: self._clients.hang_up,
            Finish: self._finish_soon,
            Listen: self._openings.listen,
            OpenFifo: self._openings.open_fifo,
            CloseFifo: self._openings.close_fifo,
            StopListening: self._openings.stop_listening,
            KeepLevel: self._owner.keep_level,
            WireSays: self._owner.wire_says,
            WantUpstream: self._want_upstream,
        }

    def run(self, confine: Callable[[], Layer]) -> None:
        """Serve until it is over. `confine` confines this process and returns what holds."""
        self._loop.watch(self._owner.descriptor, READ, self._hear_owner)
        if self._listening is not None:
            self._listening.setblocking(False)
            listening = self._listening
            self._loop.watch(listening.fileno(), READ, lambda events: self._clients.accept(listening))
        self._owner.tell(Record(Kind.READY, confine()))
        self._set_wake()
        self._loop.run()
        self._openings.close()
        self._upstreams.close()
        self._loop.close()
        self._owner.close()
        if self._listening is not None:
            self._listening.close()

    def _do(self, event: Event) -> None:
        if self._clients.informed:
            self._clients.informed.clear()
        carry_out = self._carry_out
        for effect in self._core.handle(event):
            carry_out[type(effect)](effect)

    # -- time

    def _woke(self, now: float, wall: float) -> None:
        self._now = self._clients.now = self._upstreams.now = now
        if self._clients.overdue or (self._core_due is not None and now >= self._core_due):
            self._do(Passed(now, wall))
            self._clients.hear_paced()
            self._do(Woke(now, wall))
        else:
            self._core.passed(now, wall)
        self._clients.go_on()

    def _settled(self) -> None:
        """All events of this wake-up are done: write, tell the owner, see whether it is over."""
        if (due := self._upstreams.due) is not None and due <= self._now:
            self._upstreams.look()
        self._flush()
        if (due := self._clients.due) is not None and due <= self._now:
            self._clients.keep_deadlines()
            self._clients.flush()
        if self._output.behind:
            self._output.catch_up()
        if self._owner.stale:
            self._owner.report(self._now, lambda: (len(self._clients), *self._core.count_streams()))
        if self._loop.running and self._over:
            self._finish()
        if self._clients.left and self._now - self._tidied >= TIDY_EVERY:
            self._clients.left, self._tidied = False, self._now
            memory.give_back()
        self._clients.settle(self._core_due)
        self._set_wake()

    @property
    def _over(self) -> bool:
        if self._finishing or (self._owner.orphan and not self._clients):
            return True
        ends_at = self._ends_at
        return ends_at is not None and self._now >= ends_at

    @property
    def _ends_at(self) -> float | None:
        """When it is over if nobody connects until then."""
        lingers = self._owner.lingers
        if lingers is None or self._clients or self._stays:
            return None
        return self._clients.alone_since + lingers

    @property
    def _stays(self) -> bool:
        """It has more to do, or holds what clients to come may ask for."""
        return self._output.writes or bool(self._watchers) or self._core.keeps_something

    def _set_wake(self) -> None:
        times = [] if self._core_due is None else [self._core_due]
        if self._output.behind or self._clients.behind:
            times.append(self._now)
        if self._clients.left:
            times.append(self._tidied + TIDY_EVERY)
        dues = self._ends_at, self._owner.due, self._upstreams.due, self._clients.due
        times += [at for at in dues if at is not None]
        self._loop.wake_at = min(times, default=None)

    def _write_file(self, effect: WriteFile) -> None:
        (self._output if effect.bus == OUTPUT else self._openings).write(effect)

    def _finish_soon(self, effect: Finish) -> None:
        self._finishing = True

    def _wake_me(self, effect: WakeMe) -> None:
        self._core_due = effect.at

    # -- reading and writing

    def _read(self, link: Link) -> memoryview | None:
        if self._scratch.full:
            self._flush()
        return link.read(self._scratch)

    def _flush(self) -> None:
        """Write what was queued in this wake-up; then the scratch memory is free again."""
        self._clients.flush()
        if self._upstreams or self._clients.stuck:
            self._upstreams.flush()
            stuck = self._upstreams.stuck
            if stuck != self._clients.stuck:
                self._clients.stuck = stuck
                self._clients.look_again()
            self._clients.flush()
        if self._watchers:
            self._watchers.flush()
        self._scratch.reset()

    # -- the owner

    def _hear_owner(self, events: int) -> None:
        heard = self._owner.receive()
        if self._owner.orphan:
            self._loop.forget(self._owner.descriptor)
            # Nobody can come into a room any more, or connect a wire: who comes back finds the worker of another desk.
            self._finishing |= self._listening is None or bool(self._wanted)
        if heard is None:
            return
        record, descriptors = heard
        match record.kind:
            case Kind.UPSTREAM:
                connection = socket.socket(fileno=descriptors.pop())
                if record.c:
                    self._upstreams.gain_more(record.a, record.c, connection, record.b)
                else:
                    self._wanted.discard(record.a)
                    self._upstreams.gain(record.a, connection, record.b)
            case Kind.NO_UPSTREAM if record.c:
                self._upstreams.failed_more(record.a, PulseError(record.b))
            case Kind.NO_UPSTREAM:
                self._upstreams.failed(record.a, PulseError(record.b))
            case Kind.ATTACH:
                self._clients.join(socket.socket(fileno=descriptors.pop()), record.a, Right(record.b), NEWEST)
            case Kind.KNOB:
                self._do(Turned(record.a & ~MUTED, record.b, bool(record.a & MUTED)))
            case Kind.FINISH:
                self._finish()
            case Kind.REWIRE:
                self._rewire(record.a, descriptors.pop())
            case Kind.RETIRE:
                self._retire()
            case Kind.TRACE:
                self._watchers.add(self._now, socket.socket(fileno=descriptors.pop()), bool(record.a))
        for descriptor in descriptors:
            os.close(descriptor)

    def _rewire(self, wire: int, descriptor: int) -> None:
        end = end_from_pipe(wire, descriptor)
        if end.is_nowhere:
            self._wanted.discard(wire)
        self._do(Rewired(wire, end))
        self._upstreams.part(wire, end)

    def _retire(self) -> None:
        if self._clients or self._core.keeps_something:
            self._owner.tell(Record(Kind.STAYS))
        else:
            self._finish()

    def _do_upstream(self, event: Event) -> None:
        told = isinstance(event, UpstreamTold) and not isinstance(event.message, Request)
        if told or isinstance(event, UpstreamLost):
            self._owner.stale = True  # streams may have ended
        self._do(event)

    def _want_upstream(self, effect: WantUpstream) -> None:
        if effect.wanted:
            self._wanted.add(effect.wire)
            self._upstreams.expect(effect.wire)
            self._finishing |= self._owner.orphan
        else:
            self._wanted.discard(effect.wire)
            self._upstreams.expect_none(effect.wire)
        self._owner.tell(Record(Kind.WANT, effect.wire, int(effect.wanted)))

    def _finish(self) -> None:
        """End. What was heard until now is in the file, and the file is complete."""
        self._do(Woke(time.monotonic(), time.time()))
        self._clients.leave_all()
        self._output.finish()
        self._owner.tell_news()
        self._owner.tell(Record(Kind.FINISHED))
        self._loop.running = False
