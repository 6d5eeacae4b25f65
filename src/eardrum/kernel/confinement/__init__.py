"""What a process gives up once it serves: layers, each in a file, each of which holds whether the others do or not.

In: a profile. Out: which layers hold; afterwards the process can use what it has open, and memory, and nothing else:
it opens no file, makes no connection, runs no program, starts no process. It never gets anything back.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from eardrum.kernel.confinement import calls, environment, landlock, limits, privileges, seccomp
from eardrum.kernel.confinement.calls import Calls
from eardrum.kernel.confinement.layers import ALL, Layer
from eardrum.kernel.confinement.limits import Limits

__all__ = [
    "ALL",
    "ENVIRONMENT",
    "FILE_CALLS",
    "GATE_CALLS",
    "WORKER_CALLS",
    "Layer",
    "Limits",
    "Profile",
    "confine",
    "prepare",
    "trial",
]

ENVIRONMENT = "EARDRUM_CONFINEMENT"  # "kill": a forbidden call ends the process, so that tests see it; else it fails

WORKER_CALLS: Calls = calls.WAITING + calls.SOCKETS + calls.MEMORY + calls.PROCESS
FILE_CALLS: Calls = WORKER_CALLS + calls.FILES  # also to write and read sound files that are open


GATE_CALLS: Calls = WORKER_CALLS + calls.plain("shutdown")  # also to end a connection that others have open too


class Profile(NamedTuple):
    """What one kind of process keeps."""

    limits: Limits
    calls: Calls = WORKER_CALLS


def prepare(*allowed: Calls) -> None:
    """Do beforehand what can be done, in the process that will be forked into some that make these calls."""
    environment.prepare()
    landlock.abi()
    limits.address_space()
    for each in allowed:
        with suppress(OSError):
            seccomp.prepared(each, _kills())


def confine(profile: Profile) -> Layer:
    """Confine this process for the rest of its life; which layers hold. A layer that the kernel lacks is left out."""
    kill, held = _kills(), Layer(0)
    environment.forget()
    steps: tuple[tuple[Layer, Callable[[], None]], ...] = (
        (Layer.NO_NEW_PRIVS, privileges.gain_nothing),
        (Layer.LIMITS, lambda: limits.impose(profile.limits)),
        (Layer.NOT_DUMPABLE, privileges.hide),
        (Layer.NO_CAPABILITIES, privileges.drop_capabilities),
        (Layer.LANDLOCK, landlock.enter),
        (Layer.SECCOMP, lambda: seccomp.forbid(profile.calls, kill=kill)),
    )
    for layer, hold in steps:
        with suppress(OSError):
            hold()
            held |= layer
    return held


def trial(profile: Profile) -> Layer:
    """Which layers hold here, as found out by a child that confines itself. The caller must have no threads."""
    pid = os.fork()
    if pid == 0:
        held = Layer(0)
        try:
            held = confine(profile)
        finally:
            os._exit(held)
    return Layer(max(0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))


def _kills() -> bool:
    return os.environ.get(ENVIRONMENT) == "kill"
