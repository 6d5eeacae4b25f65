"""A desk for a verb that needs one when none is running."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import click

from eardrum.cli.control import Control, NoDesk
from eardrum.terms.errors import Complaint

_PATIENCE = 10  # seconds for a desk that somebody else is starting


@contextlib.contextmanager
def desk_at_hand(runtime: Path) -> Iterator[None]:
    """While this lasts a desk serves `runtime`: the one that is there, or one that is ended afterwards.

    The new desk goes on, and that is said, if others have come to use it. Raises Complaint if no desk can be started.
    """
    desk = None if _answers(runtime) else started(runtime)
    if desk is None:
        yield
        return
    remembered: list[str] = []
    try:
        remembered = _open_names(runtime)
        yield
    finally:
        users = [name for name in _open_names(runtime) if name not in remembered]
        if users:
            click.echo(
                f"eardrum: process {desk.pid} goes on as the desk in {runtime}, for {', '.join(users)}", err=True
            )
        else:
            end(desk)


def started(
    runtime: Path, *options: str, pass_fds: Sequence[int] = (), stderr: IO[bytes] | None = None
) -> subprocess.Popen[bytes] | None:
    """A new desk that serves, `eardrum up` with these options; None if somebody else's was quicker.

    It gets the descriptors in `pass_fds`, and complains to `stderr`. Raises Complaint if it cannot be started.
    """
    readable, writable = os.pipe()
    # -P: the current directory is the user's, nothing is imported from there.
    command = [sys.executable, "-P", "-m", "eardrum", "up", "--runtime-dir", str(runtime), "--ready-fd", str(writable)]
    desk = subprocess.Popen(
        [*command, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        pass_fds=(writable, *pass_fds),
        env={name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"},  # it is no service
        start_new_session=True,
    )
    os.close(writable)
    try:
        with open(readable, "rb") as pipe:
            if pipe.read(1):
                return desk
        desk.wait()
        _await_other(runtime)
    except BaseException:
        end(desk)
        raise
    return None


def end(desk: subprocess.Popen[bytes]) -> None:
    """End a desk that was started here."""
    desk.terminate()
    desk.wait()


def _await_other(runtime: Path) -> None:
    """Wait until a desk serves that somebody else is starting. Raises Complaint if nobody is."""
    deadline = time.monotonic() + _PATIENCE
    while _locked(runtime) and time.monotonic() < deadline:
        if _answers(runtime):
            return
        time.sleep(0.05)
    raise Complaint(f"no desk could be started in {runtime}")


def _answers(runtime: Path) -> bool:
    try:
        Control(runtime).__exit__(None, None, None)
    except NoDesk:
        return False
    return True


def _open_names(runtime: Path) -> list[str]:
    try:
        with Control(runtime) as control:
            return [outlet.name for outlet in control.outlets()]
    except Complaint:
        return []


def _locked(runtime: Path) -> bool:
    """True while a desk, ready or not, has this runtime directory."""
    try:
        with open(runtime / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
