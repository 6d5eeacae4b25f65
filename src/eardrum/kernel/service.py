"""What a service manager is told, and what it hands over: the protocols of sd_notify(3) and sd_listen_fds(3)."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from eardrum.terms.errors import Complaint

_FIRST = 3  # the number of the first descriptor that is handed over
_GIVEN = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def notify(**state: str) -> None:
    """Tell the service manager that started us, if one did: READY="1", STOPPING="1", STATUS=a line for people."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    lines = "\n".join(f"{name}={' '.join(value.split())}" for name, value in state.items())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link, suppress(OSError):
        link.sendto(lines.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)


def handed_over() -> socket.socket | None:
    """The listening UNIX socket by which we were started; None if we were started otherwise.

    To be called once, by the process that was started: nobody else finds it afterwards. Raises Complaint for anything
    but one such socket.
    """
    pid, count, _ = (os.environ.pop(name, "") for name in _GIVEN)
    if pid != str(os.getpid()):
        return None  # it was for a process before us
    if count != "1":
        raise Complaint(f"LISTEN_FDS={count}: the desk takes one socket, its control socket", status=2)
    try:
        os.set_inheritable(_FIRST, False)
        given = socket.socket(fileno=_FIRST)
    except OSError as error:
        raise Complaint(f"LISTEN_FDS=1: descriptor {_FIRST} is no socket: {error.strerror}", status=2) from None
    if (
        given.family != socket.AF_UNIX
        or given.type != socket.SOCK_STREAM
        or not given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    ):
        given.detach()
        raise Complaint(
            f"LISTEN_FDS=1: descriptor {_FIRST} is no UNIX stream socket that listens; use ListenStream= with a path",
            status=2,
        )
    given.setblocking(False)
    return given
