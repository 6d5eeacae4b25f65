"""The wires of a worker as its core sees them: what upstreams are asked and answer, the streams that they carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from eardrum.protocol.message import Message
from eardrum.server.carried_playback import CarriedPlayback
from eardrum.server.carried_record import CarriedRecord
from eardrum.server.effects import Effect, Reissue, WantUpstream, WireSays
from eardrum.server.events import INPUT, OUTPUT, Rewired, UpstreamLost, UpstreamReady, UpstreamSound, UpstreamTold
from eardrum.server.objects import Client
from eardrum.server.stream import Stream
from eardrum.terms.errors import PulseError

Done = Callable[[Message | PulseError], None]  # what to do with an upstream's reply or error


class Wires:
    """`kill` ends a stream whose upstream is lost."""

    def __init__(self, effects: list[Effect], kill: Callable[[Stream], None]) -> None:
        self._effects = effects
        self._kill = kill
        self._carried: dict[int, CarriedPlayback | CarriedRecord] = {}
        self._carried_numbers = 0
        self._sync_numbers = 0
        self._tokens: dict[int, tuple[int, Done]] = {}  # token to wire and what to do with the answer
        self._token_numbers = 0
        self._errors: dict[int, PulseError | None] = {}  # what each wire said last
        self._up = {OUTPUT: False, INPUT: False}
        self._nowhere: set[int] = set()  # wires that lead to no upstream now
        self._held: dict[int, list[Effect]] = {OUTPUT: [], INPUT: []}  # said before the upstream was there

    # -- what carried streams want

    def carry(self, stream: CarriedPlayback | CarriedRecord) -> int:
        """Take a carried stream in; returns the number it has between this core and the upstream's."""
        self._carried_numbers += 1
        self._carried[self._carried_numbers] = stream
        return self._carried_numbers

    def drop(self, number: int) -> None:
        """Forget a carried stream."""
        self._carried.pop(number, None)

    def sync_number(self, client: Client, sync_id: int) -> int:
        """The upstream's number of a sync group: those of different clients must not meet."""
        for stream in self._carried.values():
            if isinstance(stream, CarriedPlayback) and stream.client is client and stream.sync_id == sync_id:
                return stream.sync_number
        self._sync_numbers += 1
        return self._sync_numbers

    def awaited(self, wire: int) -> int:
        """How many carried streams the upstream of this wire was asked for and has not made yet."""
        return sum(stream.wire == wire and stream.channel < 0 for stream in self._carried.values())

    def playing(self) -> Iterator[CarriedPlayback]:
        """The playback streams that an upstream has made."""
        for stream in self._carried.values():
            if isinstance(stream, CarriedPlayback) and stream.channel >= 0:
                yield stream

    def ask(self, wire: int, stream: int, message: Message, done: Done | None = None) -> None:
        """Say this upstream; `done` gets the reply or the error. Without `done` it is not worth a connection."""
        if done is None:
            if self._up[wire]:
                self._effects.append(Reissue(wire, stream, None, message))
            return
        self._token_numbers += 1
        token = self._token_numbers
        self._tokens[token] = (wire, done)
        effect = Reissue(wire, stream, token, message)
        if self._up[wire]:
            self._effects.append(effect)
            return
        if wire in self._nowhere:
            self._tokens.pop(token)
            done(PulseError.CONNECTIONREFUSED)
            return
        if not self._held[wire]:
            self._effects.append(WantUpstream(wire))
        self._held[wire].append(effect)

    def made(self, wire: int, error: PulseError | None) -> None:
        """What the upstream of this wire made of the newest stream. That there is no upstream is known outside."""
        if self._up[wire] and self._errors.get(wire) is not error:
            self._errors[wire] = error
            self._effects.append(WireSays(wire, error))

    # -- what happens

    def ready(self, event: UpstreamReady) -> None:
        self._up[event.wire] = True
        held, self._held[event.wire] = self._held[event.wire], []
        self._effects.extend(held)

    def rewired(self, event: Rewired) -> None:
        if event.end.is_carried:
            self._nowhere.discard(event.wire)
        else:
            self._nowhere.add(event.wire)

    def lost(self, event: UpstreamLost) -> None:
        self._up[event.wire] = False
        self._held[event.wire].clear()
        for token, (wire, done) in tuple(self._tokens.items()):
            if wire == event.wire:
                del self._tokens[token]
                done(event.error)
        for stream in tuple(self._carried.values()):
            if stream.wire == event.wire:
                self._kill(stream)

    def answered(self, token: int, outcome: Message | PulseError) -> None:
        _, done = self._tokens.pop(token)
        done(outcome)

    def told(self, event: UpstreamTold) -> None:
        stream = self._carried.get(event.stream)
        if stream is not None and stream.channel >= 0:
            stream.upstream_told(event.message)

    def sound(self, event: UpstreamSound) -> None:
        stream = self._carried.get(event.stream)
        if isinstance(stream, CarriedRecord) and stream.channel >= 0:
            stream.upstream_sound(event.data)
