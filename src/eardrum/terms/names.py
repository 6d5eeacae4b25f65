"""Names that people type: of outlets and rooms, and the wire ends (`host`, `room:NAME`, `file:PATH`, …)."""

from __future__ import annotations

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

    kind: str  # host, room, file, loop, fifo, null, silence
    argument: str = ""  # the sink or source on the host, the room's name, the absolute path

    def __str__(self) -> str:
        return f"{self.kind}:{self.argument}" if self.argument else self.kind

    @property
    def has_path(self) -> bool:
        """The argument is a path."""
        return self.kind in ("file", "loop", "fifo")


SOUND_FILES = (".wav", ".flac", ".opus")  # that can be written
OUTPUTS = "host, host:SINK, room:NAME, file:PATH (.wav, .flac or .opus), fifo:PATH or null"
INPUTS = "room:NAME, file:PATH (played once), loop:PATH (again and again), fifo:PATH or silence"


def output_end(text: str) -> WireEnd:
    """Parse the end of an output wire. Raises Complaint."""
    kind, colon, argument = text.partition(":")
    match kind:
        case "null" if not colon:
            return WireEnd("null")
        case "host":
            return _host(text, argument, bool(colon))
        case "room" if colon:
            return WireEnd("room", checked_name(argument, "room"))
        case "file" if argument:
            if not argument.lower().endswith(SOUND_FILES):
                raise Complaint(f"output {text!r}: the file's name must end in {', '.join(SOUND_FILES)}", status=2)
            return WireEnd("file", argument)
        case "fifo" if argument:
            return WireEnd("fifo", argument)
    raise Complaint(f"output {text!r}: no such wire end; use {OUTPUTS}", status=2)


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
        case "host":
            raise Complaint(f"input {text!r}: microphones of the host cannot be wired yet; use {INPUTS}", status=2)
    raise Complaint(f"input {text!r}: no such wire end; use {INPUTS}", status=2)


def _host(text: str, sink: str, named: bool) -> WireEnd:
    if named and not valid_device_name(sink):
        raise Complaint(f"output {text!r}: {sink!r} is no sink's name; `pactl list short sinks` shows them", status=2)
    return WireEnd("host", sink)
