"""Where attacks take place: outlets of a real desk before each kind of server, and a bystander in an outlet of its own.

What comes in: a stage and the name of a back end. What goes out: raw connections to outlets, for the attacker; and what
must hold after each attack, held by `watched`: nobody has ended, the bystander heard everything, descriptors and memory
are back, the desk has not much to say, and nothing reached the host's server that should not have.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from eardrum.cli.control import Control, Opening
from eardrum.protocol import codec
from eardrum.protocol.catalog import (
    Auth,
    CreatePlaybackStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    Stat,
    StatReply,
)
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.testing.bystander import Bystander
from eardrum.testing.checkpoint import Checkpoint
from eardrum.testing.processes import descriptors, family, private_memory
from eardrum.testing.servers import RATE, Server, Stage, end, wait_until
from eardrum.testing.workers import S16, Caller

BACKENDS = ("built-in", "pulseaudio", "pipewire-pulse")
BOX = "box"  # the outlet that is attacked: it may play and nothing else
MIC = "mic"  # one with a microphone
KIT = "kit"  # one whose programs may load the emulated modules
VOICE = "voice"  # the host's microphone
ASIDE = "aside"  # the room, or the sink of the host, of a bystander who is apart
MOST_MIB = 2  # more memory for the attacked worker
MOST_MIB_TOGETHER = 8
# Programs that come and go at once: what a worker needs for the first time is not what an attack took. WirePlumber
# 0.4.13 is stuck for long after more.
CROWD = {"built-in": 600, "pulseaudio": 600, "pipewire-pulse": 60}
CYCLE = 8192  # frames at once in PipeWire, which else has gaps of its own on a busy machine
ABREAST = 64  # connections of one attacker
MOST_LINES = 10  # said by the desk


@dataclass(frozen=True)
class _State:
    """Of all processes of the desk, by pid."""

    descriptors: dict[int, int]
    memory: dict[int, float]  # MiB


class Arena:
    """A desk, outlets to be attacked, and a bystander; with `server` behind them unless the back end is our own.

    Attackers play zeros only: the bystander is recorded together with them, in the room or at the host. If it is to be
    `apart`, it has a room or a sink of the host for itself, and they may play anything.
    """

    def __init__(self, stage: Stage, backend: str, *, apart: bool = False) -> None:
        """`backend` is one of `BACKENDS`. Returns when the bystander plays and is heard."""
        self.backend = backend
        self.host_cookie = _cookie(stage)
        self._aside = ASIDE if apart else ""
        self.server = _server(stage, backend)
        self.checkpoint = _checkpoint(stage, self.server) if self.server else None
        self.desk = stage.desk(upstream=self.checkpoint.address if self.checkpoint else "none")
        self._keepers: list[Caller] = []
        with Control(self.desk.runtime) as control:
            for opening in self._openings():
                control.open(opening)
        self._keepers += [self._warmed(name) for name in (BOX, MIC, KIT)]
        self.worker: int = self.desk.list()[BOX]["worker"]
        if not apart:
            self._warm()
        self.bystander = self._bystander()
        self.bystander.goes_on()
        self._processes = list(stage.processes)

    def _openings(self) -> list[Opening]:
        output, microphone = ("host", f"host:{VOICE}") if self.server else ("room:square", "room:street")
        attacked = [
            Opening(BOX, output, None),
            Opening(MIC, output, microphone),
            Opening(KIT, output, None, modules=True),
        ]
        if self._aside:
            output = f"host:{ASIDE}" if self.server else f"room:{ASIDE}"
        others = [Opening("bystander", output, None)]
        return [*attacked, *others, *([] if self.server else [Opening("listener", "null", output)])]

    def _warmed(self, outlet: str) -> Caller:
        """A program that stays. It has played and recorded, so the outlet has all the connections that it will have."""
        keeper = Caller.at(self.address(outlet))
        stream = keeper.play(prebuf=0)
        keeper.write(stream.channel, bytes(stream.missing))
        heard = keeper.record(source_name="input" if outlet == MIC else "output.monitor")
        keeper.until(lambda: heard.channel in keeper.sound, f"sound in the outlet {outlet}")
        keeper.ask(DeletePlaybackStream(channel=stream.channel))
        keeper.ask(DeleteRecordStream(channel=heard.channel))
        return keeper

    def _warm(self) -> None:
        """A crowd comes and goes before the bystander plays: pipewire-pulse itself has gaps meanwhile."""
        create = CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2)
        said = b"".join(codec.packet(message, 0, 35) for message in (Auth(version=35), create))
        for _ in range(CROWD[self.backend]):
            with self.connect() as passer_by:
                passer_by.sendall(said)
        wait_until(lambda: self.desk.list()[BOX]["connections"] == 1, "a crowd to be gone")

    def _bystander(self) -> Bystander:
        player = Caller.at(self.address("bystander"))
        listener = Caller.at(self.server.address if self.server else self.address("listener"))
        self._keepers += [player, listener]
        monitor = f"{self._aside or self.server.sink}.monitor" if self.server else "input"
        bystander = Bystander(player, listener, monitor)
        bystander.start()
        return bystander

    def close(self) -> None:
        """The bystander must have heard all that it has played. Then everything is ended."""
        try:
            self.bystander.hears_all()
        finally:
            self.bystander.close()
            for caller in self._keepers:
                caller.close()
            end(self.desk.process)
            if self.checkpoint:
                self.checkpoint.close()

    # -- for attackers

    def address(self, outlet: str = BOX) -> str:
        """As in PULSE_SERVER."""
        return f"unix:{self.desk.runtime / 'outlets' / outlet / 'native'}"

    def connect(self, outlet: str = BOX) -> socket.socket:
        """A connection that has said nothing yet."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.address(outlet).removeprefix("unix:"))
        return connection

    def join(self, outlet: str = BOX, version: int = 35) -> Caller:
        """A program that has said AUTH, and not its name."""
        caller = Caller(self.connect(outlet))
        caller.ask(Auth(version=version))
        return caller

    def drops(self, packets: Sequence[bytes], outlet: str = BOX) -> None:
        """Each packet is said on a connection of its own after AUTH: that ends, and only AUTH may have been answered.

        Nothing is said to the host's server meanwhile.
        """
        said = self.said_upstream()
        for start in range(0, len(packets), ABREAST):
            some = packets[start : start + ABREAST]
            callers = [self.join(outlet) for _ in some]
            for caller, packet in zip(callers, some, strict=True):
                caller.socket.sendall(packet)
            for caller, packet in zip(callers, some, strict=True):
                with caller, contextlib.suppress(ConnectionResetError):
                    assert not caller.socket.recv(4096), f"answered: {packet.hex()}"
        assert self.said_upstream() == said

    def said_upstream(self) -> dict[str, int]:
        """How often the workers have said what to the host's server, but for sound and what only asks."""
        said = self.checkpoint.account().said if self.checkpoint else {}
        return {name: count for name, count in said.items() if not name.startswith(("SOUND", "STAT", "GET_"))}

    @contextlib.contextmanager
    def traced(self, outlet: str = BOX) -> Iterator[Callable[[], str]]:
        """What `eardrum trace` prints of an outlet meanwhile, at some point after the beginning."""
        process = self.desk.start("trace", "trace", outlet)
        try:
            yield lambda: self.desk.stage.log("trace")
        finally:
            end(process)

    # -- what must hold

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """An attack takes place within; afterwards everything must be as it was."""
        before, said = self._state(), self.log()
        yield
        assert not self.ended(), f"have ended: {self.ended()}"
        for keeper in self._keepers[:3]:
            assert keeper.ask(Stat()) == StatReply()
        wait_until(lambda: not self._more_descriptors(before), "descriptors to be as few as before")
        wait_until(lambda: not self._more_memory(before), "memory to be what it was")
        lines = self.log()[len(said) :].splitlines()
        assert len(lines) <= MOST_LINES, lines
        assert not any("Traceback" in line for line in lines), lines
        if self.checkpoint:
            faults = self.checkpoint.account().faults
            assert not faults, faults
        self.bystander.goes_on()

    def ended(self) -> list[tuple[object, int]]:
        """Programs that should run and do not, the desk and the host's server among them: how they began and ended."""
        return [(process.args, process.returncode) for process in self._processes if process.poll() is not None]

    def _state(self) -> _State:
        pids = family(self.desk.process.pid)
        assert self.worker in pids, "the attacked worker has ended"
        return _State({pid: descriptors(pid) for pid in pids}, {pid: private_memory(pid) for pid in pids})

    def _more_descriptors(self, before: _State) -> list[int]:
        """Processes that have more than they had."""
        return [pid for pid, count in before.descriptors.items() if descriptors(pid) > count]

    def _more_memory(self, before: _State) -> bool:
        self._keepers[0].ask(Stat())  # a worker gives memory back when it is awake
        more = {pid: private_memory(pid) - mib for pid, mib in before.memory.items()}
        return more[self.worker] > MOST_MIB or sum(more.values()) > MOST_MIB_TOGETHER

    def log(self) -> str:
        """What the desk has said so far."""
        return self.desk.stage.log(self.desk.runtime.name)


def _server(stage: Stage, backend: str) -> Server | None:
    """The host's server, with a microphone that nobody speaks into."""
    if backend == "built-in":
        return None
    if backend == "pulseaudio":
        server = stage.pulseaudio()
    else:
        server = stage.pipewire_pulse()
        place = {"XDG_RUNTIME_DIR": str(stage.directory / "pipewire")}
        stage.run(["pw-metadata", "-n", "settings", "0", "clock.force-quantum", str(CYCLE)], place)
    exact = ["norewinds=1"] if backend == "pulseaudio" else []  # else its monitor is not what was played
    for sink in ("mouth", ASIDE):
        stage.pactl(server.address, "load-module", "module-null-sink", f"sink_name={sink}", f"rate={RATE}", *exact)
    stage.pactl(server.address, "load-module", "module-remap-source", f"source_name={VOICE}", "master=mouth.monitor")
    stage.pactl(server.address, "set-default-sink", server.sink)
    return server


def _cookie(stage: Stage) -> bytes:
    """The cookie of the host's user, new."""
    place = stage.directory / "home/.config/pulse/cookie"
    place.parent.mkdir(parents=True)
    place.write_bytes(os.urandom(256))
    return place.read_bytes()


def _checkpoint(stage: Stage, server: Server) -> Checkpoint:
    return Checkpoint(stage.directory / "checkpoint", server.address, devices=[VOICE, ASIDE])
