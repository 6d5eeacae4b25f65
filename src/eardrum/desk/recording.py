"""The files of a `file:` end: opened by the desk, written by workers, never one over another."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from itertools import count
from pathlib import Path

from eardrum.terms.errors import Complaint

_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Recording:
    """One outlet's files: PATH for its first worker, PATH-2 for the next, and so on.

    A file that is being written is locked (flock) through the very descriptor that the worker holds, so that it is
    seen to be taken even by a later desk.
    """

    def __init__(self, path: Path) -> None:
        self._wanted = path
        self.path = path  # the newest one
        self._open: int | None = None  # opened, but with no worker yet
        self._made: tuple[int, int] | None = None  # device and inode, if we made the file

    def begin(self, fresh: bool = True) -> None:
        """A fresh one opens PATH itself. Raises Complaint if it holds something already or cannot be written."""
        if fresh and not self._claim(self._wanted):
            raise Complaint(f"{self._wanted}: a recording is there already; choose another name or move it away")

    def take(self) -> tuple[Path, int]:
        """The file for a new worker, and its descriptor to keep. Raises Complaint."""
        if self._open is None:
            names = (self._wanted.with_stem(f"{self._wanted.stem}-{number}") for number in count(2))
            if not self._claim(self._wanted):
                next(name for name in names if self._claim(name))
        assert self._open is not None
        descriptor, self._open = self._open, None
        return self.path, descriptor

    def end(self) -> None:
        """Nobody writes any more. A file of ours in which nothing was written goes away."""
        if self._open is not None:
            os.close(self._open)
            self._open = None
        with suppress(OSError):
            there = os.lstat(self.path)
            if (there.st_dev, there.st_ino) == self._made and there.st_size == 0:
                self.path.unlink()

    def _claim(self, path: Path) -> bool:
        """Open the file if it is new or empty and nobody writes it. Raises Complaint if it cannot be written."""
        try:
            made, descriptor = _open(path)
        except OSError as error:
            why = "is a link" if error.errno == errno.ELOOP else error.strerror
            raise Complaint(f"{path}: {why}; choose another file for the recording") from None
        there = os.fstat(descriptor)
        if not stat.S_ISREG(there.st_mode):
            os.close(descriptor)
            raise Complaint(f"{path}: is no regular file; choose another file for the recording")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        if os.fstat(descriptor).st_size:
            os.close(descriptor)
            return False
        self.path, self._open = path, descriptor
        self._made = (there.st_dev, there.st_ino) if made else None
        return True


def _open(path: Path) -> tuple[bool, int]:
    """Whether the file is new, and its descriptor."""
    try:
        return True, os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False, os.open(path, _FLAGS)
