"""What a worker may say to its upstream, written down a second time: commands, their fields, and what these may hold.

From the description of the protocol and from what an outlet promises; nothing here looks at how the product says it.
What is not listed is a fault: a command, a field with something else in it, a property, a flag.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from eardrum.testing.checkpoint.wire import NOBODY, Properties

VERSION = 35
COOKIE_BYTES = 256
BYTES_OF_SAMPLES = (1, 1, 1, 2, 2, 4, 4, 4, 4, 3, 3, 4, 4)  # by format
HIGHEST_RATE = 775_680  # Hz; what the newest server takes
POSITIONS = 51
HIGHEST_LEVEL = 0x7FFFFFFF
LONGEST_QUEUE = 4 * 1024 * 1024  # bytes
LONGEST_TEXT = 1024  # characters
MASK = 0x2FF  # all that can be subscribed to
PCM = 1
MODES = range(3)  # in which properties are changed: set, merge, replace

# What a person may see of a program, and what a server needs to tell streams of one outlet from others.
KEYS = frozenset(
    (
        "application.icon_name", "application.id", "application.language", "application.name", "application.version",
        "event.description", "event.id", "event.mouse.button", "event.mouse.hpos", "event.mouse.vpos",
        "media.artist", "media.copyright", "media.icon_name", "media.language", "media.name", "media.software",
        "media.title", "module-stream-restore.id",
        "window.height", "window.icon_name", "window.id", "window.name", "window.width",
    )
)  # fmt: skip
OWN_PREFIX = "eardrum"  # of a restore id: it is nobody else's
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


class Unlawful(Exception):
    """A command that a worker has no business to say, or with something in it that it may not hold."""


def demand(holds: bool, otherwise: str) -> None:
    """Raise Unlawful when it does not hold."""
    if not holds:
        raise Unlawful(otherwise)


@dataclass
class Stream:
    """One that the upstream made at this connection's request."""

    index: int  # by which everybody on the server knows it
    frame_bytes: int
    channels: int
    rate: int  # Hz, that it was made with


@dataclass
class Known:
    """What one connection has been given so far."""

    playback: dict[int, Stream] = field(default_factory=dict)  # by channel
    record: dict[int, Stream] = field(default_factory=dict)
    draining: set[int] = field(default_factory=set)  # channels whose drain may not have been begun yet


@dataclass(frozen=True)
class Terms:
    """What an outlet was wired to, as the test that started it knows."""

    devices: frozenset[str] = frozenset()  # of the host, which it may name
    ceiling: int = HIGHEST_LEVEL  # of each stream


Fields = dict[str, Any]


class Allowed(NamedTuple):
    """A command: its fields in order, each with the letters of its kind, and what else must hold of them."""

    name: str
    layout: str = ""
    check: Callable[[Fields, Known, Terms], None] | None = None


def _text(words: str | None, what: str) -> None:
    if words is None:
        raise Unlawful(f"{what}: none")
    demand(len(words) <= LONGEST_TEXT, f"{what}: {len(words)} characters")
    hidden = [c for c in words if unicodedata.category(c) in _UNSEEN]
    demand(not hidden, f"{what}: hidden characters {hidden!r}")


def _properties(properties: Properties) -> None:
    keys = [key for key, _ in properties]
    demand(len({*keys}) == len(keys), f"a property twice: {keys}")
    for key, value in properties:
        demand(key in KEYS, f"property {key}")
        demand(value[-1:] == b"\0" and b"\0" not in value[:-1], f"property {key} is no text: {value!r}")
        try:
            words = value[:-1].decode()
        except UnicodeDecodeError:
            raise Unlawful(f"property {key} is no text: {value!r}") from None
        _text(words, f"property {key}")
        if key == "module-stream-restore.id":
            demand(words.startswith(OWN_PREFIX), f"restore id {words!r}")


def _spec(fields: Fields) -> None:
    """Sample spec, channel map and volume are valid and agree."""
    number, channels, rate = fields["spec"]
    demand(number < len(BYTES_OF_SAMPLES), f"sample format {number}")
    demand(1 <= channels <= 32, f"{channels} channels")
    demand(1 <= rate <= HIGHEST_RATE, f"a rate of {rate} Hz")
    demand(len(fields["map"]) == channels, f"{channels} channels and a map of {len(fields['map'])}")
    demand(all(position < POSITIONS for position in fields["map"]), f"positions {fields['map']!r}")
    demand(len(fields["volume"]) == channels, f"{channels} channels and a volume of {len(fields['volume'])}")


def _formats(fields: Fields) -> None:
    for encoding, properties in fields["formats"]:
        demand(encoding == PCM, f"encoding {encoding}")
        demand(not properties, f"a format with properties {properties}")


def _volume(levels: tuple[int, ...], terms: Terms) -> None:
    demand(1 <= len(levels) <= 32, f"a volume of {len(levels)} channels")
    demand(max(levels) <= terms.ceiling, f"level {max(levels)}, above the ceiling {terms.ceiling}")


def _no_more_than_a_queue(fields: Fields, *names: str) -> None:
    for name in names:
        demand(fields[name] == NOBODY or fields[name] <= LONGEST_QUEUE, f"{name} of {fields[name]} bytes")


def _create(fields: Fields, terms: Terms, device: str) -> None:
    _spec(fields)
    _formats(fields)
    _volume(fields["volume"], terms)
    _properties(fields["properties"])
    demand(fields[f"{device}_index"] == NOBODY, f"{device} {fields[f'{device}_index']} by its index")
    name = fields[device]
    demand(name is None or name in terms.devices, f"{device} {name!r}")
    demand(not fields["passthrough"], "passthrough")
    demand(not fields["relative_volume"], "a volume relative to the device's")


def _create_playback(fields: Fields, known: Known, terms: Terms) -> None:
    """A sync group must not grow while one of its streams begins to drain; a question about that one is answered later,
    and what is said behind the question is done later.
    """
    demand(not known.draining, f"a stream is made while {known.draining} may begin to drain")
    _create(fields, terms, "sink")
    _no_more_than_a_queue(fields, "maxlength", "tlength", "prebuf", "minreq")


def _create_record(fields: Fields, known: Known, terms: Terms) -> None:
    _create(fields, terms, "source")
    _no_more_than_a_queue(fields, "maxlength", "fragsize")
    demand(not fields["peak_detect"], "peaks, which are taken on our side")
    demand(fields["direct_on_input"] == NOBODY, f"sink input {fields['direct_on_input']} is to be recorded")


def _own(streams: str) -> Callable[[Fields, Known, Terms], None]:
    """By its channel, which must be one of this connection's own."""

    def check(fields: Fields, known: Known, terms: Terms) -> None:
        channel = fields["channel"]
        demand(channel in getattr(known, streams), f"channel {channel} is no {streams} stream of this connection")
        _no_more_than_a_queue(fields, *(name for name in fields if name in _METRICS))
        if "properties" in fields:
            demand(fields["mode"] in MODES, f"mode {fields['mode']}")
            _properties(fields["properties"])
        if "name" in fields:
            _text(fields["name"], "the name of a stream")
        if "rate" in fields:
            rate, made = fields["rate"], getattr(known, streams)[channel].rate
            demand(rate % 50 == 0 and 0.75 * made <= rate <= 1.25 * made, f"{rate} Hz, made with {made} Hz")
        _keys(fields)

    return check


def _drain(fields: Fields, known: Known, terms: Terms) -> None:
    _own("playback")(fields, known, terms)
    known.draining.add(fields["channel"])


def _latency(fields: Fields, known: Known, terms: Terms) -> None:
    _own("playback")(fields, known, terms)
    known.draining.discard(fields["channel"])


_METRICS = ("maxlength", "tlength", "prebuf", "minreq", "fragsize")


def _keys(fields: Fields) -> None:
    for key in fields.get("keys", ()):
        demand(key in KEYS, f"property {key}")


def _own_index(streams: str) -> Callable[[Fields, Known, Terms], None]:
    """By its index, which anybody's stream has: it must be that of one of this connection's own."""

    def check(fields: Fields, known: Known, terms: Terms) -> None:
        own = [stream for stream in getattr(known, streams).values() if stream.index == fields["index"]]
        demand(bool(own), f"stream {fields['index']} is somebody else's")
        if "volume" in fields:
            _volume(fields["volume"], terms)
            demand(len(fields["volume"]) in (1, own[-1].channels), f"a volume of {len(fields['volume'])} channels")

    return check


def _auth(fields: Fields, known: Known, terms: Terms) -> None:
    demand(fields["version"] == VERSION, f"version and flags {fields['version']:#x}")
    demand(len(fields["cookie"]) == COOKIE_BYTES, f"a cookie of {len(fields['cookie'])} bytes")


def _name(fields: Fields, known: Known, terms: Terms) -> None:
    _properties(fields["properties"])


def _subscribe(fields: Fields, known: Known, terms: Terms) -> None:
    demand(fields["mask"] & ~MASK == 0, f"mask {fields['mask']:#x}")


def _device(fields: Fields, known: Known, terms: Terms) -> None:
    """A question about one device; to ask costs nothing and tells the container nothing."""
    demand((fields["index"] == NOBODY) or (fields["name"] is None), "both index and name")


_FLAGS = "no_remap:01 no_remix:01 fix_format:01 fix_rate:01 fix_channels:01 no_move:01 variable_rate:01"
_PLAY = "channel:L maxlength:L tlength:L prebuf:L minreq:L adjust_latency:01 early_requests:01"
_RECORD = "channel:L maxlength:L fragsize:L adjust_latency:01 early_requests:01"
_CHANNEL, _INDEX = "channel:L", "index:L"

# By code. `formats` and `keys` have a shape of their own: a count and so many formats; strings up to a null string.
ALLOWED: dict[int, Allowed] = {
    3: Allowed(
        "CREATE_PLAYBACK_STREAM",
        "spec:a map:m sink_index:L sink:tN maxlength:L corked:01 tlength:L prebuf:L minreq:L syncid:L volume:v "
        f"{_FLAGS} muted:01 adjust_latency:01 properties:P volume_set:01 early_requests:01 muted_set:01 "
        "dont_inhibit_auto_suspend:01 fail_on_suspend:01 relative_volume:01 passthrough:01 formats",
        _create_playback,
    ),
    4: Allowed("DELETE_PLAYBACK_STREAM", _CHANNEL, _own("playback")),
    5: Allowed(
        "CREATE_RECORD_STREAM",
        f"spec:a map:m source_index:L source:tN maxlength:L corked:01 fragsize:L {_FLAGS} peak_detect:01 "
        "adjust_latency:01 properties:P direct_on_input:L early_requests:01 dont_inhibit_auto_suspend:01 "
        "fail_on_suspend:01 formats volume:v muted:01 volume_set:01 muted_set:01 relative_volume:01 passthrough:01",
        _create_record,
    ),
    6: Allowed("DELETE_RECORD_STREAM", _CHANNEL, _own("record")),
    8: Allowed("AUTH", "version:L cookie:x", _auth),
    9: Allowed("SET_CLIENT_NAME", "properties:P", _name),
    12: Allowed("DRAIN_PLAYBACK_STREAM", _CHANNEL, _drain),
    13: Allowed("STAT"),
    14: Allowed("GET_PLAYBACK_LATENCY", "channel:L time:T", _latency),
    20: Allowed("GET_SERVER_INFO"),
    21: Allowed("GET_SINK_INFO", "index:L name:tN", _device),
    23: Allowed("GET_SOURCE_INFO", "index:L name:tN", _device),
    35: Allowed("SUBSCRIBE", "mask:L", _subscribe),
    37: Allowed("SET_SINK_INPUT_VOLUME", "index:L volume:v", _own_index("playback")),
    41: Allowed("CORK_PLAYBACK_STREAM", "channel:L corked:01", _own("playback")),
    42: Allowed("FLUSH_PLAYBACK_STREAM", _CHANNEL, _own("playback")),
    43: Allowed("TRIGGER_PLAYBACK_STREAM", _CHANNEL, _own("playback")),
    46: Allowed("SET_PLAYBACK_STREAM_NAME", "channel:L name:t", _own("playback")),
    47: Allowed("SET_RECORD_STREAM_NAME", "channel:L name:t", _own("record")),
    57: Allowed("GET_RECORD_LATENCY", "channel:L time:T", _own("record")),
    58: Allowed("CORK_RECORD_STREAM", "channel:L corked:01", _own("record")),
    59: Allowed("FLUSH_RECORD_STREAM", _CHANNEL, _own("record")),
    60: Allowed("PREBUF_PLAYBACK_STREAM", _CHANNEL, _own("playback")),
    69: Allowed("SET_SINK_INPUT_MUTE", "index:L muted:01", _own_index("playback")),
    72: Allowed("SET_PLAYBACK_STREAM_BUFFER_ATTR", _PLAY, _own("playback")),
    73: Allowed("SET_RECORD_STREAM_BUFFER_ATTR", _RECORD, _own("record")),
    74: Allowed("UPDATE_PLAYBACK_STREAM_SAMPLE_RATE", "channel:L rate:L", _own("playback")),
    75: Allowed("UPDATE_RECORD_STREAM_SAMPLE_RATE", "channel:L rate:L", _own("record")),
    80: Allowed("UPDATE_RECORD_STREAM_PROPLIST", "channel:L mode:L properties:P", _own("record")),
    81: Allowed("UPDATE_PLAYBACK_STREAM_PROPLIST", "channel:L mode:L properties:P", _own("playback")),
    83: Allowed("REMOVE_RECORD_STREAM_PROPLIST", "channel:L keys", _own("record")),
    84: Allowed("REMOVE_PLAYBACK_STREAM_PROPLIST", "channel:L keys", _own("playback")),
    98: Allowed("SET_SOURCE_OUTPUT_VOLUME", "index:L volume:v", _own_index("record")),
    99: Allowed("SET_SOURCE_OUTPUT_MUTE", "index:L muted:01", _own_index("record")),
}
