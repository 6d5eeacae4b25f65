"""`make soak`: 200 outlets, each with a headless player whose sound goes to a file of its own, and all are complete.

Prints Markdown: what the workers cost. Exits with 1 if a player fails, a file lacks a frame or the workers take too
much time. Words on the command line are how many outlets and seconds, 200 and 60.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

from eardrum.cli.control import Control, Opening
from eardrum.testing.processes import cpu, private_memory
from eardrum.testing.servers import CHANNELS, RATE, Desk, Samples, Stage, wait_until

MOST_CPU = 0.5  # of one core, for all workers
SPACING = 0.05  # seconds between two starts
DEADLINE = 60.0  # seconds after the last sound


def everybody(desk: Desk, count: int) -> list[int]:
    """The workers, or nothing before there is one for every outlet and a stream plays in each."""
    pids = [outlet["worker"] for outlet in desk.list().values() if outlet["playing"]]
    return pids if len(pids) == count else []


def main() -> int:
    count, seconds = (int(word) for word in sys.argv[1:] or ("200", "60"))
    tune = np.random.default_rng(1).integers(-8000, 8000, (seconds * RATE, CHANNELS), dtype=np.int16)
    with Stage() as stage:
        sound = stage.directory / "tune.wav"
        soundfile.write(sound, tune, RATE, subtype="PCM_16")
        desk = stage.desk()
        files = [stage.directory / f"outlet-{number}.wav" for number in range(count)]
        players: list[subprocess.Popen[bytes]] = []
        with Control(desk.runtime) as control:
            opened = [control.open(Opening(name=path.stem, output=f"file:{path}", input=None)) for path in files]
        for outlet in opened:
            address = {"PULSE_SERVER": f"unix:{outlet.socket}"}
            players.append(stage.start("paplay", ["paplay", str(sound)], address))
            time.sleep(SPACING)
        pids = wait_until(lambda: everybody(desk, count), "a worker for every outlet", DEADLINE)
        before, begin = cpu(pids), time.monotonic()
        time.sleep(seconds / 3)
        used, memory = (cpu(pids) - before) / (time.monotonic() - begin), [private_memory(pid) for pid in pids]
        end = time.monotonic() + seconds + DEADLINE
        failed = sum(player.wait(max(0.1, end - time.monotonic())) != 0 for player in players)
        with Control(desk.runtime) as control:
            for outlet in opened:
                control.close(outlet.name)
        complete = sum(_complete(path, tune) for path in files)
    print(f"| {count} outlets, each a paplay of {seconds} s into a file of its own | |\n|---|---:|")
    print(f"| complete files | {complete} |\n| players that failed | {failed} |")
    print(f"| CPU of all workers | {used * 100:.0f} % of a core |")
    print(f"| private memory of a worker, median and most | {statistics.median(memory):.1f}, {max(memory):.1f} MiB |")
    print(f"| private memory of all workers | {sum(memory):.0f} MiB |")
    return 0 if complete == count and not failed and used <= MOST_CPU else 1


def _complete(path: Path, tune: Samples) -> bool:
    """The file holds the tune to the frame."""
    heard, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return bool(rate == RATE and np.array_equal(heard, tune))


if __name__ == "__main__":
    sys.exit(main())
