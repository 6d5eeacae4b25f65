"""Playback streams: what a client plays. Here, what the mixed and the carried kind share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from eardrum.protocol.catalog import (
    PlaybackStreamKilled,
)
from eardrum.protocol.message import Message
from eardrum.server.events import Sound
from eardrum.terms.audio import BufferAttr, ChannelMap, SampleSpec, Volume

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.objects import Client, Sink

Tag = int


class PlaybackStream(ABC):
    """One sink input: who owns it, what it sounds like, how loud it is."""

    def __init__(
        self, server: Server, client: Client, sink: Sink, spec: SampleSpec, channel_map: ChannelMap, volume: Volume
    ) -> None:
        self.server = server
        self.client = client
        self.sink = sink
        self.spec = spec
        self.channel_map = channel_map
        self.volume = volume
        self.muted = False
        self.corked = False
        self.variable_rate = False
        self.proplist: dict[str, bytes] = {}
        self.attr = BufferAttr()
        self.latency = 0  # µs, what the device is configured to
        self.index = -1  # until the client is told
        self.channel = -1

    def tell(self, message: Message) -> None:
        self.server.tell(self.client, message)

    def announce(self) -> None:
        """Give the stream its numbers in the view and on the connection; from now on the client can speak about it."""
        self.index = self.client.view.number_for("sink_input")
        self.channel = self.client.playback_numbers
        self.client.playback_numbers += 1
        self.client.playback[self.channel] = self

    def tell_killed(self) -> None:
        self.tell(PlaybackStreamKilled(channel=self.channel))

    @abstractmethod
    def end(self) -> None:
        """The stream is deleted or its client is gone; nothing more is said about it."""

    @abstractmethod
    def sound(self, event: Sound) -> None: ...

    @abstractmethod
    def cork(self, tag: Tag, corked: bool) -> None: ...

    @abstractmethod
    def flush(self, tag: Tag) -> None: ...

    @abstractmethod
    def drain(self, tag: Tag) -> None: ...

    @abstractmethod
    def trigger(self, tag: Tag) -> None: ...

    @abstractmethod
    def prebuf(self, tag: Tag) -> None: ...

    @abstractmethod
    def set_attr(self, tag: Tag, asked: BufferAttr, *, adjust_latency: bool, early_requests: bool) -> None: ...

    @abstractmethod
    def set_rate(self, tag: Tag, rate: int) -> None: ...

    @abstractmethod
    def tell_latency(self, tag: Tag, client_time: tuple[int, int]) -> None: ...

    @abstractmethod
    def level_changed(self) -> None:
        """The stream's volume or mute is another now."""

    @abstractmethod
    def unclogged(self) -> None:
        """The client reads again; until now it was asked for nothing."""
