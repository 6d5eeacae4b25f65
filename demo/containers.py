"""The demo's containers: bubblewrap where it works, else plain processes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from eardrum.testing.servers import Stage

# The machine's programs, read-only; no network, no other process, no file of the person's, no socket.
SANDBOX = ("bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc")
HIDDEN = ("/run", "/tmp", "/home", "/root")


class Containers:
    """Makes the command lines that run a program in a container. What is in `shared` is seen inside, too."""

    def __init__(self, stage: Stage) -> None:
        self.shared = stage.make_directory("shared")
        self.sandboxed = (
            bool(shutil.which("bwrap")) and not subprocess.run([*SANDBOX, "true"], capture_output=True).returncode
        )
        if self.sandboxed:
            self.words = "bubblewrap sandboxes: read-only root, no network"
        else:
            self.words = (
                "plain processes, because bubblewrap does not work here: what they are given is the same socket"
            )
        self.tune = "/tmp/tune.wav" if self.sandboxed else str(self.shared / "tune.wav")

    def command(self, *command: str, outlet: Path | None = None) -> list[str]:
        """`command` in a container; `outlet` is what it has at /run/pulse, unless `eardrum run` sees to that."""
        if not self.sandboxed:
            return [*(["env", f"PULSE_SERVER=unix:{outlet}/native"] if outlet else []), *command]
        argv = [*SANDBOX]
        for directory in HIDDEN:
            argv += ["--tmpfs", directory]
        argv += ["--ro-bind-try", str(self.shared / "tune.wav"), "/tmp/tune.wav", "--setenv", "HOME", "/tmp"]
        argv += ["--ro-bind", str(outlet), "/run/pulse"] if outlet else []
        return [*argv, "--", *command]
