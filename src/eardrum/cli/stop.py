"""Signals that ask a command to end, when it may not end at any moment."""

from __future__ import annotations

import select
import signal
import socket
from types import FrameType, TracebackType
from typing import Any

from eardrum.kernel.signals import ENDS


class Stop:
    """While this lasts, SIGINT, SIGTERM and SIGHUP are noted and can be waited for. In the main thread only."""

    def __init__(self) -> None:
        self.number = 0  # of the first signal that came
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        self._fd_before = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in ENDS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)
        self._woken.close()
        self._waker.close()

    @property
    def status(self) -> int:
        """The exit status: Ctrl-C is how a person ends a command that has no end; other signals are told."""
        return 128 + self.number if self.number not in (0, signal.SIGINT) else 0

    def wait(self, other: Any = None, timeout: float | None = None) -> bool:
        """Wait until `other`, which has a fileno, can be read, or for `timeout` seconds; True once a signal came."""
        select.select([self._woken, *([other] if other else [])], [], [], timeout)
        return bool(self.number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = self.number or number
