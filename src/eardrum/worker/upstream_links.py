"""The worker's upstream connections, one for each wire that carries: events for the core come in, effects go out.

One that should have something to say and says nothing is asked whether it lives; without an answer it is lost.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

from eardrum.kernel.link import Link
from eardrum.kernel.loop import READ, WRITE, Loop, readable
from eardrum.protocol.catalog import Stat
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
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.terms.names import WireEnd
from eardrum.upstream.streams import Answered, Asks, Found, Recorded, RefusedThat, Said, Shaped, Streams

STUCK_BYTES = 256 * 1024  # more than this unsent upstream, and no client is read from
QUIET = 1.0  # seconds after which an upstream is asked whether it lives
PATIENCE = 2.0  # seconds that it has to answer, and that the desk has to find one


class Upstream:
    """One connection."""

    __slots__ = ("asked", "due", "heard_at", "link", "ready", "streams", "waits_for", "wire")

    def __init__(self, wire: int, connection: socket.socket, streams: Streams, now: float) -> None:
        self.wire = wire
        self.link = Link(connection)
        self.streams = streams
        self.waits_for = READ
        self.ready = False  # the device at the end of the wire is there
        self.heard_at = now
        self.asked = False  # whether it lives
        self.due: float | None = now + QUIET  # when it must have been heard; None: it need not say anything


class UpstreamLinks:
    """False while there are none.

    `name` is who we are to the upstreams; `do` takes events, `read` reads a link into scratch memory, `active` says
    whether the upstream of a wire should have something to say. `devices` are the names of the host's devices to which
    wires lead, `may_hear` tells whether its monitors may be recorded. `now` (seconds) is told by the worker.
    """

    def __init__(
        self,
        name: str,
        loop: Loop,
        do: Callable[[Event], None],
        read: Callable[[Link], memoryview | None],
        active: Callable[[int], bool],
        devices: Mapping[int, str],
        may_hear: bool,
    ) -> None:
        self.now = 0.0
        self._name = name
        self._loop = loop
        self._do = do
        self._read = read
        self._devices = {wire: devices.get(wire, "") for wire in (OUTPUT, INPUT)}
        self._may_hear = may_hear
        self._upstreams: dict[int, Upstream] = {}  # by wire
        self._active = active
        self._patience: dict[int, float] = {}  # wires that the desk connects, and how long that may take

    def __bool__(self) -> bool:
        return bool(self._upstreams)

    @property
    def stuck(self) -> bool:
        """An upstream does not take what it is sent."""
        return any(upstream.link.queued > STUCK_BYTES for upstream in self._upstreams.values())

    @property
    def due(self) -> float | None:
        """When `look` must be called, in seconds."""
        dues = [upstream.due for upstream in self._upstreams.values() if upstream.due is not None]
        return min([*dues, *self._patience.values()], default=None)

    def look(self) -> None:
        """See whose time has come."""
        for wire, until in tuple(self._patience.items()):
            if until <= self.now:
                self.failed(wire, PulseError.TIMEOUT)
        for wire, upstream in tuple(self._upstreams.items()):
            if upstream.due is not None and upstream.due <= self.now:
                self._look_at(wire, upstream)

    def _look_at(self, wire: int, upstream: Upstream) -> None:
        upstream.due = upstream.heard_at + QUIET
        if upstream.due > self.now:
            return
        if upstream.ready and not self._active(wire):
            upstream.due = None
        elif upstream.asked:
            self.lose(wire, PulseError.TIMEOUT)
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
        upstream = self._upstreams.get(wire)
        if upstream is None or not upstream.ready:
            self._do(UpstreamLost(wire, error))

    def gain(self, wire: int, connection: socket.socket, version: int) -> None:
        """The desk has connected this wire; what was connected before is over.

        It is ready when its device is known: PipeWire 0.3.65 is stuck for ever if a stream comes earlier than its
        session manager.
        """
        was_ready = wire in self._upstreams and self._upstreams[wire].ready
        self._close(wire)
        if was_ready:
            self._do(UpstreamLost(wire, PulseError.CONNECTIONTERMINATED))
        streams = Streams(version, records=wire == INPUT, device=self._devices[wire], may_hear=self._may_hear)
        upstream = self._upstreams[wire] = Upstream(wire, connection, streams, self.now)
        self._loop.watch(upstream.link.descriptor, READ, lambda events: self._hear(upstream, events))
        upstream.link.queue(upstream.streams.hello(self._name))

    def part(self, wire: int, end: WireEnd) -> None:
        """This wire leads somewhere else from now on: what was connected to it is over."""
        self._devices[wire] = end.device
        self.expect_none(wire)
        if wire in self._upstreams:
            self.lose(wire)

    def lose(self, wire: int, error: PulseError = PulseError.CONNECTIONTERMINATED) -> None:
        """This wire leads nowhere any more."""
        self._close(wire)
        self._do(UpstreamLost(wire, error, over=True))

    def close(self) -> None:
        """All connections end, and nobody is told."""
        for wire in tuple(self._upstreams):
            self._close(wire)

    def _close(self, wire: int) -> None:
        upstream = self._upstreams.pop(wire, None)
        if upstream is not None:
            self._loop.forget(upstream.link.descriptor)
            upstream.link.close()

    def reissue(self, effect: Reissue) -> None:
        upstream = self._upstreams.get(effect.wire)
        if upstream is not None:
            upstream.link.queue(upstream.streams.say(effect.stream, effect.token, effect.message))
            if upstream.due is None:
                upstream.due = self.now + QUIET

    def reissue_sound(self, effect: ReissueSound) -> None:
        upstream = self._upstreams.get(effect.wire)
        if upstream is not None:
            head = upstream.streams.sound_head(effect.stream, len(effect.data), effect.seek, effect.offset)
            if head:
                upstream.link.queue(head, effect.data)

    def flush(self) -> None:
        """Write what was queued."""
        for wire, upstream in tuple(self._upstreams.items()):
            if not upstream.link.flush():
                self.lose(wire)
                continue
            wanted = READ | (WRITE if upstream.link.queued else 0)
            if wanted != upstream.waits_for:
                upstream.waits_for = wanted
                self._loop.change(upstream.link.descriptor, wanted)

    def connection(self, wire: int) -> Upstream | None:
        return self._upstreams.get(wire)

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
        for outcome in outcomes:
            match outcome:
                case Recorded(stream, samples):
                    self._do(UpstreamSound(stream, samples))
                case Said(stream, message):
                    self._do(UpstreamTold(stream, message))
                case Answered(token, message):
                    self._do(UpstreamAnswered(token, message))
                case RefusedThat(token, error):
                    self._do(UpstreamRefused(token, error))
                case Shaped(shape):
                    self._do(UpstreamDevice(upstream.wire, *shape))
                case Found(there):
                    self._find(upstream, there)
                case Asks(packet):
                    upstream.link.queue(packet)

    def _find(self, upstream: Upstream, there: bool) -> None:
        """The device at the end of the wire is there, or not; what of streams becomes then the upstream says."""
        if not there:
            self.failed(upstream.wire, PulseError.NOENTITY)
        elif not upstream.ready:
            upstream.ready = True
            self.expect_none(upstream.wire)
            self._do(UpstreamReady(upstream.wire))
