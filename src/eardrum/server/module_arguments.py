"""The arguments of emulated modules: `key=value key='value with spaces' …`, as PulseAudio reads them."""

from __future__ import annotations

import re
from collections.abc import Container

from eardrum.server.formats import POSITION_NAMES
from eardrum.terms.audio import (
    FORMAT_NAMES,
    MAX_CHANNELS,
    MAX_RATE,
    MONO,
    STEREO,
    ChannelMap,
    SampleFormat,
    SampleSpec,
    valid_map,
)
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import text, value

LONGEST = 4096  # characters
LOWEST_RATE = 1000  # Hz of a device: with less, resampling to it and from it takes seconds of sound
DEVICE_PROPERTIES = frozenset(("device.description", "device.class", "device.icon_name", "device.intended_roles"))
STREAM_PROPERTIES = frozenset(("media.name", "media.role", "media.icon_name"))
_DOUBLE, _SINGLE, _BARE = r'"((?:[^"\\]|\\.)*)"', r"'((?:[^'\\]|\\.)*)'", r"((?![\"'])(?:[^\s\\]|\\.)*)"
_PAIR = re.compile(rf"\s*([A-Za-z0-9_.-]+)\s*=\s*(?:{_DOUBLE}|{_SINGLE}|{_BARE})(?=\s|$)")
_TRUTHS = {
    **dict.fromkeys(["1", "y", "yes", "t", "true", "on"], True),
    **dict.fromkeys(["0", "n", "no", "f", "false", "off"], False),
}
_FORMATS = {
    **{name: number for number, name in enumerate(FORMAT_NAMES)},
    "u8": SampleFormat.U8, "8": SampleFormat.U8, "aLaw": SampleFormat.ALAW, "uLaw": SampleFormat.ULAW,
    "s16": SampleFormat.S16LE, "16": SampleFormat.S16LE, "s16ne": SampleFormat.S16LE, "s16re": SampleFormat.S16BE,
    "s24": SampleFormat.S24LE, "s24ne": SampleFormat.S24LE, "s24re": SampleFormat.S24BE,
    "s24-32": SampleFormat.S24_32LE, "s24-32ne": SampleFormat.S24_32LE, "s24-32re": SampleFormat.S24_32BE,
    "s32": SampleFormat.S32LE, "s32ne": SampleFormat.S32LE, "s32re": SampleFormat.S32BE, "32": SampleFormat.S32LE,
    "float": SampleFormat.FLOAT32LE, "float32": SampleFormat.FLOAT32LE, "float32ne": SampleFormat.FLOAT32LE,
    "float32re": SampleFormat.FLOAT32BE,
}  # fmt: skip
_POSITIONS = {
    **{name: number for number, name in enumerate(POSITION_NAMES)},
    "left": 1, "right": 2, "center": 3, "subwoofer": 7,
}  # fmt: skip
_LAYOUTS = {
    "mono": "mono",
    "stereo": "left,right",
    "surround-21": "left,right,lfe",
    "surround-40": "left,right,rear-left,rear-right",
    "surround-41": "left,right,rear-left,rear-right,lfe",
    "surround-50": "left,right,rear-left,rear-right,center",
    "surround-51": "left,right,rear-left,rear-right,center,lfe",
    "surround-71": "left,right,rear-left,rear-right,center,lfe,side-left,side-right",
}
_DEFAULT_LAYOUTS = {  # those of AIFF, as in PulseAudio
    3: "left,right,center",
    4: "left,center,right,rear-center",
    5: "left,right,center,rear-left,rear-right",
    6: "left,front-left-of-center,center,right,front-right-of-center,rear-center",
}


def pairs(text: str, what: str = "arguments") -> dict[str, str]:
    """`key=value` pairs with white space between them. Raises Refused(MODINITFAILED) for anything else."""
    if len(text) > LONGEST:
        raise wrong(f"{what} of {len(text)} characters")
    found: dict[str, str] = {}
    at, end = 0, len(text.rstrip())
    while at < end:
        pair = _PAIR.match(text, at)
        if pair is None:
            raise wrong(f"{what}: no key=value: {text[at : at + 40]!r}")
        raw = next(group for group in pair.groups()[1:] if group is not None)
        found[pair[1]] = re.sub(r"\\(.)", r"\1", raw)
        at = pair.end()
    return found


def wrong(why: str) -> Refused:
    """What a module that cannot be made is answered with."""
    return Refused(PulseError.MODINITFAILED, why)


class Arguments:
    """What a module was loaded with. All methods raise Refused(MODINITFAILED) for values that make no sense."""

    def __init__(self, text: str, known: Container[str]) -> None:
        """`known` are the keys that the module has."""
        self._given = pairs(text)
        for key in self._given:
            if key not in known:
                raise wrong(f"unknown module argument {key!r}")

    def text(self, key: str) -> str | None:
        return self._given.get(key)

    def number(self, key: str, default: int, least: int, most: int) -> int:
        raw = self._given.get(key)
        if raw is None:
            return default
        if not raw.isascii() or not raw.isdigit() or len(raw) > 12 or not least <= int(raw) <= most:
            raise wrong(f"{key}={raw}: not a number from {least} to {most}")
        return int(raw)

    def truth(self, key: str, default: bool) -> bool:
        raw = self._given.get(key)
        if raw is None:
            return default
        if raw.lower() not in _TRUTHS:
            raise wrong(f"{key}={raw}: neither yes nor no")
        return _TRUTHS[raw.lower()]

    def properties(self, key: str, kept: frozenset[str] = DEVICE_PROPERTIES) -> dict[str, bytes]:
        """Those that are kept, as the wire has them."""
        said = pairs(self._given.get(key, ""), key)
        raw = {name: value(words) for name, words in said.items() if name in kept}
        return {name: value(text(raw, name)) for name in raw}

    def channel_map(self, key: str, default: ChannelMap) -> ChannelMap:
        raw = self._given.get(key)
        if raw is None:
            return default
        names = _LAYOUTS.get(raw, raw).split(",")
        if len(names) > MAX_CHANNELS or any(name not in _POSITIONS for name in names):
            raise wrong(f"{key}={raw}: no channel map")
        return bytes(_POSITIONS[name] for name in names)

    def spec(self, default: SampleSpec, default_map: ChannelMap) -> tuple[SampleSpec, ChannelMap]:
        """What `format`, `rate`, `channels` and `channel_map` say."""
        name = self._given.get("format", FORMAT_NAMES[default.format])
        if name not in _FORMATS:
            raise wrong(f"format={name}: no sample format")
        rate = self.number("rate", default.rate, LOWEST_RATE, MAX_RATE)
        given = self.channel_map("channel_map", b"")
        channels = self.number("channels", len(given) or default.channels, 1, MAX_CHANNELS)
        channel_map = given or (default_map if channels == default.channels else layout(channels))
        if not valid_map(channel_map, channels):
            raise wrong(f"a channel map of {len(channel_map)} for {channels} channels")
        return SampleSpec(_FORMATS[name], channels, rate), channel_map


def layout(channels: int) -> ChannelMap:
    """The map for so many channels when nobody says one."""
    match channels:
        case 1:
            return MONO
        case 2:
            return STEREO
        case 3 | 4 | 5 | 6:
            return bytes(_POSITIONS[name] for name in _DEFAULT_LAYOUTS[channels].split(","))
    return bytes(_POSITIONS[f"aux{number}"] for number in range(channels))
