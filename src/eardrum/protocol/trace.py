"""One line per packet, for people or for programs. Text of others is quoted and cut, secrets are not shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from eardrum.protocol.catalog import MASK_ALL, Ack, Change, Error, Facility
from eardrum.protocol.kinds import (
    COOKIE_,
    ERROR_,
    EVENT_,
    MAP_,
    MASK_,
    TIME_,
    VERSION_,
    Counted,
    FormatInfo,
    Kind,
    ToEnd,
)
from eardrum.protocol.message import NEWEST, NO_TAG, Message, Record, fields_of, wire_name
from eardrum.protocol.packets import SoundPacket
from eardrum.protocol.tap import Riddle, Said
from eardrum.terms.audio import INVALID, SampleSpec
from eardrum.terms.errors import PulseError

MAX_TEXT = 80  # characters shown of one text
MAX_HEX = 4096  # bytes shown of what cannot be read
SEEKS = ("relative", "absolute", "relative-on-read", "relative-end")
DIRECTIONS = {"client": ">", "server": "<"}
_FLAGS = {31: "shm", 30: "memfd"}  # in the version word
_WORD = re.compile(r"[\w.:@/-]+", re.ASCII)


def said_line(said: Said) -> str:
    """As `trace_line`; a refusal or a bare reply names what it answers."""
    direction = DIRECTIONS[said.by]
    match said.what:
        case SoundPacket(channel, seek, offset, _, _, total):
            place = f" seek={SEEKS[seek]} offset={offset}" if seek or offset else ""
            return f"{direction} SOUND channel={channel} bytes={total}{place}"
        case Riddle(why):
            answers = f" answers={said.answers}" if said.answers else ""
            return f"{direction} UNREADABLE{answers} why={_quoted(why)} {_hex(said.data)}"
        case Error() | Ack() as message:
            verb = "refuses" if isinstance(message, Error) else "answers"
            line = trace_line(message, said.tag, direction, said.version)
            return f"{line} {verb}={said.answers}"
        case message:
            return trace_line(message, said.tag, direction, said.version)


def trace_line(message: Message, tag: int, direction: str, version: int = NEWEST) -> str:
    """`direction` first, then name, tag and fields; fields that say nothing (none, false, empty) are left out."""
    tagged = "" if tag == NO_TAG else f" tag={tag}"
    fields = _fields(message, version)
    return f"{direction} {wire_name(type(message))}{tagged}{' ' if fields else ''}{fields}"


def said_json(said: Said) -> dict[str, Any]:
    """The same as values that JSON has: every field that was said, but for secrets. Bytes that are no text are hex."""
    answers = {"answers": said.answers} if said.answers else {}
    match said.what:
        case SoundPacket(channel, seek, offset, _, _, total):
            return {"by": said.by, "sound": {"channel": channel, "bytes": total, "seek": SEEKS[seek], "offset": offset}}
        case Riddle(why):
            return {"by": said.by, **answers, "unreadable": said.data.hex(), "why": why}
        case message:
            head = {"by": said.by, "command": wire_name(type(message)), "tag": said.tag, **answers}
            if isinstance(message, Error):
                head["error"] = _error(message.code)
            return {**head, "fields": _plain_fields(message, said.version)}


# -- values for people


def _fields(row: Record, version: int) -> str:
    shown = []
    for field in fields_of(type(row)):
        value = getattr(row, field.name)
        if field.constant is not None or not field.in_version(version):
            continue
        if value is None or value is False or value in ([], {}, (), b"", INVALID):
            continue
        if field.kind in _BY_KIND:
            shown.append(f"{field.name}={_BY_KIND[field.kind](value)}")
        else:
            points = field.ref and field.ref.to != "event" and isinstance(value, int)
            pointer = f"{field.ref.to}#" if field.ref and points else ""
            shown.append(f"{field.name}={pointer}{_shown(value, version)}")
    return " ".join(shown)


def _shown(value: object, version: int) -> str:
    match value:
        case str():
            return _quoted(value)
        case True:
            return "yes"
        case SampleSpec():
            return str(value)
        case FormatInfo(encoding, proplist):
            return f"{encoding}{_shown(proplist, version)}"
        case bytes() | tuple() if len(value) > 2 and len(set(value)) == 1:
            return f"{value[0]}×{len(value)}"
        case bytes() | tuple():
            return ",".join(map(str, value[:MAX_TEXT])) + ("…" if len(value) > MAX_TEXT else "")
        case dict():
            return "{" + " ".join(f"{_word(key)}={_property(data)}" for key, data in value.items()) + "}"
        case list():
            return "[" + ", ".join(_shown(item, version) for item in value) + "]"
        case Record():
            return f"({_fields(value, version)})"
        case _:
            return str(value)


def _error(code: int) -> str:
    return PulseError(code).name if code in PulseError._value2member_map_ else str(code)


def _version(word: int) -> str:
    """The version and the flags above it: 35+shm+memfd."""
    flags = [_FLAGS.get(bit, f"bit{bit}") for bit in range(31, 15, -1) if word >> bit & 1]
    return "+".join([str(word & 0xFFFF), *flags])


def _facilities(mask: int) -> str:
    """The facilities in it: sink+source."""
    if mask == MASK_ALL:
        return "all"
    known = [facility.name.lower() for facility in Facility if mask >> facility & 1]
    rest = mask & ~MASK_ALL
    return "+".join([*known, *([hex(rest)] if rest else [])]) or "none"


def _event(word: int) -> str:
    """The facility and what happened: sink_input-new."""
    facility, change = word & 0x0F, word & ~0x0F
    if facility in Facility._value2member_map_ and change in Change._value2member_map_:
        return f"{Facility(facility).name}-{Change(change).name}".lower()
    return hex(word)


_BY_KIND: dict[Kind | Counted | ToEnd, Callable[[Any], str]] = {
    COOKIE_: lambda cookie: f"{len(cookie)} bytes",
    ERROR_: _error,
    EVENT_: _event,
    MASK_: _facilities,
    TIME_: lambda time: f"{time[0]}.{time[1]:06}",
    VERSION_: _version,
}


def _quoted(text: str) -> str:
    """Python's quoting: every character that does not print is escaped."""
    return repr(text[:MAX_TEXT]) + ("…" if len(text) > MAX_TEXT else "")


def _hex(data: bytes) -> str:
    return data[:MAX_HEX].hex() + ("…" if len(data) > MAX_HEX else "")


def _word(text: str) -> str:
    return text if len(text) <= MAX_TEXT and _WORD.fullmatch(text) else _quoted(text)


def _property(data: bytes) -> str:
    text = _text(data)
    return f"<{len(data)} bytes>" if text is None else _quoted(text)


def _text(data: bytes) -> str | None:
    """A property's value is text if it ends with its only null byte and is UTF-8."""
    text, end = data[:-1], data[-1:]
    if end == b"\0" and b"\0" not in text:
        try:
            return text.decode()
        except UnicodeDecodeError:
            pass
    return None


# -- values for programs


def _plain_fields(row: Record, version: int) -> dict[str, Any]:
    fields = {}
    for field in fields_of(type(row)):
        if field.in_version(version) and field.constant is None and field.kind is not COOKIE_:
            value = getattr(row, field.name)
            fields[field.name] = list(value) if field.kind is MAP_ else _plain(value, version)
    return fields


def _plain(value: object, version: int) -> Any:
    match value:
        case str():  # what was no UTF-8 is shown by its bytes
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        case SampleSpec():
            return str(value)
        case FormatInfo(encoding, proplist):
            return {"encoding": encoding, "proplist": _plain(proplist, version)}
        case bytes():
            return value.hex()
        case dict():
            texts = {key: (_text(data), data) for key, data in value.items()}
            return {key: {"hex": data.hex()} if text is None else text for key, (text, data) in texts.items()}
        case list() | tuple():
            return [_plain(item, version) for item in value]
        case Record():
            return _plain_fields(value, version)
        case _:
            return value
