"""The wires of a worker as its core sees them: what upstreams are asked and answer, the streams that they carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from eardrum.protocol.message import Message
from eardrum.server.carried import Carried
from eardrum.server.carried_playback import CarriedPlayback
from eardrum.server.carried_record import CarriedRecord
from eardrum.server.effects import Reissue, WantUpstream, WireSays
from eardrum.server.events import INPUT, OUTPUT, Rewired, UpstreamLost, UpstreamReady, UpstreamSound, UpstreamTold
from eardrum.server.objects import Client
from eardrum.terms.errors import PulseError

if TYPE_CHECKING:
    from eardrum.server.core import Server

Done = Callable[[Message | PulseError], None]  # what to do with an upstream's reply or error
RETRY = 3.0  # seconds until the upstream is asked again for a stream that it refused
SPACING = 0.2  # seconds at least between two times that an upstream is wanted


class Wires:
    """All that is carried. `due` is when it must be looked after, in seconds."""

    def __init__(self, server: Server) -> None:
        self.due: float | None = None
        self._server = server
        self._effects = server.effects
        self._carried: dict[int, Carried] = {}
        self._carried_numbers = 0
        self._sync_numbers = 0
        self._tokens: dict[int, tuple[int, Done]] = {}  # token to wire and what to do with the answer
        self._token_numbers = 0
        self._errors: dict[int, PulseError | None] = {}  # what each wire said last
        self._up = {OUTPUT: False, INPUT: False}
        self._nowhere: set[int] = set()  # wires that lead to no upstream now
        self._wanted: set[int] = set()  # wires for which an upstream is on its way
        self._down: set[int] = set()  # wires whose upstream is known not to be there, so that nobody waits for it
        self._next_want = {OUTPUT: 0.0, INPUT: 0.0}  # seconds; before that it is not wanted again

    # -- what carried streams want

    def carry(self, stream: Carried) -> int:
        """Take a carried stream in; returns the number it has between this core and the upstream's."""
        self._carried_numbers += 1
        self._carried[self._carried_numbers] = stream
        return self._carried_numbers

    def drop(self, number: int) -> None:
        """Forget a carried stream."""
        stream = self._carried.pop(number, None)
        if stream is None or self._of(stream.wire):
            return
        self._down.discard(stream.wire)
        if stream.wire in self._wanted:
            self._wanted.discard(stream.wire)
            self._effects.append(WantUpstream(stream.wire, wanted=False))

    def sync_number(self, client: Client, sync_id: int) -> int:
        """The upstream's number of a sync group: those of different clients must not meet."""
        for stream in self._carried.values():
            if isinstance(stream, CarriedPlayback) and stream.client is client and stream.sync_id == sync_id:
                return stream.sync_number
        self._sync_numbers += 1
        return self._sync_numbers

    def awaited(self, wire: int) -> int:
        """How many carried streams the upstream of this wire was asked for and has not made yet."""
        return sum(stream.channel < 0 for stream in self._of(wire))

    def playing(self) -> Iterator[CarriedPlayback]:
        """The playback streams that clients know."""
        for stream in self._of(OUTPUT):
            if isinstance(stream, CarriedPlayback) and stream.channel >= 0:
                yield stream

    def active(self, wire: int) -> bool:
        """The upstream of this wire has something to say soon, if it lives."""
        streams = self._of(wire)
        return any(stream.active for stream in streams) if self._up[wire] else bool(streams)

    def begin(self, stream: Carried) -> None:
        """Have the upstream make this stream, as soon as there is one."""
        if self._up[stream.wire]:
            stream.make()
            return
        self._want(stream.wire)
        if stream.wire in self._down | self._nowhere:
            stream.lost(PulseError.CONNECTIONREFUSED)

    def begin_later(self, stream: Carried) -> None:
        """The upstream has refused it, which may not last."""
        stream.due = self._server.now + RETRY
        self._wake_by(stream.due)

    def ask(self, wire: int, stream: int, message: Message, done: Done | None = None) -> None:
        """Say this upstream, if there is one; `done` gets the reply or the error."""
        if not self._up[wire]:
            return
        token = None
        if done is not None:
            self._token_numbers += 1
            token = self._token_numbers
            self._tokens[token] = (wire, done)
        self._effects.append(Reissue(wire, stream, token, message))

    def made(self, wire: int, error: PulseError | None) -> None:
        """What the upstream of this wire made of the newest stream. That there is no upstream is known outside."""
        if self._up[wire]:
            self._say(wire, error)

    def _say(self, wire: int, error: PulseError | None) -> None:
        if self._errors.get(wire) is not error:
            self._errors[wire] = error
            self._effects.append(WireSays(wire, error))

    def _of(self, wire: int) -> list[Carried]:
        return [stream for stream in self._carried.values() if stream.wire == wire]

    def _want(self, wire: int) -> None:
        if wire in self._wanted or wire in self._nowhere:
            return
        now = self._server.now
        if now < self._next_want[wire]:
            self._wake_by(self._next_want[wire])
            return
        self._next_want[wire] = now + SPACING
        self._wanted.add(wire)
        self._effects.append(WantUpstream(wire))

    def _wake_by(self, at: float) -> None:
        if self.due is None or at < self.due:
            self.due = at

    # -- what happens

    def woke(self) -> None:
        """Time has passed."""
        now = self._server.now
        if self.due is None or now < self.due:
            return
        self.due = None
        for stream in tuple(self._carried.values()):
            if stream.due is not None and stream.due <= now:
                stream.due = None
                self.begin(stream)
            elif stream.due is not None:
                self._wake_by(stream.due)
        for wire, up in self._up.items():
            if not up and self._of(wire):
                self._want(wire)

    def ready(self, event: UpstreamReady) -> None:
        wire = event.wire
        self._up[wire] = True
        self._wanted.discard(wire)
        self._down.discard(wire)
        for stream in self._of(wire):
            stream.make()

    def rewired(self, event: Rewired) -> None:
        wire = event.wire
        if event.end.is_carried:
            self._nowhere.discard(wire)
            if not self._up[wire] and self._of(wire):
                self._want(wire)
        else:
            self._nowhere.add(wire)
            self._wanted.discard(wire)
            if not self._up[wire]:
                self._fall(wire, PulseError.CONNECTIONREFUSED)

    def lost(self, event: UpstreamLost) -> None:
        wire = event.wire
        self._fall(wire, event.error)
        if event.over:
            self._wanted.discard(wire)
        if not self._of(wire):
            return
        if event.over:
            self._want(wire)
            return
        self._wanted.add(wire)
        if event.error is PulseError.NOENTITY:
            self._say(wire, event.error)

    def _fall(self, wire: int, error: PulseError) -> None:
        """What the upstream of this wire had is stood in for; its answers will not come."""
        self._up[wire] = False
        if self._of(wire):
            self._down.add(wire)
        for stream in self._of(wire):
            stream.lost(error)
        for stream in self._of(wire):
            stream.put_again()
        for token, (asked, done) in tuple(self._tokens.items()):
            if asked == wire:
                del self._tokens[token]
                done(error)

    def answered(self, token: int, outcome: Message | PulseError) -> None:
        asked = self._tokens.pop(token, None)
        if asked is not None:
            asked[1](outcome)

    def told(self, event: UpstreamTold) -> None:
        stream = self._carried.get(event.stream)
        if stream is not None and stream.channel >= 0:
            stream.upstream_told(event.message)

    def sound(self, event: UpstreamSound) -> None:
        stream = self._carried.get(event.stream)
        if isinstance(stream, CarriedRecord) and stream.channel >= 0:
            stream.upstream_sound(event.data)
