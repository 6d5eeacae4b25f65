"""`make soak`: the host's sound server hangs for 30 s, five times, under 20 players.

Prints Markdown. Exits with 1 if a program is lost, the worker takes more than 4 MiB for each stream meanwhile, or a
player is ever made to hurry. Words on the command line are the server and how many times, seconds and players:
`pulseaudio 5 30 20`.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from numpy.typing import NDArray

from eardrum.testing.crowd import Crowd, Ear, Mortal
from eardrum.testing.processes import private_memory
from eardrum.testing.servers import Desk, Stage

MOST_MEMORY = 4.0  # MiB for each stream
MOST_HURRY = 2.5  # seconds of sound that a player may be ahead of the clock within WINDOW: a buffer is filled anew
WINDOW = 2.0  # seconds
BETWEEN = 5.0  # seconds that the server is well
TICK = 0.25  # seconds
DEADLINE = 60.0  # seconds until all players are heard

Watched = list[tuple[float, list[float], float]]  # when, seconds of sound that each player has read, MiB of the worker


def watch(desk: Desk, crowd: Crowd, seconds: float) -> Watched:
    """Look again and again for so long."""
    seen: Watched = []
    worker, end = desk.list()["box"]["worker"], time.monotonic() + seconds
    while time.monotonic() < end:
        reading = [player.consumed for player in crowd.players if player.reads and not player.lost]
        seen.append((time.monotonic(), reading, private_memory(worker)))
        time.sleep(TICK)
    return seen


def hurry(seen: Watched) -> float:
    """The most seconds of sound that a player read in a WINDOW beyond those that passed."""
    times = np.array([when for when, _, _ in seen])
    read: NDArray[np.float64] = np.array([reading for _, reading, _ in seen])
    later = np.searchsorted(times, times + WINDOW)
    later = later[later < len(times)]
    ahead = read[later] - read[: len(later)] - (times[later] - times[: len(later)])[:, np.newaxis]
    return float(ahead.max())


def main() -> int:
    kind, *words = sys.argv[1:] or ("pulseaudio", "5", "30", "20")
    rounds, seconds, playing = map(int, words)
    with Stage() as stage:
        host = Mortal(stage, kind)
        desk = stage.desk(upstream=host.address)
        crowd = Crowd(stage)
        crowd.gather([desk.open("box", output=f"host:{host.SINKS[0]}").address], playing)
        tones = [player.tone for player in crowd.players]
        with Ear(host.address, f"{host.SINKS[0]}.monitor") as ear:
            ear.listen_for(tones, DEADLINE)
        seen = watch(desk, crowd, BETWEEN)
        before = max(memory for _, _, memory in seen)
        for _ in range(rounds):
            host.hang()
            seen += watch(desk, crowd, seconds)
            host.go_on()
            seen += watch(desk, crowd, BETWEEN)
        with Ear(host.address, f"{host.SINKS[0]}.monitor") as ear:
            ear.listen(1.0)
        silent = [tone for tone, presence in zip(tones, ear.presence(tones), strict=True) if presence.first == np.inf]
        lost = crowd.lost
    took = (max(memory for _, _, memory in seen) - before) / playing
    print(f"| {kind} hung {rounds} times for {seconds} s under {playing} players | |\n|---|---:|")
    print(f"| programs lost | {len(lost)} {' '.join(program.kind for program in lost)} |")
    print(f"| players not heard at the end | {len(silent)} |")
    print(f"| memory of the worker, MiB: before; for each stream more | {before:.1f}; {took:.2f} |")
    print(f"| most that a player read ahead of the clock, s | {hurry(seen):.2f} |")
    return 0 if not lost and not silent and took <= MOST_MEMORY and hurry(seen) <= MOST_HURRY else 1


if __name__ == "__main__":
    sys.exit(main())
