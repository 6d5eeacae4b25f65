"""Streams: sink inputs and source outputs. Here, what both share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eardrum.protocol.message import Message
from eardrum.sound.volume import Gains, gains
from eardrum.terms.audio import BufferAttr, ChannelMap, SampleSpec, Volume

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.objects import Client, Sink, Source

Tag = int


@dataclass(slots=True)
class Agreed:
    """What was asked for a new stream and can be granted; its buffer metrics are still to be settled."""

    spec: SampleSpec
    channel_map: ChannelMap
    volume: Volume
    muted: bool = False
    muted_set: bool = False  # that was said, not left open
    corked: bool = False
    proplist: dict[str, bytes] = field(default_factory=dict)
    attr: BufferAttr = field(default_factory=BufferAttr)
    adjust_latency: bool = False
    early_requests: bool = False
    variable_rate: bool = False
    no_remap: bool = False
    no_remix: bool = False
    no_move: bool = False
    fail_on_suspend: bool = False
    passthrough: bool = False
    dont_inhibit_auto_suspend: bool = False
    peaks: bool = False  # a record stream for a meter: the loudest sample of each interval


class Stream(ABC):
    """One sink input or source output: who owns it, how it sounds, how loud it is."""

    def __init__(self, server: Server, client: Client, agreed: Agreed) -> None:
        self.server = server
        self.client = client
        self.agreed = agreed
        self.spec = agreed.spec
        self.channel_map = agreed.channel_map
        self.volume = agreed.volume
        self.muted = agreed.muted
        self.corked = agreed.corked
        self.proplist = agreed.proplist
        self.module: int | None = None  # the number of the emulated module that made it
        self.placed = False  # somebody moved it to where it is
        self.index = -1  # until it is shown in its view
        self.lent = 0  # bytes of sound that it may hold beyond those that it claims

    @property
    def factors(self) -> Gains | None:
        """What its samples are multiplied with, None if nothing."""
        return gains(self.volume, self.muted)

    def tell(self, message: Message) -> None:
        self.server.tell(self.client, message)

    @property
    def claimed(self) -> int:
        """Bytes of sound for which it must have room."""
        return 0

    @property
    def borrowed(self) -> int:
        """Bytes that are lent to it, and to what stands in for it."""
        return self.lent

    def give_back(self) -> None:
        """Keep no more of what was lent than is needed now."""
        self.lent = 0

    @property
    @abstractmethod
    def device(self) -> Sink | Source:
        """The sink into which it plays, or the source that it hears."""

    @abstractmethod
    def announce(self) -> None:
        """Give the stream its number in the view; from now on clients can speak about it."""

    @abstractmethod
    def withdraw(self) -> None:
        """Take the stream out of its view."""

    @abstractmethod
    def end(self) -> None:
        """The stream is deleted or its client is gone; nothing more is said about it."""

    @abstractmethod
    def tell_killed(self) -> None: ...

    @abstractmethod
    def level_changed(self) -> None:
        """The stream's volume or mute is another now."""

    @abstractmethod
    def suspend(self) -> None:
        """Its device was suspended, or goes on."""


class OfClient(ABC):
    """What a client can ask of its playback and record streams alike. `attr` and `latency` are what was settled."""

    attr: BufferAttr
    latency: int  # µs, what the device is configured to
    channel: int  # its number on the connection, -1 until the client is told

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
    def unclogged(self) -> None:
        """The client reads again; until now it was told and asked for nothing."""
