"""A sample that plays: a sink input of nobody, which ends by itself. Mixed here, or carried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.protocol.catalog import DrainPlaybackStream, PlaybackStreamCreated, Request
from eardrum.protocol.message import Message
from eardrum.server.carried_playback import CarriedPlayback
from eardrum.server.events import Sound
from eardrum.server.mixed import MAX_PERIOD
from eardrum.server.player import Player
from eardrum.server.samples import Sample, Tape
from eardrum.server.stream import Agreed
from eardrum.sound.block import Block
from eardrum.terms.audio import Samples
from eardrum.terms.errors import PulseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from eardrum.server.core import Server
    from eardrum.server.mixed import Bus
    from eardrum.server.objects import Sink, View


class MixedSample(Player):
    """Raises Refused(NOTSUPPORTED) for what the mixer cannot convert."""

    def __init__(self, server: Server, view: View, sink: Sink, agreed: Agreed, sample: Sample, bus: Bus) -> None:
        super().__init__(server, view.nobody, sink, agreed)
        self.sing(bus, Tape(sample.data))

    def start(self) -> None:
        """Play from the beginning."""
        self.bus.join(self)

    @property
    def period(self) -> float:
        return MAX_PERIOD

    @property
    def rest(self) -> float:
        return self.voice.rest

    def take(self, frames: int) -> Block:
        block, _ = self.voice.take(frames)
        self._end_if_spent()
        return block

    def take_bytes(self, frames: int) -> Samples:
        data = self.voice.take_bytes(frames)
        self._end_if_spent()
        return data

    def skip(self, frames: int) -> None:
        self.voice.skip(frames)
        self._end_if_spent()

    def _end_if_spent(self) -> None:
        if self.voice.spent:
            self.server.remove(self)

    def end(self) -> None:
        self.bus.leave(self)

    def move(self, sink: Sink) -> None:
        self.go_to(sink)
        self.start()

    def suspend(self) -> None:
        """It was made to be killed then."""


class CarriedSample(CarriedPlayback):
    """We are its client: what the upstream asks for is read from the sample, and then it is drained and deleted.

    Without an upstream it plays silently, here; it is too short to be taken up again.
    """

    def __init__(self, server: Server, view: View, sink: Sink, agreed: Agreed, sample: Sample) -> None:
        super().__init__(server, view.nobody, sink, agreed)
        self._sample = sample
        self._tape = Tape(sample.data)
        self._done: Callable[[int | PulseError], None] = lambda outcome: None

    def play(self, done: Callable[[int | PulseError], None]) -> None:
        """Have the upstream make the stream; `done` hears its number once it plays, or the error."""
        self._done = done
        self.begin(self.number)

    @property
    def gone(self) -> bool:
        return self.ended

    def made(self, reply: PlaybackStreamCreated) -> None:
        self.new_attr(reply)
        self.server.add(self)
        self._done(self.index)
        self.say_level()
        self._play(reply.missing)

    def give_up(self, error: PulseError) -> None:
        self.ended = True
        self.server.wires.drop(self.number)
        self._done(error)

    def stand_in_afresh(self) -> None:
        self.ended = True
        self.server.wires.drop(self.number)
        silent = MixedSample(
            self.server, self.client.view, self.sink, self.agreed, self._sample, self.server.buses.output
        )
        self.server.add(silent)
        silent.start()
        self._done(silent.index)

    def stand_in_for_upstream(self) -> None:
        self.server.remove(self)

    def _play(self, nbytes: int) -> None:
        tape, frame = self._tape, self.spec.frame_bytes
        data = tape.take(min(nbytes // frame * frame, tape.w - tape.r))
        if not len(data):
            return
        self.sound(Sound(self.client.number, self.channel, 0, 0, data, True, len(data)))
        if tape.r == tape.w:
            drain = DrainPlaybackStream(channel=self.number)
            self.server.wires.ask(self.wire, self.number, drain, lambda outcome: self._played())

    def _borrow(self, nbytes: int) -> bool:
        """It is sent as the upstream asks for it."""
        return True

    def _played(self) -> None:
        if not self.ended:  # else it was killed meanwhile
            self.server.remove(self)

    def upstream_told(self, message: Message) -> None:
        if isinstance(message, Request):
            self._play(message.nbytes)
        else:
            super().upstream_told(message)
