"""`make soak`: under 20 players, PulseAudio gives way to pipewire-pulse, that to a room, and the room to PulseAudio.

Prints Markdown. Exits with 1 if a program is lost or a player is not heard for more than a second. A word on the
command line is how many players: `20`.
"""

from __future__ import annotations

import statistics
import sys
import time

from eardrum.testing.crowd import Crowd, Ear, Mortal, Presence
from eardrum.testing.servers import Desk, Stage

MOST_SILENCE = 1.0  # seconds
PLAYED = 3.0  # seconds at each place
DEADLINE = 60.0  # seconds until all players are heard
OUTLETS = ("box-0", "box-1")


def rewire(desk: Desk, output: str) -> None:
    """Have both outlets play elsewhere."""
    for name in OUTLETS:
        done = desk.command("rewire", name, "--output", output)
        if done.returncode:
            raise RuntimeError(f"eardrum rewire: {done.stderr.strip()}")


def main() -> int:
    (playing,) = map(int, sys.argv[1:] or ("20",))
    with Stage() as stage:
        hosts = [Mortal(stage, kind) for kind in ("pulseaudio", "pipewire_pulse")]
        hosts[1].kill()
        desk = stage.desk(upstream=" ".join(host.address for host in hosts))
        crowd = Crowd(stage)
        crowd.gather([desk.open(name, output="host:null").address for name in OUTLETS], playing)
        tones = [player.tone for player in crowd.players]
        listener = desk.open("listener", output="null", input="room:parlour")
        places = [Ear(hosts[0].address, "null.monitor")]
        places[0].listen_for(tones, DEADLINE)

        hosts[1].start()
        places.append(Ear(hosts[1].address, "null.monitor"))
        hosts[0].kill()
        time.sleep(PLAYED)
        places.append(Ear(listener.address, "input"))
        rewire(desk, "room:parlour")
        hosts[1].kill()
        time.sleep(PLAYED)
        hosts[0].start()
        places.append(Ear(hosts[0].address, "null.monitor"))
        rewire(desk, "host:null")
        places[-1].listen(PLAYED)
        lost = crowd.lost
        heard = [place.presence(tones) for place in places]
    print(f"| under {playing} players | silence, ms: median, most | missing afterwards, ms: most |\n|---|---:|---:|")
    changes = zip(("PulseAudio to pipewire-pulse", "to a room", "to PulseAudio"), heard, heard[1:], strict=False)
    worst = max(told(words, before, after) for words, before, after in changes)
    print(f"\n{len(lost)} programs lost {' '.join(program.kind for program in lost)}")
    return 0 if not lost and worst <= MOST_SILENCE else 1


def told(words: str, before: list[Presence], after: list[Presence]) -> float:
    """Print a row; the longest silence."""
    silences = [new.first - old.last for old, new in zip(before, after, strict=True)]
    missing = max(presence.missing for presence in after)
    print(f"| {words} | {ms(statistics.median(silences))}, {ms(max(silences))} | {ms(missing)} |")
    return max(silences)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


if __name__ == "__main__":
    sys.exit(main())
