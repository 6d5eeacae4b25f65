"""`make bench`: what a program in one outlet notices while another outlet is flooded with requests.

Prints Markdown. The flood comes from a process of its own, which writes as fast as it can and reads what is answered.
The bystander asks its own outlet one question after the other, a few hundred in a second.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import statistics
import time
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from eardrum.cli.control import Control, Opening
from eardrum.protocol import codec
from eardrum.protocol.catalog import Auth, GetServerInfo, GetSinkInfoList, SetClientName, Stat, Subscribe
from eardrum.protocol.message import NEWEST, Message
from eardrum.testing.processes import cpu
from eardrum.testing.servers import Stage
from eardrum.testing.workers import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 5.0  # for each figure
PAUSE = 0.002  # seconds between two questions of the bystander
SETTLED = 6.0  # seconds after which a flood has used up what may come at once
MANY = 64  # connections
FLOODS: dict[str, tuple[Message, int]] = {
    "a small question": (GetServerInfo(), 1),
    "a list": (GetSinkInfoList(), 1),
    "a change that others are told of": (SetClientName(proplist={}), 1),
    f"a small question, on {MANY} connections": (GetServerInfo(), MANY),
}


def flood(path: str, message: Message, connections: int) -> None:
    """Ask this without end, and read the answers."""
    said = b"".join(codec.packet(each, 0, NEWEST) for each in (Auth(version=NEWEST), Subscribe(mask=0x2FF)))
    asking = codec.packet(message, 0, NEWEST) * 1000
    sockets = []
    for _ in range(connections):
        sockets.append(socket.socket(socket.AF_UNIX))
        sockets[-1].connect(path)
        sockets[-1].sendall(said)
        sockets[-1].setblocking(False)
    left = dict.fromkeys(sockets, asking)
    while True:
        readable, writable, _ = select.select(sockets, sockets, [])
        for each in readable:
            each.recv(1 << 20)
        for each in writable:
            with suppress(BlockingIOError):
                left[each] = left[each][each.send(left[each]) :] or asking


@contextmanager
def flooded(path: str, message: Message, connections: int) -> Iterator[None]:
    pid = os.fork()
    if not pid:
        try:
            flood(path, message, connections)
        finally:
            os._exit(1)
    try:
        time.sleep(SETTLED)
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def round_trips(caller: Caller) -> list[float]:
    """Milliseconds of each question, sorted."""
    times, end = [], time.monotonic() + SECONDS
    while time.monotonic() < end:
        begin = time.perf_counter()
        caller.ask(Stat())
        times.append((time.perf_counter() - begin) * 1e3)
        time.sleep(PAUSE)
    return sorted(times)


def row(name: str, times: Sequence[float], use: str) -> str:
    p99 = times[len(times) * 99 // 100]
    return f"| {name} | {statistics.median(times):.2f} | {p99:.2f} | {times[-1]:.1f} | {use} |"


def main() -> None:
    with Stage() as stage:
        desk = stage.desk(upstream="none")
        with Control(desk.runtime) as control:
            for name in ("flooded", "calm"):
                control.open(Opening(name, "null", None, held=True))
            directory = desk.runtime / "outlets"
            caller = Caller.at(f"unix:{directory}/calm/native")
            keeper = Caller.at(f"unix:{directory}/flooded/native")
            worker = desk.list()["flooded"]["worker"]
            print("\n| another outlet is flooded with | median, ms | 99 %, ms | longest, ms | CPU of its worker |")
            print("|---|---|---|---|---|")
            print(row("nothing", round_trips(caller), "0 %"), flush=True)
            for name, (message, connections) in FLOODS.items():
                with flooded(f"{directory}/flooded/native", message, connections):
                    before = cpu([worker])
                    times = round_trips(caller)
                    use = (cpu([worker]) - before) / SECONDS
                print(row(name, times, f"{use:.0%}"), flush=True)
            caller.close()
            keeper.close()


if __name__ == "__main__":
    main()
