"""`make fuzz SECONDS=600`: random and damaged input, for the rest of the time.

    run.py [--seconds N | --episodes N] [--seed N] [TARGET…]
    run.py --replay FILE

conversation: the codec and both sides of a conversation, and the tap. server: the whole core of a worker behind its
conversation. mixed, carried, piped: outlets of a real desk, on a machine without a sound server, before PulseAudio and
before pipewire-pulse. What must hold stands at the head of their files. Several targets are hunted side by side.

The first thing that does not hold ends the hunt of its target; it is printed with all that was fed as hex, and with the
seed that plays it again: `run.py --seed SEED --episodes 1 TARGET`. What was said to outlets is kept in a file of
build/fuzz, which `--replay` says again.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import attacks
import conversations
import servers
from hunt import Play

Episode = Callable[[Play], None]
TARGETS: dict[str, Callable[[], AbstractContextManager[Episode]]] = {
    "conversation": lambda: nullcontext(conversations.episode),
    "server": lambda: nullcontext(servers.episode),
    "mixed": lambda: attacks.target("mixed"),
    "carried": lambda: attacks.target("carried"),
    "piped": lambda: attacks.target("piped"),
}


def hunt(name: str, seed: int, seconds: float, episodes: int | None) -> bool:
    """Play episodes with seeds from `seed` on until time or number is over; False when something was found."""
    messages = number = 0
    play = Play(seed)
    try:
        with TARGETS[name]() as target:
            begin = time.monotonic()
            for number in itertools.count():
                taken = time.monotonic() - begin
                if (number >= episodes) if episodes is not None else (taken >= seconds):
                    break
                play = Play(seed + number)
                target(play)
                messages += play.messages
    except Exception:
        report(name, play)
        return False
    print(
        f"{name}: {messages:,} messages in {number:,} episodes, {messages / max(taken, 1e-9):,.0f} a second;"
        " nothing escaped",
        flush=True,
    )
    return True


def report(name: str, play: Play) -> None:
    """What was fed, what came of it, and how to see it again."""
    print("\n".join(play.fed))
    traceback.print_exc(file=sys.stdout)
    print(f"found after {play.messages} messages; again: fuzz/run.py --seed {play.seed} --episodes 1 {name}")


def side_by_side(targets: list[str], words: list[str]) -> bool:
    """Hunt each target in a process of its own; False when something was found."""
    hunts = [
        subprocess.Popen([sys.executable, __file__, *words, name], stdout=subprocess.PIPE, text=True)
        for name in targets
    ]
    said = [one.communicate()[0] for one in hunts]
    print("".join(said), end="")
    counts = re.findall(r"^\w+: ([\d,]+) messages", "".join(said), re.MULTILINE)
    print(f"together: {sum(int(count.replace(',', '')) for count in counts):,} messages")
    return not any(one.returncode for one in hunts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py", description="Random and damaged input.")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--episodes", type=int, help="of each target, instead of a time")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--replay", type=Path, metavar="FILE", help="say again what was kept")
    parser.add_argument("targets", nargs="*", default=[*TARGETS], metavar="TARGET", help=" or ".join(TARGETS))
    asked = parser.parse_args()
    if asked.replay:
        fault = attacks.replay(asked.replay)
        sys.exit(fault or None)
    if len(asked.targets) > 1:
        words = ["--seconds", str(asked.seconds), "--seed", str(asked.seed)]
        words += [] if asked.episodes is None else ["--episodes", str(asked.episodes)]
        sys.exit(not side_by_side(asked.targets, words))
    (name,) = asked.targets
    print(f"seed {asked.seed}", flush=True)
    sys.exit(not hunt(name, asked.seed, asked.seconds, asked.episodes))


if __name__ == "__main__":
    main()
