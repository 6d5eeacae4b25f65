"""One line on standard error that says how far a command is, renewed in place; none unless that is a terminal."""

from __future__ import annotations

import sys
import time

from eardrum.terms.errors import Complaint

EVERY = 0.25  # seconds between two lines
_UNITS = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "min": 60.0, "h": 3600.0}


class Progress:
    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()
        self._due = 0.0

    @property
    def due(self) -> bool:
        return self.shown and time.monotonic() >= self._due

    def show(self, line: str) -> None:
        self._due = time.monotonic() + EVERY
        sys.stderr.write(f"\r{line}\x1b[K")
        sys.stderr.flush()

    def over(self) -> None:
        """Leave an empty line for what comes next."""
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def clock(seconds: float) -> str:
    """0:07, 12:34, 1:00:00."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(nbytes: int) -> str:
    """As people say it: 1.5 MB."""
    if nbytes < 1_000_000:
        return f"{nbytes / 1000:.0f} kB"
    return f"{nbytes / 1_000_000:.1f} MB"


def seconds(text: str) -> float:
    """A length of time: 10, 10s, 1.5m, 500ms, 2h. Raises Complaint."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    try:
        length = float(number) * _UNITS[text[len(number) :]]
    except (ValueError, KeyError):
        length = 0.0
    if not 0 < length < float("inf"):
        raise Complaint(f"length {text!r}: use seconds, or a number with ms, s, m or h, as 10s", status=2)
    return length
