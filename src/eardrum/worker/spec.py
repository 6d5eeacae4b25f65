"""What the desk tells a new worker about itself. Comes from the desk only, never from a container."""

from __future__ import annotations

from typing import Annotated

import msgspec

from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.budget import Budget
from eardrum.terms.levels import HIGHEST


class Level(msgspec.Struct, frozen=True):
    """Volume (left, right) and mute of an outlet's output or input, as its programs set them."""

    volume: tuple[int, int] = (VOLUME_NORM, VOLUME_NORM)
    muted: bool = False


class Knob(msgspec.Struct, frozen=True):
    """Volume and mute of an outlet's output or input, as the person sets them."""

    volume: Annotated[int, msgspec.Meta(ge=0, le=HIGHEST)] = VOLUME_NORM
    muted: bool = False


class OutletSpec(msgspec.Struct, frozen=True, tag="outlet"):
    """A worker that serves one outlet.

    Descriptors that come with it, in order: the link to the desk, the listening socket, the file, FIFO or pipe of
    `output` and that of `input`, for ends that have one. The name of a file that is written decides its format.
    """

    name: str
    output: str  # a wire end: host, host:SINK, room:NAME, file:PATH, fifo:PATH, alsa:DEVICE, null
    input: str = ""  # host, host:SOURCE, room:NAME, file:PATH, loop:PATH, fifo:PATH, alsa:DEVICE, silence, or "": none
    output_level: Level | None = None  # None: no program has set one
    input_level: Level | None = None
    modules: bool = False  # programs may load the emulated modules
    hear: bool = False  # what its input hears on the host may be a monitor
    output_knob: Knob | None = None  # None: the person has set nothing
    input_knob: Knob | None = None
    ceiling: int | None = None  # the highest level of its streams
    budget: Budget = Budget()


class RoomSpec(msgspec.Struct, frozen=True, tag="room"):
    """A worker that serves one room. Descriptor: the link to the desk."""

    name: str


class SoundFileSpec(msgspec.Struct, frozen=True, tag="sound file"):
    """A worker that says READY if the file is one that can be played, and ends.

    Descriptors: the link to the desk, the file.
    """

    name: str


class AlsaSpec(msgspec.Struct, frozen=True, tag="alsa"):
    """A process that has a device of ALSA, hardly confined; without a pipe it only looks whether the device is there.

    Descriptors: the link to the desk, the pipe that it reads from, or writes to if it `captures`.
    """

    name: str
    captures: bool


class GateSpec(msgspec.Struct, frozen=True, tag="gate"):
    """A process that stands between an outlet's worker and the host's server. Descriptor: the link to the desk."""

    name: str
    hear: bool = False  # what the input hears on the host may be a monitor
    ceiling: int | None = None  # the highest volume of the outlet's streams
    hushed: bool = False  # the person has muted the microphone


WorkerSpec = OutletSpec | RoomSpec | SoundFileSpec | AlsaSpec | GateSpec
