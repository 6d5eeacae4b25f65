"""A process as it sees the machine: its files, its user, its mounts, who else confines it. Looked at from outside.

What it says of itself (its variables) decides where it looks for sound, and nothing else.
"""

from __future__ import annotations

import os
import posixpath
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eardrum.kernel import machine, probe
from eardrum.kernel.foreign_files import ForeignFiles, User
from eardrum.kernel.probe import Answer
from eardrum.protocol.kinds import COOKIE_BYTES
from eardrum.terms.errors import Complaint, PulseError
from eardrum.upstream.addresses import Address
from eardrum.upstream.surroundings import Surroundings

PROC = Path("/proc")
_INITS = frozenset(("bwrap", "catatonit", "conmon", "docker-init", "dumb-init", "lxc-execute", "lxc-init", "tini"))


@dataclass(frozen=True)
class Mount:
    """One line of /proc/PID/mountinfo."""

    device: int  # of the file system, as st_dev
    root: str  # what of that file system is mounted; it ends with //deleted if that is gone
    point: str  # where the process sees it


class ProcessView:
    """One process. Its files stay readable until `close`, also when it has ended. Raises Complaint."""

    def __init__(self, pid: int, proc: Path = PROC) -> None:
        self.pid = pid
        self._at = proc / str(pid)
        try:
            self.name = _text(self._at / "comm").strip()
            self.user = _user(_text(self._at / "status"), _text(self._at / "uid_map"))
            self.environment = _variables((self._at / "environ").read_bytes())
            self.mounts = tuple(_mounts(_text(self._at / "mountinfo")))
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
            is_init = _text(proc / str(pid) / "comm").strip() in _INITS
            mounts = tuple(_mounts(_text(proc / str(pid) / "mountinfo")))
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
    for mount in _mounts(_text(proc / "self/mountinfo")):
        if mount.device == device and path.is_relative_to(mount.point) and len(mount.point) >= len(best.point):
            best = mount
    return device, posixpath.normpath(posixpath.join(best.root, path.relative_to(best.point)))


def _text(path: Path) -> str:
    """What the kernel tells of a process; names in it are bytes that the process may have chosen. Raises OSError."""
    return os.fsdecode(path.read_bytes())


def _mounts(text: str) -> Iterator[Mount]:
    for line in text.split("\n")[:-1]:
        _, _, device, root, point, *_ = line.split(" ")
        major, minor = map(int, device.split(":"))
        yield Mount(os.makedev(major, minor), _unescaped(root), _unescaped(point))


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _user(status: str, uid_map: str) -> User:
    fields = dict(line.split(":", 1) for line in status.split("\n") if ":" in line)
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
        return _text(at / "attr/current").strip(" \n\0")
    except OSError:  # no such module in this kernel
        return ""
