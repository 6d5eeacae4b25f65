"""Names that people type: of outlets and rooms, and the wire ends (`host`, `room:NAME`, `file:PATH`, …)."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from eardrum.terms.errors import Complaint

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_DEVICE = re.compile(r"[A-Za-z0-9._-]{1,128}")
SPEAKERS = "speakers"  # the room that is `host` on a machine without a sound server


def valid_device_name(name: str) -> bool:
    """True for what PulseAudio takes as the name of a sink, source, card or sample."""
    return _DEVICE.fullmatch(name) is not None


def checked_name(name: str, what: str = "outlet") -> str:
    """`name` itself, if an outlet or room may be called so. Raises Complaint."""
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise Complaint(
            f"{what} name {name!r}: use 1 to 64 of A-Z a-z 0-9 _ . - and begin with a letter, a digit or _", status=2
        )
    return name


@dataclass(frozen=True)
class WireEnd:
    """Where an outlet's sound goes, or where its microphone comes from."""

    kind: str  # host, room, file, loop, fifo, alsa, null, silence
    argument: str = ""  # the sink or source on the host, the room's name, the absolute path, what ALSA calls the device

    def __str__(self) -> str:
        return f"{self.kind}:{self.argument}" if self.argument else self.kind

    @property
    def has_path(self) -> bool:
        """The argument is a path."""
        return self.kind in ("file", "loop", "fifo")

    @property
    def is_carried(self) -> bool:
        """Another server is there, to which streams are carried."""
        return self.kind in ("host", "room")

    @property
    def is_nowhere(self) -> bool:
        """Nobody hears it, and it gives silence."""
        return self.kind in ("null", "silence")

    @property
    def device(self) -> str:
        """The sink or source of the host that is named; "" for the host's default, and for any other end."""
        return self.argument if self.kind == "host" else ""

    @property
    def has_descriptor(self) -> bool:
        """Its worker gets a descriptor to write to, or to read from."""
        return self.has_path or self.kind == "alsa"


SOUND_FILES = (".wav", ".flac", ".opus")  # that can be written
OUTPUTS = "host, host:SINK, room:NAME, file:PATH (.wav, .flac or .opus), fifo:PATH, alsa:DEVICE or null"
_SOUNDS = "file:PATH (played once), loop:PATH (again and again)"
INPUTS = f"host, host:SOURCE, room:NAME, {_SOUNDS}, fifo:PATH, alsa:DEVICE or silence"
_LONGEST_DEVICE = 200  # characters
_MONITOR = ".monitor"  # how the names of a server's monitors end


def output_end(text: str) -> WireEnd:
    """Parse the end of an output wire. Raises Complaint."""
    kind, colon, argument = text.partition(":")
    match kind:
        case "null" if not colon:
            return WireEnd("null")
        case "host":
            return _host("output", text, argument, bool(colon))
        case "room" if colon:
            return WireEnd("room", checked_name(argument, "room"))
        case "file" if argument:
            if not argument.lower().endswith(SOUND_FILES):
                raise Complaint(f"output {text!r}: the file's name must end in {', '.join(SOUND_FILES)}", status=2)
            return WireEnd("file", argument)
        case "fifo" if argument:
            return WireEnd("fifo", argument)
        case "alsa" if argument:
            return _alsa("output", text, argument)
    raise _no_such_end("output", text, ("host", "room", "file", "fifo", "alsa", "null"), OUTPUTS)


def input_end(text: str) -> WireEnd:
    """Parse the end of an input wire. Raises Complaint."""
    kind, colon, argument = text.partition(":")
    match kind:
        case "silence" if not colon:
            return WireEnd("silence")
        case "room" if colon:
            return WireEnd("room", checked_name(argument, "room"))
        case "file" | "loop" | "fifo" if argument:
            return WireEnd(kind, argument)
        case "alsa" if argument:
            return _alsa("input", text, argument)
        case "host":
            return _host("input", text, argument, bool(colon))
    raise _no_such_end("input", text, ("host", "room", "file", "loop", "fifo", "alsa", "silence"), INPUTS)


def _alsa(wire: str, text: str, device: str) -> WireEnd:
    if len(device) > _LONGEST_DEVICE or not device.isprintable() or device != device.strip():
        raise Complaint(f"{wire} {text!r}: no name of a device is like this; `aplay -L` lists them", status=2)
    return WireEnd("alsa", device)


def _no_such_end(wire: str, text: str, kinds: tuple[str, ...], ends: str) -> Complaint:
    kind, colon, argument = text.partition(":")
    near = difflib.get_close_matches(kind.lower(), kinds, 1, cutoff=0.7)
    meant = ""
    if not colon and text.lower().endswith(SOUND_FILES):
        meant = f"file:{text}"
    elif near and near[0] != kind:
        meant = f"{near[0]}{colon}{argument}"
    hint = f"did you mean {meant!r}? " if meant else ""
    return Complaint(f"{wire} {text!r}: no such wire end; {hint}use {ends}", status=2)


def _host(wire: str, text: str, device: str, named: bool) -> WireEnd:
    what = "sink" if wire == "output" else "source"
    if device.isdigit():
        raise Complaint(f"{wire} {text!r}: {device} is a number; `pactl list short {what}s` shows names", status=2)
    if named and not valid_device_name(device):
        hint = f"`pactl list short {what}s` shows them"
        raise Complaint(f"{wire} {text!r}: {device!r} is no {what}'s name; {hint}", status=2)
    return WireEnd("host", device)


def check_heard(input: WireEnd | None, hear: bool) -> None:
    """Raise Complaint for a monitor of the host at the end of an input, unless its outlet may hear them."""
    if not hear and input is not None and input.device.endswith(_MONITOR):
        everyone = f"hears everything that plays into {input.device.removesuffix(_MONITOR)}"
        raise Complaint(f"input {str(input)!r}: {everyone}; use --hear if that is meant", status=2)
