"""One line on standard error that says how far a command is, renewed in place; none unless that is a terminal."""

from __future__ import annotations

import sys
import time

EVERY = 0.25  # seconds between two lines


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
