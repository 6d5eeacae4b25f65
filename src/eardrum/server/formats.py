"""Which sample spec a stream gets: the one it names, or the first of its format list that a device takes."""

from __future__ import annotations

import json
from typing import Any

from eardrum.protocol.kinds import FormatInfo
from eardrum.terms.audio import (
    FORMAT_NAMES,
    MAX_CHANNELS,
    VOLUME_NORM,
    ChannelMap,
    Position,
    SampleSpec,
    Volume,
    valid_map,
    valid_volume,
)
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import value

PCM = 1
ENCODINGS = 9  # the first number that is no encoding
MAX_FORMATS = 32
_AIFF = tuple(map(bytes, ((0,), (1, 2), (1, 2, 3), (1, 3, 2, 4), (1, 2, 3, 5, 6), (1, 8, 3, 2, 9, 4))))
POSITION_NAMES = (
    "mono", "front-left", "front-right", "front-center", "rear-center", "rear-left", "rear-right", "lfe",
    "front-left-of-center", "front-right-of-center", "side-left", "side-right", *(f"aux{n}" for n in range(32)),
    "top-center", "top-front-left", "top-front-right", "top-front-center", "top-rear-left", "top-rear-right",
    "top-rear-center",
)  # fmt: skip


def negotiated(message: Any, device_spec: SampleSpec, device_map: ChannelMap) -> tuple[SampleSpec, ChannelMap]:
    """Sample spec and channel map of a CREATE_PLAYBACK_STREAM or CREATE_RECORD_STREAM.

    Raises Refused: INVALID for what makes no sense, NOTSUPPORTED if no format of the list is PCM.
    """
    if not message.formats:
        return _checked(message.sample_spec, message.channel_map)
    if len(message.formats) > MAX_FORMATS:
        raise Refused(PulseError.TOOLARGE, f"{len(message.formats)} formats")
    if any(info.encoding >= ENCODINGS for info in message.formats):
        raise Refused(PulseError.INVALID, "unknown encoding")
    for info in message.formats:
        if info.encoding == PCM and (found := _from_format(info, device_spec, device_map)):
            return found
    raise Refused(PulseError.NOTSUPPORTED, "no format of plain PCM")


def format_of(spec: SampleSpec, channel_map: ChannelMap) -> FormatInfo:
    """The format that says the same as sample spec and channel map."""
    positions = ",".join(POSITION_NAMES[position] for position in channel_map)
    return FormatInfo(
        PCM,
        {
            "format.sample_format": value(json.dumps(FORMAT_NAMES[spec.format])),
            "format.rate": value(json.dumps(spec.rate)),
            "format.channels": value(json.dumps(spec.channels)),
            "format.channel_map": value(json.dumps(positions)),
        },
    )


def fixed(
    message: Any, spec: SampleSpec, channel_map: ChannelMap, device: SampleSpec, device_map: ChannelMap
) -> tuple[SampleSpec, ChannelMap]:
    """Sample spec and channel map with what the client leaves to the device; a format list stays as it is."""
    if not message.formats:
        if message.fix_format:
            spec = spec._replace(format=device.format)
        if message.fix_rate:
            spec = spec._replace(rate=device.rate)
        if message.fix_channels:
            spec, channel_map = spec._replace(channels=device.channels), device_map
    return spec, channel_map


def refitted(volume: Volume, before: ChannelMap, after: ChannelMap) -> Volume:
    """The volume for another channel map: each position's own level, else the mean of all."""
    levels = dict(zip(before, volume, strict=True))
    mean = sum(volume) // len(volume)
    return tuple(levels.get(position, mean) for position in after) if before != after else volume


def _checked(spec: SampleSpec, channel_map: ChannelMap) -> tuple[SampleSpec, ChannelMap]:
    if not spec.valid or not valid_map(channel_map, spec.channels):
        raise Refused(PulseError.INVALID, f"{spec} with a map of {len(channel_map)} channels")
    return spec, channel_map


def _from_format(info: FormatInfo, device: SampleSpec, device_map: ChannelMap) -> tuple[SampleSpec, ChannelMap] | None:
    """What a format leaves open is the device's; None if it leaves a choice of values."""
    name = _json(info, "format.sample_format", FORMAT_NAMES[device.format])
    rate = _json(info, "format.rate", device.rate)
    channels = _json(info, "format.channels", device.channels)
    positions = _json(info, "format.channel_map", None)
    if name not in FORMAT_NAMES or type(rate) is not int or type(channels) is not int:
        return None
    if isinstance(positions, str):
        channel_map = bytes(POSITION_NAMES.index(p) if p in POSITION_NAMES else 255 for p in positions.split(","))
    else:
        channel_map = device_map if channels == len(device_map) else _usual_map(channels)
    return _checked(SampleSpec(FORMAT_NAMES.index(name), channels, rate), channel_map)


def _usual_map(channels: int) -> ChannelMap:
    """The positions of so many channels that nobody has named: those of AIFF, numbered ones after them."""
    known = _AIFF[min(max(channels, 1), len(_AIFF)) - 1]
    return known + bytes(range(Position.AUX0, Position.AUX0 + min(channels, MAX_CHANNELS) - len(known)))


def _json(info: FormatInfo, key: str, default: object) -> Any:
    raw = info.proplist.get(key)
    if raw is None:
        return default
    try:
        return json.loads(raw.rstrip(b"\0"))
    except (ValueError, RecursionError):
        raise Refused(PulseError.INVALID, f"{key} is no JSON") from None


def checked_stream_volume(volume: Volume, channels: int, *, is_set: bool, listed: bool) -> Volume:
    """The volume a new stream starts with, one level per channel. Raises Refused(INVALID).

    With a format list (`listed`) the client could not know how many channels there would be: one counts for all.
    """
    fits = len(volume) == channels or (listed and (len(volume) == 1 or not is_set))
    if not valid_volume(volume) or not fits:
        raise Refused(PulseError.INVALID, f"a volume of {len(volume)} channels for {channels}")
    return volume * (channels // len(volume)) if is_set else (VOLUME_NORM,) * channels
