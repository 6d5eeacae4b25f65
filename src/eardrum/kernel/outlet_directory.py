"""The runtime directory and the sockets in it.

    <runtime>/                  0700, ours (0711 when it is shared by several users, as /run/eardrum is)
        lock                    locked by the desk while it lives, holds its pid
        control                 the desk's control socket: 0600, or with a group of those who may give it orders
        outlets/NAME/native     one directory per outlet, mounted into its container; its inode is never replaced
        outlets/NAME/…          the client kit: files that tell programs in the container of the socket

Whatever is already there is judged by what it is (no link is followed), and only what is ours is touched. An outlet's
directory may be mounted writable, so a container can swap what lies in it at any moment.
"""

from __future__ import annotations

import fcntl
import grp
import os
import socket
import stat
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from eardrum.kernel import kit_files
from eardrum.kernel.peer import group_name, user_name
from eardrum.terms.errors import Complaint, shown

SHARED = Path("/run/eardrum")  # the runtime directory of a desk that serves several users
SHARED_MODE = 0o711
NATIVE = "native"  # the socket's name, as clients look for it in /run/pulse
BACKLOG = 512  # a client that finds the backlog full takes the server for absent

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NODE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
LONGEST_PATH = 107  # bytes of a socket address


@dataclass(frozen=True)
class Access:
    """Who may connect to a socket: its mode, and the group it is given to."""

    mode: int = 0o666
    group: str | None = None

    def group_id(self) -> int:
        """-1 without a group. Raises Complaint if there is no such group."""
        if self.group is None:
            return -1
        try:
            return grp.getgrnam(self.group).gr_gid
        except KeyError:
            raise Complaint(f"group {self.group!r}: no such group; `getent group` lists them", status=2) from None


ONLY_OWNER = Access(0o600)


@dataclass(frozen=True)
class Permissions:
    """Whose a socket is, as the file system has it."""

    owner: str  # names, or numbers that have none
    group: str
    mode: str  # octal


class Runtime:
    """The runtime directory of one desk: made, checked and locked."""

    def __init__(
        self,
        path: Path,
        shared: bool | None = None,
        control: Access = ONLY_OWNER,
        kit: Mapping[str, str] | None = None,
    ) -> None:
        """`shared` is true for /run/eardrum, `control` is who may give the desk orders, `kit` are the files (names and
        texts) that lie beside every outlet's socket.

        Raises Complaint, also if another desk has locked the directory.
        """
        self.path = path.absolute()
        self._control = control
        self._kit = kit or {}
        self._shared = self.path == SHARED if shared is None else shared
        private = SHARED_MODE if self._shared else 0o700
        _check_ancestors(self.path)
        with suppress(OSError), umask(0o077):
            self.path.parent.mkdir()
        self.descriptor = _directory(self.path, None, private, used_before="lock")
        self._outlets = _directory(self.outlets, self.descriptor, private)
        self._lock = self._locked()

    def close(self) -> None:
        """Give up the lock; everything stays where it is."""
        for descriptor in (self._outlets, self._lock, self.descriptor):
            os.close(descriptor)

    @property
    def outlets(self) -> Path:
        """Where the outlets' directories are."""
        return self.path / "outlets"

    def outlet(self, name: str) -> Path:
        """The directory of the outlet with this name."""
        return self.outlets / name

    def listen_control(self) -> socket.socket:
        """The control socket, listening. Raises Complaint, also if somebody listens there already."""
        path = self.path / "control"
        if _listens(path):
            raise Complaint(
                f"{path}: somebody listens there already; if that is systemd, use its desk, or end it with"
                " `systemctl [--user] stop eardrum.socket eardrum.service`"
            )
        return _listen(path, self.descriptor, self._control)

    def check_control(self, listening: socket.socket) -> None:
        """Raises Complaint unless this socket, made by somebody else, is a control socket as we would make it."""
        path = self.path / "control"
        name = listening.getsockname()
        if not isinstance(name, str) or not _is_in(Path(name), self.descriptor, path.name):
            raise Complaint(f"{shown(str(name))}: is not the desk's control socket, {path}", status=2)
        try:
            there = path.lstat()
        except OSError as error:
            raise Complaint(f"{path}: {error.strerror}; start the service manager's socket again") from None
        allowed, gid = self._control.mode, self._control.group_id()
        if stat.S_IMODE(there.st_mode) & ~allowed or (gid != -1 and there.st_gid != gid):
            raise Complaint(f"{path}: others may connect to it; its mode is to be {allowed:04o}", status=2)

    def remove_control(self) -> None:
        _unlink_socket(self.path / "control", self.descriptor)

    def listen_outlet(self, name: str, access: Access) -> socket.socket:
        """Make or take over the outlet's directory, and listen in it. Raises Complaint."""
        path = self.outlet(name)
        guarded = self._shared and access.group is not None
        gid = access.group_id()
        directory = _directory(path, self._outlets, 0o750 if guarded else 0o755, gid if guarded else -1)
        try:
            kit_files.write(path, directory, self._kit)
            return _listen(path / NATIVE, directory, access)
        finally:
            os.close(directory)

    def permissions(self, name: str) -> Permissions | None:
        """Whose the outlet's socket is; None if there is none of ours, because the container has put it away."""
        path = self.outlet(name) / NATIVE
        try:
            there = path.lstat()
            _require_socket(path, there)
        except (OSError, Complaint):
            return None
        return Permissions(user_name(there.st_uid), group_name(there.st_gid), f"{stat.S_IMODE(there.st_mode):04o}")

    def remove_outlet(self, name: str) -> None:
        """Remove the outlet's socket and kit, and its directory unless something that isn't ours lies in it."""
        path = self.outlet(name)
        with suppress(OSError, Complaint):
            directory = os.open(name, _DIRECTORY, dir_fd=self._outlets)
            try:
                kit_files.remove(directory, self._kit)
                _unlink_socket(path / NATIVE, directory)
            finally:
                os.close(directory)
            os.rmdir(name, dir_fd=self._outlets)

    def forsaken(self, known: Container[str]) -> list[str]:
        """The outlets but the known ones in whose directories nobody listens: their desk was killed."""
        names = [entry.name for entry in os.scandir(self._outlets) if entry.name not in known]
        return [name for name in names if not _listens(self.outlet(name) / NATIVE)]

    def _locked(self) -> int:
        path = self.path / "lock"
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with umask(0o077):
                descriptor = os.open("lock", flags, 0o600, dir_fd=self.descriptor)
        except OSError as error:
            raise Complaint(f"{path}: {error.strerror}; remove it and try again") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            first = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise Complaint(
                f"{self.path}: a desk is already running here, pid {first}; use that one, stop it,"
                " or choose another --runtime-dir"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor


def connect(path: Path, timeout: float | None = None) -> socket.socket:
    """A connection to a UNIX socket, whatever the length of its path; `timeout` in seconds. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        with short_path(path) as address:
            connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_in(path: Path, directory: int, name: str) -> bool:
    """Whether `path` is what this directory has under this name."""
    try:
        return path.name == name and os.path.samestat(path.parent.stat(), os.fstat(directory))
    except OSError:
        return False


def _listens(path: Path) -> bool:
    """Whether a connection would be taken, now or later. A link that a container has put there leads us to nobody."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return False
        connect(path, timeout=0).close()
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        return False
    except OSError:
        return True
    return True


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for `path` that fits into a socket address, valid inside the `with`. Raises OSError."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    parent = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{parent}/{path.name}"
    finally:
        os.close(parent)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def _check_ancestors(path: Path) -> None:
    for parent in path.resolve().parents:
        with suppress(FileNotFoundError):
            mode = parent.stat().st_mode
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                raise Complaint(f"{parent}: everybody may rename what lies in it; choose another --runtime-dir")


def _directory(path: Path, parent: int | None, mode: int, gid: int = -1, used_before: str = "") -> int:
    """Open a directory of ours, made if it is missing, with this mode and group.

    One that was open to others to read is narrowed only if it is empty or holds `used_before`; without that name, it
    is ours by its place. One that others may write to is refused.
    """
    name = str(path) if parent is None else path.name
    try:
        with suppress(FileExistsError), umask(0o077):
            os.mkdir(name, dir_fd=parent)
        descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
    except NotADirectoryError:
        raise Complaint(f"{path}: a link or no directory; remove it or choose another --runtime-dir") from None
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}; choose another --runtime-dir") from None
    try:
        there = os.fstat(descriptor)
        if there.st_uid != os.geteuid():
            raise Complaint(f"{path}: belongs to uid {there.st_uid}; remove it or choose another --runtime-dir")
        now = stat.S_IMODE(there.st_mode)
        if now & 0o022:
            raise Complaint(f"{path}: others may write to it (mode {now:04o}); `chmod go-w` it or remove it")
        if used_before and now & ~mode:
            inside = [entry.name for entry in os.scandir(descriptor)]
            if inside and used_before not in inside:
                raise Complaint(f"{path}: holds other files, open to others (mode {now:04o}); use one of its own")
        _give(path, descriptor, mode, gid)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _listen(path: Path, directory: int, access: Access) -> socket.socket:
    """Bind in `directory` (path is its name for people); mode and group are right before anybody can connect."""
    gid = access.group_id()
    _unlink_socket(path, directory)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        short = len(os.fsencode(path)) <= LONGEST_PATH
        with umask(0o177):
            listening.bind(str(path) if short else f"/proc/self/fd/{directory}/{path.name}")
        node = os.open(path.name, _NODE, dir_fd=directory)
        try:
            _require_socket(path, os.fstat(node))
            _give(path, node, access.mode, gid)
        finally:
            os.close(node)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise Complaint(f"{path}: {error.strerror}; remove what is there or choose another --runtime-dir") from None
    except BaseException:
        listening.close()
        raise
    return listening


def _unlink_socket(path: Path, directory: int) -> None:
    """Remove a socket of ours that no desk serves any more. Raises Complaint for anything else."""
    try:
        there = os.lstat(path.name, dir_fd=directory)
    except FileNotFoundError:
        return
    _require_socket(path, there)
    os.unlink(path.name, dir_fd=directory)


def _require_socket(path: Path, there: os.stat_result) -> None:
    if not stat.S_ISSOCK(there.st_mode) or there.st_uid != os.geteuid() or there.st_nlink != 1:
        raise Complaint(f"{path}: something that is no socket of ours lies there; look at it and remove it")


def _give(path: Path, descriptor: int, mode: int, gid: int) -> None:
    """Set group and mode of what the descriptor stands for (O_PATH is enough), never of what a name leads to."""
    magic = Path(f"/proc/self/fd/{descriptor}")
    try:
        if gid != -1:
            os.chown(magic, -1, gid)
    except OSError:
        raise Complaint(f"{path}: cannot be given to a group that you are not in; `id -Gn` lists yours") from None
    try:
        magic.chmod(mode)
    except OSError as error:
        raise Complaint(f"{path}: its mode cannot be set: {error.strerror}; is /proc mounted?") from None
