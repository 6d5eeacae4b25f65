"""What nursery and workers write on standard error: it comes through a pipe, never to a terminal as it is.

A worker that was taken over could else read what is typed on that terminal, and write there what is obeyed.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from eardrum.desk.say import say
from eardrum.terms.errors import shown

_AT_ONCE = 4096  # bytes
_LINES_PER_SECOND = 10
_LINES_AT_ONCE = 60  # a traceback is not longer


class Overheard:
    """The pipe. It may be made before there is a loop; from `listen` on the desk says what comes."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def listen(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reader, self._hear)

    def close(self) -> None:
        """Say what is left, as far as that is little."""
        self._loop.remove_reader(self._reader)
        self._say()
        os.close(self._reader)
        os.close(self.writer)
        self._reader = -1

    def _hear(self) -> None:
        """Say what has come, and listen no more for as long as that is too much."""
        self._loop.remove_reader(self._reader)
        self._loop.call_later(self._say() / _LINES_PER_SECOND, self._go_on)

    def _go_on(self) -> None:
        if self._reader >= 0:
            self._loop.add_reader(self._reader, self._hear)

    def _say(self) -> int:
        """The number of lines that were said."""
        lines: list[str] = []
        with suppress(BlockingIOError):
            lines = os.read(self._reader, _AT_ONCE).decode(errors="replace").splitlines()
        for line in lines[:_LINES_AT_ONCE]:
            say(f"from a worker: {shown(line)}")
        if len(lines) > _LINES_AT_ONCE:
            say(f"from a worker: {len(lines) - _LINES_AT_ONCE} lines more")
        return min(len(lines), _LINES_AT_ONCE)
