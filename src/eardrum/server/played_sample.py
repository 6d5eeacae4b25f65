"""A sample that plays: a sink input of nobody, which ends by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.server.mixed import MAX_PERIOD
from eardrum.server.player import Player
from eardrum.server.samples import Sample, Tape
from eardrum.server.stream import Agreed
from eardrum.sound.block import Block

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.mixed import Bus
    from eardrum.server.objects import Sink, View


class PlayedSample(Player):
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
        if self.voice.spent:
            self.server.remove(self)
        return block

    def end(self) -> None:
        self.bus.leave(self)

    def move(self, sink: Sink) -> None:
        self.go_to(sink)
        self.start()

    def suspend(self) -> None:
        """It was made to be killed then."""
