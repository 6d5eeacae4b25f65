"""An ordinary user for a test, whom the machine need not have: known in a mount namespace, with uids for containers.

There the user has a home, a runtime directory, Eardrum and its Python, wherever they are really. Only for root.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import eardrum
from eardrum.testing.servers import as_user

UID = 23_000
_SUBORDINATE = 300_000  # the first of 65536 uids for containers
_SEEN = {  # in the namespace, where the user can read it
    "/mnt/python": sys.base_prefix,
    "/mnt/packages": sysconfig.get_path("purelib"),
    "/mnt/eardrum": str(Path(eardrum.__file__).parents[1]),
}
EARDRUM = (f"/mnt/python/bin/python3.{sys.version_info.minor}", "-m", "eardrum")


class OrdinaryUser:
    """Their home is `directory`, which every user of the machine can look into."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._files = directory / "etc"
        self._files.mkdir()
        (self._files / "passwd").write_text(f"root:x:0:0::/root:/bin/sh\nsomebody:x:{UID}:{UID}::{directory}:/bin/sh\n")
        for name in ("subuid", "subgid"):
            (self._files / name).write_text(f"somebody:{_SUBORDINATE}:65536\n")
        for place in (directory, self.runtime):
            place.mkdir(exist_ok=True)
            os.chown(place, UID, UID)
        self.runtime.chmod(0o700)

    @property
    def runtime(self) -> Path:
        """XDG_RUNTIME_DIR."""
        return self.directory / "run"

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program as this user to its end and keep what it says."""
        variables = [
            *(f"HOME={self.directory}", f"XDG_RUNTIME_DIR={self.runtime}", "PATH=/usr/bin:/usr/sbin", "LANG=C.UTF-8"),
            *("PYTHONPATH=/mnt/eardrum:/mnt/packages", "EARDRUM_CONFINEMENT=kill"),
        ]
        script = "\n".join((*self._mounts(), shlex.join(["exec", *as_user(UID), "env", "-i", *variables, *argv])))
        return subprocess.run(
            ["unshare", "--mount", "--propagation=private", "sh", "-ec", script],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
        )

    def _mounts(self) -> Iterator[str]:
        yield "mount -t tmpfs tmpfs /mnt"
        for place, source in _SEEN.items():
            yield f"mkdir {place} && mount --bind {shlex.quote(source)} {place}"
        for name in ("passwd", "subuid", "subgid"):
            yield f"mount --bind {self._files / name} /etc/{name}"

    def close(self) -> None:
        """End what rootless podman leaves behind: a process that does nothing but hold its namespaces."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.runtime / "libpod/tmp/pause.pid").read_text()), signal.SIGTERM)
