"""`make soak`: the host's sound server is killed 20 times under 50 playing, 10 recording and 10 idle programs.

Prints Markdown. Exits with 1 if a program is lost, a player is not heard again within 500 ms after the server's socket
listens, or one runs dry more than once for a kill. Words on the command line are the server and how many kills,
players, recorders and idle programs: `pulseaudio 20 50 10 10`.
"""

from __future__ import annotations

import statistics
import sys
import time

from eardrum.testing.crowd import Crowd, Ear, Mortal
from eardrum.testing.servers import Stage

MOST_SILENCE = 0.5  # seconds after the socket listens
MOST_UNDERRUNS = 1  # of a player, for a kill
GONE = (0.3, 1.0, 3.0)  # seconds from a kill to the next start, in turns
LISTENED = 2.0  # seconds after each start
DEADLINE = 60.0  # seconds until all players are heard


def ears(host: Mortal) -> list[Ear]:
    """One at each sink."""
    return [Ear(host.address, f"{sink}.monitor") for sink in host.SINKS]


def waited(host: Mortal, tones: list[list[int]]) -> list[float]:
    """The seconds from now until each tone is heard at its sink."""
    begin, listening = time.monotonic(), ears(host)
    for ear in listening:
        ear.listen(begin + LISTENED - time.monotonic())
        ear.close()
    found = [ear.presence(some) for ear, some in zip(listening, tones, strict=True)]
    return [presence.first - begin for presences in found for presence in presences]


def main() -> int:
    kind, *words = sys.argv[1:] or ("pulseaudio", "20", "50", "10", "10")
    kills, playing, recording, idle = map(int, words)
    with Stage() as stage:
        host = Mortal(stage, kind)
        desk = stage.desk(upstream=host.address)
        input = "host" if recording else None
        outlets = [desk.open(f"box-{sink}", output=f"host:{sink}", input=input) for sink in host.SINKS]
        crowd = Crowd(stage)
        crowd.gather([outlet.address for outlet in outlets], playing, recording, idle)
        tones = [[player.tone for player in crowd.players[side::2]] for side in (0, 1)]
        for ear, some in zip(ears(host), tones, strict=True):
            ear.listen_for(some, DEADLINE)
            ear.close()
        silences: list[float] = []
        for number in range(kills):
            host.kill()
            time.sleep(GONE[number % len(GONE)])
            host.start()
            silences += waited(host, tones)
        lost = crowd.lost
        dry = [player.underruns for player in crowd.players if player.kind == "watched"]
    late = sum(silence > MOST_SILENCE for silence in silences)
    print(f"| {kind} killed {kills} times under {playing} players, {recording} recorders, {idle} idle | |\n|---|---:|")
    print(f"| programs lost | {len(lost)} {' '.join(program.kind for program in lost)} |")
    print(f"| heard again after, ms: median, most | {ms(statistics.median(silences))}, {ms(max(silences))} |")
    print(f"| later than {ms(MOST_SILENCE)} ms, of {len(silences)} | {late} |")
    print(f"| underruns of a player: median, most | {statistics.median(dry):g}, {max(dry)} |")
    return 0 if not lost and not late and max(dry) <= MOST_UNDERRUNS * kills else 1


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


if __name__ == "__main__":
    sys.exit(main())
