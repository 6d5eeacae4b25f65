"""A short tune for two voices: the melody to the right, the bass to the left."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

RATE = 48_000  # Hz
BEAT = 0.42  # seconds
RING = 1.0  # seconds that the last notes may ring on
LOUDEST = 0.6  # of full scale
OVERTONES = 7

# (note, beats), three beats in a bar
MELODY = "G4 1  C5 1  E5 1   D5 1.5  E5 .5  F5 1   E5 1  A4 1  B4 1   C5 3"
BASS = "C3 1  E3 1  G3 1   B2 1  D3 1  G3 1   F2 1  C3 1  G2 1   C2 .5  G2 .5  C3 .5  E3 1.5"

Sound = npt.NDArray[np.float64]


def tune() -> Sound:
    """About six seconds, frames x (left, right)."""
    melody, bass = voice(MELODY), voice(BASS)
    both = np.stack([0.25 * melody + 0.9 * bass, 0.9 * melody + 0.25 * bass], axis=1)
    return np.asarray(both * (LOUDEST / np.abs(both).max()))


def voice(score: str) -> Sound:
    """One voice, its notes ringing into each other."""
    words = score.split()
    notes = [(pitch(name), float(beats) * BEAT) for name, beats in zip(words[::2], words[1::2], strict=True)]
    sound = np.zeros(round((sum(seconds for _, seconds in notes) + RING) * RATE))
    start = 0.0
    for frequency, seconds in notes:
        begin = round(start * RATE)
        played = pluck(frequency, min(seconds + RING, (len(sound) - begin) / RATE))
        sound[begin : begin + len(played)] += played
        start += seconds
    return sound


def pluck(frequency: float, seconds: float) -> Sound:
    """A plucked string: the higher an overtone, the softer and the shorter."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = np.zeros(len(time))
    for n in range(1, OVERTONES + 1):
        sound += n**-1.7 * np.exp(-(1.6 + 0.9 * n) * time) * np.sin(2 * np.pi * n * frequency * time)
    attack = np.minimum(1.0, time / 0.012)
    release = np.minimum(1.0, (seconds - time) / 0.25)
    return sound * attack * release


def pitch(name: str) -> float:
    """Frequency of a note such as A4 (440 Hz), equal temperament."""
    semitones = "C D EF G A B".index(name[0]) - 9 + 12 * (int(name[1]) - 4)
    return 440.0 * math.pow(2.0, semitones / 12)
