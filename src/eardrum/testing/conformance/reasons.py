"""Why our server differs from PulseAudio where it does."""

from __future__ import annotations

from eardrum.testing.conformance.expectation import Reason, When

_purpose = When.ON_PURPOSE

BUDGET = Reason(_purpose, "What one client can make a worker hold is bounded.")
NO_SHARED_MEMORY = Reason(
    _purpose, "Sound crosses the socket only: no memory and no descriptor is shared with a client."
)
ONCE = Reason(_purpose, "Who one is, is said once.")
MASKED = Reason(_purpose, "Flag bits are taken off before a version is compared, so they cannot pass for one.")
PROPERTIES = Reason(
    _purpose, "Of properties the known keys with text are kept; what the host might show or obey is not."
)
FIXED_DEVICES = Reason(_purpose, "What a sink is was decided when it was made; programs cannot change that.")
FULL_FORMATS = Reason(_purpose, "What was settled is told in full.")
FAR_JUMPS = Reason(
    _purpose, "A jump ends at most 1 GiB from what plays, so that no sum of jumps leaves the wire's numbers."
)
ALL_ANSWERED = Reason(_purpose, "Every command is answered, exactly once.")
IDENTITY = Reason(_purpose, "Who one is, is the socket one holds; nothing is told of how it was reached.")
OWN_NAMES = Reason(_purpose, "It does not pass for another program; no module serves its clients.")
BATCHES = Reason(_purpose, "Wake-ups cost more than bytes: what is recorded comes every 5 ms at most.")
NO_MODULES = Reason(_purpose, "A module is code and devices of the host: none is shown to a client or loaded for it.")
EMULATED = Reason(_purpose, "Modules are emulated: those that programs loaded are listed, and none has an extension.")
FIRST_SINK = Reason(
    _purpose, "The sink that a server was started with stays; it is the default only while there is no other."
)
NO_CARDS = Reason(_purpose, "Hardware is not shown; there is nothing to switch.")
WIRING = Reason(_purpose, "Where sound goes and comes from is the outlet's wiring, which its owner decides.")
OWNER_SUSPENDS = Reason(_purpose, "Only the owner of a server suspends its devices.")
STATISTICS = Reason(_purpose, "How much memory a server uses tells what others do.")
OBJECTS = Reason(_purpose, "Messages to objects administrate a server, and none is there to hear them.")
MANY = Reason(_purpose, "Many may be connected at once: 256 to an outlet, 2000 to `serve`.")
OWN_PACKAGE = Reason(_purpose, "It does not pass for another program.")
NO_HOST = Reason(_purpose, "Nothing is told of the host, its user or its sound server.")
UNSET = Reason(_purpose, "What is said and not set is not looked at.")
CHOICE = Reason(_purpose, "A format that leaves a choice of values is passed over for the next.")
THIRDS = Reason(
    _purpose, "Wake-ups cost more than bytes: who leaves `minreq` open is asked for a third of `tlength` at once."
)
PIECES = Reason(_purpose, "What an outlet carries it passes on in pieces of 64 KiB, and waits for no more.")
ORDER = Reason(_purpose, "What a command points at is judged before what it says of it.")
