"""The sample cache: short sounds that a view keeps and plays by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eardrum.terms.audio import ChannelMap, SampleSpec

if TYPE_CHECKING:
    from eardrum.server.events import Sound

MAX_SAMPLE = 16 * 1024 * 1024  # bytes of one sample, as in PulseAudio


@dataclass(eq=False, slots=True)
class Sample:
    """What is kept: whole frames in `spec`."""

    index: int
    name: str
    spec: SampleSpec
    channel_map: ChannelMap
    data: bytes
    proplist: dict[str, bytes]


@dataclass(eq=False, slots=True)
class Upload:
    """A stream that brings a sample of at most `length` bytes."""

    channel: int
    name: str
    spec: SampleSpec
    channel_map: ChannelMap
    length: int
    proplist: dict[str, bytes]
    data: bytearray = field(default_factory=bytearray)

    def sound(self, event: Sound) -> None:
        """More bytes; those beyond the length are lost."""
        self.data += event.data[: self.length - len(self.data)]


class Tape:
    """A sample on its way through a voice: read from its beginning, and not copied."""

    __slots__ = ("_data", "r", "w")

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self.r = 0
        self.w = len(data)

    def take(self, nbytes: int) -> memoryview:
        """The next `nbytes`, which must be there."""
        self.r += nbytes
        return self._data[self.r - nbytes : self.r]

    def skip(self, nbytes: int) -> None:
        self.r += nbytes
