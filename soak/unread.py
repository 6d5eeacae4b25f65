"""`make soak`: who never reads for a minute costs little, who is stopped for a minute goes on, and of a million
descriptors that nobody wanted none is left.

Prints Markdown; exits with 1 if one of the first two costs more than 2 MiB, if the second is gone, or if a descriptor
is left.
"""

from __future__ import annotations

import array
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from eardrum.protocol.catalog import GetServerInfo, GetSinkInfo, GetSinkInputInfoList, Stat, Subscribe
from eardrum.testing.processes import descriptors, private_memory
from eardrum.testing.workers import Caller, Worker, Workers, floods, until

MINUTE = 60.0  # seconds
MOST_COST = 2.0  # MiB
DESCRIPTORS = 1_000_000
AT_ONCE = 250  # descriptors with one packet


def cost(worker: Worker, before: float, keeper: Caller) -> float:
    keeper.ask(Stat())
    return private_memory(worker.pid) - before


def warmed(worker: Worker, keeper: Caller) -> float:
    """MiB of the worker when it has done once what it will be asked for."""
    with worker.join() as first:
        stream = first.play(prebuf=0)
        first.write(stream.channel, bytes(stream.missing))
        first.record(source_name="output.monitor")
        first.until(lambda: first.sound, "sound")
    keeper.ask(Stat())
    return private_memory(worker.pid)


def never_reads(worker: Worker, keeper: Caller) -> float:
    """The most that it costs, in MiB: it asks without end, subscribes, and records all that there is."""
    before, most, end = warmed(worker, keeper), 0.0, time.monotonic() + MINUTE
    keeper.play(prebuf=0)
    with worker.join() as deaf:
        deaf.ask(Subscribe(mask=0x2FF))
        for _ in range(8):
            deaf.record(source_name="output.monitor", fragsize=4000)
        asked = [GetSinkInfo(), GetServerInfo(), GetSinkInputInfoList()] * 50
        packets = b"".join(deaf.asking.ask(message)[1] for message in asked)
        while time.monotonic() < end:
            floods(deaf.socket, packets)
            most = max(most, cost(worker, before, keeper))
    return most


def stopped(worker: Worker, keeper: Caller) -> tuple[float, bool]:
    """What a stopped pacat and parec cost, in MiB; whether they are there and play afterwards."""
    before = warmed(worker, keeper)
    environment = {**os.environ, "PULSE_SERVER": f"unix:{worker.path}"}
    with open("/dev/zero", "rb") as zeros:
        player = subprocess.Popen(["pacat", "--raw"], stdin=zeros, env=environment)
    recorder = subprocess.Popen(
        ["parec", "--raw", "--device=output.monitor"], stdout=subprocess.DEVNULL, env=environment
    )
    both = player, recorder
    until(lambda: len(keeper.ask(GetSinkInputInfoList()).items) == 2, "the player")
    for process in both:
        os.kill(process.pid, signal.SIGSTOP)
    time.sleep(MINUTE)
    most = cost(worker, before, keeper)
    for process in both:
        os.kill(process.pid, signal.SIGCONT)
    time.sleep(1)
    there = all(process.poll() is None for process in both) and len(keeper.ask(GetSinkInputInfoList()).items) == 2
    for process in both:
        process.terminate()
        process.wait()
    return most, there


def unwanted(worker: Worker, keeper: Caller) -> tuple[int, float]:
    """How many descriptors are left, and how many seconds it took."""
    before, begun = descriptors(worker.pid), time.monotonic()
    with worker.join() as caller, socket.socket() as passed:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [passed.fileno()] * AT_ONCE))]
        for number in range(DESCRIPTORS // AT_ONCE):
            caller.socket.sendmsg([caller.asking.ask(Stat())[1]], rights)
            if number % 100 == 99:
                caller.answers.clear()
                caller.ask(Stat())
    keeper.ask(Stat())
    until(lambda: descriptors(worker.pid) <= before, "descriptors to be closed")
    return descriptors(worker.pid) - before, time.monotonic() - begun


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="eardrum-soak-") as directory:
        workers = Workers(Path(directory))
        worker = workers.outlet()
        with worker.join() as keeper:
            deaf = never_reads(worker, keeper)
            asleep, goes_on = stopped(worker, keeper)
            left, seconds = unwanted(worker, keeper)
        worker.close()
        workers.close()
    print("\n| | |\n|---|---:|")
    print(f"| a client that floods and never reads, for {MINUTE:.0f} s, costs at most | {deaf:.1f} MiB |")
    print(f"| a player and a recorder that are stopped for {MINUTE:.0f} s cost | {asleep:.1f} MiB |")
    print(f"| and go on afterwards | {'yes' if goes_on else 'NO'} |")
    print(f"| of {DESCRIPTORS} descriptors that nobody wanted, sent within {seconds:.1f} s, are left | {left} |")
    return int(max(deaf, asleep) > MOST_COST or not goes_on or left > 0)


if __name__ == "__main__":
    sys.exit(main())
