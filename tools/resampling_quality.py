"""Prints what resampling a sweep from 44.1 to 48 kHz adds to it: by Eardrum, and by a PulseAudio as it is installed.

Its figures are in docs/performance.md. PulseAudio plays into a null sink of 32 bits, whose monitor is recorded.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eardrum.sound.resample import Resampler
from eardrum.terms.audio import SampleFormat, SampleSpec
from eardrum.testing.conformance.client import Talk
from eardrum.testing.servers import Stage

FROM, TO = 44_100, 48_000  # Hz
SECONDS, LOW, HIGH = 4, 20.0, 20_000.0
EDGE = 9600  # frames at each end that do not count: a sweep begins and ends at once

Floats = NDArray[np.floating[Any]]


def sweep(rate: int, late: float = 0.0) -> Floats:
    """A sweep at this rate, `late` seconds late."""
    time = np.arange(SECONDS * rate) / rate - late
    turns = LOW * SECONDS / np.log(HIGH / LOW) * ((HIGH / LOW) ** (time / SECONDS) - 1)
    wave: Floats = 0.5 * np.sin(2 * np.pi * turns)
    return wave


def by_eardrum() -> Floats:
    stream = Resampler(FROM, TO, 1)
    return np.concatenate([stream.feed(sweep(FROM).astype(np.float32)[:, np.newaxis]), stream.flush()])[:, 0]


def by_pulseaudio() -> Floats:
    with Stage() as stage:
        server = stage.pulseaudio()
        words = ["sink_name=wide", f"rate={TO}", "format=float32le", "norewinds=1"]
        stage.pactl(server.address, "load-module", "module-null-sink", *words)
        talk = Talk(server.address.removeprefix("unix:")).introduced()
        spec = SampleSpec(SampleFormat.FLOAT32LE, 1, TO)
        ears = talk.record(spec, source_name="wide.monitor", fragsize=960 * 4, adjust_latency=True).channel
        data = sweep(FROM).astype(np.float32).tobytes()
        made = talk.play(spec._replace(rate=FROM), sink_name="wide", tlength=len(data), prebuf=len(data))
        talk.write(made.channel, data)

        def heard() -> Floats:
            return np.frombuffer(bytes(talk.sound.get(ears, b"")), np.float32)

        talk.until(lambda: len(np.trim_zeros(heard(), "f")) > (SECONDS + 0.1) * TO, "the sweep")
        talk.close()
        return np.trim_zeros(heard(), "f")[: SECONDS * TO]


def added(heard: Floats) -> float:
    """What is not the sweep, in dB below it; where the sweep lies is found to a small part of a frame."""
    best = np.inf
    late, step = 0.0, 32 / TO
    while step > 1e-10:
        found = [(_rest(heard, late + n * step), late + n * step) for n in range(-16, 17)]
        best, late = min(found)
        step /= 8
    return float(20 * np.log10(best))


def _rest(heard: Floats, late: float) -> float:
    wanted, part = sweep(TO, late)[EDGE:-EDGE], heard[EDGE : SECONDS * TO - EDGE]
    level = (part @ wanted) / (wanted @ wanted)
    return float(np.linalg.norm(part - level * wanted) / np.linalg.norm(part))


if __name__ == "__main__":
    for name, heard in (("Eardrum", by_eardrum()), ("PulseAudio", by_pulseaudio())):
        sys.stdout.write(f"{name}: {added(heard):.1f} dB\n")
