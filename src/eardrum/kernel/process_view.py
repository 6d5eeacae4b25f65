"""A process as it sees the machine: its files, its user, its mounts, who else confines it. Looked at from outside.

The process may be an enemy's: its files are opened beneath its own root, so that no link in it leads out (openat2), no
FIFO is waited for, and nothing is changed. What it says of itself (its variables) is shown, not believed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import posixpath
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eardrum.kernel import machine, probe
from eardrum.kernel.probe import Answer
from eardrum.protocol.kinds import COOKIE_BYTES
from eardrum.terms.errors import Complaint, PulseError
from eardrum.upstream.addresses import Address
from eardrum.upstream.surroundings import Look, Surroundings

PROC = Path("/proc")
_OPENAT2 = {"x86_64": 437, "aarch64": 437}
_IN_ROOT, _NO_MAGIC = 0x10, 0x02  # of RESOLVE_* in <linux/openat2.h>
_CAP_CHOWN, _CAP_DAC_OVERRIDE = 1 << 0, 1 << 1
_READ, _WRITE, _ENTER = 4, 2, 1  # bits of a mode, as `may` wants them
_INITS = frozenset(("bwrap", "catatonit", "conmon", "docker-init", "dumb-init", "lxc-execute", "lxc-init", "tini"))


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


@dataclass(frozen=True)
class Mount:
    """One line of /proc/PID/mountinfo."""

    device: int  # of the file system, as st_dev
    root: str  # what of that file system is mounted; it ends with //deleted if that is gone
    point: str  # where the process sees it


@dataclass(frozen=True)
class User:
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
        with self.opened(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY) as descriptor:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(None, "no file of text")
            return os.fsdecode(os.read(descriptor, machine.LONGEST_TEXT))

    def names(self, path: str) -> list[str]:
        try:
            with self.opened(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
                return [entry.name for entry in os.scandir(descriptor)]
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


class ProcessView:
    """One process. Its files stay readable until `close`, also when it has ended. Raises Complaint."""

    def __init__(self, pid: int, proc: Path = PROC) -> None:
        self.pid = pid
        self._at = proc / str(pid)
        try:
            self.name = (self._at / "comm").read_text().strip()
            self.user = _user((self._at / "status").read_text(), (self._at / "uid_map").read_text())
            self.environment = _variables((self._at / "environ").read_bytes())
            self.mounts = tuple(_mounts((self._at / "mountinfo").read_text()))
            self.files = ForeignFiles(self._at / "root", self.user)
        except FileNotFoundError:
            raise Complaint(f"process {pid}: there is none; `ps` lists those that run") from None
        except ProcessLookupError:
            raise Complaint(f"process {pid}: has ended; look while it runs") from None
        except PermissionError:
            raise Complaint(f"process {pid}: belongs to somebody else; look at it as root") from None
        self.label = _label(self._at)

    def close(self) -> None:
        self.files.close()

    def mount_at(self, path: str) -> Mount | None:
        """What was mounted exactly there; links in the path count."""
        point = self.files.real(path)
        return next((mount for mount in reversed(self.mounts) if mount.point == point), None)

    def ask(self, path: str, patience: float) -> Answer:
        """Who answers at a socket that it sees, in at most `patience` seconds; asked by us, without a cookie."""
        try:
            with self.files.opened(path, os.O_PATH) as descriptor:
                return probe.ask(Address(f"/proc/self/fd/{descriptor}"), bytes(COOKIE_BYTES), patience)
        except OSError as error:
            return Answer(False, str(error.strerror), error=PulseError.CONNECTIONREFUSED)

    def surroundings(self) -> Surroundings:
        """What the search for a sound server asks, as this process would answer it."""
        home = self.environment.get("HOME") or _home_of(self.files, self.user.uid)
        home = home if home and home.startswith("/") else None
        user, host = self.user, socket.gethostname()
        return Surroundings(self.environment, user.uid, user.gid, home, host, self.files, str(machine.NOWHERE))


def mount_namespace(pid: int, proc: Path = PROC) -> str:
    """Which mounts a process sees: the same text for all who share them; empty if that is not ours to know."""
    try:
        return str((proc / str(pid) / "ns/mnt").readlink())
    except OSError:
        return ""


def visitors(directory: Path, proc: Path = PROC) -> list[int]:
    """Processes in whose mounts this directory, one above it or something in it was put: one for each set of mounts,
    the program rather than the init that an engine adds.
    """
    own, wanted = mount_namespace(os.getpid(), proc), _place(directory, proc)
    found: dict[str, int] = {}
    for pid in sorted(int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()):
        namespace = mount_namespace(pid, proc)
        if not namespace or namespace == own:
            continue
        try:
            is_init = (proc / str(pid) / "comm").read_text().strip() in _INITS
            mounts = tuple(_mounts((proc / str(pid) / "mountinfo").read_text()))
        except OSError:
            continue
        if any(shows(mount, *wanted) for mount in mounts) and not (namespace in found and is_init):
            found[namespace] = pid
    return list(found.values())


def shows(mount: Mount, device: int, path: str) -> bool:
    """Whether this mount was made of that path of that file system, or of something in it."""
    gone = mount.root.removesuffix("//deleted")
    return mount.device == device and (gone == path or gone.startswith(path + "/"))


def _place(path: Path, proc: Path) -> tuple[int, str]:
    """Where this lies: the file system, and the path in it."""
    device = path.stat().st_dev
    best = Mount(device, "/", "/")
    for mount in _mounts((proc / "self/mountinfo").read_text()):
        if mount.device == device and path.is_relative_to(mount.point) and len(mount.point) >= len(best.point):
            best = mount
    return device, posixpath.normpath(posixpath.join(best.root, path.relative_to(best.point)))


def _mounts(text: str) -> Iterator[Mount]:
    for line in text.splitlines():
        _, _, device, root, point, *_ = line.split(" ")
        major, minor = map(int, device.split(":"))
        yield Mount(os.makedev(major, minor), _unescaped(root), _unescaped(point))


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _user(status: str, uid_map: str) -> User:
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    uid, gid = int(fields["Uid"].split()[1]), int(fields["Gid"].split()[1])
    lines = [tuple(map(int, line.split())) for line in uid_map.splitlines()]
    mapped = tuple(range(outside, outside + count) for _, outside, count in lines)
    return User(uid, gid, frozenset(map(int, fields["Groups"].split())), int(fields["CapEff"], 16), mapped)


def _variables(environ: bytes) -> dict[str, str]:
    pairs = (os.fsdecode(item).partition("=") for item in environ.split(b"\0") if b"=" in item)
    return {name: value for name, _, value in pairs}


def _home_of(files: ForeignFiles, uid: int) -> str | None:
    try:
        entries = files.text("/etc/passwd").splitlines()
    except OSError:
        return None
    fields = (entry.split(":") for entry in entries)
    return next((entry[5] for entry in fields if len(entry) > 5 and entry[2] == str(uid)), None)


def _label(at: Path) -> str:
    """Which profile or context of AppArmor or SELinux confines it; empty where there is none."""
    try:
        return (at / "attr/current").read_text().strip(" \n\0")
    except OSError:  # no such module in this kernel
        return ""


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
