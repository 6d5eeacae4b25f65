"""`make soak`: 10,000 programs come, play and go on one outlet, and nothing of them is left.

Prints Markdown; exits with 1 if the worker has kept a descriptor, an object or more than 2 MiB.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from pathlib import Path

from eardrum.protocol.catalog import GetClientInfoList, GetSinkInputInfoList
from eardrum.terms.audio import VOLUME_NORM
from eardrum.testing.processes import descriptors, private_memory
from eardrum.testing.workers import Caller, Worker, Workers, until

CYCLES = 10_000
WARMING = 500  # cycles before the first look: what the first programs teach a worker stays
MOST_KEPT = 2.0  # MiB
SOUND = os.urandom(4 * 960)  # 20 ms


def cycle(worker: Worker, number: int) -> None:
    """One program: it plays, and leaves in one of three ways."""
    with worker.join() as caller:
        stream = caller.play(tlength=len(SOUND), volume=(VOLUME_NORM,) * 2)
        caller.write(stream.channel, SOUND)
        if number % 3 == 0:
            caller.until(lambda: caller.told, "the first sound")
        elif number % 3 == 1:
            caller.socket.shutdown(socket.SHUT_WR)


def looked_at(worker: Worker, witness: Caller) -> tuple[int, int, float]:
    """Descriptors, objects and MiB of the worker while only the witness is there."""

    def objects() -> int:
        return sum(len(witness.ask(question).items) for question in (GetClientInfoList(), GetSinkInputInfoList()))

    until(lambda: objects() == 1, "the programs to be gone")
    return descriptors(worker.pid), objects(), private_memory(worker.pid)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="eardrum-soak-") as directory:
        workers = Workers(Path(directory))
        worker = workers.outlet()
        with worker.join() as witness:
            for number in range(WARMING):
                cycle(worker, number)
            before = looked_at(worker, witness)
            for number in range(CYCLES):
                cycle(worker, number)
            after = looked_at(worker, witness)
        worker.close()
        workers.close()
    kept = after[2] - before[2]
    print(f"| after {CYCLES} programs | before | after | kept |\n|---|---:|---:|---:|")
    for words, one, other in zip(("descriptors", "clients and streams"), before, after, strict=False):
        print(f"| {words} | {one} | {other} | {other - one} |")
    print(f"| private memory, MiB | {before[2]:.1f} | {after[2]:.1f} | {kept:.1f} |")
    return 0 if before[:2] == after[:2] and kept <= MOST_KEPT else 1


if __name__ == "__main__":
    sys.exit(main())
