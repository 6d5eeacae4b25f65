"""Small files for programs in a container, beside the socket in its outlet's directory.

The container may be able to write there. Whatever has their names is replaced or removed as a name in the directory:
it is never opened, and no link is followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from eardrum.terms.errors import Complaint

MODE = 0o644  # for every user of the container
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write(path: Path, directory: int, texts: Mapping[str, str]) -> None:
    """Put files with these texts into the open `directory` (path is its name for people). Raises Complaint."""
    for name, text in texts.items():
        try:
            with suppress(FileNotFoundError):
                os.unlink(_fresh(name), dir_fd=directory)
            with os.fdopen(os.open(_fresh(name), _NEW, MODE, dir_fd=directory), "w") as file:
                os.fchmod(file.fileno(), MODE)
                file.write(text)
            os.rename(_fresh(name), name, src_dir_fd=directory, dst_dir_fd=directory)
        except OSError as error:
            raise Complaint(f"{path / name}: cannot be written: {error.strerror}; remove what lies in {path}") from None


def remove(directory: int, names: Iterable[str]) -> None:
    """Take those of the files away that are files of ours."""
    for name in names:
        for there in (name, _fresh(name)):
            with suppress(OSError):
                found = os.lstat(there, dir_fd=directory)
                if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
                    os.unlink(there, dir_fd=directory)


def _fresh(name: str) -> str:
    """The file's name until it is complete."""
    return f".{name}.new"
