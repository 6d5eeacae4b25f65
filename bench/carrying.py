"""`make bench`: what it costs to carry sound to the host's server, beside no hop at all, socat and module-tunnel before
the same PulseAudio, and beside pipewire-pulse, in the same run.

Prints Markdown. The load is the same program for all (`load.py`); nobody shares memory with it. CPU is told in
milliseconds per second of one stream: 10 are 1 % of a core. Ways take turns, so that a busy machine is as busy for
each; the figures are medians of the rounds. Words on the command line choose rows: 20ms default large outlets gate
trips connects clicks many memory. With `quick` there is one round of each, and it is shorter.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from load import Load, Measured
from mixing import playing
from questions import connections_per_second, round_trips

from eardrum.kernel import descriptors
from eardrum.terms.audio import SampleFormat
from eardrum.testing.processes import cpu, family, private_memory
from eardrum.testing.servers import Desk, Outlet, Server, Stage

CLICKS = str(Path(__file__).with_name("clicks.py"))
OUTLETS = 8
FEW, CONNECTIONS = 32, 64  # connections that warm the worker up, and those whose memory is taken
BESIDE = "beside"  # the sink of the tunnel
LOOP_LATENCY = 0.02  # seconds of each of both streams
OTHERS = DIRECT, SOCAT, TUNNEL, PIPEWIRE = "direct", "socat", "module-tunnel", "pipewire-pulse"
OUTLET, EACH, GATED = "outlet", "outlets", "outlet with a gate"
ALL = {"20ms", "default", "large", "outlets", "gate", "trips", "connects", "clicks", "many", "memory"}


@dataclass(frozen=True)
class Effort:
    """How long it is measured: rounds, seconds of each measurement, clicks of each round, seconds of many streams."""

    rounds: int = 3
    seconds: float = 4.0
    clicks: int = 60
    many: float = 60.0


QUICK = Effort(1, 2.0, 20, 10.0)


@dataclass(frozen=True)
class Row:
    """A load; the most that the hop may cost of what socat's costs, and what is steered for. As `total`: of all that
    is used without a hop, by load, hop and server together.
    """

    name: str
    words: str
    load: Load
    hop: tuple[float, float] | None
    total: tuple[float, float] | None = None
    through: str = OUTLET


LARGE = Load("", 4, rate=192_000, channels=8, format=SampleFormat.FLOAT32LE)
ROWS = (
    Row("20ms", "8 streams, 20 ms", Load("", 8), (0.65, 0.4), (1.5, 1.25)),
    Row("20ms", "32 streams, 20 ms", Load("", 32), (0.5, 0.3)),
    Row("outlets", f"{OUTLETS} outlets with one stream of 20 ms each", Load("", OUTLETS), (1.5, 1.0), through=EACH),
    Row("default", "8 streams, default buffers of 2 s", Load("", 8, latency=0.0), (0.9, 0.6)),
    Row("default", "32 streams, default buffers of 2 s", Load("", 32, latency=0.0), (0.9, 0.6)),
    Row("large", "4 streams, float32, 8 channels, 192 kHz, 20 ms", LARGE, (0.5, 0.3)),
)


@dataclass
class Way:
    """To a server: where the load connects, and the processes on the way and at its end."""

    name: str
    address: str
    server: tuple[int, ...]
    hop: Callable[[], Iterable[int]] = field(default=lambda: ())
    source: str | None = None  # what hears the default sink; None: the default source


class Ways:
    """All of them, on one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        end = stage.pulseaudio("host", "--disable-shm=yes")
        # Another sink for the tunnel, whose stream is always there: PulseAudio mixes 32 for a sink, not one more.
        stage.pactl(end.address, "load-module", "module-null-sink", f"sink_name={BESIDE}", "rate=48000", "norewinds=1")
        for name, sink in (("loop", end.sink), (f"{BESIDE}-loop", BESIDE)):  # sources that are no monitors
            loop = ("module-remap-source", f"source_name={name}", f"master={sink}.monitor")
            stage.pactl(end.address, "load-module", *loop)
        stage.pactl(end.address, "set-default-sink", end.sink)
        stage.pactl(end.address, "set-default-source", "loop")
        self.desk: Desk = stage.desk(upstream=end.address)
        outlet = self.desk.open("carried", output="host", gate=False)
        gated = self.desk.open("gated", output="host", gate=True)
        each = [self.desk.open(f"carried-{number}", output="host", gate=False) for number in range(OUTLETS)]
        pipewire = stage.pipewire_pulse()
        self.by_name = {
            way.name: way
            for way in (
                Way(DIRECT, end.address, end.pids),
                self.socat(SOCAT, end),
                self.tunnel(end),
                Way(PIPEWIRE, pipewire.address, pipewire.pids, source=pipewire.monitor),
                self.outlet(OUTLET, self.desk, end, outlet),
                self.outlet(EACH, self.desk, end, *each),
                self.outlet(GATED, self.desk, end, gated),
            )
        }
        self.pipewire = pipewire

    def outlet(self, name: str, desk: Desk, end: Server, *outlets: Outlet) -> Way:
        """By way of one or more outlets; all that descends from the desk is counted."""
        address = ",".join(outlet.address for outlet in outlets)
        return Way(name, address, end.pids, lambda: family(desk.process.pid))

    def socat(self, name: str, end: Server) -> Way:
        """What people type who carry a socket elsewhere."""
        path = self.stage.directory / f"{name}.socket"
        listen, connect = f"UNIX-LISTEN:{path},fork,backlog=128", f"UNIX-CONNECT:{end.address.removeprefix('unix:')}"
        process = self.stage.start(name, ["socat", listen, connect])
        self.stage.await_listener(process, name, path)
        return Way(name, f"unix:{path}", end.pids, lambda: family(process.pid))

    def tunnel(self, end: Server) -> Way:
        """A second PulseAudio whose sink and source are tunnels."""
        near = self.stage.pulseaudio("near", "--disable-shm=yes")
        sink = ("module-tunnel-sink", "sink_name=tunnel", f"server={end.address}", f"sink={BESIDE}")
        source = ("module-tunnel-source", "source_name=mouth", f"server={end.address}", f"source={BESIDE}-loop")
        for module in (sink, source):
            self.stage.pactl(near.address, "load-module", *module, "rate=48000")
        self.stage.pactl(near.address, "set-default-sink", "tunnel")
        self.stage.pactl(near.address, "set-default-source", "mouth")
        return Way(TUNNEL, near.address, end.pids, lambda: near.pids)


@dataclass
class Cost:
    """Milliseconds of CPU per second of one stream, and what the load saw."""

    hop: float
    total: float
    measured: Measured


def measure(stage: Stage, way: Way, load: Load, seconds: float) -> Cost:
    """What this load costs on this way."""
    load = replace(load, address=way.address)
    with playing(stage, load) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        hop, ends = list(way.hop()), [program.pid, *way.server]
        before, begin = (cpu(hop), cpu(ends)), time.monotonic()
        program.stdin.write(b"\n")
        program.stdin.flush()
        time.sleep(seconds)
        after, passed = (cpu(hop), cpu(ends)), time.monotonic() - begin
        program.stdin.close()
        said = program.stdout.read()
        if not said:
            raise RuntimeError(f"the load ended:\n{stage.log('load')}")
    on_hop, at_ends = ((end - start) / passed / load.streams * 1000 for start, end in zip(before, after, strict=True))
    return Cost(on_hop, on_hop + at_ends, Measured(**json.loads(said)))


def costs(ways: Ways, rows: list[Row], effort: Effort) -> None:
    """The tables of CPU time."""
    found: dict[Row, dict[str, list[Cost]]] = {}
    for number in range(effort.rounds):
        for row in rows:
            names = [*OTHERS, row.through]
            for name in names if number % 2 == 0 else reversed(names):
                cost = measure(ways.stage, ways.by_name[name], row.load, effort.seconds)
                found.setdefault(row, {}).setdefault(name, []).append(cost)
    _head("CPU of the hop, ms per second of one stream", SOCAT, TUNNEL, OUTLET, "to socat")
    for row in rows:
        hops = {name: statistics.median(cost.hop for cost in those) for name, those in found[row].items()}
        _tell(row.words, [hops[SOCAT], hops[TUNNEL], hops[row.through]], hops[SOCAT], row.hop)
    _head("CPU of load, hop and server together", *OTHERS, OUTLET, "to direct")
    for row in rows:
        totals = {name: statistics.median(cost.total for cost in those) for name, those in found[row].items()}
        _tell(row.words, [totals[name] for name in (*OTHERS, row.through)], totals[DIRECT], row.total)
    for row in rows:
        for name, those in found[row].items():
            speed = statistics.median(cost.measured.speed for cost in those)
            underflows = sum(cost.measured.underflows for cost in those)
            if underflows or abs(speed - 1) > (0.03 if row.load.latency else 0.15):
                print(f"\n{name}, {row.words}: speed {speed:.2f}, {underflows} underruns.", end="")
    print()


def gate(ways: Ways, effort: Effort) -> None:
    """What a gate adds to the hop."""
    _head("CPU of the hop, ms per second of one stream", OUTLET, GATED, "added")
    for row in (row for row in ROWS if row.name in ("20ms", "default")):
        found: dict[str, list[float]] = {OUTLET: [], GATED: []}
        for number in range(2 * effort.rounds):
            for name in sorted(found, reverse=bool(number % 2)):
                found[name].append(measure(ways.stage, ways.by_name[name], row.load, effort.seconds).hop)
        without, within = (statistics.median(those) for those in found.values())
        print(f"| {row.words} | {without:.2f} | {within:.2f} | {within / without - 1:.0%} | 25% | |", flush=True)


def _head(*columns: str) -> None:
    print(f"\n| {' | '.join(columns)} | at most | goal |\n|---|" + "---:|" * (len(columns) + 1), flush=True)


def _tell(words: str, figures: list[float], reference: float, goals: tuple[float, float] | None) -> None:
    told = " | ".join(f"{figure:.2f}" for figure in figures)
    must, goal = (f"{goals[0]:g}", f"{goals[1]:g}") if goals else ("", "")
    print(f"| {words} | {told} | {figures[-1] / reference:.2f} | {must} | {goal} |", flush=True)


def trips(ways: Ways, effort: Effort) -> None:
    """How long a question takes that the outlet answers itself."""
    names = (DIRECT, SOCAT, TUNNEL, PIPEWIRE, OUTLET)
    found = taken_in_turns(ways, names, effort.rounds, lambda way: statistics.median(round_trips(way.address)) * 1e6)
    _head("GET_SERVER_INFO, µs", *names, "to direct")
    _tell("median", [found[name] for name in names], found[DIRECT], (1.1, 1.0))


def connects(ways: Ways, effort: Effort) -> None:
    """How many programs can come and go, one after the other; here more is better."""
    names = (DIRECT, SOCAT, TUNNEL, PIPEWIRE, OUTLET)
    found = taken_in_turns(ways, names, effort.rounds, lambda way: connections_per_second(way.address))
    _head("connections per second (at least)", *names, "to socat")
    _tell("one after the other", [found[name] for name in names], found[SOCAT], (1.5, 2.5))


def taken_in_turns(ways: Ways, names: tuple[str, ...], rounds: int, figure: Callable[[Way], float]) -> dict[str, float]:
    """The median of some figure for each way."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(figure(ways.by_name[name]))
    return {name: statistics.median(those) for name, those in found.items()}


def clicks(ways: Ways, effort: Effort) -> None:
    """How long sound is on its way to the server and back."""
    names = (DIRECT, SOCAT, TUNNEL, PIPEWIRE, OUTLET)
    looped = ways.desk.open("looped", output="host", input="host")
    ways.by_name[OUTLET] = replace(ways.by_name[OUTLET], address=looped.address)
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(effort.rounds):
        for name in names if number % 2 == 0 else reversed(names):
            way = ways.by_name[name]
            words = [way.address, str(effort.clicks), str(LOOP_LATENCY), *([way.source] if way.source else [])]
            done = ways.stage.run([sys.executable, CLICKS, *words])
            if done.returncode:
                raise RuntimeError(f"clicks on {name}: {done.stderr}")
            found[name] += [seconds * 1000 for seconds in json.loads(done.stdout)]
    _head("a click out and back, both streams of 20 ms, ms", *names, "added to direct")
    for told, goals, share in (("median", (0.3, 0.1), 50), ("99 % below", (2.0, 1.0), 99)):
        figures = [statistics.quantiles(found[name], n=100)[share - 1] for name in names]
        columns = " | ".join(f"{figure:.2f}" for figure in figures)
        print(f"| {told} | {columns} | {figures[-1] - figures[0]:.2f} | {goals[0]:g} | {goals[1]:g} |", flush=True)


def many(ways: Ways, effort: Effort) -> None:
    """How many streams pipewire-pulse is played without a gap, by way of socat and of an outlet."""
    stage, end = ways.stage, ways.pipewire
    desk = stage.desk(upstream=end.address)
    before = (ways.socat("socat-pipewire", end), ways.outlet("outlet", desk, end, desk.open("many", output="host")))
    print(f"\n| streams of 20 ms before pipewire-pulse, {effort.many:g} s | speed | underruns | CPU of the hop |")
    print("|---|---:|---:|---:|")
    for count in (100, 250):
        for way in before:
            cost = measure(stage, way, Load("", count), effort.many)
            seen, used = cost.measured, cost.hop * count / 10
            print(
                f"| {count} by {way.name} | {seen.speed:.3f} | {seen.underflows} | {used:.0f} % of a core |", flush=True
            )


def memory(ways: Ways) -> None:
    """What a worker that only carries has for itself, and what each connection adds to it."""
    desk, stage = ways.desk, ways.stage
    outlet = desk.open("fresh", output="host")
    taken = []
    for streams in (1, FEW, FEW + CONNECTIONS):
        with playing(stage, Load(outlet.address, streams)):
            taken.append(private_memory(int(desk.list()["fresh"]["worker"])))
    print("\n| private memory | | at most | goal |\n|---|---:|---:|---:|")
    print(f"| of a worker that carries one stream | {taken[0]:.1f} MiB | 4 | 3 |")
    print(f"| of each connection with a stream, from {FEW} to {FEW + CONNECTIONS} | ", end="")
    print(f"{(taken[2] - taken[1]) * 1024 / CONNECTIONS:.1f} KiB | 24 | 8 |")


def main() -> None:
    descriptors.raise_limit()
    words = set(sys.argv[1:])
    effort = QUICK if "quick" in words else Effort()
    wanted = words - {"quick"} or ALL
    if not wanted <= ALL:
        raise SystemExit(f"there are only these rows: {' '.join(sorted(ALL))}")
    rows = [row for row in ROWS if row.name in wanted]
    with Stage() as stage:
        ways = Ways(stage)
        if rows:
            costs(ways, rows, effort)
        for name, table in (
            ("gate", gate),
            ("trips", trips),
            ("connects", connects),
            ("clicks", clicks),
            ("many", many),
        ):
            if name in wanted:
                table(ways, effort)
        if "memory" in wanted:
            memory(ways)


if __name__ == "__main__":
    main()
