"""A checkpoint: a process between a worker and the host's server that knows what may pass, from nobody of us.

In: every byte of both directions, which it passes on. Out: an account of what was said, and each thing that should
not have been: another command than a worker needs, somebody else's stream, a field, a property or a flag that no
outlet may set, bytes that are written in no canonical way. Never: a line of code shared with what it watches.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """What came by until now."""

    connections: int
    said: dict[str, int]  # how often, by the name of the command, or its number if it has none; SOUND for its packets
    faults: list[str]  # what should not have come by, each with its connection and the first bytes of its packet


class Checkpoint:
    """A running one, at `unix:PATH`, before the server at `server`; `with` ends it.

    `devices`: those of the host which the outlets behind it are wired to by name. `ceiling`: theirs, as a volume.
    """

    def __init__(self, path: Path, server: str, devices: Sequence[str] = (), ceiling: int | None = None) -> None:
        self.address = f"unix:{path}"
        words = [str(path), server.removeprefix("unix:"), *(word for name in devices for word in ("--device", name))]
        words += [] if ceiling is None else ["--ceiling", str(ceiling)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        if self.process.stdout.readline() != "listening\n":
            raise RuntimeError(f"no checkpoint at {path}")

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def account(self) -> Account:
        """What came by until now; all that it had read before it was asked is judged."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("account\n")
        self.process.stdin.flush()
        return Account(**json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        """End it, and with it the connections that go through."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
