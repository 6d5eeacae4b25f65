"""This process' user and machine, as the search for a sound server asks about them. Nothing here changes anything."""

from __future__ import annotations

import os
import pwd
import socket
import stat
from pathlib import Path

from eardrum.upstream.surroundings import Look, Surroundings

_KINDS = {
    stat.S_IFSOCK: "socket", stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFREG: "file",
    stat.S_IFCHR: "device", stat.S_IFBLK: "device", stat.S_IFIFO: "FIFO",
}  # fmt: skip
_CAP_CHOWN, _CAP_FOWNER = 1 << 0, 1 << 3
LONGEST_TEXT = 1 << 20  # bytes of a file that people write
NOWHERE = Path("/nonexistent")  # for who has no outlets


class MachineFiles:
    """What `upstream.surroundings.Files` asks, answered by this machine."""

    def text(self, path: str) -> str:
        return os.fsdecode(read_head(path, LONGEST_TEXT))

    def names(self, path: str) -> list[str]:
        try:
            return [entry.name for entry in os.scandir(path)]
        except OSError:
            return []

    def look(self, path: str, follow: bool = False) -> Look:
        return look_of((os.stat if follow else os.lstat)(path))

    def link(self, path: str) -> str:
        return str(Path(path).readlink())

    def real(self, path: str) -> str:
        return os.path.realpath(path)

    def readable(self, path: str) -> bool:
        return os.access(path, os.R_OK)

    def adoptable(self, path: str) -> bool:
        owner = os.lstat(path).st_uid
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return False
        return owner == os.getuid() or (_may_give_away() and _is_mapped(owner))

    def creatable(self, path: str) -> bool:
        parent = Path(path).absolute().parent
        while not os.path.lexists(parent):
            parent = parent.parent
        return os.access(f"{parent}/.", os.W_OK | os.X_OK)  # the dot: only in a directory


def look_of(there: os.stat_result) -> Look:
    """What `Files.look` says of this."""
    return Look(_KINDS[stat.S_IFMT(there.st_mode)], there.st_uid, there.st_gid, stat.S_IMODE(there.st_mode))


def read_head(path: str, most: int) -> bytes:
    """The first bytes of a file. Waits for nobody: who configures may have named a FIFO. Raises OSError."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY)) as file:
        return file.read(most) or b""


def surroundings(own_outlets: Path = NOWHERE) -> Surroundings:
    """This process' environment, user and machine, without the X display."""
    host = socket.gethostname()
    return Surroundings(os.environ, os.getuid(), os.getgid(), _home(), host, MachineFiles(), str(own_outlets))


def _home() -> str | None:
    home = os.environ.get("HOME", os.environ.get("USERPROFILE"))
    if home is None:
        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
    return home if home.startswith("/") else None


def _may_give_away() -> bool:
    """Whether this process may change the owner and mode of what is not its own."""
    needed = _CAP_CHOWN | _CAP_FOWNER
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16) & needed == needed
    return False


def _is_mapped(uid: int) -> bool:
    """Whether the owner of a file is somebody in this user namespace; only then a file can change hands."""
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(inside <= uid < inside + count for inside, _, count in ranges)
