"""What the workers of outlets and of rooms share: a server core with real connections around it.

Events come from sockets and the clock, effects go to sockets and the file. After `Worker.run` has begun, nothing is
imported and nothing is opened.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from eardrum.kernel import seqpacket
from eardrum.kernel.confinement import confine
from eardrum.kernel.link import Link, Scratch
from eardrum.kernel.loop import READ, WRITE, Loop, readable
from eardrum.kernel.sound_files import FileWriter
from eardrum.protocol.catalog import Error, Request
from eardrum.protocol.conversation import Command, Serving
from eardrum.protocol.message import NEWEST, NO_TAG
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.server.core import Server
from eardrum.server.effects import (
    Answer,
    HangUp,
    KeepLevel,
    Refuse,
    Reissue,
    ReissueSound,
    SendSound,
    Tell,
    WakeMe,
    WantUpstream,
    WireSays,
    WriteFile,
)
from eardrum.server.events import (
    Asked,
    Clogged,
    Event,
    Joined,
    Left,
    Sound,
    Unclogged,
    UpstreamAnswered,
    UpstreamLost,
    UpstreamReady,
    UpstreamRefused,
    UpstreamSound,
    UpstreamTold,
    Woke,
)
from eardrum.server.mixed import Bus
from eardrum.server.objects import View
from eardrum.server.rights import Right
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.upstream.streams import Answered, Recorded, RefusedThat, Said, Streams
from eardrum.worker.records import FROM_DESK, MUTED, RECORD_BYTES, Kind, Record, parse
from eardrum.worker.tracing import Tracing, Watcher

MOST_CONNECTIONS = 256
CLOG_BYTES = 64 * 1024  # more than this unread, and a client is not read from
STUCK_BYTES = 256 * 1024  # more than this unsent upstream, and no client is read from
HEARD_AT_ONCE = 256  # packets of one client in one wake-up; the others are heard too
ACCEPTED_AT_ONCE = 16
LINGER = 20.0  # seconds that a worker waits for the next connection
COUNTS_EVERY = 0.5  # seconds at least between two reports of counts and levels
RETRY_EVERY = 0.5  # seconds until the desk is asked again for an upstream that could not be reached


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


class _Upstream:
    """The upstream connection of one wire."""

    __slots__ = ("link", "streams", "waits_for")

    def __init__(self, connection: socket.socket, version: int) -> None:
        self.link = Link(connection)
        self.streams = Streams(version)
        self.waits_for = READ


class Worker:
    """One process. `name` is the outlet's or the room's.

    It ends a while after its last connection, unless it holds a file: then it stays until the desk says FINISH.
    """

    def __init__(
        self,
        name: str,
        make_view: Callable[[int, Bus], View],
        desk: int,
        *,
        listening: int | None = None,
        rights: Right = Right.NONE,
        writer: FileWriter | None = None,
    ) -> None:
        self._name = name
        self._rights = rights
        self._core = Server(make_view, writes_file=writer is not None)
        self._loop = Loop(self._woke, self._settled)
        self._scratch = Scratch()
        self._desk = socket.socket(fileno=desk)
        self._desk.setblocking(False)
        self._orphan = False
        self._listening = socket.socket(fileno=listening) if listening is not None else None
        self._writer = writer
        self._connections: dict[int, _Connection] = {}
        self._upstreams: dict[int, _Upstream] = {}
        self._unreachable: dict[int, tuple[float, PulseError]] = {}  # wires: when and why the desk could not connect
        self._news: dict[tuple[Kind, int], Record] = {}  # by kind and wire: what the desk is told with the next counts
        self._next = 0
        self._stuck = False
        self._core_due: float | None = None
        self._now = self._alone_since = time.monotonic()
        self._tracing: Tracing | None = None  # while somebody watches
        self._dirty: set[_Connection] = set()  # something was queued, or the socket is ready for more
        self._behind: set[_Connection] = set()  # said more than was done
        self._counts = (0, 0, 0)
        self._counted = 0.0
        self._recount = False
        self._carry_out: dict[type, Callable[[Any], None]] = {
            Answer: self._answer,
            Tell: self._tell,
            SendSound: self._send_sound,
            ReissueSound: self._reissue_sound,
            Reissue: self._reissue,
            Refuse: self._refuse,
            WakeMe: self._wake_me,
            WriteFile: self._write_file,
            HangUp: self._hang_up,
            KeepLevel: self._keep_level,
            WireSays: self._wire_says,
            WantUpstream: self._want_upstream,
        }

    def run(self, confine: Callable[[], None] = confine) -> None:
        """Serve until it is over, confined for ever."""
        self._loop.watch(self._desk.fileno(), READ, self._hear_desk)
        if self._listening is not None:
            self._listening.setblocking(False)
            self._loop.watch(self._listening.fileno(), READ, self._accept)
        confine()
        self._tell_desk(Record(Kind.READY))
        self._set_wake()
        self._loop.run()
        self._loop.close()
        self._desk.close()
        if self._listening is not None:
            self._listening.close()

    def _do(self, event: Event) -> None:
        carry_out = self._carry_out
        for effect in self._core.handle(event):
            carry_out[type(effect)](effect)

    # -- time

    def _woke(self, now: float, wall: float) -> None:
        self._now = now
        self._do(Woke(now, wall))
        for client in self._ready_to_go_on():
            self._behind.discard(client)
            self._dirty.add(client)
            self._attend(client, client.unheard)

    def _settled(self) -> None:
        """All events of this wake-up are done: write, tell the desk, see whether it is over."""
        self._flush()
        self._count()
        if self._loop.running and not self._connections and (self._orphan or self._lonely):
            self._finish()
        self._set_wake()

    @property
    def _lonely(self) -> bool:
        return self._writer is None and self._tracing is None and self._now - self._alone_since >= LINGER

    def _set_wake(self) -> None:
        times = [] if self._core_due is None else [self._core_due]
        if self._ready_to_go_on():
            times.append(self._now)
        if not self._connections and self._writer is None and self._tracing is None:
            times.append(self._alone_since + LINGER)
        if self._recount:
            times.append(self._counted + COUNTS_EVERY)
        self._loop.wake_at = min(times, default=None)

    # -- clients

    def _accept(self, events: int) -> None:
        assert self._listening is not None
        with contextlib.suppress(OSError):  # nobody there any more, or no descriptor left
            for _ in range(ACCEPTED_AT_ONCE):
                connection, _ = self._listening.accept()
                if len(self._connections) >= MOST_CONNECTIONS:
                    connection.close()
                    continue
                self._join(connection, 0, self._rights, 0)

    def _join(self, connection: socket.socket, view: int, rights: Right, version: int) -> None:
        self._next += 1
        conversation = Serving(version) if version else Serving()
        client = _Connection(self._next, connection, conversation)
        self._connections[client.number] = client
        self._loop.watch(client.link.descriptor, READ, lambda events: self._hear(client, events))
        self._recount = True
        self._do(Joined(client.number, view, rights, version))

    def _hear(self, client: _Connection, events: int) -> None:
        self._dirty.add(client)
        if not readable(events):
            return
        if self._scratch.full:
            self._flush()
        data = client.link.read(self._scratch) if not client.unheard else None
        if data is None:
            self._leave(client)
            return
        try:
            heard = client.conversation.receive(data)
        except RemoteProtocolError:
            self._leave(client)
            return
        self._attend(client, heard)

    def _ready_to_go_on(self) -> list[_Connection]:
        return [] if self._stuck else [client for client in self._behind if not client.clogged]

    def _attend(self, client: _Connection, heard: list[Command | SoundPacket]) -> None:
        """Do what the client said, but in one wake-up no more than it may have answers waiting."""
        number, link = client.number, client.link
        client.unheard = []
        for done, item in enumerate(heard):
            if client.ending:
                return
            if done == HEARD_AT_ONCE or link.queued > CLOG_BYTES:
                client.unheard = [_kept(item) for item in heard[done:]]
                self._behind.add(client)
                self._dirty.add(client)
                return
            if self._tracing:
                self._trace_heard(client, item)
            if isinstance(item, SoundPacket):
                channel, seek, offset, samples, first, total = item
                self._do(Sound(number, channel, seek, offset, samples, first, total))
            else:
                self._recount = True
                self._do(Asked(number, item.tag, item.message))

    def _trace_heard(self, client: _Connection, item: Command | SoundPacket) -> None:
        assert self._tracing is not None
        if isinstance(item, SoundPacket):
            self._tracing.sound(self._now, client.number, "client", item)
        else:
            self._tracing.asked(self._now, client.number, client.conversation.version, item.tag, item.message)

    def _leave(self, client: _Connection) -> None:
        if self._connections.pop(client.number, None) is None:
            return
        self._dirty.discard(client)
        self._behind.discard(client)
        self._loop.forget(client.link.descriptor)
        client.link.close()
        self._alone_since = self._now
        self._recount = True
        self._do(Left(client.number))

    def _answer(self, effect: Answer) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(client.conversation.say(effect.message, effect.tag))
            self._dirty.add(client)
            if self._tracing:
                self._tracing.said(self._now, client.number, client.conversation.version, effect.tag, effect.message)

    def _refuse(self, effect: Refuse) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(client.conversation.refuse(effect.tag, effect.error))
            self._dirty.add(client)
            if self._tracing:
                error = Error(code=effect.error)
                version = client.conversation.version
                self._tracing.said(self._now, client.number, version, effect.tag, error, effect.why)

    def _tell(self, effect: Tell) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(client.conversation.say(effect.message))
            self._dirty.add(client)
            if self._tracing:
                self._tracing.said(self._now, client.number, client.conversation.version, NO_TAG, effect.message)

    def _send_sound(self, effect: SendSound) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.link.queue(sound_head(effect.channel, len(effect.data)), effect.data)
            self._dirty.add(client)
            if self._tracing:
                data = memoryview(effect.data)
                packet = SoundPacket(effect.channel, 0, 0, data, True, len(data))
                self._tracing.sound(self._now, client.number, "server", packet)

    def _hang_up(self, effect: HangUp) -> None:
        client = self._connections.get(effect.client)
        if client is not None:
            client.ending = True
            self._dirty.add(client)

    def _wake_me(self, effect: WakeMe) -> None:
        self._core_due = effect.at

    # -- writing

    def _flush(self) -> None:
        """Write what was queued in this wake-up; then the scratch memory is free again."""
        while self._dirty:
            self._flush_client(self._dirty.pop())
        for wire, upstream in tuple(self._upstreams.items()):
            if upstream.link.flush():
                self._wait_for_upstream(upstream)
            else:
                self._lose_upstream(wire)
        stuck = any(upstream.link.queued > STUCK_BYTES for upstream in self._upstreams.values())
        if stuck != self._stuck:  # while an upstream does not take what it is sent, no client is read from
            self._stuck = stuck
            self._dirty.update(self._connections.values())
        while self._dirty:
            self._flush_client(self._dirty.pop())
        if self._tracing:
            self._flush_watchers(self._tracing)
        self._scratch.reset()

    def _flush_watchers(self, tracing: Tracing) -> None:
        for watcher in tuple(tracing.watchers):
            if watcher.link.flush():
                self._loop.change(watcher.link.descriptor, READ | (WRITE if watcher.link.queued else 0))
            else:
                self._lose_watcher(watcher)

    def _watch(self, connection: socket.socket, sound: bool) -> None:
        """Somebody wants to see the conversations; what they say themselves is not heard."""
        self._tracing = self._tracing or Tracing()
        watcher = self._tracing.add(self._now, connection, sound)

        def happened(events: int) -> None:
            if readable(events):
                if self._scratch.full:
                    self._flush()
                if watcher.link.read(self._scratch) is None:
                    self._lose_watcher(watcher)

        self._loop.watch(watcher.link.descriptor, READ, happened)

    def _lose_watcher(self, watcher: Watcher) -> None:
        if self._tracing is not None and watcher in self._tracing.watchers:
            self._tracing.watchers.remove(watcher)
            self._loop.forget(watcher.link.descriptor)
            watcher.link.close()
            if not self._tracing.watchers:
                self._tracing = None
                self._alone_since = self._now

    def _flush_client(self, client: _Connection) -> None:
        if not client.link.flush() or client.ending:  # an ending client that does not read is not waited for
            self._leave(client)
            return
        self._set_clogged(client)
        self._wait_for(client)

    def _wait_for_upstream(self, upstream: _Upstream) -> None:
        wanted = READ | (WRITE if upstream.link.queued else 0)
        if wanted != upstream.waits_for:
            upstream.waits_for = wanted
            self._loop.change(upstream.link.descriptor, wanted)

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

    def _write_file(self, effect: WriteFile) -> None:
        if self._writer is None:
            return
        try:
            if effect.silence:
                self._writer.silence(effect.silence)
            self._writer.write(effect.block)
        except OSError:  # the disk is full: what is written is a valid file, and the outlet plays on
            with contextlib.suppress(OSError):
                self._writer.finish()
            self._writer = None
            self._tell_desk(Record(Kind.FILE_FAILED))

    # -- upstream

    def _reissue(self, effect: Reissue) -> None:
        upstream = self._upstreams.get(effect.wire)
        if upstream is not None:
            upstream.link.queue(upstream.streams.say(effect.stream, effect.token, effect.message))

    def _reissue_sound(self, effect: ReissueSound) -> None:
        upstream = self._upstreams.get(effect.wire)
        if upstream is not None:
            head = upstream.streams.sound_head(effect.stream, len(effect.data), effect.seek, effect.offset)
            if head:
                upstream.link.queue(head, effect.data)

    def _hear_upstream(self, wire: int, upstream: _Upstream, events: int) -> None:
        if not readable(events):
            return
        if self._scratch.full:
            self._flush()
        data = upstream.link.read(self._scratch)
        if data is None:
            self._lose_upstream(wire)
            return
        try:
            outcomes = upstream.streams.receive(data)
        except RemoteProtocolError:
            self._lose_upstream(wire)
            return
        for outcome in outcomes:
            match outcome:
                case Recorded(stream, samples):
                    self._do(UpstreamSound(stream, samples))
                case Said(stream, message):
                    self._recount = self._recount or not isinstance(message, Request)
                    self._do(UpstreamTold(stream, message))
                case Answered(token, message):
                    self._do(UpstreamAnswered(token, message))
                case RefusedThat(token, error):
                    self._do(UpstreamRefused(token, error))

    def _want_upstream(self, effect: WantUpstream) -> None:
        """Ask the desk, but not again at once where it has just failed: programs may try as fast as they can."""
        since, error = self._unreachable.get(effect.wire, (-RETRY_EVERY, PulseError.CONNECTIONREFUSED))
        if self._now - since < RETRY_EVERY:
            self._do(UpstreamLost(effect.wire, error))
        else:
            self._tell_desk(Record(Kind.WANT, effect.wire))

    def _gain_upstream(self, wire: int, connection: socket.socket, version: int) -> None:
        if wire in self._upstreams:
            self._lose_upstream(wire)
        upstream = self._upstreams[wire] = _Upstream(connection, version)
        self._loop.watch(upstream.link.descriptor, READ, lambda events: self._hear_upstream(wire, upstream, events))
        upstream.link.queue(upstream.streams.hello(self._name))
        self._do(UpstreamReady(wire))

    def _lose_upstream(self, wire: int, error: PulseError = PulseError.CONNECTIONTERMINATED) -> None:
        upstream = self._upstreams.pop(wire, None)
        if upstream is not None:
            self._loop.forget(upstream.link.descriptor)
            upstream.link.close()
        self._recount = True
        self._do(UpstreamLost(wire, error))

    # -- the desk

    def _hear_desk(self, events: int) -> None:
        try:
            packet, descriptors = seqpacket.receive(self._desk, RECORD_BYTES, 1)
        except BlockingIOError:
            return
        except (OSError, RemoteProtocolError):
            packet, descriptors = b"", []
        try:
            record = parse(packet, FROM_DESK)
        except RemoteProtocolError:  # the desk is gone, or it says what no desk says
            self._orphan = True
            self._loop.forget(self._desk.fileno())
            for descriptor in descriptors:
                os.close(descriptor)
            return
        match record.kind:
            case Kind.UPSTREAM:
                self._gain_upstream(record.a, socket.socket(fileno=descriptors.pop()), record.b)
            case Kind.NO_UPSTREAM:
                self._unreachable[record.a] = (self._now, PulseError(record.b))
                self._lose_upstream(record.a, PulseError(record.b))
            case Kind.ATTACH:
                self._join(socket.socket(fileno=descriptors.pop()), record.a, Right(record.b), NEWEST)
            case Kind.FINISH:
                self._finish()
            case Kind.TRACE:
                self._watch(socket.socket(fileno=descriptors.pop()), bool(record.a))
        for descriptor in descriptors:
            os.close(descriptor)

    def _tell_desk(self, record: Record) -> None:
        if not self._orphan:
            with contextlib.suppress(OSError):
                seqpacket.send(self._desk, bytes(record))

    def _count(self) -> None:
        if self._recount and self._now - self._counted >= COUNTS_EVERY:
            self._recount = False
            self._counted = self._now
            counts = (len(self._connections), *self._core.count_streams())
            if counts != self._counts:
                self._counts = counts
                self._tell_desk(Record(Kind.COUNTS, *counts))
            self._tell_news()

    def _keep_level(self, effect: KeepLevel) -> None:
        left, right = effect.volume
        level = Record(Kind.LEVEL, effect.wire | (MUTED if effect.muted else 0), left, right)
        self._news[Kind.LEVEL, effect.wire] = level
        self._recount = True

    def _wire_says(self, effect: WireSays) -> None:
        self._news[Kind.WIRE, effect.wire] = Record(Kind.WIRE, effect.wire, effect.error or 0)
        self._recount = True

    def _tell_news(self) -> None:
        while self._news:
            self._tell_desk(self._news.popitem()[1])

    def _finish(self) -> None:
        """End. What was heard until now is in the file, and the file is complete."""
        self._do(Woke(time.monotonic(), time.time()))
        for client in tuple(self._connections.values()):
            self._leave(client)
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.finish()
            self._writer = None
        self._tell_news()
        self._tell_desk(Record(Kind.FINISHED))
        self._loop.running = False
