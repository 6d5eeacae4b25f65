"""`make bench`: what mixing costs, on an outlet, on PulseAudio and on pipewire-pulse, in the same run.

Prints Markdown. The load is the same program for all (`load.py`); nobody shares memory with it. CPU is told in
milliseconds per second of one stream: 10 are 1 % of a core. Places take turns, so that a busy machine is as busy for
each; the figures are medians of the rounds. Words on the command line choose rows: 20ms default resampled most
outlets connections.
"""

from __future__ import annotations

import json
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from load import Load, Measured

from eardrum.cli.control import Control, Opening
from eardrum.kernel import descriptors
from eardrum.protocol.catalog import Auth
from eardrum.protocol.conversation import Asking
from eardrum.protocol.message import NEWEST
from eardrum.testing.processes import cpu, private_memory
from eardrum.testing.servers import Desk, Outlet, Stage, end

ROUNDS = 3
SECONDS = 2.0  # of CPU time taken per measurement
SECONDS_DEFAULT = 4.0  # the same with buffers of two seconds, which are asked for four times a second
SETTLING = 1.0  # seconds after the last stream began
DEADLINE = 60.0  # seconds until the last stream must have begun
LOAD = str(Path(__file__).with_name("load.py"))


@dataclass(frozen=True)
class Row:
    """So many streams at once, and what the outlet may cost of what PulseAudio costs: must, and what is steered for."""

    name: str
    words: str
    streams: int
    goal: tuple[float, float]
    rate: int = 48_000  # Hz
    latency: float = 0.02  # seconds, 0 for the server's default buffer
    heard: bool = False  # somebody records the sum


ROWS = (
    Row("20ms", "1 stream, 20 ms", 1, (1.5, 1.0)),
    Row("20ms", "16 streams, 20 ms", 16, (0.75, 0.5)),
    Row("20ms", "32 streams, 20 ms", 32, (0.75, 0.5)),
    Row("default", "16 streams, default buffers of 2 s", 16, (1.5, 1.0), latency=0.0),
    Row("20ms", "16 streams, 20 ms, recorded", 16, (0.75, 0.5), heard=True),
    Row("resampled", "16 streams, 20 ms, 44.1 kHz, heard by nobody", 16, (0.75, 0.4), rate=44_100),
    Row("resampled", "the same, recorded (soxr HQ; speex-float-1)", 16, (0.75, 0.4), rate=44_100, heard=True),
)
MOST = (384, 768)  # streams of 20 ms on one outlet that may have so many
CROWDS = ((200, 0.0, "file", 0.5, 0.25), (50, 0.02, "null", 1.5, 1.0))  # outlets, latency, output, at most, goal
CONNECTIONS = 2000  # on one outlet that may have so many


class Place:
    """Where a load plays to."""

    def __init__(self, name: str, address: str, pids: tuple[int, ...] = (), desk: Desk | None = None) -> None:
        self.name = name
        self.address = address
        self._pids = pids
        self._desk = desk

    @classmethod
    def outlet(cls, desk: Desk, outlet: Outlet) -> Place:
        return cls(outlet.name, outlet.address, desk=desk)

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that serve it now."""
        return self._pids if self._desk is None else (int(self._desk.list()[self.name]["worker"]),)


@contextmanager
def playing(stage: Stage, load: Load) -> Iterator[subprocess.Popen[bytes]]:
    """While this lasts, the load plays; it may be measured."""
    argv = [sys.executable, LOAD, json.dumps(asdict(load))]
    program = stage.start("load", argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert program.stdout is not None
    ready, _, _ = select.select([program.stdout], [], [], DEADLINE)
    if not ready or program.stdout.readline() != b"READY\n":
        end(program)
        raise RuntimeError(f"not all of the load plays after {DEADLINE:g} s:\n{stage.log('load')}")
    time.sleep(SETTLING)
    try:
        yield program
    finally:
        end(program)


@contextmanager
def recording(stage: Stage, place: Place) -> Iterator[None]:
    """While this lasts, a program records what the place plays, in pieces of half a second."""
    argv = ["parec", "--raw", "--device=@DEFAULT_MONITOR@", "--latency-msec=500"]
    program = stage.start("recorder", argv, {"PULSE_SERVER": place.address}, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        end(program)


def measure(stage: Stage, place: Place, load: Load, seconds: float, *, heard: bool = False) -> tuple[float, Measured]:
    """Seconds of CPU per second that the place's processes use under this load, and what the load saw."""
    with recording(stage, place) if heard else nullcontext(), playing(stage, load) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        pids = place.pids
        before, begin = cpu(pids), time.monotonic()
        program.stdin.write(b"\n")
        program.stdin.flush()
        time.sleep(seconds)
        used, passed = cpu(pids) - before, time.monotonic() - begin
        program.stdin.close()
        said = program.stdout.read()
        if not said:
            raise RuntimeError(f"the load ended:\n{stage.log('load')}")
        return used / passed, Measured(**json.loads(said))


def compare(stage: Stage, rows: list[Row], places: list[Place]) -> None:
    """The table of all places."""
    found: dict[tuple[Row, Place], list[tuple[float, Measured]]] = {(row, at): [] for row in rows for at in places}
    for number in range(ROUNDS):
        for row in rows:
            for place in places if number % 2 == 0 else reversed(places):
                seconds = SECONDS if row.latency else SECONDS_DEFAULT
                load = Load(place.address, row.streams, row.rate, row.latency)
                found[row, place].append(measure(stage, place, load, seconds, heard=row.heard))
    print(
        "\n| CPU, ms per second of one stream |",
        " | ".join(place.name for place in places),
        "| ratio | at most | goal |",
    )
    print("|---|" + "---:|" * (len(places) + 3))
    for row in rows:
        costs = [statistics.median(used for used, _ in found[row, place]) / row.streams * 1000 for place in places]
        must, goal = row.goal
        ratio = costs[-1] / costs[0]
        told = " | ".join(f"{cost:.2f}" for cost in costs)
        print(f"| {row.words} | {told} | {ratio:.2f} | {must:g} | {goal:g} |")
    for (row, place), measured in found.items():
        speed = statistics.median(seen.speed for _, seen in measured)
        underflows = sum(seen.underflows for _, seen in measured)
        if underflows or abs(speed - 1) > (0.03 if row.latency else 0.15):
            print(f"\n{place.name}, {row.words}: speed {speed:.2f}, {underflows} underruns.", end="")
    print()


def most(stage: Stage, desk: Desk) -> None:
    """How many streams an outlet keeps playing."""
    print("\n| streams of 20 ms on one outlet, a connection each | speed | underruns | CPU of the worker |")
    print("|---|---:|---:|---:|")
    place = Place.outlet(desk, desk.open("crowded", output="null", streams=max(MOST), connections=max(MOST)))
    for streams in MOST:
        used, seen = measure(stage, place, Load(place.address, streams), SECONDS_DEFAULT)
        print(f"| {streams} | {seen.speed:.3f} | {seen.underflows} | {used * 100:.0f} % of a core |")


def outlets(stage: Stage, desk: Desk) -> None:
    """What a stream on each of many outlets costs."""
    print("\n| outlets, a stream on each | speed | underruns | CPU of the workers | at most | goal |")
    print("|---|---:|---:|---:|---:|---:|")
    for count, latency, output, must, goal in CROWDS:
        with Control(desk.runtime) as control:
            end = f"file:{stage.directory}/%s.wav" if output == "file" else output
            names = [f"{output}-{number}" for number in range(count)]
            opened = [control.open(Opening(name, end.replace("%s", name), None)) for name in names]
        place = Place(f"{count} outlets", ",".join(outlet.socket for outlet in opened))
        load = Load(place.address, count, latency=latency)
        with playing(stage, load):
            place = Place(place.name, place.address, tuple(int(desk.list()[name]["worker"]) for name in names))
        used, seen = measure(stage, place, load, SECONDS_DEFAULT)
        buffers = "20 ms" if latency else "default buffers, each into a file"
        told = f"{used * 100:.0f} % | {must * 100:.0f} % | {goal * 100:.0f} % of a core"
        print(f"| {count}, {buffers} | {seen.speed:.3f} | {seen.underflows} | {told} |")
        with Control(desk.runtime) as control:
            for name in names:
                control.close(name)


def connections(desk: Desk) -> None:
    """Whether so many programs may be connected at once, and are answered."""
    outlet = desk.open("connected", output="null", connections=CONNECTIONS)
    address = outlet.address.removeprefix("unix:")
    programs = [socket.socket(socket.AF_UNIX) for _ in range(CONNECTIONS)]
    answered = 0
    for program in programs:
        program.connect(address)
        asking = Asking()
        program.sendall(asking.ask(Auth(version=NEWEST))[1])
        answered += bool(asking.receive(memoryview(program.recv(65536))))
    worker = int(desk.list()["connected"]["worker"])
    print(f"\n{answered} of {CONNECTIONS} connections on one outlet are served; its worker has", end=" ")
    print(f"{private_memory(worker):.1f} MiB for itself.")
    for program in programs:
        program.close()


def main() -> None:
    descriptors.raise_limit()
    wanted = set(sys.argv[1:]) or {"most", "outlets", "connections", *(row.name for row in ROWS)}
    rows = [row for row in ROWS if row.name in wanted]
    with Stage() as stage:
        desk = stage.desk()
        if rows:
            pulseaudio, pipewire = stage.pulseaudio("pulseaudio", "--disable-shm=yes"), stage.pipewire_pulse()
            places = [Place("PulseAudio", pulseaudio.address, pulseaudio.pids)]
            places.append(Place("pipewire-pulse", pipewire.address, pipewire.pids))
            places.append(Place.outlet(desk, desk.open("outlet", output="null")))
            compare(stage, rows, places)
        if "most" in wanted:
            most(stage, desk)
        if "outlets" in wanted:
            outlets(stage, desk)
        if "connections" in wanted:
            connections(desk)


if __name__ == "__main__":
    main()
