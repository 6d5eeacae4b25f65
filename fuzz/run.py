"""`make fuzz SECONDS=600`: random and damaged input, for the rest of the time.

    run.py [--seconds N | --episodes N] [--seed N] [TARGET…]

conversation: the codec and both sides of a conversation, and the tap. server: the whole core of a worker behind its
conversation. What must hold stands at the head of their files. The first thing that does not ends the hunt; it is
printed with all that was fed as hex, and with the seed that plays it again: `run.py --seed SEED --episodes 1 TARGET`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
import traceback
from collections.abc import Callable

import conversations
import servers
from hunt import Play

TARGETS: dict[str, Callable[[Play], None]] = {"conversation": conversations.episode, "server": servers.episode}


def hunt(name: str, target: Callable[[Play], None], seed: int, seconds: float, episodes: int | None) -> bool:
    """Play episodes with seeds from `seed` on until time or number is over; False when something was found."""
    begin, messages = time.monotonic(), 0
    for number in itertools.count():
        taken = time.monotonic() - begin
        if (number >= episodes) if episodes is not None else (taken >= seconds):
            break
        play = Play(seed + number)
        try:
            target(play)
        except Exception:
            report(name, play)
            return False
        messages += play.messages
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py", description="Random and damaged input.")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--episodes", type=int, help="of each target, instead of a time")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("targets", nargs="*", default=[*TARGETS], metavar="TARGET", help=" or ".join(TARGETS))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    share = asked.seconds / len(asked.targets)
    results = [hunt(name, TARGETS[name], asked.seed, share, asked.episodes) for name in asked.targets]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
