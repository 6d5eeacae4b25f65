"""A program on PortAudio: `portaudio.py play FILE`, `portaudio.py record FILE` (a second, 48 kHz stereo)."""

from __future__ import annotations

import sys

import sounddevice
import soundfile

RATE = 48_000  # Hz


def play(path: str) -> None:
    samples, rate = soundfile.read(path, dtype="float32")
    sounddevice.play(samples, rate, device="pulse", blocking=True, latency=0.5)


def record(path: str) -> None:
    sound = sounddevice.rec(RATE, RATE, 2, "float32", device="pulse", blocking=True, latency=0.5)
    soundfile.write(path, sound, RATE)


{"play": play, "record": record}[sys.argv[1]](sys.argv[2])
