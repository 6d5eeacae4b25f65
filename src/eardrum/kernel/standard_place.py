"""The directories in which clients look for a standard server, made as PulseAudio makes them.

What is there already is judged by what it is: a link is no directory, and what belongs to another user, or may be
written to by one, is refused. Nothing is removed.
"""

from __future__ import annotations

import os
import secrets
import stat
import string
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from eardrum.kernel.outlet_directory import umask
from eardrum.terms.errors import Complaint
from eardrum.upstream.discovery import mode_of_ours, runtime_directory, runtime_link
from eardrum.upstream.surroundings import Surroundings

_LETTERS = string.ascii_letters + string.digits
_TEMPORARY = ("TMPDIR", "TMP", "TEMP", "TEMPDIR")  # the first absolute one counts


def user_directory(around: Surroundings) -> Path:
    """This user's runtime directory, whose socket clients try first. It is made if it lacks. Raises Complaint."""
    try:
        return _user_directory(around)
    except OSError as error:
        raise Complaint(f"{error.filename}: {error.strerror}; set XDG_RUNTIME_DIR, or use `--socket PATH`") from None


def _user_directory(around: Surroundings) -> Path:
    environment = around.environment
    mode = mode_of_ours(environment)
    for name in ("PULSE_RUNTIME_PATH", "XDG_RUNTIME_DIR"):
        if environment.get(name) == "":
            raise Complaint(f"{name} is set but empty, so no client finds a socket; unset it")
    if path := environment.get("PULSE_RUNTIME_PATH"):
        return own_directory(Path(path).absolute(), mode)
    if path := environment.get("XDG_RUNTIME_DIR"):
        session = Path(path).absolute()
        if not session.exists():
            own_directory(session)
        elif (owner := session.stat().st_uid) != os.geteuid():
            raise Complaint(f"XDG_RUNTIME_DIR {path}: belongs to uid {owner}; set it to a directory of your own")
        return own_directory(session / "pulse", mode)
    return _linked_directory(around)


def own_directory(path: Path, mode: int = 0o700, owner: tuple[int, int] | None = None) -> Path:
    """A directory of ours (or of this uid and gid) with this mode, made if it lacks. Raises Complaint."""
    try:
        with umask(0o777 & ~mode):
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                path.mkdir()
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (NotADirectoryError, FileExistsError):
        raise Complaint(f"{path}: a link or no directory is in the way; look at it and remove it") from None
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}; choose another place") from None
    try:
        there = os.fstat(descriptor)
        if there.st_uid not in (os.geteuid(), *(owner or ())[:1]):
            raise Complaint(f"{path}: belongs to uid {there.st_uid}; remove it, or choose another place")
        now = stat.S_IMODE(there.st_mode)
        if now & 0o022:
            raise Complaint(
                f"{path}: others may write to it (mode {now:04o}); `chmod go-w` it, or choose another place"
            )
        if owner is not None:
            os.fchown(descriptor, *owner)
        if now != mode:
            os.fchmod(descriptor, mode)
    except OSError as error:
        raise Complaint(f"{path}: its mode cannot be {mode:04o}: {error.strerror}; use `--socket PATH`") from None
    finally:
        os.close(descriptor)
    return path


def _linked_directory(around: Surroundings) -> Path:
    """The directory in /tmp that a link in the user's configuration leads to; a link to no good one is replaced."""
    if around.home is None:
        raise Complaint("no home directory, so no place for a socket; set XDG_RUNTIME_DIR or HOME, or use --socket")
    home = Path(around.home)
    if home.exists() and (owner := home.stat().st_uid) not in (os.geteuid(), 0):
        raise Complaint(f"{home}: your home belongs to uid {owner}; set XDG_RUNTIME_DIR or HOME, or use --socket")
    link = Path(runtime_link(around))
    _, _, lacks = runtime_directory(around)
    if not lacks:
        return link.readlink()
    own_directory(link.parent)
    if os.path.lexists(link) and not link.is_symlink():
        raise Complaint(f"{link}: something that is no link lies there; look at it and remove it")
    made = _new_directory(around.environment)
    new = link.with_name(f"{link.name}.tmp")
    try:
        with suppress(FileNotFoundError):
            new.readlink()  # left behind half made; anything else stays
            new.unlink()
        new.symlink_to(made)
        new.rename(link)
    except OSError as error:
        made.rmdir()
        raise Complaint(f"{link}: cannot be made: {error.strerror}; set XDG_RUNTIME_DIR") from None
    return made


def _new_directory(environment: Mapping[str, str]) -> Path:
    places = (environment.get(name, "") for name in _TEMPORARY)
    temporary = next((place for place in places if place.startswith("/")), "/tmp")
    path = Path(temporary, "pulse-" + "".join(secrets.choice(_LETTERS) for _ in range(12)))
    try:
        with umask(0o077):
            path.mkdir()
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}; set XDG_RUNTIME_DIR") from None
    return path
