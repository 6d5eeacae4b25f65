"""For `doctor`: a person's container, started with an idle program to be looked at, and ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from eardrum.cli import child
from eardrum.cli.control import Control, Opening, Outlet
from eardrum.cli.own_desk import desk_at_hand
from eardrum.cli.run import opened_under_a_free_name, valid_name
from eardrum.containers import engines
from eardrum.kernel.process_view import visitors
from eardrum.terms.errors import Complaint

_IDLE = ("/bin/sh", "-c", "trap 'exit 0' TERM; sleep 60 & wait")
_LOOK_EVERY = 0.05  # seconds
_UNTIL_KILLED = 5.0  # seconds
_LONGEST_WORDS = 4096  # bytes of what an engine says before it ends


class Tried(NamedTuple):
    """What became of a container: it runs as `pid`, or the engine ended and said this."""

    outlet: Outlet
    pid: int | None
    status: int | None
    said: str


@contextlib.contextmanager
def tried(runtime: Path, command: Sequence[str], patience: float) -> Iterator[Tried]:
    """The container of this command, with an outlet and an idle program in it, while the `with` lasts.

    `patience` is for the engine to start it, in seconds. Raises Complaint.
    """
    child.located(command[0])
    idle = engines.with_program(command, _IDLE)
    way = engines.way_of(idle)
    if way is None:
        raise Complaint(
            f"{command[0]}: is no container engine that Eardrum knows; `eardrum doctor --pid PID`", status=125
        )
    with contextlib.ExitStack() as stack:
        stack.enter_context(desk_at_hand(runtime))
        control = stack.enter_context(Control(runtime))
        name = valid_name(f"doctor-{way.suggested_name}")
        outlet = opened_under_a_free_name(control, Opening(name, "null", None, held=True))
        words = stack.enter_context(tempfile.TemporaryFile())
        environment = {**os.environ, **way.variables(outlet.directory)}
        engine = subprocess.Popen(
            way.wired(outlet.directory), env=environment, stdin=subprocess.DEVNULL, stdout=words, stderr=words
        )
        stack.callback(_end, engine)
        pid = _started(engine, Path(outlet.directory), patience)
        words.seek(0)
        yield Tried(outlet, pid, engine.poll(), words.read(_LONGEST_WORDS).decode(errors="replace"))


def _started(engine: subprocess.Popen[bytes], directory: Path, patience: float) -> int | None:
    until = time.monotonic() + patience
    while engine.poll() is None and time.monotonic() < until:
        if idle := [pid for pid in visitors(directory) if _idles(pid)]:
            return idle[0]
        time.sleep(_LOOK_EVERY)
    return None


def _idles(pid: int) -> bool:
    """Whether it is the idle shell or its sleep, no longer the engine on its way to it."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return words[0] in (b"/bin/sh", b"sleep")


def _end(engine: subprocess.Popen[bytes]) -> None:
    engine.terminate()
    try:
        engine.wait(_UNTIL_KILLED)
    except subprocess.TimeoutExpired:
        engine.kill()
        engine.wait()
