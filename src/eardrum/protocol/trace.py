"""One line per message, for people. Text of others is quoted and cut, secrets are not shown."""

from __future__ import annotations

import re

from eardrum.protocol.kinds import COOKIE_, FormatInfo
from eardrum.protocol.message import Message, Record, fields_of
from eardrum.terms.audio import INVALID, SampleSpec

MAX_TEXT = 80  # characters shown of one text
_WORD = re.compile(r"[\w.:@/-]+", re.ASCII)


def wire_name(cls: type[Record]) -> str:
    """CreatePlaybackStream -> CREATE_PLAYBACK_STREAM, as every PulseAudio log has it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).upper()


def trace_line(message: Message, tag: int, direction: str) -> str:
    """`direction` first, then name, tag and fields; fields that say nothing (none, false, empty) are left out."""
    tagged = "" if tag == INVALID else f" tag={tag}"
    fields = _fields(message)
    return f"{direction} {wire_name(type(message))}{tagged}{' ' if fields else ''}{fields}"


def _fields(row: Record) -> str:
    shown = []
    for field in fields_of(type(row)):
        value = getattr(row, field.name)
        if field.constant is not None or value is None or value is False or value in ([], {}, INVALID):
            continue
        if field.kind is COOKIE_:
            shown.append(f"{field.name}={len(value)} bytes")
        else:
            pointer = f"{field.ref.to}#" if field.ref and isinstance(value, int) else ""
            shown.append(f"{field.name}={pointer}{_shown(value)}")
    return " ".join(shown)


def _shown(value: object) -> str:
    match value:
        case str():
            return _quoted(value)
        case True:
            return "yes"
        case SampleSpec():
            return str(value)
        case FormatInfo(encoding, proplist):
            return f"{encoding}{_shown(proplist)}"
        case bytes() | tuple():
            return ",".join(map(str, value[:MAX_TEXT])) + ("…" if len(value) > MAX_TEXT else "")
        case dict():
            return "{" + " ".join(f"{_word(key)}={_property(data)}" for key, data in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_shown, value)) + "]"
        case Record():
            return f"({_fields(value)})"
        case _:
            return str(value)


def _quoted(text: str) -> str:
    """Python's quoting: every character that does not print is escaped."""
    return repr(text[:MAX_TEXT]) + ("…" if len(text) > MAX_TEXT else "")


def _word(text: str) -> str:
    return text if len(text) <= MAX_TEXT and _WORD.fullmatch(text) else _quoted(text)


def _property(data: bytes) -> str:
    """A property's value is text if it ends with its only null byte and is UTF-8."""
    text, end = data[:-1], data[-1:]
    if end == b"\0" and b"\0" not in text:
        try:
            return _quoted(text.decode())
        except UnicodeDecodeError:
            pass
    return f"<{len(data)} bytes>"
