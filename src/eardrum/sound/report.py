"""What was heard, told to people and programs, and held against what was wanted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eardrum.sound.heard import CLOSE, Channel, Gap, Heard, Tone, decibels
from eardrum.terms.errors import Complaint

_TOLD = 5  # tones, or gaps, of a channel; the others are counted


# -- in words


def in_words(heard: Heard) -> list[str]:
    """Lines for a person: the length and the form, when it sounds, and what is in each channel."""
    count = len(heard.channels)
    lines = [f"{heard.length:.3f} s at {heard.rate} Hz, {count} channel{'s' if count > 1 else ''}"]
    if heard.silent:
        return [*lines, "silence"]
    lines.append(f"sound from {heard.begin:.3f} s to {heard.end:.3f} s, that is {heard.sounding:.3f} s")
    return lines + [f"{channel.name}: {_channel_in_words(channel)}" for channel in heard.channels]


def _channel_in_words(channel: Channel) -> str:
    if channel.silent:
        return "silence"
    level, peak = decibels(channel.level), decibels(channel.peak)
    words = f"level {level:.1f} dBFS, peak {peak:.1f} dBFS; tones: {_tones_in_words(channel.tones)}"
    return f"{words}; gaps: {_gaps_in_words(channel.gaps)}"


def _tones_in_words(tones: Sequence[Tone]) -> str:
    told = (
        f"{tone.frequency:.1f} Hz at {decibels(tone.amplitude):.1f} dBFS ({tone.begin:.1f} to {tone.end:.1f} s)"
        for tone in tones
    )
    return _the_first(told)


def _gaps_in_words(gaps: Sequence[Gap]) -> str:
    return _the_first(f"{gap.end - gap.begin:.3f} s at {gap.begin:.3f} s" for gap in gaps)


def _the_first(told: Iterable[str]) -> str:
    every = list(told)
    more = [f"{len(every) - _TOLD} more"] if len(every) > _TOLD else []
    return ", ".join(every[:_TOLD] + more) or "none"


# -- for programs


def as_json(heard: Heard) -> dict[str, Any]:
    """The same as numbers: times in seconds, levels in dBFS, None for the level of what is nought throughout."""
    return {
        "length": heard.length,
        "rate": heard.rate,
        "frames": heard.frames,
        "silent": heard.silent,
        "begin": heard.begin,
        "end": heard.end,
        "channels": [
            {
                "name": channel.name,
                "silent": channel.silent,
                "level": _level(channel.level),
                "peak": _level(channel.peak),
                "tones": [_tone_as_json(tone) for tone in channel.tones],
                "gaps": [{"begin": gap.begin, "end": gap.end} for gap in channel.gaps],
            }
            for channel in heard.channels
        ],
    }


def _tone_as_json(tone: Tone) -> dict[str, Any]:
    return {
        "frequency": tone.frequency,
        "level": _level(tone.amplitude),
        "begin": tone.begin,
        "end": tone.end,
        "seconds": tone.seconds,
    }


def _level(amplitude: float) -> float | None:
    level = decibels(amplitude)
    return level if math.isfinite(level) else None


# -- against what was wanted


@dataclass(frozen=True)
class WantedTone:
    """A tone that should be heard, in any channel if none is named."""

    frequency: float  # Hz
    channel: str | None = None

    def __str__(self) -> str:
        return f"tone of {self.frequency:g} Hz" + (f" in {self.channel}" if self.channel else "")


@dataclass(frozen=True)
class Wanted:
    """What a recording should be like. Times are seconds, levels dBFS; None is no wish."""

    tones: tuple[WantedTone, ...] = ()
    channel: str | None = None  # its name or number, if all but it does not count
    within: float = CLOSE  # how far a tone may be off, as a part of its frequency
    silent: bool | None = None
    at_least: float | None = None  # from the first sound to the last; of the whole file if it should be silent
    at_most: float | None = None
    no_gaps: bool = False
    louder_than: float | None = None  # the level of the loudest channel
    quieter_than: float | None = None


def missing(heard: Heard, wanted: Wanted) -> Iterator[str]:
    """A line for every wish that did not come true. Raises Complaint if one names a channel that is not there."""
    heard = replace(heard, channels=_of_channel(heard, wanted.channel))
    if wanted.silent and not heard.silent:
        peak = decibels(max(channel.peak for channel in heard.channels))
        yield f"not silent: sound from {heard.begin:.3f} s to {heard.end:.3f} s, peak {peak:.1f} dBFS"
    if wanted.silent is False and heard.silent:
        yield "silent"
    for tone in wanted.tones:
        yield from _missing_tone(heard, tone, wanted.within)
    yield from _wrong_length(heard, wanted)
    if wanted.no_gaps:
        for channel in heard.channels:
            if channel.gaps:
                yield f"{channel.name} has gaps: {_gaps_in_words(channel.gaps)}"
    level = decibels(max(channel.level for channel in heard.channels))
    if wanted.louder_than is not None and level <= wanted.louder_than:
        yield f"its level is {level:.1f} dBFS, not above {wanted.louder_than:g}"
    if wanted.quieter_than is not None and level >= wanted.quieter_than:
        yield f"its level is {level:.1f} dBFS, not below {wanted.quieter_than:g}"


def _of_channel(heard: Heard, name: str | None) -> tuple[Channel, ...]:
    """The channel of this name or number, or all. Raises Complaint."""
    if name is None:
        return heard.channels
    for number, channel in enumerate(heard.channels, 1):
        if name in (channel.name, str(number)):
            return (channel,)
    there = ", ".join(channel.name for channel in heard.channels)
    raise Complaint(f"no channel is called {name!r}; there is {there}", status=2)


def _missing_tone(heard: Heard, wanted: WantedTone, within: float) -> Iterator[str]:
    channels = _of_channel(heard, wanted.channel)
    if not any(channel.tone(wanted.frequency, within) for channel in channels):
        instead = "; ".join(f"{channel.name}: {_tones_in_words(channel.tones)}" for channel in channels)
        yield f"no {wanted}; its tones are {instead}"


def _wrong_length(heard: Heard, wanted: Wanted) -> Iterator[str]:
    """A frame more or less is the same length."""
    what, length = ("the file", heard.length) if wanted.silent else ("the sound", heard.sounding)
    frame = 1.5 / heard.rate
    if wanted.at_least is not None and length < wanted.at_least - frame:
        yield f"{what} lasts {length:.3f} s, not at least {wanted.at_least:g} s"
    if wanted.at_most is not None and length > wanted.at_most + frame:
        yield f"{what} lasts {length:.3f} s, not at most {wanted.at_most:g} s"
