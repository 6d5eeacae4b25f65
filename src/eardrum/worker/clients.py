"""The clients of a worker: their connections are read and written here.

Wake-ups are what costs. A client that every cycle asks for sound is *paced*: nobody waits for its answer, it is read
when the next cycle is due. What else it says then waits as long, so who has just said a command is not paced.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

from eardrum.kernel import descriptors
from eardrum.kernel.link import READ_BYTES, Link, Scratch
from eardrum.kernel.loop import READ, WRITE, Loop, gone, readable
from eardrum.kernel.peer import peer_of
from eardrum.protocol.catalog import Error, GetPlaybackLatency, Request, ServerInfo
from eardrum.protocol.conversation import Command, Serving
from eardrum.protocol.message import NO_TAG, OLDEST
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.server.admission import Door, Entry
from eardrum.server.effects import Answer, HangUp, Refuse, SendSound, Tell
from eardrum.server.events import Asked, Brought, Clogged, Event, Joined, Left, Sound, Unclogged
from eardrum.server.rights import Right
from eardrum.terms.budget import Budget
from eardrum.terms.errors import RemoteProtocolError
from eardrum.worker.connection import Connection, kept
from eardrum.worker.deadlines import Deadlines
from eardrum.worker.owner import Owner
from eardrum.worker.tracing import Watchers

TURN = 0.005  # seconds of a wake-up for what clients say; sound that is due waits no longer
HEARD_AT_ONCE = 256  # packets of one client in one wake-up; the others are heard too
HEARD_AT_LEAST = 4  # even if the turn is over
ACCEPTED_AT_ONCE = 16
SOON = 0.0125  # seconds; who is asked for sound and will be again so soon is paced
UNREAD = 0.003  # seconds that a paced client is left alone if the worker wakes up for something else
SILENT = 4  # times without an answer, and a paced client is waited for again
TALKS = 0.5  # seconds after a command in which a client is not paced, for more may follow
CROWD = 2  # clients that are asked for sound at once, and will answer at once
ANSWERING = 0.001  # seconds that a crowd is given to answer, so that many are heard in one wake-up
MOST_RESTS = 4  # times in a row, while several have not answered


class Clients:
    """`do` takes events, `read` reads a link into `scratch`, which is free again after a flush.

    `now` (seconds) and `stuck` are told by the worker: while an upstream is stuck, no client is read from.
    """

    def __init__(
        self,
        loop: Loop,
        owner: Owner,
        watchers: Watchers,
        scratch: Scratch,
        read: Callable[[Link], memoryview | None],
        do: Callable[[Event], None],
        *,
        rights: Right,
        budget: Budget,
    ) -> None:
        self.now = self.alone_since = time.monotonic()
        self.stuck = False
        self.left = False  # somebody has, since the worker looked
        self.informed: dict[int, tuple[Connection, bytes]] = {}  # by descriptor: told of the server by the last event
        self._loop = loop
        self._owner = owner
        self._watchers = watchers
        self._scratch = scratch
        self._read = read
        self._do = do
        self._rights = rights
        self._budget = budget
        self._most = min(budget.connections, descriptors.connections())
        self._deadlines = Deadlines(budget.packet_seconds)
        self._clogged: set[Connection] = set()
        self._connections: dict[int, Connection] = {}
        self._next = 0
        self._dirty: set[Connection] = set()  # something was queued, or the socket is ready for more
        self._behind: set[Connection] = set()  # said more than was done
        self._paced: dict[Connection, None] = {}
        self._heard_at = 0.0  # when they were read last, in seconds
        self._asked: set[Connection] = set()  # were asked for sound in this wake-up, and are not paced
        self._awaited = 0  # clients that were asked for sound and have not said anything since
        self._rests = 0  # how often they may be waited for

    def __len__(self) -> int:
        return len(self._connections)

    # -- who comes and goes

    def accept(self, listening: socket.socket, door: Door | None = None) -> None:
        """Who connects there is judged by the rules of `door`; without one, whoever may open the socket is let in."""
        with contextlib.suppress(OSError):  # nobody there any more, or no descriptor left
            for _ in range(ACCEPTED_AT_ONCE):
                connection, _ = listening.accept()
                if len(self._connections) >= self._most:
                    connection.close()
                    continue
                entry = None if door is None else Entry(door, peer_of(connection, with_groups=door.group is not None))
                self.join(connection, 0, self._rights, 0, entry)

    def join(
        self, connection: socket.socket, view: int, rights: Right, version: int, entry: Entry | None = None
    ) -> None:
        """Serve this connection. One that the desk vouches for speaks `version` at once."""
        self._next += 1
        conversation = Serving(version or OLDEST, once=not rights & Right.OWN)
        client = Connection(self._next, connection, conversation)
        self._connections[client.number] = client
        self._loop.watch(client.link.descriptor, READ, lambda events: self._hear(client, events))
        self._owner.stale = True
        self._do(Joined(client.number, view, rights, version, entry))

    def leave_all(self) -> None:
        for client in tuple(self._connections.values()):
            self._leave(client)

    def _leave(self, client: Connection) -> None:
        if self._connections.pop(client.number, None) is None:
            return
        self._dirty.discard(client)
        self._behind.discard(client)
        self._asked.discard(client)
        self._clogged.discard(client)
        self._deadlines.forget(client)
        if client.paced:
            client.paced = False
            del self._paced[client]
        self._loop.forget(client.link.descriptor)
        client.link.close()
        self.alone_since = self.now
        self.left = True
        self._owner.stale = True
        self._do(Left(client.number))

    def connection(self, number: int) -> Connection | None:
        return self._connections.get(number)

    def touch(self, client: Connection) -> None:
        """Something was queued for it, or it does not take what it was sent."""
        self._dirty.add(client)

    # -- what they say

    @property
    def overdue(self) -> bool:
        """What other clients say may let the buses go on, and what the paced ones have sent must be there by then."""
        return bool(self._paced) and self.now - self._heard_at >= UNREAD

    def hear_paced(self) -> None:
        """A cycle is due, or may come: read those who were asked for it. Who says more than sound comes last: that may
        let the buses go on.
        """
        self._heard_at = self.now
        self._awaited, self._rests = 0, MOST_RESTS
        sounds: list[Sound] = []
        talking: list[tuple[Connection, list[Command | SoundPacket]]] = []
        for client in tuple(self._paced):
            if client.held_up:
                continue
            if self._scratch.full:
                self._do(Brought(sounds))
                sounds = []
            heard = self._receive(client)
            if not heard:
                client.silent += 1
                if client.silent == SILENT and client.paced:
                    self._unpace(client)
                continue
            client.silent = 0
            item = heard[0]
            if len(heard) == 1 and isinstance(item, SoundPacket):
                sounds.append(Sound(client.number, *item))
                if self._watchers:
                    self._trace_heard(client, item)
            else:
                talking.append((client, [kept(item) for item in heard]))
        self._do(Brought(sounds))
        for client, heard in talking:
            if client.number in self._connections:
                self._attend(client, heard)

    @property
    def due(self) -> float | None:
        """When `keep_deadlines` must be called, in seconds."""
        return self._deadlines.due

    def keep_deadlines(self) -> None:
        """Read those again who have said too much, and leave those who do not end what they began."""
        again, overdue = self._deadlines.pass_by(self.now)
        for client in overdue:
            self._leave(client)
        for client in again:
            self._dirty.add(client)

    def go_on(self) -> None:
        """Do more of what was said in earlier wake-ups."""
        for client in self._ready_to_go_on() if self._behind else ():
            self._behind.discard(client)
            self._dirty.add(client)
            self._attend(client, client.unheard)

    @property
    def behind(self) -> bool:
        """There is something to go on with."""
        return bool(self._behind and self._ready_to_go_on())

    def _ready_to_go_on(self) -> list[Connection]:
        return [] if self.stuck else [each for each in self._behind if not (each.clogged or each.late_until)]

    def _hear(self, client: Connection, events: int) -> None:
        self._awaited -= 1
        if events != READ:
            self._dirty.add(client)
        if (self.stuck or client.late_until) and client.unheard and gone(events):
            self._leave(client)  # what it said cannot be done, and its end would wake us for ever
        elif readable(events) and (heard := self._receive(client)):
            self._attend(client, heard)

    def heard(self, client: Connection, data: memoryview | None) -> None:
        """This was read from its link; None: that has ended."""
        if heard := self._understand(client, data):
            self._attend(client, heard)

    def _receive(self, client: Connection) -> list[Command | SoundPacket]:
        """What it has said; it leaves if that is the end, or was nonsense."""
        return [] if client.unheard else self._understand(client, self._read(client.link))

    def _understand(self, client: Connection, data: memoryview | None) -> list[Command | SoundPacket]:
        try:
            if data is not None:
                if len(data) == READ_BYTES and client.paced:
                    self._unpace(client)  # there is more than fits between two cycles
                heard = client.conversation.receive(data)
                if client.conversation.reader.begun:
                    self._note_begun(client, heard)
                elif client.begun_at:
                    client.begun_at = 0.0
                return heard
        except RemoteProtocolError:
            pass
        self._leave(client)
        return []

    def _note_begun(self, client: Connection, heard: list[Command | SoundPacket]) -> None:
        before = client.begun_at
        client.note_begun(heard, self.now)
        if not before:
            self._deadlines.note_begun(client)

    def _attend(self, client: Connection, heard: list[Command | SoundPacket]) -> None:
        """Do what the client said, but in one wake-up no more than it may have answers waiting."""
        number, link, unread = client.number, client.link, self._budget.unread_bytes
        client.unheard = []
        commands = 0
        for done, item in enumerate(heard):
            if client.ending:
                break
            over = done >= HEARD_AT_LEAST and time.monotonic() - self.now > TURN
            if over or done == HEARD_AT_ONCE or link.queued > unread or client.late_until:
                client.unheard = [kept(item) for item in heard[done:]]
                self._behind.add(client)
                self._dirty.add(client)
                break
            if self._watchers:
                self._trace_heard(client, item)
            if isinstance(item, SoundPacket):
                self._do(Sound(number, *item))
            else:
                self._owner.stale = True
                if not isinstance(item.message, GetPlaybackLatency):
                    self._talks(client)
                commands += 1
                self._do(Asked(number, item.tag, item.message))
        if commands and client.charge(commands, self.now, self._budget):
            self._deadlines.note_late(client)
            self._dirty.add(client)

    def _trace_heard(self, client: Connection, item: Command | SoundPacket) -> None:
        if isinstance(item, SoundPacket):
            self._watchers.sound(self.now, client.number, "client", item)
        else:
            self._watchers.asked(self.now, client.number, client.conversation.version, item.tag, item.message)

    def _talks(self, client: Connection) -> None:
        client.quiet_from = self.now + TALKS
        if client.paced:
            self._unpace(client)

    # -- what they are told

    def answer(self, effect: Answer) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            packet = client.conversation.say(effect.message, effect.tag)
            client.link.queue(packet)
            self._dirty.add(client)
            if type(effect.message) is ServerInfo:
                self.informed[client.link.descriptor] = client, packet
            if self._watchers:
                self._watchers.said(self.now, client.number, client.conversation.version, effect.tag, effect.message)

    def refuse(self, effect: Refuse) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(client.conversation.refuse(effect.tag, effect.error))
            self._dirty.add(client)
            if self._watchers:
                error = Error(code=effect.error)
                version = client.conversation.version
                self._watchers.said(self.now, client.number, version, effect.tag, error, effect.why)

    def tell(self, effect: Tell) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(client.conversation.say(effect.message))
            if type(effect.message) is Request:
                self._awaited += 1
                if not client.paced:
                    self._asked.add(client)
            self._dirty.add(client)
            if self._watchers:
                self._watchers.said(self.now, client.number, client.conversation.version, NO_TAG, effect.message)

    def send_sound(self, effect: SendSound) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(sound_head(effect.channel, len(effect.data)), effect.data)
            self._dirty.add(client)
            if self._watchers:
                data = memoryview(effect.data)
                packet = SoundPacket(effect.channel, 0, 0, data, True, len(data))
                self._watchers.sound(self.now, client.number, "server", packet)

    def hang_up(self, effect: HangUp) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.ending = True
            self._dirty.add(client)

    # -- writing, and when who is read

    def flush(self) -> None:
        """Write what was queued."""
        while self._dirty:
            self._flush_client(self._dirty.pop())

    def look_again(self) -> None:
        """Whether somebody is read from may have changed."""
        self._dirty.update(self._connections.values())

    def settle(self, due: float | None) -> None:
        """All of a wake-up is done, and the next cycle is `due`: see who is paced, and who is given time to answer."""
        if due is not None and due - self.now <= SOON:
            for client in self._asked:
                if self.now >= client.quiet_from and not client.ending:
                    client.paced, client.silent = True, 0
                    self._paced[client] = None
                    self._wait_for(client)
        else:
            for client in tuple(self._paced):
                self._unpace(client)
            if self._awaited >= CROWD and self._rests and time.monotonic() - self.now < ANSWERING:
                self._rests -= 1
                self._loop.rest = ANSWERING
        self._asked.clear()

    def _unpace(self, client: Connection) -> None:
        client.paced = False
        del self._paced[client]
        self._wait_for(client)

    def _flush_client(self, client: Connection) -> None:
        if not client.link.flush() or client.ending:  # an ending client that does not read is not waited for
            self._leave(client)
            return
        if client.link.queued or client.clogged:
            self._set_clogged(client)
        self._wait_for(client)

    def _set_clogged(self, client: Connection) -> None:
        queued = client.link.queued
        if queued > self._budget.unread_bytes:
            if not client.clogged:
                client.clogged = True
                self._clogged.add(client)
                self._do(Clogged(client.number))
            if sum(each.link.queued for each in self._clogged) > self._budget.pending_bytes:
                self._leave(max(self._clogged, key=lambda each: each.link.queued))
        elif client.clogged and not queued:
            client.clogged = False
            self._clogged.discard(client)
            self._do(Unclogged(client.number))
            client.link.flush()

    def _wait_for(self, client: Connection) -> None:
        if client.number not in self._connections:
            return
        held_up = bool(client.clogged or self.stuck or client.unheard or client.late_until)
        if held_up != client.held_up:
            client.held_up = held_up
            if client.begun_at:
                client.begun_at = self.now  # its time begins when it is read
        reading = READ if not (held_up or client.paced) else 0
        wanted = reading | (WRITE if client.link.queued else 0)
        if wanted != client.waits_for:
            client.waits_for = wanted
            self._loop.change(client.link.descriptor, wanted)
