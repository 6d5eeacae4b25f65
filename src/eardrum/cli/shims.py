"""Small commands that are called like PulseAudio's, for scripts that start it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from eardrum.terms.errors import Complaint

SHIMS = ("pulseaudio", "pacmd")
_MARK = "# made by eardrum serve --install-shims"


def install(directory: Path) -> None:
    """Write each of SHIMS into the directory, which is made; never over a command of others. Raises Complaint."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in SHIMS:
            path = directory / name
            if path.is_symlink() or (path.exists() and _MARK not in path.read_text(errors="replace")):
                raise Complaint(f"{path}: another command is there; remove it or choose another directory")
            new = path.with_name(f".{name}.new")
            new.write_text(f'#!/bin/sh\n{_MARK}\nexec {shlex.quote(sys.executable)} -P -m eardrum {name} "$@"\n')
            new.chmod(0o755)
            new.replace(path)
    except OSError as error:
        raise Complaint(f"{directory}: {error.strerror}; choose another directory") from None
