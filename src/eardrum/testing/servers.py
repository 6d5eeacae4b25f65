"""Real peers on a private stage: PulseAudio, pipewire-pulse, a desk, and programs that play into them and record them.

A `Stage` is a scratch directory and the processes started in it. Nothing in it sees the sound, the configuration or
the session of the person who runs the tests, and leaving it ends exactly what was started in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from eardrum.testing.packages import SEARCH_PATH

RATE = 48_000  # Hz, of every server, sound and recording here
CHANNELS = 2
FRAME_BYTES = 2 * CHANNELS  # s16le

EARDRUM = str(Path(sys.executable).with_name("eardrum"))

T = TypeVar("T")
Samples = npt.NDArray[np.int16]


def wait_until(condition: Callable[[], T], what: str, deadline: float = 30.0) -> T:
    """The first true value of `condition`; TimeoutError naming `what` when there is none within `deadline` seconds."""
    end = time.monotonic() + deadline
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {deadline:g} s in vain: {what}")
        time.sleep(0.01)
    return value


def accepts(path: Path) -> bool:
    """Whether somebody listens on the UNIX socket at `path`."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class Server:
    """A sound server: its address as in PULSE_SERVER, the null sink that programs play into, and its processes."""

    address: str
    sink: str
    pids: tuple[int, ...]

    @property
    def monitor(self) -> str:
        """The source by which that sink is heard."""
        return self.sink + ".monitor"


class Stage:
    """A scratch directory and the processes started in it; `close` (or leaving it) ends exactly those."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="eardrum-stage-"))
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            "PATH": SEARCH_PATH,
            "LANG": "C.UTF-8",
            "HOME": str(self.make_directory("home")),
            "XDG_RUNTIME_DIR": str(self.make_directory("run")),
            "EARDRUM_CONFIG": os.devnull,  # not what the machine's desks have
            "EARDRUM_CONFINEMENT": "kill",  # a worker that opens or imports anything must not go unseen
        }

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what was started, the youngest first, with all descendants, and remove the directory."""
        for process in reversed(self.processes):
            end(process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def make_directory(self, name: str) -> Path:
        """A private directory of the stage."""
        path = self.directory / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def start(
        self, name: str, argv: Sequence[str], extra: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own; what it says goes to `log(name)`. `options` are Popen's."""
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                argv,
                **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **options},
                env={**self.environment, **(extra or {})},
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def log(self, name: str) -> str:
        """What the program started as `name` has said."""
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def run(
        self, argv: Sequence[str], extra: Mapping[str, str] | None = None, deadline: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end and keep what it says."""
        return subprocess.run(
            argv,
            env={**self.environment, **(extra or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=deadline,
        )

    # servers

    def pulseaudio(self, name: str = "pulseaudio", *options: str) -> Server:
        """A PulseAudio with one null sink and nothing else; `options` are its own."""
        home = self.make_directory(name)
        path = home / "native"
        config = home / "daemon.conf"
        config.write_text(f"default-sample-rate = {RATE}\nalternate-sample-rate = {RATE}\n")
        argv = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
        argv += ["--realtime=no", "--high-priority=no", *options]
        argv += ["-L", f"module-null-sink sink_name=null rate={RATE} norewinds=1"]
        argv += ["-L", f"module-native-protocol-unix socket={path} auth-anonymous=1"]
        private = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PULSE_CONFIG": str(config)}
        process = self.start(name, argv, private)
        self.await_listener(process, name, path)
        return Server(f"unix:{path}", "null", (process.pid,))

    def pipewire_pulse(self, name: str = "pipewire") -> Server:
        """pipewire, wireplumber and pipewire-pulse with one null sink, on a session bus of their own."""
        home = self.make_directory(name)
        bus = home / "bus"  # wireplumber ends without a session bus
        private = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}"}
        argv = ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address=unix:path={bus}"]
        self.await_listener(self.start(f"{name}-bus", argv, private), f"{name}-bus", bus)
        pids = []
        for program, path in (("pipewire", home / "pipewire-0"), ("pipewire-pulse", home / "pulse/native")):
            process = self.start(f"{name}-{program}", [program], private)
            self.await_listener(process, f"{name}-{program}", path)
            pids.append(process.pid)
        self.start(f"{name}-wireplumber", ["wireplumber"], private)
        server = Server(f"unix:{home / 'pulse/native'}", "null", tuple(pids))
        module = ["load-module", "module-null-sink", "sink_name=null", f"rate={RATE}", "channels=2"]
        self.pactl(server.address, *module)
        # Only wireplumber makes the null sink the default one, so this says that it is at work.
        wait_until(
            lambda: (
                "Default Sink: null\n" in self.pactl(server.address, "info")
                and "\tnull.monitor\t" in self.pactl(server.address, "list", "short", "sources")
            ),
            f"wireplumber to take up the null sink:\n{self.log(name + '-wireplumber')}",
        )
        return server

    def await_listener(self, process: subprocess.Popen[bytes], name: str, path: Path) -> None:
        """Return when `path` is listened on; RuntimeError with the program's log when it ended before."""

        def ready() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with status {process.returncode}:\n{self.log(name)}")
            return accepts(path)

        wait_until(ready, f"{name} to listen on {path}")

    def desk(self, runtime: Path | None = None, upstream: str | None = "none") -> Desk:
        """A desk that is ready, in `runtime` (default: a fresh directory of the stage). With no upstream it looks."""
        if runtime is None:
            runtime = Path(tempfile.mkdtemp(prefix="desk-", dir=self.directory))
        reader, writer = os.pipe()
        argv = [EARDRUM, "up", "--runtime-dir", str(runtime), "--ready-fd", str(writer)]
        argv += ["--upstream", upstream] if upstream is not None else []
        return Desk(self, runtime, self._start_ready(runtime.name, argv, reader, writer))

    def serve(self, name: str = "serve", *options: str, **popen: Any) -> Server:
        """An `eardrum serve` that is ready, at `NAME/native` in the stage's directory; `options` are its own."""
        path = self.make_directory(name) / "native"
        reader, writer = os.pipe()
        argv = [EARDRUM, "serve", "--socket", str(path), "--ready-fd", str(writer), *options]
        process = self._start_ready(name, argv, reader, writer, **popen)
        return Server(f"unix:{path}", "auto_null", (process.pid,))

    def _start_ready(
        self, name: str, argv: Sequence[str], reader: int, writer: int, **popen: Any
    ) -> subprocess.Popen[bytes]:
        """Start a program that writes to the pipe when it is ready, and wait for that."""
        with os.fdopen(reader, "rb") as ready:
            try:
                process = self.start(name, argv, pass_fds=[writer], **popen)
            finally:
                os.close(writer)
            if not ready.read(1):  # at its end, or closed without a word
                raise RuntimeError(f"{name} did not get ready:\n{self.log(name)}")
        return process

    def cards(self) -> None:
        """Devices of ALSA, for all programs here that are started from now on.

        `card` has a clock of its own, and comes and goes with `pulseaudio("card")`; `file` writes `card.wav` as fast as
        it gets sound; `mouth` captures `mouth.raw` (s32le, 48 kHz, stereo) as fast as it is asked; `nothing` takes
        everything. Each file is in the stage's directory.
        """
        config = self.directory / "asound.conf"
        config.write_text(
            f'pcm.card {{ type pulse server "unix:{self.directory}/card/native" }}\n'
            "pcm.nothing { type null }\n"
            f'pcm.file {{ type file slave.pcm nothing format wav file "{self.directory}/card.wav" }}\n'
            "pcm.mouth { type file slave.pcm nothing format raw file /dev/null\n"
            f'  infile "{self.directory}/mouth.raw" }}\n'
        )
        self.environment["ALSA_CONFIG_PATH"] = str(config)

    # programs that play and record

    def pactl(self, address: str, *words: str) -> str:
        """What `pactl WORDS` prints for the server at `address`; RuntimeError when it fails."""
        done = self.run(["pactl", *words], {"PULSE_SERVER": address})
        if done.returncode:
            raise RuntimeError(f"pactl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def play(self, address: str, sound: Path, *options: str) -> None:
        """Have paplay play the file `sound` to its end; RuntimeError when it fails."""
        done = self.run(["paplay", *options, str(sound)], {"PULSE_SERVER": address})
        if done.returncode:
            raise RuntimeError(f"paplay: {done.stderr.strip()}")

    def record(self, address: str, device: str | None = None) -> Recording:
        """Record `device` (default: the server's default source) with parec; returns once sound arrives."""
        number = len(self.processes)
        path = self.directory / f"recording-{number}.raw"
        argv = ["parec", "--format=s16le", f"--rate={RATE}", f"--channels={CHANNELS}", "--latency-msec=50"]
        argv += [f"--device={device}"] if device else []
        with path.open("wb") as sound:
            process = self.start(f"parec-{number}", argv, {"PULSE_SERVER": address}, stdout=sound)
        recording = Recording(process, path)

        def begun() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"parec ended with status {process.returncode}:\n{self.log(f'parec-{number}')}")
            return recording.frames() > 0

        wait_until(begun, f"parec to hear {device or 'the default source'} of {address}")
        return recording


class Recording:
    """A parec at work; the sound is s16, stereo, at RATE."""

    def __init__(self, process: subprocess.Popen[bytes], path: Path) -> None:
        self.process = process
        self.path = path

    def frames(self) -> int:
        """How many frames have been recorded so far."""
        return self.path.stat().st_size // FRAME_BYTES

    def finish(self, tail: float = 0.5) -> Samples:
        """Record `tail` more seconds, end parec, and return all of it as frames x channels."""
        enough = self.frames() + int(tail * RATE)
        wait_until(lambda: self.frames() >= enough, f"{tail:g} s more in {self.path.name}")
        end(self.process)
        return np.fromfile(self.path, dtype="<i2", count=self.frames() * CHANNELS).reshape(-1, CHANNELS)


@dataclass(frozen=True)
class Outlet:
    """An open outlet: its directory, which containers mount, and its address as in PULSE_SERVER."""

    name: str
    directory: Path

    @property
    def address(self) -> str:
        return f"unix:{self.directory / 'native'}"


class Desk:
    """A running desk; `command` is what a person types."""

    def __init__(self, stage: Stage, runtime: Path, process: subprocess.Popen[bytes]) -> None:
        self.stage = stage
        self.runtime = runtime
        self.process = process
        self.environment = {"EARDRUM_RUNTIME_DIR": str(runtime)}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `eardrum WORDS` against this desk."""
        return self.stage.run([EARDRUM, *words], self.environment)

    def start(self, name: str, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start `eardrum WORDS` and leave it running; what it says goes to `stage.log(name)`. As `Stage.start`."""
        return self.stage.start(name, [EARDRUM, *words], self.environment, **options)

    def open(
        self,
        name: str,
        output: str | None = None,
        input: str | None = None,
        modules: bool = False,
        hear: bool = False,
        gate: bool | None = None,
        **budget: float,
    ) -> Outlet:
        """Open an outlet with these limits; RuntimeError with the command's complaint when that fails."""
        wires = [*(["--output", output] if output else []), *(["--input", input] if input else [])]
        wires += [*(["--modules"] if modules else []), *(["--hear"] if hear else [])]
        wires += [] if gate is None else ["--gate" if gate else "--no-gate"]
        wires += [f"--budget={limit}={number}" for limit, number in budget.items()]
        done = self.command("open", name, *wires)
        if done.returncode:
            raise RuntimeError(f"eardrum open {name}: {done.stderr.strip()}")
        return Outlet(name, self.runtime / "outlets" / name)

    def close(self, name: str) -> None:
        """Close an outlet, which finishes its file; RuntimeError with the command's complaint when that fails."""
        done = self.command("close", name)
        if done.returncode:
            raise RuntimeError(f"eardrum close {name}: {done.stderr.strip()}")

    def list(self) -> dict[str, dict[str, Any]]:
        """What `eardrum list --json` says, by outlet's name; RuntimeError with its complaint when it fails."""
        done = self.command("list", "--json")
        if done.returncode:
            raise RuntimeError(f"eardrum list: {done.stderr.strip()}")
        return {outlet["name"]: outlet for outlet in json.loads(done.stdout)["outlets"]}


def as_user(uid: int, *groups: int) -> list[str]:
    """What comes before the command line of a program of this user; the first group is its own. Only for root."""
    own, *more = groups or (uid,)
    rest = f"--groups={','.join(map(str, more))}" if more else "--clear-groups"
    return ["setpriv", f"--reuid={uid}", f"--regid={own}", rest]


def end(process: subprocess.Popen[bytes], patience: float = 10.0) -> None:
    """Ask a program to end, then end what is left of its session."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
