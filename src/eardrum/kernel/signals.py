"""The signals that ask a process to end, as something to wait for."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress

ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Signals:
    """From now on ENDS interrupt nothing: `descriptor` becomes readable, and `end_asked` tells why.

    A signal that was ignored before stays so. Orphans that come to this process because it is pid 1 are buried.
    """

    def __init__(self) -> None:
        self._heard, self._told = socket.socketpair()
        self._heard.setblocking(False)
        self._told.setblocking(False)
        self.descriptor = self._heard.fileno()
        for number in (*ENDS, signal.SIGCHLD):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        _bury()

    def end_asked(self) -> bool:
        """Whether one of ENDS has come since the last call."""
        try:
            numbers = self._heard.recv(4096)
        except BlockingIOError:
            return False
        if signal.SIGCHLD in numbers:
            _bury()
        return any(number in numbers for number in ENDS)

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        self._heard.close()
        self._told.close()


def _bury() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
