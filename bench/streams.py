"""`make bench`: what a stream costs on an outlet, beside the same stream on PulseAudio itself, in the same run.

Prints Markdown. CPU is told in milliseconds per second of one stream: 10 are 1 % of a core. Paths take turns, so that a
busy machine is as busy for each; the figures are medians of the rounds. Memory is what the worker has for itself alone.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from eardrum.protocol.catalog import Auth
from eardrum.protocol.conversation import Asking
from eardrum.protocol.message import NEWEST
from eardrum.testing.processes import cpu, private_memory
from eardrum.testing.servers import Desk, Outlet, Server, Stage, end, wait_until

ROUNDS = 3
SECONDS = 2.0  # of CPU time taken per measurement
SETTLING = 1.0  # seconds after the last stream began
STREAMS = (1, 8)
TRIES = 10  # of what is told in milliseconds
PACAT = ("pacat", "--raw", "--format=s16le", "--rate=48000", "--channels=2", "--latency-msec=50")


class Bench:
    """A PulseAudio, and a desk in front of it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.server: Server = stage.pulseaudio()
        self.desk: Desk = stage.desk(upstream=self.server.address)
        self.carried: Outlet = self.desk.open("carried", output="host")
        self.mixed: Outlet = self.desk.open("mixed", output="null")
        self.sound = stage.directory / "noise.raw"
        np.random.default_rng(1).integers(-8000, 8000, 60 * 48_000 * 2, dtype=np.int16).tofile(self.sound)

    def worker(self, outlet: Outlet) -> int:
        """The process that serves `outlet` now."""
        pid = self.desk.list()[outlet.name]["worker"]
        if pid is None:
            raise RuntimeError(f"outlet {outlet.name} has no worker")
        return int(pid)

    @contextmanager
    def playing(self, address: str, streams: int) -> Iterator[None]:
        """While this lasts, so many pacat play to `address`."""
        programs = [
            self.stage.start("pacat", [*PACAT, str(self.sound)], {"PULSE_SERVER": address}) for _ in range(streams)
        ]
        wait_until(lambda: self.heard(address) == streams, f"{streams} streams to play")
        time.sleep(SETTLING)
        yield
        for program in programs:
            if program.poll() is not None:
                raise RuntimeError(f"pacat ended too early:\n{self.stage.log('pacat')}")
            end(program)
        wait_until(lambda: self.heard(address) == 0, "the streams to end")

    def heard(self, address: str) -> int:
        """How many streams the server at `address` has."""
        return len(self.stage.pactl(address, "list", "short", "sink-inputs").splitlines())


def cost(
    bench: Bench, address: str, streams: int, processes: Mapping[str, Callable[[], Sequence[int]]]
) -> dict[str, float]:
    """Milliseconds of CPU time per second of one stream, by what the processes are called."""
    with bench.playing(address, streams):
        pids = {name: find() for name, find in processes.items()}
        before, begin = {name: cpu(pids[name]) for name in pids}, time.monotonic()
        time.sleep(SECONDS)
        seconds = time.monotonic() - begin
        return {name: (cpu(pids[name]) - before[name]) / seconds / streams * 1000 for name in pids}


def costs(bench: Bench) -> None:
    """The table of CPU time."""
    server, carried, mixed = bench.server, bench.carried, bench.mixed
    paths: dict[str, dict[str, Callable[[], Sequence[int]]]] = {
        server.address: {"PulseAudio, directly": lambda: server.pids},
        carried.address: {
            "carried: the worker": lambda: [bench.worker(carried)],
            "carried: the worker and PulseAudio": lambda: [bench.worker(carried), *server.pids],
        },
        mixed.address: {"mixed: the worker": lambda: [bench.worker(mixed)]},
    }
    found: dict[str, dict[int, list[float]]] = {name: {} for processes in paths.values() for name in processes}
    for number in range(ROUNDS):
        for address in list(paths) if number % 2 == 0 else reversed(paths):
            for streams in STREAMS:
                for name, taken in cost(bench, address, streams, paths[address]).items():
                    found[name].setdefault(streams, []).append(taken)
    print("| CPU, ms per second of one stream |", " | ".join(f"{streams} pacat" for streams in STREAMS), "|")
    print("|---|" + "---:|" * len(STREAMS))
    for name, taken_by in found.items():
        print(f"| {name} |", " | ".join(f"{statistics.median(taken_by[streams]):.1f}" for streams in STREAMS), "|")


def sizes(bench: Bench) -> None:
    """Memory of an active worker that has done nothing else before, and how long the short things take."""
    one, many = bench.desk.open("one", output="host"), bench.desk.open("many", output="null")
    with bench.playing(one.address, 1):
        carrying = private_memory(bench.worker(one))
    with bench.playing(many.address, 16):
        mixing = private_memory(bench.worker(many))
    print("\n| what | median | worst |\n|---|---:|---:|")
    print(f"| private memory of a worker that carries 1 stream | {carrying:.1f} MiB | |")
    print(f"| private memory of a worker that mixes 16 streams | {mixing:.1f} MiB | |")
    for words, times in (
        ("first connect() to answered AUTH", [first_answer(bench, f"fresh-{number}") for number in range(TRIES)]),
        ("`eardrum list`", [listing(bench) for _ in range(TRIES)]),
    ):
        print(f"| {words} | {statistics.median(times) * 1000:.1f} ms | {max(times) * 1000:.1f} ms |")


def first_answer(bench: Bench, name: str) -> float:
    """Seconds until an outlet without a worker has answered AUTH."""
    outlet = bench.desk.open(name, output="null")
    conversation = Asking()
    _, packet = conversation.ask(Auth(version=NEWEST))
    with socket.socket(socket.AF_UNIX) as connection:
        begin = time.perf_counter()
        connection.connect(outlet.address.removeprefix("unix:"))
        connection.sendall(packet)
        while not conversation.receive(memoryview(connection.recv(4096))):
            pass
        taken = time.perf_counter() - begin
    bench.desk.close(name)
    return taken


def listing(bench: Bench) -> float:
    """Seconds that `eardrum list` takes from start to end."""
    begin = time.perf_counter()
    done = bench.desk.command("list")
    taken = time.perf_counter() - begin
    done.check_returncode()
    return taken


def machine() -> str:
    """What this was measured on."""
    model = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    server = subprocess.run(["pulseaudio", "--version"], capture_output=True, text=True).stdout.strip()
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{os.cpu_count()} cores ({model[1] if model else os.uname().machine}), Python {python}, {server}"


def main() -> None:
    print(f"Measured on {machine()}; s16le, 48 kHz, stereo, 50 ms; medians of {ROUNDS} rounds.\n", flush=True)
    with Stage() as stage:
        bench = Bench(stage)
        costs(bench)
        sizes(bench)


if __name__ == "__main__":
    main()
