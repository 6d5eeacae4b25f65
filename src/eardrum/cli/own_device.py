"""For `serve`: a device of ALSA at the end of a wire, in a process beside it; what becomes of it is told in lines."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
from collections.abc import Callable
from typing import NoReturn

from eardrum.desk.alsa_device import refuse, why
from eardrum.kernel.alsa import device_pipe, look
from eardrum.terms.names import WireEnd
from eardrum.worker import alsa_device
from eardrum.worker.nursery import as_child, keep_only, own_signals
from eardrum.worker.spec import AlsaSpec

LONGEST_LOOK = 5.0  # seconds
PATIENCE = 2.0  # seconds in which the process plays what is left


class OwnDevice:
    """As `AlsaDevice` of the desk, for a process that has no thread and no loop when it begins."""

    def __init__(self, end: WireEnd, say: Callable[[str], None], *, captures: bool) -> None:
        self._end = end
        self._say = say
        self._captures = captures
        self._ours = -1
        self._process = -1  # its pidfd

    def begin(self, fresh: bool) -> None:
        """Raises Complaint if the device cannot be opened, unless it is only in use; OSError if no process can be."""
        refuse(self._end, self._look())
        reader, writer = device_pipe()
        self._ours, theirs = (reader, writer) if self._captures else (writer, reader)
        self._process = os.pidfd_open(_fork(lambda: self._live(theirs), (theirs,)))
        os.close(theirs)

    def take(self) -> tuple[str, int]:
        return self._end.argument, os.dup(self._ours)

    def end(self) -> None:
        """Return when what is left has been played."""
        if self._ours >= 0:
            os.close(self._ours)
        if self._process >= 0:
            if not self._captures and select.select([self._process], [], [], PATIENCE)[0]:
                with contextlib.suppress(ChildProcessError):  # it was buried already
                    os.waitid(os.P_PIDFD, self._process, os.WEXITED)
            os.close(self._process)

    def _look(self) -> int:
        """0 if the device can be opened now, else the number of the error."""
        pid = _fork(lambda: os._exit(look(self._end.argument, captures=self._captures)), ())
        pidfd = os.pidfd_open(pid)
        in_time = select.select([pidfd], [], [], LONGEST_LOOK)[0]
        os.close(pidfd)
        if not in_time:
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status if in_time else errno.ETIMEDOUT

    def _live(self, pipe: int) -> None:
        own_signals()
        alsa_device.run(AlsaSpec(self._end.argument, self._captures), pipe, self._tell)

    def _tell(self, number: int) -> None:
        if number:
            self._say(f"{why(self._end, number)}; it is tried again every second")
        else:
            self._say(f"{self._end} is there again")


def _fork(live: Callable[[], None], kept: tuple[int, ...]) -> int:
    pid = os.fork()
    if pid == 0:
        _as_device(live, kept)
    return pid


def _as_device(live: Callable[[], None], kept: tuple[int, ...]) -> NoReturn:
    def alone() -> None:
        keep_only(kept)
        live()

    as_child("alsa", alone)
