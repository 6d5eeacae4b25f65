"""What the processes of each use keep when they are confined."""

from __future__ import annotations

from eardrum.kernel.confinement import FILE_CALLS, GATE_CALLS, WORKER_CALLS, Limits, Profile
from eardrum.terms.budget import ROOM, Budget
from eardrum.terms.names import WireEnd

_OTHERS = 64  # descriptors for other things than connections of clients
_MEMORY = 256 << 20  # bytes for other things than sound that waits
_FILES = ("file", "loop")


def outlet(output: WireEnd, input: WireEnd | None, budget: Budget) -> Profile:
    """The worker of an outlet with these wire ends."""
    has_file = output.kind in _FILES or (input is not None and input.kind in _FILES)
    file = None if output.kind == "file" else 0
    return Profile(_limits(budget, file), FILE_CALLS if has_file else WORKER_CALLS)


def _limits(budget: Budget, file: int | None = 0) -> Limits:
    # twice what may wait: memory that was freed is not all free to be used again
    return Limits(budget.connections + _OTHERS, _MEMORY + 2 * (budget.sound_bytes + budget.sample_bytes), file)


GATE = Profile(Limits(_OTHERS, _MEMORY), GATE_CALLS)
ROOM_WORKER = Profile(_limits(ROOM))
SOUND_FILE = Profile(Limits(_OTHERS, _MEMORY), FILE_CALLS)  # that looks whether a file can be played
