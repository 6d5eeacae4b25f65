"""What a worker gives up once it serves.

In: nothing. Out: nothing; afterwards the process can use what it has open, and memory, and nothing else: it opens no
file, makes no connection, runs no program, starts no process. It never gets anything back.
"""

from __future__ import annotations

import os

from eardrum.kernel.confinement import seccomp

ENVIRONMENT = "EARDRUM_CONFINEMENT"  # "kill": a forbidden call ends the worker, so that tests see it; else it fails


def prepare() -> None:
    """Do beforehand what can be done, in the process that will be forked. Raises OSError as `confine` would."""
    seccomp.prepared(_kills())


def confine() -> None:
    """Confine this process for the rest of its life. Raises OSError if the kernel cannot."""
    seccomp.forbid(kill=_kills())


def _kills() -> bool:
    return os.environ.get(ENVIRONMENT) == "kill"
