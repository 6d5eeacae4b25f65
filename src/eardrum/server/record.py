"""Record streams: what a client listens to. Here, what the mixed and the carried kind share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from eardrum.protocol.catalog import RecordStreamKilled
from eardrum.protocol.message import Message
from eardrum.terms.audio import BufferAttr, ChannelMap, SampleSpec, Volume

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.objects import Client, Source
    from eardrum.server.playback import Tag


class RecordStream(ABC):
    """One source output: who owns it and what it gets."""

    def __init__(
        self, server: Server, client: Client, source: Source, spec: SampleSpec, channel_map: ChannelMap, volume: Volume
    ) -> None:
        self.server = server
        self.client = client
        self.source = source
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
        self.index = self.client.view.number_for("source_output")
        self.channel = self.client.record_numbers
        self.client.record_numbers += 1
        self.client.record[self.channel] = self

    def tell_killed(self) -> None:
        self.tell(RecordStreamKilled(channel=self.channel))

    @abstractmethod
    def end(self) -> None:
        """The stream is deleted or its client is gone; nothing more is said about it."""

    @abstractmethod
    def cork(self, tag: Tag, corked: bool) -> None: ...

    @abstractmethod
    def flush(self, tag: Tag) -> None: ...

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
        """The client reads again."""
