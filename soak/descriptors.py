"""`make soak`: a million descriptors of all kinds, sent to one outlet at full speed, and none is left behind.

With commands, with sound and with half a packet; each is the only one that is left of its file, so that it is the
worker's kernel that must close it. Prints Markdown. Exits with 1 if the worker has more descriptors at any time than
it had, and 4. A word on the command line is how many, 1000000.
"""

from __future__ import annotations

import array
import os
import socket
import sys
import time
from collections.abc import Callable

from eardrum.protocol import catalog as c
from eardrum.protocol.packets import sound_head
from eardrum.testing.processes import descriptors
from eardrum.testing.servers import Stage, wait_until
from eardrum.testing.workers import Caller

AT_ONCE = 250  # the kernel takes 253 with one message
MOST_MORE = 4

KINDS: dict[str, Callable[[], int]] = {
    "memfd": lambda: os.memfd_create("hostile"),
    "file": lambda: os.open("/proc/self/exe", os.O_RDONLY),
    "directory": lambda: os.open("/", os.O_RDONLY),
    "path": lambda: os.open("/", os.O_PATH),
    "zeros": lambda: os.open("/dev/zero", os.O_RDWR),
    "socket": lambda: socket.socket(socket.AF_UNIX).detach(),
    "event": lambda: os.eventfd(0),
    "process": lambda: os.pidfd_open(os.getpid()),
}


def main() -> int:
    count = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    with Stage() as stage:
        desk = stage.desk()
        outlet = desk.open("box", output="null")
        with Caller.at(outlet.address) as keeper:
            worker: int = desk.list()["box"]["worker"]
            before, most, begin = descriptors(worker), 0, time.monotonic()
            with Caller.at(outlet.address) as caller:
                for number in range(count // AT_ONCE):
                    _send(caller, number, [*KINDS.values()][number % len(KINDS)])
                    if number % 100 == 99:
                        assert caller.ask(c.Stat()) == c.StatReply()
                        most = max(most, descriptors(worker))
            seconds = time.monotonic() - begin
            wait_until(lambda: descriptors(worker) <= before, "the descriptors to be as few as before")
            assert keeper.ask(c.Stat()) == c.StatReply()
    print(f"| {count:,} descriptors of {len(KINDS)} kinds, {AT_ONCE} with a message | |\n|---|---:|")
    print(f"| sent in | {seconds:.1f} s |\n| more than before, at most | {most - before} |\n| left behind | 0 |")
    return 0 if most - before <= MOST_MORE else 1


def _send(caller: Caller, number: int, make: Callable[[], int]) -> None:
    """A command, sound for nobody, or sound in two halves, and descriptors with it."""
    passed = [make() for _ in range(AT_ONCE)]
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", passed))]
    packet = caller.asking.ask(c.Stat())[1] if number % 3 == 0 else sound_head(7, 4) + bytes(4)
    half = 22 if number % 3 == 2 else len(packet)
    caller.socket.sendmsg([packet[:half]], rights)
    caller.socket.sendall(packet[half:])
    for descriptor in passed:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
