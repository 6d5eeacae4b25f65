"""The worker's upstream connections: events for the core come in, effects go out.

Each wire that carries has one, and more where that takes no more streams; they are lost together.

One that should have something to say and says nothing is asked whether it lives; without an answer it is lost.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

from eardrum.kernel.link import Link
from eardrum.kernel.loop import READ, WRITE, Loop, readable
from eardrum.protocol.catalog import (
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    DrainPlaybackStream,
    PlaybackStreamKilled,
    RecordStreamKilled,
    Stat,
)
from eardrum.server.effects import NO_STREAM, Reissue, ReissueSound
from eardrum.server.events import (
    INPUT,
    OUTPUT,
    Event,
    UpstreamAnswered,
    UpstreamDevice,
    UpstreamLost,
    UpstreamReady,
    UpstreamRefused,
    UpstreamSound,
    UpstreamTold,
)
from eardrum.terms.budget import Budget
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.terms.names import WireEnd
from eardrum.upstream.spread import FULL, Create, Spread
from eardrum.upstream.streams import Answered, Asks, Found, Recorded, RefusedThat, Said, Shaped, Streams

STUCK_BYTES = 256 * 1024  # more than this unsent upstream, and no client is read from
QUIET = 1.0  # seconds after which an upstream is asked whether it lives
PATIENCE = 2.0  # seconds that it has to answer, and that the desk has to find one


class Upstream:
    """One connection."""

    __slots__ = ("answers", "asked", "due", "heard_at", "link", "streams", "waits_for", "wire")

    def __init__(self, wire: int, connection: socket.socket, streams: Streams, now: float) -> None:
        self.wire = wire
        self.link = Link(connection)
        self.streams = streams
        self.waits_for = READ
        self.heard_at = now
        self.asked = False  # whether it lives
        self.due: float | None = now + QUIET  # when it must have been heard; None: it need not say anything
        self.answers: dict[int, float] = {}  # by token, the oldest first: when it must have answered


class _Wire:
    """What a wire has while it is connected."""

    __slots__ = ("connections", "held", "ready", "spread", "until")

    def __init__(self, most: int) -> None:
        """It has at most so many connections."""
        self.ready = False  # the device at its end is there
        self.connections: list[Upstream] = []
        self.spread = Spread(most)
        self.held: list[tuple[Reissue, Create]] = []  # streams to be made on the next connection, which is on its way
        self.until: float | None = None  # how long that may take


class UpstreamLinks:
    """False while there are none.

    `name` is who we are to the upstreams; `do` takes events, `read` reads a link into scratch memory, `active` says
    whether the upstream of a wire should have something to say, `want_more` has the desk connect a wire once more,
    under a number. `devices` are the names of the host's devices to which wires lead, `may_hear` tells whether its
    monitors may be recorded, `budget` how many connections a wire may have and how long an upstream may take to answer.
    `now` (seconds) is told by the worker.
    """

    def __init__(
        self,
        name: str,
        loop: Loop,
        do: Callable[[Event], None],
        read: Callable[[Link], memoryview | None],
        active: Callable[[int], bool],
        want_more: Callable[[int, int], None],
        devices: Mapping[int, str],
        may_hear: bool,
        budget: Budget,
    ) -> None:
        self.now = 0.0
        self._name = name
        self._loop = loop
        self._do = do
        self._read = read
        self._devices = {wire: devices.get(wire, "") for wire in (OUTPUT, INPUT)}
        self._may_hear = may_hear
        self._most = budget.upstream_connections
        self._answer_seconds = budget.answer_seconds
        self._wires: dict[int, _Wire] = {}  # those that are connected
        self._active = active
        self._want_more = want_more
        self._patience: dict[int, float] = {}  # wires that the desk connects, and how long that may take

    def __bool__(self) -> bool:
        return bool(self._wires)

    def _all(self) -> list[Upstream]:
        return [upstream for wire in self._wires.values() for upstream in wire.connections]

    @property
    def stuck(self) -> bool:
        """An upstream does not take what it is sent."""
        return any(upstream.link.queued > STUCK_BYTES for upstream in self._all())

    @property
    def due(self) -> float | None:
        """When `look` must be called, in seconds."""
        dues = [upstream.due for upstream in self._all()] + [wire.until for wire in self._wires.values()]
        dues += [next(iter(upstream.answers.values()), None) for upstream in self._all()]
        return min([*(due for due in dues if due is not None), *self._patience.values()], default=None)

    def look(self) -> None:
        """See whose time has come."""
        for wire, until in tuple(self._patience.items()):
            if until <= self.now:
                self.failed(wire, PulseError.TIMEOUT)
        for wire, its in tuple(self._wires.items()):
            if its.until is not None and its.until <= self.now:
                self.failed_more(wire, PulseError.TIMEOUT)
            for upstream in its.connections:
                if wire not in self._wires:
                    break
                if next(iter(upstream.answers.values()), self.now + 1) <= self.now:
                    self.lose(wire, PulseError.TIMEOUT)
                elif upstream.due is not None and upstream.due <= self.now:
                    self._look_at(upstream)

    def _look_at(self, upstream: Upstream) -> None:
        upstream.due = upstream.heard_at + QUIET
        if upstream.due > self.now:
            return
        if not self._active(upstream.wire):
            upstream.due = None
        elif upstream.asked:
            self.lose(upstream.wire, PulseError.TIMEOUT)
        else:
            upstream.asked = True
            upstream.due = self.now + PATIENCE
            upstream.link.queue(upstream.streams.say(NO_STREAM, None, Stat()))

    def expect(self, wire: int) -> None:
        """The desk was asked to connect this wire."""
        self._patience[wire] = self.now + PATIENCE

    def expect_none(self, wire: int) -> None:
        """It need not be connected any more."""
        self._patience.pop(wire, None)

    def failed(self, wire: int, error: PulseError) -> None:
        """The desk cannot connect this wire yet, or the device that it leads to is not there."""
        self.expect_none(wire)
        if not self._is_ready(wire):
            self._do(UpstreamLost(wire, error))

    def _is_ready(self, wire: int) -> bool:
        return wire in self._wires and self._wires[wire].ready

    def gain(self, wire: int, connection: socket.socket, version: int) -> None:
        """The desk has connected this wire; what was connected before is over.

        It is ready when its device is there: WirePlumber 0.4.13 is stuck for ever by a stream that it remembers and
        that comes before it has begun.
        """
        was_ready = self._is_ready(wire)
        self._close(wire)
        if was_ready:
            self._do(UpstreamLost(wire, PulseError.CONNECTIONTERMINATED))
        self._wires[wire] = _Wire(self._most)
        self._add(wire, connection, version)

    def gain_more(self, wire: int, number: int, connection: socket.socket, version: int) -> None:
        """The desk has connected this wire once more."""
        its = self._wires.get(wire)
        if its is None or number != len(its.connections):
            connection.close()  # it was meant for what is lost by now
            return
        self._add(wire, connection, version)
        its.until = None
        held, its.held = its.held, []
        for effect, create in held:
            self._make(its, effect, create)

    def failed_more(self, wire: int, error: PulseError) -> None:
        """The desk cannot connect this wire once more."""
        its = self._wires.get(wire)
        if its is not None:
            its.until = None
            held, its.held = its.held, []
            for effect, _ in held:
                self._refuse(its, effect, error)

    def _add(self, wire: int, connection: socket.socket, version: int) -> None:
        streams = Streams(version, records=wire == INPUT, device=self._devices[wire], may_hear=self._may_hear)
        upstream = Upstream(wire, connection, streams, self.now)
        self._wires[wire].connections.append(upstream)
        self._loop.watch(upstream.link.descriptor, READ, lambda events: self._hear(upstream, events))
        upstream.link.queue(upstream.streams.hello(self._name))

    def part(self, wire: int, end: WireEnd) -> None:
        """This wire leads somewhere else from now on: what was connected to it is over."""
        self._devices[wire] = end.device
        self.expect_none(wire)
        if wire in self._wires:
            self.lose(wire)

    def lose(self, wire: int, error: PulseError = PulseError.CONNECTIONTERMINATED) -> None:
        """This wire leads nowhere any more."""
        self._close(wire)
        self._do(UpstreamLost(wire, error, over=True))

    def close(self) -> None:
        """All connections end, and nobody is told."""
        for wire in tuple(self._wires):
            self._close(wire)

    def _close(self, wire: int) -> None:
        its = self._wires.pop(wire, None)
        for upstream in its.connections if its is not None else ():
            self._loop.forget(upstream.link.descriptor)
            upstream.link.close()

    def reissue(self, effect: Reissue) -> None:
        its = self._wires.get(effect.wire)
        if its is None:
            return
        if isinstance(effect.message, CreatePlaybackStream | CreateRecordStream):
            self._make(its, effect, effect.message)
            return
        upstream = self.connection(effect.wire, effect.stream)
        if upstream is not None:
            self._say(upstream, effect)
        if isinstance(effect.message, DeletePlaybackStream | DeleteRecordStream):
            its.spread.forget(effect.stream)

    def _say(self, upstream: Upstream, effect: Reissue) -> None:
        packet = upstream.streams.say(effect.stream, effect.token, effect.message)
        upstream.link.queue(packet)
        # A drain is answered when all was heard, however long that takes.
        if packet and effect.token is not None and not isinstance(effect.message, DrainPlaybackStream):
            upstream.answers[effect.token] = self.now + self._answer_seconds
        if upstream.due is None:
            upstream.due = self.now + QUIET

    def _make(self, its: _Wire, effect: Reissue, create: Create) -> None:
        """Have a stream made on the connection that has room for it, as soon as that is there."""
        assert effect.token is not None
        number = its.spread.place(effect.stream, effect.token, create)
        if number < len(its.connections):
            self._say(its.connections[number], effect)
        elif number < self._most:
            its.held.append((effect, create))
            if its.until is None:
                its.until = self.now + PATIENCE
                self._want_more(effect.wire, number)
        else:
            self._refuse(its, effect, FULL)

    def _refuse(self, its: _Wire, effect: Reissue, error: PulseError) -> None:
        assert effect.token is not None
        its.spread.forget(effect.stream)
        its.spread.made(effect.token)
        self._do(UpstreamRefused(effect.token, error))

    def connection(self, wire: int, stream: int) -> Upstream | None:
        """The one that has this stream, or that it is to be made on."""
        its = self._wires.get(wire)
        number = 0 if its is None else its.spread.at(stream)
        return its.connections[number] if its is not None and number < len(its.connections) else None

    def reissue_sound(self, effect: ReissueSound) -> None:
        upstream = self.connection(effect.wire, effect.stream)
        if upstream is not None:
            head = upstream.streams.sound_head(effect.stream, len(effect.data), effect.seek, effect.offset)
            if head:
                upstream.link.queue(head, effect.data)

    def flush(self) -> None:
        """Write what was queued."""
        for its in tuple(self._wires.values()):
            for upstream in its.connections:
                if not upstream.link.flush():
                    self.lose(upstream.wire)
                    break
                wanted = READ | (WRITE if upstream.link.queued else 0)
                if wanted != upstream.waits_for:
                    upstream.waits_for = wanted
                    self._loop.change(upstream.link.descriptor, wanted)

    def _hear(self, upstream: Upstream, events: int) -> None:
        if readable(events):
            self.heard(upstream, self._read(upstream.link))

    def heard(self, upstream: Upstream, data: memoryview | None) -> None:
        """This was read from its link; None: that has ended."""
        if data is None:
            self.lose(upstream.wire)
            return
        if data:
            upstream.heard_at, upstream.asked = self.now, False
        try:
            outcomes = upstream.streams.receive(data)
        except RemoteProtocolError:
            self.lose(upstream.wire)
            return
        for outcome in outcomes:  # first of all, for tags follow each other and the rest leads to more that is said
            if isinstance(outcome, Asks):
                upstream.link.queue(outcome.packet)
        its = self._wires[upstream.wire]
        for outcome in outcomes:
            match outcome:
                case Recorded(stream, samples):
                    self._do(UpstreamSound(stream, samples))
                case Said(stream, message):
                    if isinstance(message, PlaybackStreamKilled | RecordStreamKilled):
                        its.spread.forget(stream)
                    self._do(UpstreamTold(stream, message))
                case Answered(token, message):
                    upstream.answers.pop(token, None)
                    its.spread.made(token)
                    self._do(UpstreamAnswered(token, message))
                case RefusedThat(token, error):
                    upstream.answers.pop(token, None)
                    self._refused(its, upstream.wire, token, error)
                case Shaped(shape):
                    self._do(UpstreamDevice(upstream.wire, *shape))
                case Found(there) if upstream is its.connections[0]:
                    self._find(its, upstream.wire, there)

    def _find(self, its: _Wire, wire: int, there: bool) -> None:
        """The device at the end of the wire is there, or not; what of streams becomes then the upstream says."""
        if not there:
            self.failed(wire, PulseError.NOENTITY)
        elif not its.ready:
            its.ready = True
            self.expect_none(wire)
            self._do(UpstreamReady(wire))

    def _refused(self, its: _Wire, wire: int, token: int, error: PulseError) -> None:
        again = its.spread.refused(token, error)
        if again is None:
            self._do(UpstreamRefused(token, error))
        else:
            stream, create = again
            self._make(its, Reissue(wire, stream, token, create), create)
