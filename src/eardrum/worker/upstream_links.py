"""The worker's upstream connections, one for each wire that carries: events for the core come in, effects go out."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

from eardrum.kernel.link import Link
from eardrum.kernel.loop import READ, WRITE, Loop, readable
from eardrum.server.effects import Reissue, ReissueSound
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
from eardrum.upstream.streams import Answered, Asks, Recorded, RefusedThat, Said, Shaped, Streams

STUCK_BYTES = 256 * 1024  # more than this unsent upstream, and no client is read from
RETRY_EVERY = 0.5  # seconds until the desk is asked again for an upstream that could not be reached


class _Upstream:
    __slots__ = ("link", "streams", "waits_for")

    def __init__(self, connection: socket.socket, streams: Streams) -> None:
        self.link = Link(connection)
        self.streams = streams
        self.waits_for = READ


class UpstreamLinks:
    """False while there are none.

    `name` is who we are to the upstreams; `do` takes events, `read` reads a link into scratch memory. `devices` are the
    names of the host's devices to which wires lead, `may_hear` tells whether its monitors may be recorded.
    """

    def __init__(
        self,
        name: str,
        loop: Loop,
        do: Callable[[Event], None],
        read: Callable[[Link], memoryview | None],
        devices: Mapping[int, str],
        may_hear: bool,
    ) -> None:
        self._name = name
        self._loop = loop
        self._do = do
        self._read = read
        self._devices = {wire: devices.get(wire, "") for wire in (OUTPUT, INPUT)}
        self._may_hear = may_hear
        self._upstreams: dict[int, _Upstream] = {}  # by wire
        self._unreachable: dict[int, tuple[float, PulseError]] = {}  # wires: when and why the desk could not connect

    def __bool__(self) -> bool:
        return bool(self._upstreams)

    @property
    def stuck(self) -> bool:
        """An upstream does not take what it is sent."""
        return any(upstream.link.queued > STUCK_BYTES for upstream in self._upstreams.values())

    def hopeless(self, wire: int, now: float) -> PulseError | None:
        """Why the desk need not be asked yet: it has just failed, and programs may try as fast as they can."""
        since, error = self._unreachable.get(wire, (-RETRY_EVERY, PulseError.CONNECTIONREFUSED))
        return error if now - since < RETRY_EVERY else None

    def failed(self, wire: int, now: float, error: PulseError) -> None:
        """The desk could not connect this wire."""
        self._unreachable[wire] = now, error
        self.lose(wire, error)

    def gain(self, wire: int, connection: socket.socket, version: int) -> None:
        """The desk has connected this wire."""
        if wire in self._upstreams:
            self.lose(wire)
        streams = Streams(version, records=wire == INPUT, device=self._devices[wire], may_hear=self._may_hear)
        upstream = self._upstreams[wire] = _Upstream(connection, streams)
        self._loop.watch(upstream.link.descriptor, READ, lambda events: self._hear(wire, upstream, events))
        upstream.link.queue(upstream.streams.hello(self._name))
        self._do(UpstreamReady(wire))

    def part(self, wire: int, end: WireEnd) -> None:
        """This wire leads somewhere else from now on: what was connected to it is over."""
        self._devices[wire] = end.device
        self._unreachable.pop(wire, None)
        if wire in self._upstreams:
            self.lose(wire)

    def lose(self, wire: int, error: PulseError = PulseError.CONNECTIONTERMINATED) -> None:
        """This wire leads nowhere any more."""
        upstream = self._upstreams.pop(wire, None)
        if upstream is not None:
            self._loop.forget(upstream.link.descriptor)
            upstream.link.close()
        self._do(UpstreamLost(wire, error))

    def reissue(self, effect: Reissue) -> None:
        upstream = self._upstreams.get(effect.wire)
        if upstream is not None:
            upstream.link.queue(upstream.streams.say(effect.stream, effect.token, effect.message))

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

    def _hear(self, wire: int, upstream: _Upstream, events: int) -> None:
        if not readable(events):
            return
        data = self._read(upstream.link)
        if data is None:
            self.lose(wire)
            return
        try:
            outcomes = upstream.streams.receive(data)
        except RemoteProtocolError:
            self.lose(wire)
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
                    self._do(UpstreamDevice(wire, *shape))
                case Asks(packet):
                    upstream.link.queue(packet)
