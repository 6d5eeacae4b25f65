"""The files of another process, opened beneath its own root.

The process may be an enemy's: no link in its files leads out of its root (openat2), no FIFO is waited for, no device is
opened (some act on that alone), and nothing is changed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from eardrum.kernel import machine
from eardrum.upstream.surroundings import Look

MOST_NAMES = 4096  # of one directory

_OPENAT2 = {"x86_64": 437, "aarch64": 437}
_IN_ROOT, _NO_MAGIC = 0x10, 0x02  # of RESOLVE_* in <linux/openat2.h>
_CAP_CHOWN, _CAP_DAC_OVERRIDE = 1 << 0, 1 << 1
_READ, _WRITE, _ENTER = 4, 2, 1  # bits of a mode, as `may` wants them


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class User(NamedTuple):
    """Who a process is; numbers are those of our own user namespace. `mapped` are the uids that its own one has."""

    uid: int
    gid: int
    groups: frozenset[int]
    capabilities: int
    mapped: tuple[range, ...]

    def has(self, capability: int, there: os.stat_result) -> bool:
        """Whether it has this capability where that file is concerned: one whose owner its user namespace knows."""
        return bool(self.capabilities & capability) and any(there.st_uid in known for known in self.mapped)

    def may(self, there: os.stat_result, wanted: int) -> bool:
        """Whether it may do what the bits of `wanted` (4 read, 2 write, 1 enter) say."""
        if self.has(_CAP_DAC_OVERRIDE, there):
            return True
        shift = 6 if there.st_uid == self.uid else 3 if there.st_gid in (self.gid, *self.groups) else 0
        return there.st_mode >> shift & wanted == wanted


class ForeignFiles:
    """What `upstream.surroundings.Files` asks, answered beneath the root of another process."""

    def __init__(self, root: str | Path, user: User) -> None:
        """Raises OSError."""
        self.user = user
        self._root = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self._root)

    def text(self, path: str) -> str:
        with self.opened(path, os.O_PATH) as descriptor:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(None, "no file of text")
            return os.fsdecode(machine.read_head(f"/proc/self/fd/{descriptor}", machine.LONGEST_TEXT))

    def names(self, path: str) -> list[str]:
        try:
            with self.opened(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
                return [entry.name for entry in islice(os.scandir(descriptor), MOST_NAMES)]
        except OSError:
            return []

    def stat(self, path: str, follow: bool = True) -> os.stat_result:
        """Raises OSError."""
        with self.opened(path, os.O_PATH | (0 if follow else os.O_NOFOLLOW)) as descriptor:
            return os.fstat(descriptor)

    def look(self, path: str, follow: bool = False) -> Look:
        return machine.look_of(self.stat(path, follow))

    def link(self, path: str) -> str:
        with self.opened(path, os.O_PATH | os.O_NOFOLLOW) as descriptor:
            return os.readlink("", dir_fd=descriptor)

    def real(self, path: str) -> str:
        try:
            with self.opened(path, os.O_PATH) as descriptor:
                return str(Path(f"/proc/self/fd/{descriptor}").readlink()).removesuffix(" (deleted)")
        except OSError:
            return path

    def readable(self, path: str) -> bool:
        return self._may(path, _READ)

    def adoptable(self, path: str) -> bool:
        try:
            with self.opened(path, os.O_PATH | os.O_NOFOLLOW) as descriptor:
                if os.fstatvfs(descriptor).f_flag & os.ST_RDONLY:
                    return False
                there = os.fstat(descriptor)
                return there.st_uid == self.user.uid or self.user.has(_CAP_CHOWN, there)
        except OSError:
            return False

    def creatable(self, path: str) -> bool:
        parent = posixpath.dirname(posixpath.normpath(path))
        while not self.there(parent) and parent != "/":
            parent = posixpath.dirname(parent)
        try:
            with self.opened(parent, os.O_PATH | os.O_DIRECTORY) as descriptor:
                read_only = os.fstatvfs(descriptor).f_flag & os.ST_RDONLY
                return not read_only and self.user.may(os.fstat(descriptor), _WRITE | _ENTER)
        except OSError:
            return False

    def there(self, path: str) -> bool:
        """Whether something lies at this path."""
        try:
            self.stat(path, follow=False)
        except OSError:
            return False
        return True

    def reaches(self, path: str) -> bool:
        """Whether the user may connect to a socket at this path: enter every directory above it, and write to it."""
        parents = [str(parent) for parent in Path(posixpath.normpath(path)).parents]
        return all(self._may(parent, _ENTER) for parent in parents) and self._may(path, _WRITE)

    def _may(self, path: str, wanted: int) -> bool:
        try:
            return self.user.may(self.stat(path), wanted)
        except OSError:
            return False

    @contextmanager
    def opened(self, path: str, flags: int) -> Iterator[int]:
        """A descriptor of what lies there, inside the `with`. Raises OSError."""
        descriptor = _open_beneath(self._root, path, flags | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _open_beneath(root: int, path: str, flags: int) -> int:
    """Open `path` as if `root` (a directory's descriptor) were /. Raises OSError."""
    number = _OPENAT2.get(platform.machine())
    if number is None:
        raise OSError(None, f"cannot look into another root on {platform.machine()}")
    how = _How(flags=flags, resolve=_IN_ROOT | _NO_MAGIC)
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.syscall(number, root, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
    if descriptor < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), path)
    return descriptor
