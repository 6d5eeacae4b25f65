"""What the workers of outlets and of rooms share: a server core with real connections around it.

Events come from sockets and the clock, effects go to sockets and to the file or FIFO. After `Worker.run` has begun,
nothing is imported and nothing is opened.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from eardrum.kernel import descriptors, memory
from eardrum.kernel.confinement import confine
from eardrum.kernel.link import Link, Scratch
from eardrum.kernel.loop import READ, WRITE, Loop, readable
from eardrum.kernel.peer import peer_of
from eardrum.protocol.catalog import Error, Request
from eardrum.protocol.conversation import Command, Serving
from eardrum.protocol.message import NEWEST, NO_TAG
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.server.admission import Door, Entry
from eardrum.server.core import Server
from eardrum.server.effects import (
    Answer,
    CloseFifo,
    Finish,
    HangUp,
    KeepLevel,
    Listen,
    OpenFifo,
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
from eardrum.server.events import (
    OUTPUT,
    Asked,
    Clogged,
    Event,
    Joined,
    Left,
    Sound,
    Unclogged,
    UpstreamLost,
    UpstreamTold,
    Woke,
)
from eardrum.server.rights import Right
from eardrum.server.views import MakeView
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.worker.ends import NONE, Ends, Input, Output
from eardrum.worker.openings import Openings, Places
from eardrum.worker.owner import Owner
from eardrum.worker.records import Kind, Record
from eardrum.worker.spec import MOST_CONNECTIONS
from eardrum.worker.tracing import Watchers
from eardrum.worker.upstream_links import UpstreamLinks

CLOG_BYTES = 64 * 1024  # more than this unread, and a client is not read from
TURN = 0.005  # seconds of a wake-up for what clients say; sound that is due waits no longer
HEARD_AT_ONCE = 256  # packets of one client in one wake-up; the others are heard too
HEARD_AT_LEAST = 4  # even if the turn is over
CROWD = 2  # clients that are asked for sound at once, and will answer at once
ANSWERING = 0.001  # seconds that a crowd is given to answer, so that many are heard in one wake-up
MOST_RESTS = 4  # times in a row, while several have not answered
ACCEPTED_AT_ONCE = 16
TIDY_EVERY = 0.5  # seconds at least between two times that freed memory is given back


class _Connection:
    """One client: its socket and our side of the conversation."""

    __slots__ = ("clogged", "conversation", "ending", "link", "number", "unheard", "waits_for")

    def __init__(self, number: int, connection: socket.socket, conversation: Serving) -> None:
        self.number = number
        self.link = Link(connection)
        self.conversation = conversation
        self.clogged = False
        self.ending = False
        self.unheard: list[Command | SoundPacket] = []  # was read and is to be done in later wake-ups
        self.waits_for = READ


def _kept(item: Command | SoundPacket) -> Command | SoundPacket:
    """The item for later: its sound no longer lies in scratch memory."""
    return item._replace(data=memoryview(bytes(item.data))) if isinstance(item, SoundPacket) else item


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
        most_connections: int = MOST_CONNECTIONS,
        places: Places | None = None,
    ) -> None:
        self._name = name
        self._rights = rights
        self._most = min(most_connections, descriptors.connections())
        self._core = Server(make_view, writes_file=(OUTPUT,) if ends.writer is not None else ())
        self._loop = Loop(self._woke, self._settled)
        self._scratch = Scratch()
        self._owner = owner
        self._output = Output(ends.writer, owner)
        self._core.buses.output.steady = ends.steady
        if ends.reader is not None:
            self._core.buses.input.inflow = Input(ends.reader, owner)
        self._upstreams = UpstreamLinks(name, self._loop, self._do_upstream, self._read)
        self._watchers = Watchers(self._loop, self._read)
        self._openings = Openings(self._loop, self._core.buses, self._accept, self._do, places)
        self._listening = socket.socket(fileno=listening) if listening is not None else None
        self._connections: dict[int, _Connection] = {}
        self._next = 0
        self._stuck = False
        self._finishing = False
        self._awaited = 0  # clients that were asked for sound and have not said anything since
        self._rests = 0  # how often they may be waited for
        self._wanted: set[int] = set()  # wires that the owner was asked for
        self._core_due: float | None = None
        self._now = self._alone_since = time.monotonic()
        self._dirty: set[_Connection] = set()  # something was queued, or the socket is ready for more
        self._behind: set[_Connection] = set()  # said more than was done
        self._tidied = 0.0  # when memory was last given back
        self._untidy = False  # a connection has left since
        self._carry_out: dict[type, Callable[[Any], None]] = {
            Answer: self._answer,
            Tell: self._tell,
            SendSound: self._send_sound,
            ReissueSound: self._upstreams.reissue_sound,
            Reissue: self._upstreams.reissue,
            Refuse: self._refuse,
            WakeMe: self._wake_me,
            WriteFile: self._write_file,
            HangUp: self._hang_up,
            Finish: self._finish_soon,
            Listen: self._openings.listen,
            OpenFifo: self._openings.open_fifo,
            CloseFifo: self._openings.close_fifo,
            StopListening: self._openings.stop_listening,
            KeepLevel: self._owner.keep_level,
            WireSays: self._owner.wire_says,
            WantUpstream: self._want_upstream,
        }

    def run(self, confine: Callable[[], None] = confine) -> None:
        """Serve until it is over, confined for ever."""
        self._loop.watch(self._owner.descriptor, READ, self._hear_owner)
        if self._listening is not None:
            self._listening.setblocking(False)
            listening = self._listening
            self._loop.watch(listening.fileno(), READ, lambda events: self._accept(listening))
        confine()
        self._owner.tell(Record(Kind.READY))
        self._set_wake()
        self._loop.run()
        self._openings.close()
        self._loop.close()
        self._owner.close()
        if self._listening is not None:
            self._listening.close()

    def _do(self, event: Event) -> None:
        carry_out = self._carry_out
        for effect in self._core.handle(event):
            carry_out[type(effect)](effect)

    # -- time

    def _woke(self, now: float, wall: float) -> None:
        self._now = now
        if self._core_due is not None and now >= self._core_due:
            self._awaited, self._rests = 0, MOST_RESTS
        self._do(Woke(now, wall))
        for client in self._ready_to_go_on() if self._behind else ():
            self._behind.discard(client)
            self._dirty.add(client)
            self._attend(client, client.unheard)

    def _settled(self) -> None:
        """All events of this wake-up are done: write, tell the owner, see whether it is over."""
        self._flush()
        self._output.catch_up()
        self._owner.report(self._now, lambda: (len(self._connections), *self._core.count_streams()))
        if self._loop.running and self._over:
            self._finish()
        if self._untidy and self._now - self._tidied >= TIDY_EVERY:
            self._untidy, self._tidied = False, self._now
            memory.give_back()
        if self._awaited >= CROWD and self._rests and time.monotonic() - self._now < ANSWERING:
            self._rests -= 1
            self._loop.rest = ANSWERING
        self._set_wake()

    @property
    def _over(self) -> bool:
        if self._finishing or (self._owner.orphan and not self._connections):
            return True
        ends_at = self._ends_at
        return ends_at is not None and self._now >= ends_at

    @property
    def _ends_at(self) -> float | None:
        """When it is over if nobody connects until then."""
        lingers = self._owner.lingers
        if lingers is None or self._connections or self._stays:
            return None
        return self._alone_since + lingers

    @property
    def _stays(self) -> bool:
        """It has more to do, or holds what clients to come may ask for."""
        return self._output.writes or bool(self._watchers) or self._core.keeps_something

    def _set_wake(self) -> None:
        times = [] if self._core_due is None else [self._core_due]
        if self._output.behind or (self._behind and self._ready_to_go_on()):
            times.append(self._now)
        if self._untidy:
            times.append(self._tidied + TIDY_EVERY)
        times += [at for at in (self._ends_at, self._owner.due) if at is not None]
        self._loop.wake_at = min(times, default=None)

    # -- clients

    def _accept(self, listening: socket.socket, door: Door | None = None) -> None:
        """Who connects there is judged by the rules of `door`; without one, whoever may open the socket is let in."""
        with contextlib.suppress(OSError):  # nobody there any more, or no descriptor left
            for _ in range(ACCEPTED_AT_ONCE):
                connection, _ = listening.accept()
                if len(self._connections) >= self._most:
                    connection.close()
                    continue
                entry = None if door is None else Entry(door, peer_of(connection, with_groups=door.group is not None))
                self._join(connection, 0, self._rights, 0, entry)

    def _join(
        self, connection: socket.socket, view: int, rights: Right, version: int, entry: Entry | None = None
    ) -> None:
        self._next += 1
        conversation = Serving(version) if version else Serving()
        client = _Connection(self._next, connection, conversation)
        self._connections[client.number] = client
        self._loop.watch(client.link.descriptor, READ, lambda events: self._hear(client, events))
        self._owner.stale = True
        self._do(Joined(client.number, view, rights, version, entry))

    def _hear(self, client: _Connection, events: int) -> None:
        self._awaited -= 1
        if events != READ:
            self._dirty.add(client)
        if not readable(events):
            return
        data = self._read(client.link) if not client.unheard else None
        if data is None:
            self._leave(client)
            return
        try:
            heard = client.conversation.receive(data)
        except RemoteProtocolError:
            self._leave(client)
            return
        self._attend(client, heard)

    def _read(self, link: Link) -> memoryview | None:
        if self._scratch.full:
            self._flush()
        return link.read(self._scratch)

    def _ready_to_go_on(self) -> list[_Connection]:
        return [] if self._stuck else [client for client in self._behind if not client.clogged]

    def _attend(self, client: _Connection, heard: list[Command | SoundPacket]) -> None:
        """Do what the client said, but in one wake-up no more than it may have answers waiting."""
        number, link = client.number, client.link
        client.unheard = []
        for done, item in enumerate(heard):
            if client.ending:
                return
            over = done >= HEARD_AT_LEAST and time.monotonic() - self._now > TURN
            if over or done == HEARD_AT_ONCE or link.queued > CLOG_BYTES:
                client.unheard = [_kept(item) for item in heard[done:]]
                self._behind.add(client)
                self._dirty.add(client)
                return
            if self._watchers:
                self._trace_heard(client, item)
            if isinstance(item, SoundPacket):
                channel, seek, offset, samples, first, total = item
                self._do(Sound(number, channel, seek, offset, samples, first, total))
            else:
                self._owner.stale = True
                self._do(Asked(number, item.tag, item.message))

    def _trace_heard(self, client: _Connection, item: Command | SoundPacket) -> None:
        if isinstance(item, SoundPacket):
            self._watchers.sound(self._now, client.number, "client", item)
        else:
            self._watchers.asked(self._now, client.number, client.conversation.version, item.tag, item.message)

    def _leave(self, client: _Connection) -> None:
        if self._connections.pop(client.number, None) is None:
            return
        self._dirty.discard(client)
        self._behind.discard(client)
        self._loop.forget(client.link.descriptor)
        client.link.close()
        self._alone_since = self._now
        self._untidy = True
        self._owner.stale = True
        self._do(Left(client.number))

    def _answer(self, effect: Answer) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(client.conversation.say(effect.message, effect.tag))
            self._dirty.add(client)
            if self._watchers:
                self._watchers.said(self._now, client.number, client.conversation.version, effect.tag, effect.message)

    def _refuse(self, effect: Refuse) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(client.conversation.refuse(effect.tag, effect.error))
            self._dirty.add(client)
            if self._watchers:
                error = Error(code=effect.error)
                version = client.conversation.version
                self._watchers.said(self._now, client.number, version, effect.tag, error, effect.why)

    def _tell(self, effect: Tell) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(client.conversation.say(effect.message))
            self._awaited += type(effect.message) is Request
            self._dirty.add(client)
            if self._watchers:
                self._watchers.said(self._now, client.number, client.conversation.version, NO_TAG, effect.message)

    def _send_sound(self, effect: SendSound) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(sound_head(effect.channel, len(effect.data)), effect.data)
            self._dirty.add(client)
            if self._watchers:
                data = memoryview(effect.data)
                packet = SoundPacket(effect.channel, 0, 0, data, True, len(data))
                self._watchers.sound(self._now, client.number, "server", packet)

    def _write_file(self, effect: WriteFile) -> None:
        (self._output if effect.bus == OUTPUT else self._openings).write(effect)

    def _hang_up(self, effect: HangUp) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.ending = True
            self._dirty.add(client)

    def _finish_soon(self, effect: Finish) -> None:
        self._finishing = True

    def _wake_me(self, effect: WakeMe) -> None:
        self._core_due = effect.at

    # -- writing

    def _flush(self) -> None:
        """Write what was queued in this wake-up; then the scratch memory is free again."""
        while self._dirty:
            self._flush_client(self._dirty.pop())
        self._upstreams.flush()
        stuck = self._upstreams.stuck
        if stuck != self._stuck:  # while an upstream does not take what it is sent, no client is read from
            self._stuck = stuck
            self._dirty.update(self._connections.values())
        while self._dirty:
            self._flush_client(self._dirty.pop())
        self._watchers.flush()
        self._scratch.reset()

    def _flush_client(self, client: _Connection) -> None:
        if not client.link.flush() or client.ending:  # an ending client that does not read is not waited for
            self._leave(client)
            return
        self._set_clogged(client)
        self._wait_for(client)

    def _set_clogged(self, client: _Connection) -> None:
        queued = client.link.queued
        if not client.clogged and queued > CLOG_BYTES:
            client.clogged = True
            self._do(Clogged(client.number))
        elif client.clogged and not queued:
            client.clogged = False
            self._do(Unclogged(client.number))
            client.link.flush()

    def _wait_for(self, client: _Connection) -> None:
        reading = READ if not (client.clogged or self._stuck or client.unheard) else 0
        wanted = reading | (WRITE if client.link.queued else 0)
        if wanted != client.waits_for:
            client.waits_for = wanted
            self._loop.change(client.link.descriptor, wanted)

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
                self._wanted.discard(record.a)
                self._upstreams.gain(record.a, socket.socket(fileno=descriptors.pop()), record.b)
            case Kind.NO_UPSTREAM:
                self._wanted.discard(record.a)
                self._upstreams.failed(record.a, self._now, PulseError(record.b))
            case Kind.ATTACH:
                self._join(socket.socket(fileno=descriptors.pop()), record.a, Right(record.b), NEWEST)
            case Kind.FINISH:
                self._finish()
            case Kind.TRACE:
                self._watchers.add(self._now, socket.socket(fileno=descriptors.pop()), bool(record.a))
        for descriptor in descriptors:
            os.close(descriptor)

    def _do_upstream(self, event: Event) -> None:
        told = isinstance(event, UpstreamTold) and not isinstance(event.message, Request)
        if told or isinstance(event, UpstreamLost):
            self._owner.stale = True  # streams may have ended
        self._do(event)

    def _want_upstream(self, effect: WantUpstream) -> None:
        error = self._upstreams.hopeless(effect.wire, self._now)
        if error is None:
            self._wanted.add(effect.wire)
            self._finishing |= self._owner.orphan
            self._owner.tell(Record(Kind.WANT, effect.wire))
        else:
            self._do(UpstreamLost(effect.wire, error))

    def _finish(self) -> None:
        """End. What was heard until now is in the file, and the file is complete."""
        self._do(Woke(time.monotonic(), time.time()))
        for client in tuple(self._connections.values()):
            self._leave(client)
        self._output.finish()
        self._owner.tell_news()
        self._owner.tell(Record(Kind.FINISHED))
        self._loop.running = False
