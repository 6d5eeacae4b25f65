"""Levels as a person types and reads them: percent of PulseAudio's cubic scale, or decibels."""

from __future__ import annotations

import math
import re

from eardrum.terms.audio import VOLUME_NORM, level, linear
from eardrum.terms.errors import Complaint

HIGHEST = VOLUME_NORM * 3 // 2  # 150 %, 10.57 dB: about as far as the mixers of desktops go
_LEVEL = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]+)?)(%|dB)")


def absolute(text: str) -> int:
    """A level on PulseAudio's scale: `80%`, `0dB`, `-6dB`. Raises Complaint."""
    sign, number, unit = _parts(text)
    if unit == "dB":
        return _checked(text, _of_decibels(float(sign + number)))
    if sign:
        raise Complaint(f"level {text!r}: say how much it is, not how much more or less", status=2)
    return _checked(text, _of_percent(float(number)))


def adjusted(text: str, before: int) -> int:
    """The level that `text` makes of `before`. With a sign it is more or less, as for pactl. Raises Complaint."""
    sign, number, unit = _parts(text)
    if not sign:
        return absolute(text)
    change = float(sign + number)
    if unit == "dB":
        after = level(linear(before) * _factor(change))
    else:
        after = before + (1 if sign == "+" else -1) * _of_percent(abs(change))
    return max(0, min(HIGHEST, after))


def as_text(volume: int) -> str:
    """A level for people: `60% / -13.31 dB`."""
    decibels = 20 * math.log10(linear(volume)) if volume else -math.inf
    return f"{percent(volume)}% / {decibels:.2f} dB"


def percent(volume: int) -> int:
    """A level in percent of PulseAudio's scale, rounded."""
    return (volume * 100 + VOLUME_NORM // 2) // VOLUME_NORM


def _parts(text: str) -> tuple[str, str, str]:
    """Sign, number and unit."""
    found = _LEVEL.fullmatch(text)
    if not found:
        raise Complaint(f"level {text!r}: is none; use 60%, +5%, -5% or -6dB", status=2)
    return found[1], found[2], found[3]


def _of_percent(number: float) -> int:
    return round(min(number, 1e6) * VOLUME_NORM / 100)


def _factor(decibels: float) -> float:
    return float(10 ** (max(-1e3, min(decibels, 1e3)) / 20))


def _of_decibels(decibels: float) -> int:
    return level(_factor(decibels))


def _checked(text: str, volume: int) -> int:
    if volume > HIGHEST:
        raise Complaint(f"level {text!r}: is too loud; the most is {as_text(HIGHEST)}", status=2)
    return volume
