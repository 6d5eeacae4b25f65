"""A crowd of real programs, and an ear that tells them apart.

Every player plays a tone of its own without an end, so that one recording of a server says when each of them was heard.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eardrum.terms.audio import VOLUME_NORM
from eardrum.testing import heard
from eardrum.testing.servers import RATE, Stage, wait_until
from eardrum.testing.workers import S16, Caller

LOWEST, SPACING = 400, 350  # Hz, of the first player's tone and from each to the next; 60 have room
AMPLITUDE = 0.015  # of each tone: 60 together are not too loud
SECONDS = 5  # of sound in a file, of whole periods, so that no seam is heard
BLOCK = 960  # frames; 20 ms tell two tones apart
AGAIN = 3  # blocks in a row in which a tone is heard before it counts
BLOCKS_AT_ONCE = 10  # are listened to while something is waited for

RAW = f"--raw --rate={RATE}"
PLAYERS = {  # they read raw samples, or make TONE themselves
    "pacat": f"pacat {RAW} --latency-msec=LATENCY",
    "watched": f"pacat -v {RAW} --latency-msec=LATENCY",
    "aplay": f"aplay -q -D pulse -t raw -f S16_LE -c 2 -r {RATE}",
    "ffmpeg": f"ffmpeg -v error -f s16le -ar {RATE} -ac 2 -i - -f pulse out",
    "mpv": "mpv --no-config --really-quiet --no-terminal --ao=pulse --demuxer=rawaudio --demuxer-rawaudio-format=s16le"
    f" --demuxer-rawaudio-rate={RATE} --cache=no -",
    "gstreamer": f"gst-launch-1.0 -q audiotestsrc freq=TONE volume={AMPLITUDE} ! audio/x-raw,rate={RATE},channels=2"
    " ! pulsesink",
}
MIXTURE = ("watched", "pacat", "ffmpeg", "pacat", "watched", "aplay", "pacat", "gstreamer", "pacat", "pacat", "mpv")
PAUSE = 0.05  # seconds between two starts


@dataclass(frozen=True)
class Program:
    """One of the crowd; `log` is what it says. A player has a tone, in Hz."""

    kind: str
    process: subprocess.Popen[bytes]
    log: Path
    tone: int = 0

    @property
    def lost(self) -> bool:
        """It has ended, which none does by itself while it has its connection."""
        return self.process.poll() is not None

    @property
    def underruns(self) -> int:
        """How often it was told to have run dry, so far; only watched ones say so."""
        return self.log.read_bytes().count(b"underrun")

    @property
    def positions(self) -> NDArray[np.float64]:
        """Seconds into its stream, as it was shown them every 50 ms or so; only watched ones say so."""
        return np.array([float(word) for word in re.findall(rb"Time: ([\d.]+) sec", self.log.read_bytes())])

    @property
    def reads(self) -> bool:
        """Whether the sound that it plays is read from a pipe."""
        return "TONE" not in PLAYERS.get(self.kind, "TONE")

    @property
    def consumed(self) -> float:
        """Seconds of sound that it has read."""
        said = Path(f"/proc/{self.process.pid}/io").read_text()
        return int(said.split()[1]) / S16.frame_bytes / RATE


class Crowd:
    """Programs at servers. They end with the stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.programs: list[Program] = []

    @property
    def players(self) -> list[Program]:
        return [program for program in self.programs if program.tone]

    @property
    def lost(self) -> list[Program]:
        """Those that have ended."""
        return [program for program in self.programs if program.lost]

    def play(self, kind: str, address: str, latency: int = 500) -> Program:
        """One more player; pacat asks for so many ms of latency."""
        tone = LOWEST + SPACING * len(self.players)
        file = self._stage.directory / f"tone-{tone}.raw"
        sound = heard.sine(tone, SECONDS * RATE, amplitude=AMPLITUDE, channels=2)
        file.write_bytes(np.round(sound * 32767).astype("<i2").tobytes())
        words = [word.replace("LATENCY", str(latency)).replace("TONE", str(tone)) for word in PLAYERS[kind].split()]
        feeder = ["sh", "-c", f"while cat {file}; do :; done"]
        feeding = self._stage.start(f"feeder-{len(self.programs)}", feeder, stdout=subprocess.PIPE)
        assert feeding.stdout is not None
        with feeding.stdout as sound_pipe:
            return self._start(kind, words, address, tone, stdin=sound_pipe)

    def record(self, address: str) -> Program:
        """One more parec, which throws away what it hears."""
        return self._start("parec", ["parec", *RAW.split(), "--latency-msec=100"], address, stdout=subprocess.DEVNULL)

    def gather(self, addresses: Sequence[str], playing: int, recording: int = 0, idle: int = 0) -> None:
        """So many programs of all kinds, at each address in turn."""
        places = itertools.cycle(addresses)
        for kind in itertools.islice(itertools.cycle(MIXTURE), playing):
            self.play(kind, next(places))
            time.sleep(PAUSE)
        for _ in range(recording):
            self.record(next(places))
        for _ in range(idle):
            self.stay(next(places))

    def stay(self, address: str) -> Program:
        """One more program that is only connected."""
        return self._start("pactl", ["pactl", "subscribe"], address, stdout=subprocess.DEVNULL)

    def _start(self, kind: str, argv: Sequence[str], address: str, tone: int = 0, **options: object) -> Program:
        name = f"{kind}-{len(self.programs)}"
        process = self._stage.start(name, argv, {"PULSE_SERVER": address}, **options)
        self.programs.append(Program(kind, process, self._stage.directory / f"{name}.log", tone))
        return self.programs[-1]


class Mortal:
    """A sound server of the host, `pulseaudio` or `pipewire_pulse`, that dies and comes back at the same address.

    It has two sinks, since PulseAudio mixes 32 streams for each and lets others wait.
    """

    SINKS = ("null", "second")

    def __init__(self, stage: Stage, kind: str) -> None:
        self._stage = stage
        self._kind = kind
        self._processes: list[subprocess.Popen[bytes]] = []
        self.start()

    def start(self) -> None:
        """Start it; returns when it can be played to."""
        before = len(self._stage.processes)
        second = ["module-null-sink", f"sink_name={self.SINKS[1]}", f"rate={RATE}", "channels=2"]
        if self._kind == "pulseaudio":
            prompt = [*second, "norewinds=1"]  # else it has up to 2 s of silence ahead when it starts
            self.address = self._stage.pulseaudio("pulseaudio", "-L", " ".join(prompt)).address
        else:
            # WirePlumber 0.4.13 is stuck for ever by a stream that it remembers and that comes before it has begun
            shutil.rmtree(self._stage.directory / "pipewire/.local", ignore_errors=True)
            self.address = self._stage.pipewire_pulse().address
            self._stage.pactl(self.address, "load-module", *second)
        self._processes = self._stage.processes[before:]

    def kill(self, sent: signal.Signals = signal.SIGKILL) -> None:
        """End it, by default as nothing else does."""
        self._send(sent)
        for process in self._processes:
            process.wait()

    def hang(self) -> None:
        """Have it do nothing more, until it is told to go on."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, sent: signal.Signals) -> None:
        for process in self._processes:
            process.send_signal(sent)


class Ear:
    """Records a source of a server from now on, until `close` or the end of the server."""

    def __init__(self, address: str, source: str) -> None:
        self._caller = Caller.at(address)
        reply = self._caller.record(
            source_name=source,
            fragsize=S16.frame_bytes * RATE // 100,
            adjust_latency=True,
            volume=(VOLUME_NORM,) * 2,
            proplist={"media.name": b"ear\0"},
        )
        self._sound = self._caller.sound.setdefault(reply.channel, bytearray())
        self._arrived: list[tuple[float, int]] = []  # when there were so many bytes
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hear no more; what was heard stays."""
        with self._caller.socket as connection:
            with contextlib.suppress(OSError):  # the server has ended
                connection.shutdown(socket.SHUT_RDWR)
            self._hearing.join()

    def _hear(self) -> None:
        while not self._caller.ended:
            self._caller.hear()
            self._arrived.append((time.monotonic(), len(self._sound)))

    @property
    def seconds(self) -> float:
        """How much it has heard."""
        return len(self._sound) / S16.frame_bytes / RATE

    def listen(self, seconds: float) -> None:
        """Return when so much more was heard."""
        enough = self.seconds + seconds
        wait_until(lambda: self.seconds >= enough, f"{seconds:g} s of sound at the monitor", seconds + 30)

    def listen_for(self, tones: Sequence[int], patience: float = 30.0) -> None:
        """Return when each of these tones was heard once from now on; TimeoutError that names the others."""
        wanted, end = set(tones), time.monotonic() + patience
        while wanted:
            if time.monotonic() > end:
                raise TimeoutError(f"waited {patience:g} s in vain for tones of {sorted(wanted)} Hz")
            self.listen(BLOCKS_AT_ONCE * BLOCK / RATE)
            quietest = self.levels(tones, BLOCKS_AT_ONCE).min(axis=0)
            wanted -= {tone for tone, level in zip(tones, quietest, strict=True) if level > AMPLITUDE / 2}

    def levels(self, tones: Sequence[int], last: int = 0) -> NDArray[np.float64]:
        """Amplitudes, blocks of 20 ms by tones; of the `last` blocks only, if that is said."""
        size = S16.frame_bytes * BLOCK
        end = len(self._sound) // size * size
        sound = bytes(self._sound[max(0, end - last * size) if last else 0 : end])
        samples = np.frombuffer(sound, "<i2").reshape(-1, BLOCK, 2)
        window = np.hanning(BLOCK) * 2 / np.hanning(BLOCK).sum()
        waves = np.exp(-2j * np.pi / RATE * np.outer(np.arange(BLOCK), tones)) * window[:, np.newaxis]
        levels: NDArray[np.float64] = np.abs(samples.mean(axis=2) / 32768 @ waves)
        return levels

    def times(self, count: int) -> NDArray[np.float64]:
        """When each of so many blocks had arrived, on the monotonic clock."""
        moments, amounts = zip(*self._arrived, strict=True)
        ends = (np.arange(count) + 1) * BLOCK * S16.frame_bytes
        return np.array(moments)[np.searchsorted(amounts, ends)]

    def presence(self, tones: Sequence[int]) -> list[Presence]:
        """When each tone was heard."""
        loud = self.levels(tones) > AMPLITUDE / 2
        times = self.times(len(loud))
        return [_presence(loud[:, number], times) for number in range(len(tones))]


@dataclass(frozen=True)
class Presence:
    """When a tone was first and last heard, on the monotonic clock, and for how many seconds in between it was not.

    What was never heard begins at infinity and ended infinitely long ago.
    """

    first: float = np.inf
    last: float = -np.inf
    missing: float = 0.0


def _presence(loud: NDArray[np.bool_], times: NDArray[np.float64]) -> Presence:
    steady = np.flatnonzero(np.convolve(loud, np.ones(AGAIN), "valid") == AGAIN)
    if not len(steady):
        return Presence()
    first, last = steady[0], steady[-1] + AGAIN - 1
    return Presence(times[first], times[last], float((~loud[first : last + 1]).sum() * BLOCK / RATE))
