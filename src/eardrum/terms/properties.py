"""Property lists of clients and streams: which keys may be kept and shown, and how a value must look."""

from __future__ import annotations

import unicodedata

from eardrum.terms.errors import PulseError, Refused

MAX_CHARACTERS = 256
MAX_KEYS = 1024  # of what is said at once, known or not
MAX_BYTES = 64 * 1024  # of their values
SAID_UPSTREAM = ("media.name", "media.title", "media.artist")
ICON = "audio-card"
ALLOWED = frozenset(
    (
        "application.icon_name", "application.id", "application.language", "application.name",
        "application.process.binary", "application.process.id", "application.version",
        "event.description", "event.id", "event.mouse.button", "event.mouse.hpos", "event.mouse.vpos",
        "media.artist", "media.copyright", "media.icon_name", "media.language", "media.name", "media.role",
        "media.software", "media.title",
        "window.height", "window.icon_name", "window.id", "window.name", "window.width",
    )
)  # fmt: skip
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))  # control, bidi and other characters without a picture


def cleaned(proplist: dict[str, bytes]) -> dict[str, bytes]:
    """The properties that may be kept: known keys with text, cut to MAX_CHARACTERS, without hidden characters.

    Raises Refused for more of them than any program has.
    """
    if len(proplist) > MAX_KEYS or sum(map(len, proplist.values())) > MAX_BYTES:
        raise Refused(PulseError.TOOLARGE, f"{len(proplist)} properties")
    kept = {}
    for key, raw in proplist.items():
        if key in ALLOWED and (words := _text(raw)) is not None:
            kept[key] = value(words)
    return kept


def said_upstream(name: str, microphone: bool, proplist: dict[str, bytes]) -> dict[str, bytes]:
    """What the host's server is told of a stream of the outlet `name`: that name, and of the client's words, `cleaned`,
    only what the sound is.

    A program in a container neither takes over nor moves the levels that the server remembers for one outside: the
    restore id is the outlet's, with / its microphone's, which no outlet's name has; and no role is said, by which
    wireplumber remembers first of all.
    """
    words = cleaned({key: proplist[key] for key in SAID_UPSTREAM if key in proplist})
    return {
        **words,
        "application.name": value(name),
        "application.id": value(f"eardrum.{name}"),
        "application.icon_name": value(ICON),
        "module-stream-restore.id": value(f"eardrum-{name}{'/in' if microphone else ''}"),
    }


def introduction(name: str) -> dict[str, bytes]:
    """What the host's server is told of us, who are there for the outlet `name`."""
    us = {"application.name": name, "application.id": "eardrum", "application.icon_name": ICON}
    return {key: value(words) for key, words in us.items()}


def text(proplist: dict[str, bytes], key: str, default: str = "") -> str:
    """The property as text; `default` if it is not there or no text."""
    words = _text(proplist.get(key, b""))
    return default if words is None else words


def value(words: str) -> bytes:
    """Text as a property's value."""
    return words.encode("utf-8", "replace") + b"\0"


def _text(raw: bytes) -> str | None:
    if raw[-1:] != b"\0" or b"\0" in raw[:-1]:
        return None
    try:
        words = raw[:-1].decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "".join(c for c in words if unicodedata.category(c) not in _HIDDEN)[:MAX_CHARACTERS]
