"""Where a FIFO is: made, checked, opened, removed. What goes through it is the business of `fifo.py`."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from eardrum.terms.errors import Complaint

_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC


class Fifo:
    """A FIFO as a place. Our end is open from `begin` to `end`, so that who has the other end waits for nobody.

    It is made if it is not there, and then removed at the end.
    """

    def __init__(self, path: Path, *, reads: bool) -> None:
        self.path = path
        self._reads = reads
        self._open: int | None = None
        self._made: tuple[int, int] | None = None  # device and inode, if we made it

    def begin(self, fresh: bool) -> None:
        """Raises Complaint if something else is there, or it may not be opened."""
        try:
            with suppress(FileExistsError):
                os.mkfifo(self.path, 0o600)
                there = os.lstat(self.path)
                self._made = there.st_dev, there.st_ino
            if not stat.S_ISFIFO(os.lstat(self.path).st_mode):
                raise Complaint(f"{self.path}: is no FIFO; choose another path, or move away what is there")
            self._open = self._opened()
        except OSError as error:
            raise Complaint(f"{self.path}: {error.strerror}; choose another path for the FIFO") from None

    def take(self) -> tuple[Path, int]:
        assert self._open is not None
        return self.path, os.dup(self._open)

    def end(self) -> None:
        if self._open is not None:
            os.close(self._open)
            self._open = None
        with suppress(OSError):
            there = os.lstat(self.path)
            if (there.st_dev, there.st_ino) == self._made:
                self.path.unlink()

    def _opened(self) -> int:
        """Our end. A FIFO that nobody reads can be opened for writing only by somebody who has it open already."""
        flags = _FLAGS | os.O_NOFOLLOW
        if self._reads:
            return os.open(self.path, os.O_RDONLY | flags)
        both = os.open(self.path, os.O_RDWR | flags)
        try:
            return os.open(f"/proc/self/fd/{both}", os.O_WRONLY | _FLAGS)
        finally:
            os.close(both)
