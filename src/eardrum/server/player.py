"""Sink inputs that a bus of this worker plays."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from eardrum.server.playback import SinkInput
from eardrum.server.voice import Queue, Voice, held_back
from eardrum.sound.block import Block
from eardrum.terms.audio import Samples
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.mixed import Bus
    from eardrum.server.objects import Sink


class Player(SinkInput):
    """A sink input with a voice on a bus."""

    bus: Bus
    voice: Voice

    def sing(self, bus: Bus, queue: Queue) -> None:
        """Make the voice."""
        self.bus = bus
        agreed = self.agreed
        self.voice = Voice(queue, self.spec, self.channel_map, bus, no_remap=agreed.no_remap, no_remix=agreed.no_remix)
        self.voice.set_gain(self.factors)

    def level_changed(self) -> None:
        self.bus.advance(self.server.now)
        self.voice.set_gain(self.factors)

    @property
    def held_back(self) -> int:
        return self.voice.held_back

    def would_hold_back(self, bus: Bus) -> int:
        return held_back(self.spec, bus)

    @property
    def heard_as(self) -> SinkInput:
        """The sink input that is heard here."""
        return self

    @property
    @abstractmethod
    def period(self) -> float:
        """How long the bus may let it wait for its next cycle, in seconds."""

    @property
    @abstractmethod
    def rest(self) -> float | None:
        """Seconds until it has played all it has; None if nobody waits for that."""

    @abstractmethod
    def take(self, frames: int) -> Block:
        """The next `frames` frames at the bus's rate and channels, fewer if there are no more."""

    @abstractmethod
    def take_bytes(self, frames: int) -> Samples:
        """As `take`, of a plain voice: in the stream's spec."""

    @abstractmethod
    def skip(self, frames: int) -> None:
        """Go on as with `take`, but nobody hears it."""

    def go_to(self, sink: Sink) -> bool:
        """Leave the bus for that of this sink; whether it was playing. Raises Refused(NOTSUPPORTED) if it has none."""
        if sink.bus is None:
            raise Refused(PulseError.NOTSUPPORTED, "what is mixed here cannot be carried")
        self.bus.advance(self.server.now)
        playing = self.bus.plays(self)
        self.bus.leave(self)
        self.sink, self.bus = sink, sink.bus
        self.voice.move(sink.bus)
        self.voice.set_gain(self.factors)
        return playing
