"""`make bench`: how long an outlet is still heard when the person has muted it, with what is buffered upstream.

Prints Markdown. The program plays a number in each frame, with the longest buffer that a server gives. What is heard at
the moment of the command is known by the latency that is reported; a recording of the upstream's sink, with the longest
fragments, tells which frame was the last.
"""

from __future__ import annotations

import select
import statistics
import time

import numpy as np
from numpy.typing import NDArray

from eardrum.cli.control import Control
from eardrum.cli.place import OUTPUT, Place
from eardrum.protocol.catalog import GetPlaybackLatency, PlaybackLatency
from eardrum.terms.audio import VOLUME_NORM
from eardrum.testing.servers import RATE, Stage
from eardrum.testing.workers import DEADLINE, S16, Caller

ROUNDS = 7
PLAYED = 1.0  # seconds before each command
SILENT = RATE // 4  # frames of silence that end a round
FRAME = S16.frame_bytes


class Counting:
    """A program that plays the numbers of its frames, and an ear at the upstream's sink."""

    def __init__(self, outlet: str, upstream: str, monitor: str) -> None:
        self.player, self.ear = Caller.at(outlet), Caller.at(upstream)
        self.stream = self.player.play()
        self.ear.record(source_name=monitor, volume=(VOLUME_NORM,) * 2)
        self.written = 0

    def close(self) -> None:
        self.player.close()
        self.ear.close()

    def go_on(self) -> None:
        """Play what is wanted, and hear what has come."""
        wanted = (self.stream.missing + self.player.requested(self.stream.channel)) // FRAME - self.written
        if wanted > 0:
            self.player.write(self.stream.channel, numbered(self.written, wanted))
            self.written += wanted
        for caller in (self.player, self.ear):
            if select.select([caller.socket], [], [], 0.001)[0]:
                caller.hear()

    def for_seconds(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.go_on()

    def heard(self) -> NDArray[np.int64]:
        """The numbers of the frames that were heard; 0 is silence."""
        data = np.frombuffer(bytes(self.ear.sound.get(0, b"")), "<i2").reshape(-1, 2).astype(np.int64)
        return data[:, 0] + (data[:, 1] << 14)

    def now(self) -> int:
        """The number of the frame that is heard now."""
        latency: PlaybackLatency = self.player.ask(GetPlaybackLatency(channel=self.stream.channel, client_time=(0, 0)))
        return latency.read_index // FRAME - latency.sink_latency * RATE // 1_000_000


def numbered(first: int, frames: int) -> bytes:
    numbers = np.arange(first, first + frames) + 1
    return np.stack([numbers & 0x3FFF, numbers >> 14], axis=1).astype("<i2").tobytes()


def muted(counting: Counting, control: Control) -> float:
    """Milliseconds from the command to the last frame that was heard."""
    place = Place(OUTPUT, "box")
    control.set_level(place, mute="off")
    counting.ear.sound.clear()
    counting.for_seconds(PLAYED)
    at = counting.now()
    control.set_level(place, mute="on")
    end = time.monotonic() + DEADLINE
    while True:
        assert time.monotonic() < end, "it is still heard"
        counting.go_on()
        heard = counting.heard()
        if heard.max(initial=0) > at - RATE // 10 and not heard[-SILENT:].any():
            return (int(heard.max()) - at) * 1000 / RATE


def main() -> None:
    print("\n| muted, ms until it is silent | buffer | half of the times | worst |\n|---|---:|---:|---:|")
    with Stage() as stage:
        for name, server in (("PulseAudio", stage.pulseaudio()), ("pipewire-pulse", stage.pipewire_pulse())):
            stage.pactl(server.address, "load-module", "module-null-sink", "sink_name=deep", f"rate={RATE}")
            desk = stage.desk(upstream=server.address)
            outlet = desk.open("box", output="host:deep")
            counting = Counting(outlet.address, server.address, "deep.monitor")
            with Control(desk.runtime) as control:
                took = sorted(muted(counting, control) for _ in range(ROUNDS))
            buffer = counting.stream.tlength / FRAME / RATE
            counting.close()
            print(f"| {name} | {buffer:.2f} s | {statistics.median(took):.1f} | {took[-1]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
