"""A listening socket at a path that a person chose.

It appears under its name only when it listens and has its mode, so who waits for the file can connect at once. What
another server serves is never touched, nor anything that is no socket of ours.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eardrum.kernel.outlet_directory import BACKLOG, LONGEST_PATH, connect, short_path, umask
from eardrum.terms.errors import Complaint

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PATIENCE = 0.5  # seconds


class ServerSocket:
    """`listening` is bound to `path`. Directories that lack are made, private if the socket is."""

    def __init__(self, path: Path, mode: int = 0o600, group: int = -1) -> None:
        """`group` is the number of the one that the socket is given to. Raises Complaint."""
        self.path = path.absolute()
        if len(os.fsencode(self.path)) > LONGEST_PATH:
            raise Complaint(f"{self.path}: longer than {LONGEST_PATH} bytes, no client can connect; use a shorter path")
        private = not mode & 0o077
        try:
            with umask(0o077 if private else 0o022):
                self.path.parent.mkdir(parents=True, exist_ok=True)
            with _alone_in(self.path.parent):
                _check_free(self.path)
                self.listening = _listen(self.path, mode, group)
        except OSError as error:
            raise Complaint(f"{self.path}: no socket can be made: {error.strerror}; choose another path") from None
        self._made = _identity(self.path)

    def remove(self) -> None:
        """Stop listening. The file goes away, if it is still the one that was made here."""
        with suppress(OSError):
            if _identity(self.path) == self._made:
                self.path.unlink()
        self.listening.close()


def _listen(path: Path, mode: int, group: int) -> socket.socket:
    unnamed = path.with_name(f".{path.name}.new")
    with suppress(FileNotFoundError):
        _check_socket(unnamed)
        unnamed.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        with umask(0o777 & ~mode), short_path(unnamed) as address:
            listening.bind(address)
        if group != -1:
            _give(unnamed, group)
        listening.listen(BACKLOG)
        unnamed.rename(path)
    except BaseException:
        listening.close()
        raise
    return listening


def _give(path: Path, group: int) -> None:
    try:
        os.chown(path, -1, group, follow_symlinks=False)
    except OSError:
        path.unlink()
        raise Complaint(
            f"{path.parent}: its socket cannot be given to group {group}, in which you are not; use mode=0666,"
            " and the group is checked all the same"
        ) from None


def _check_free(path: Path) -> None:
    """Raises Complaint if the name is taken by anything but a socket of ours that nobody serves any more."""
    with suppress(FileNotFoundError):
        _check_socket(path)
        try:
            connect(path, timeout=0).close()
        except ConnectionRefusedError:
            return
        except BlockingIOError:  # its backlog is full
            pass
        raise Complaint(f"{path}: a server is running there already; use that one, stop it, or choose another path")


def _check_socket(path: Path) -> None:
    there = path.lstat()
    if not stat.S_ISSOCK(there.st_mode):
        raise Complaint(f"{path}: something that is no socket lies there; look at it and remove it")
    if there.st_uid != os.geteuid():
        raise Complaint(f"{path}: a socket of uid {there.st_uid} lies there; remove it or choose another path")


def _identity(path: Path) -> tuple[int, int]:
    there = path.lstat()
    return there.st_dev, there.st_ino


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """No other server looks and makes its socket at the same time. The kernel ends this lock with the process.

    Whoever holds it for longer than a server needs is none: anybody may lock a directory like /tmp.
    """
    descriptor = os.open(directory, _DIRECTORY)
    end = time.monotonic() + _PATIENCE
    try:
        with suppress(OSError):  # a file system without locks
            while not _locks(descriptor) and time.monotonic() < end:
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
