"""A command that runs in our place: same descriptors, same terminal, our signals; then its exit status is ours."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from eardrum.terms.errors import Complaint

NOT_EXECUTABLE = 126
NOT_FOUND = 127
_PASSED_ON = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP}
_IGNORED_BY_PYTHON = {signal.SIGPIPE, signal.SIGXFSZ}


def located(command: str) -> str:
    """The file that `command` means. Raises Complaint with status 126 or 127, as a shell would."""
    found = shutil.which(command)
    if found:
        return found
    if "/" in command and Path(command).exists():
        raise Complaint(f"{command}: cannot be executed", NOT_EXECUTABLE)
    raise Complaint(f"{command}: no such command; is it installed?", NOT_FOUND)


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run `argv` and wait for it. Returns its exit status, 128+n if signal n ended it. Raises Complaint.

    The process must have no other thread: it could take the signals that are waited for here.
    """
    awaited = _PASSED_ON | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    try:
        # Descriptors that the caller opened for the command (bwrap --args 3 3<FILE) stay open in it.
        pid = os.posix_spawn(
            located(argv[0]), list(argv), environ, setsigmask=before, setsigdef=_IGNORED_BY_PYTHON
        )  # fmt: skip
        return _wait(pid, awaited)
    except OSError as error:
        raise Complaint(f"{argv[0]}: {error.strerror}", NOT_EXECUTABLE) from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(pid: int, awaited: set[signal.Signals]) -> int:
    while True:
        news = signal.sigwaitinfo(awaited)
        if news.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        elif news.si_code <= 0:  # sent by a process; what a terminal sends has reached the command already
            os.kill(pid, news.si_signo)
