"""What the desk tells a new worker about itself. Comes from the desk only, never from a container."""

from __future__ import annotations

import msgspec


class OutletSpec(msgspec.Struct, frozen=True, tag="outlet"):
    """A worker that serves one outlet.

    Descriptors that come with it, in order: the link to the desk, the listening socket, and the file if `output`
    is a `file:` end (then its name decides the format).
    """

    name: str
    output: str  # a wire end: host, host:SINK, room:NAME, file:PATH, null
    input: str = ""  # room:NAME, silence, or "" for none


class RoomSpec(msgspec.Struct, frozen=True, tag="room"):
    """A worker that serves one room. Descriptor: the link to the desk."""

    name: str


WorkerSpec = OutletSpec | RoomSpec
