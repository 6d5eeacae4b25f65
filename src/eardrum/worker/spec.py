"""What the desk tells a new worker about itself. Comes from the desk only, never from a container."""

from __future__ import annotations

import msgspec

from eardrum.terms.audio import VOLUME_NORM

MOST_CONNECTIONS = 2000  # on one outlet, as far as descriptors go


class Level(msgspec.Struct, frozen=True):
    """Volume (left, right) and mute of an outlet's output or input, as its programs set them."""

    volume: tuple[int, int] = (VOLUME_NORM, VOLUME_NORM)
    muted: bool = False


class OutletSpec(msgspec.Struct, frozen=True, tag="outlet"):
    """A worker that serves one outlet.

    Descriptors that come with it, in order: the link to the desk, the listening socket, and the file if `output`
    is a `file:` end (then its name decides the format).
    """

    name: str
    output: str  # a wire end: host, host:SINK, room:NAME, file:PATH, null
    input: str = ""  # room:NAME, silence, or "" for none
    output_level: Level = Level()
    input_level: Level = Level()
    modules: bool = False  # programs may load the emulated modules


class RoomSpec(msgspec.Struct, frozen=True, tag="room"):
    """A worker that serves one room. Descriptor: the link to the desk."""

    name: str


WorkerSpec = OutletSpec | RoomSpec
