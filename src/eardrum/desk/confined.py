"""What the kernel takes from workers, as the person is told of it."""

from __future__ import annotations

from eardrum.desk.say import say
from eardrum.kernel import confinement
from eardrum.kernel.confinement import ALL, Layer
from eardrum.terms.errors import Complaint
from eardrum.worker import profiles

_MEANS = {
    Layer.NO_NEW_PRIVS: "prctl PR_SET_NO_NEW_PRIVS",
    Layer.NOT_DUMPABLE: "prctl PR_SET_DUMPABLE",
    Layer.NO_CAPABILITIES: "capset",
    Layer.LIMITS: "resource limits, and /proc",
    Layer.LANDLOCK: "a kernel from 5.13 on with landlock among its security modules (`lsm=` of its command line)",
    Layer.SECCOMP: "a kernel with seccomp filters, on x86-64 or 64-bit ARM",
}


def check(*, require: bool) -> None:
    """Try how workers can be confined here, and say what is missing. The calling process must have no threads.

    Raises Complaint if anything is, and all is required.
    """
    missing = ALL & ~confinement.trial(profiles.ROOM_WORKER)
    if not missing:
        return
    names = " and ".join(missing.names)
    needs = "; ".join(_MEANS[layer] for layer in missing)
    if require:
        raise Complaint(f"workers cannot be confined by {names} here, and that is required; it needs {needs}")
    say(f"workers are confined without {names}, which needs {needs}")
