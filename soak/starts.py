"""`make soak`: 10,000 streams start on an outlet that is carried, end in every way, and nothing of them is left.

Prints Markdown. Exits with 1 if the host's server or the worker has more afterwards than before. Words on the command
line are the server and how many streams: `pulseaudio 10000`.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable

from eardrum.protocol.catalog import (
    CreatePlaybackStream,
    CreateUploadStream,
    DeletePlaybackStream,
    FinishUploadStream,
    PlaySample,
    RemoveSample,
)
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.testing.crowd import Mortal
from eardrum.testing.processes import descriptors, private_memory
from eardrum.testing.servers import Stage, wait_until
from eardrum.testing.workers import S16, Caller

WARMING = 300  # streams before the first look
MOST_KEPT = 2.0  # MiB of the worker
SOUND = os.urandom(4 * 960)  # 20 ms
LEVEL = (VOLUME_NORM,) * 2
KNOWN = ("clients", "sink-inputs", "source-outputs", "samples")
PATIENCE = 60.0  # seconds until the last streams are gone


def is_heard(caller: Caller) -> None:
    stream = caller.play(tlength=len(SOUND), volume=LEVEL, adjust_latency=True)
    caller.write(stream.channel, SOUND)
    caller.until(lambda: caller.told, "the first sound")


def deletes(caller: Caller) -> None:
    stream = caller.play(volume=LEVEL)
    caller.write(stream.channel, SOUND)
    caller.ask(DeletePlaybackStream(channel=stream.channel))


def leaves_before_the_answer(caller: Caller) -> None:
    caller.say(CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=LEVEL))


def leaves_by_halves(caller: Caller) -> None:
    stream = caller.play(volume=LEVEL)
    caller.write(stream.channel, SOUND)
    caller.socket.shutdown(socket.SHUT_WR)


def plays_a_sample(caller: Caller) -> None:
    upload = caller.ask(CreateUploadStream(name="bell", sample_spec=S16, channel_map=STEREO, length=len(SOUND)))
    caller.write(upload.channel, SOUND)
    caller.ask(FinishUploadStream(channel=upload.channel))
    caller.ask(PlaySample(name="bell"))
    caller.ask(RemoveSample(name="bell"))


HEARD = 50  # one of so many is heard
WAYS: tuple[Callable[[Caller], None], ...] = (
    deletes,
    leaves_before_the_answer,
    leaves_by_halves,
    plays_a_sample,
)


def known(stage: Stage, address: str) -> dict[str, int]:
    """How many the server has of each kind, the asker not among them."""
    counts = {what: stage.pactl(address, "list", "short", what).count("\n") for what in KNOWN}
    return {**counts, "clients": counts["clients"] - 1}


def main() -> int:
    kind, *words = sys.argv[1:] or ("pulseaudio", "10000")
    (count,) = map(int, words)
    with Stage() as stage:
        host = Mortal(stage, kind)
        desk = stage.desk(upstream=host.address)
        address = desk.open("box", output="host").address
        with Caller.at(address) as witness:
            witness.play(tlength=len(SOUND), volume=LEVEL, adjust_latency=True)  # keeps the worker, and the sink awake
            started(address, WARMING)
            worker = desk.list()["box"]["worker"]
            silent(stage, host)
            before = {**known(stage, host.address), "descriptors": descriptors(worker)}
            memory, begin = private_memory(worker), time.monotonic()
            started(address, count)
            took = time.monotonic() - begin
            silent(stage, host)
            after = {**known(stage, host.address), "descriptors": descriptors(worker)}
            kept = private_memory(worker) - memory
    print(f"| {count} streams on {kind}, {count / took:.0f} each second | before | after |\n|---|---:|---:|")
    for what, amount in before.items():
        print(f"| {what} | {amount} | {after[what]} |")
    print(f"| memory that the worker kept, MiB | | {kept:.1f} |")
    return 0 if before == after and kept <= MOST_KEPT else 1


def started(address: str, count: int) -> None:
    """So many streams, each by a program of its own."""
    for number in range(count):
        with Caller.at(address) as caller:
            way = WAYS[number % len(WAYS)] if number % HEARD else is_heard
            way(caller)


def silent(stage: Stage, host: Mortal) -> None:
    """Return when only the witness plays at the host, or when that does not come about."""
    try:
        wait_until(lambda: known(stage, host.address)["sink-inputs"] == 1, "the last stream to be gone", PATIENCE)
    except TimeoutError as late:
        print(late)


if __name__ == "__main__":
    sys.exit(main())
