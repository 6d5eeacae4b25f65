"""Sink inputs: what sounds in a sink. Most are playback streams, which a client plays."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from eardrum.protocol.catalog import Change, Facility, PlaybackStreamKilled
from eardrum.server.events import Sound
from eardrum.server.stream import Agreed, OfClient, Stream, Tag
from eardrum.sound.volume import Gains, gains
from eardrum.terms.audio import BufferAttr

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.mixed import Bus
    from eardrum.server.objects import Client, Sink


class SinkInput(Stream):
    """Of a client, or of nobody: a sample that plays."""

    def __init__(self, server: Server, client: Client, sink: Sink, agreed: Agreed) -> None:
        super().__init__(server, client, agreed)
        self.sink = sink

    @property
    def device(self) -> Sink:
        return self.sink

    @property
    def factors(self) -> Gains | None:
        return gains(self.sink.bounded(self.volume), self.muted)

    @property
    def grouped(self) -> bool:
        """It starts and stops together with others."""
        return False

    @property
    def held_back(self) -> int:
        """Bytes of its sound that are taken and not played yet, at most: a resampler or a feed has them."""
        return 0

    @property
    def claimed(self) -> int:
        return self.held_back

    def would_hold_back(self, bus: Bus) -> int:
        """The same on another bus."""
        return 0

    def announce(self) -> None:
        view = self.client.view
        self.index = view.number_for("sink_input")
        view.sink_inputs[self.index] = self
        view.changed(Facility.SINK_INPUT, Change.NEW, self.index)

    def withdraw(self) -> None:
        view = self.client.view
        view.sink_inputs.pop(self.index, None)
        view.changed(Facility.SINK_INPUT, Change.REMOVED, self.index)

    def tell_killed(self) -> None:
        """There is nobody to tell."""

    @abstractmethod
    def move(self, sink: Sink) -> None:
        """Go on in another sink. Raises Refused(NOTSUPPORTED) where only one of the two sinks is mixed here."""


class PlaybackStream(SinkInput, OfClient):
    """A sink input with a number on its client's connection, over which its sound comes."""

    def __init__(self, server: Server, client: Client, sink: Sink, agreed: Agreed) -> None:
        super().__init__(server, client, sink, agreed)
        self.attr = BufferAttr()
        self.latency = 0
        self.channel = -1
        self.sync_id: int | None = None  # those of one client with the same are a sync group

    @property
    def group(self) -> list[PlaybackStream]:
        """Its sync group, itself first."""
        others = self.client.playback.values()
        return [self, *(each for each in others if each is not self and each.sync_id == self.sync_id)]

    @property
    def grouped(self) -> bool:
        return len(self.group) > 1

    @property
    def metrics(self) -> dict[str, int]:
        """What was settled, by the names of the wire."""
        maxlength, tlength, prebuf, minreq, _ = self.attr
        return {
            "maxlength": maxlength, "tlength": tlength, "prebuf": prebuf, "minreq": minreq, "latency": self.latency,
        }  # fmt: skip

    def announce(self) -> None:
        super().announce()
        self.channel = self.client.next_output_channel()
        self.client.playback[self.channel] = self

    def withdraw(self) -> None:
        super().withdraw()
        self.client.playback.pop(self.channel, None)

    def tell_killed(self) -> None:
        self.tell(PlaybackStreamKilled(channel=self.channel))

    @abstractmethod
    def sound(self, event: Sound) -> None: ...

    @abstractmethod
    def drain(self, tag: Tag) -> None: ...

    @abstractmethod
    def trigger(self, tag: Tag) -> None: ...

    @abstractmethod
    def prebuf(self, tag: Tag) -> None: ...
