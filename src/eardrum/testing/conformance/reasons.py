"""Why our server differs from PulseAudio where it does."""

from __future__ import annotations

from eardrum.testing.conformance.expectation import Reason, When

_purpose = When.ON_PURPOSE
_not_yet = When.NOT_YET

BUDGET = Reason(_purpose, "What one client can make a worker hold is bounded.")
NO_SHARED_MEMORY = Reason(
    _purpose, "Sound crosses the socket only: no memory and no descriptor is shared with a client."
)
MASKED = Reason(_purpose, "Flag bits are taken off before a version is compared, so they cannot pass for one.")
PROPERTIES = Reason(
    _purpose, "Of properties the known keys with text are kept; what the host might show or obey is not."
)
FIXED_DEVICES = Reason(_purpose, "An outlet has one sink, as its owner wired it; programs cannot change what it is.")
NOT_MIXED = Reason(_not_yet, "The mixer has u8, s16, s32 and float32 of one or two channels, from 1 kHz on.")
NO_PASSTHROUGH = Reason(_not_yet, "Streams that pass an encoded format through to the device.")
FULL_FORMATS = Reason(_purpose, "What was settled is told in full.")
NO_FIX = Reason(_not_yet, "Streams that take over format, rate or channels of their device.")
FAR_JUMPS = Reason(
    _purpose, "A jump ends at most 1 GiB from what plays, so that no sum of jumps leaves the wire's numbers."
)
ALL_ANSWERED = Reason(_purpose, "Every command is answered, exactly once.")
