"""`make bench`: a question and a connection on an outlet, beside the same on other servers, in the same run.

The program that asks is the same for all and speaks the protocol itself, without shared memory; its own time is part
of every figure. Servers take turns, so that a busy machine is as busy for each.
"""

from __future__ import annotations

import socket
import statistics
import time

from eardrum.protocol.catalog import Auth, GetServerInfo, SetClientName
from eardrum.protocol.conversation import Asking, ErrorReply, Reply
from eardrum.protocol.message import NEWEST, Message
from eardrum.testing.servers import Stage

ROUNDS = 5
QUESTIONS = 2000  # in each round
CONNECTIONS = 200  # in each round, one after the other


class Program:
    """A connection that asks and waits."""

    def __init__(self, address: str) -> None:
        self._asking = Asking()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(address.removeprefix("unix:"))
        self.ask(Auth(version=NEWEST))
        self.ask(SetClientName(proplist={"application.name": b"bench\0"}))

    def ask(self, message: Message) -> None:
        """Wait for the answer to this command. Raises RuntimeError if it is refused."""
        tag, packet = self._asking.ask(message)
        self._socket.sendall(packet)
        while True:
            for heard in self._asking.receive(memoryview(self._socket.recv(65536))):
                if isinstance(heard, ErrorReply):
                    raise RuntimeError(f"{type(message).__name__}: {heard.code.name}")
                if isinstance(heard, Reply) and heard.tag == tag:
                    return

    def close(self) -> None:
        self._socket.close()


def round_trips(address: str) -> list[float]:
    """Seconds of each question."""
    program = Program(address)
    times = []
    for _ in range(QUESTIONS):
        begin = time.perf_counter()
        program.ask(GetServerInfo())
        times.append(time.perf_counter() - begin)
    program.close()
    return times


def connections_per_second(address: str) -> float:
    begin = time.perf_counter()
    for _ in range(CONNECTIONS):
        Program(address).close()
    return CONNECTIONS / (time.perf_counter() - begin)


def main() -> None:
    with Stage() as stage:
        pulseaudio, pipewire = stage.pulseaudio("pulseaudio", "--disable-shm=yes"), stage.pipewire_pulse()
        outlet = stage.desk().open("asked", output="null")
        places = {
            "PulseAudio, directly": pulseaudio.address,
            "pipewire-pulse, directly": pipewire.address,
            "an outlet": outlet.address,
        }
        trips: dict[str, list[float]] = {name: [] for name in places}
        connects: dict[str, list[float]] = {name: [] for name in places}
        for number in range(ROUNDS):
            for name in list(places) if number % 2 == 0 else reversed(places):
                trips[name] += round_trips(places[name])
                connects[name].append(connections_per_second(places[name]))
    print("\n| | GET_SERVER_INFO, median | 99 % below | connections per second |\n|---|---:|---:|---:|")
    for name in places:
        middle, slow = statistics.median(trips[name]), statistics.quantiles(trips[name], n=100)[98]
        print(f"| {name} | {middle * 1e6:.0f} µs | {slow * 1e6:.0f} µs | {statistics.median(connects[name]):.0f} |")
    theirs, ours = (statistics.median(trips[name]) for name in ("PulseAudio, directly", "an outlet"))
    print(f"\nAn outlet's round trip takes {ours / theirs:.2f} of PulseAudio's (at most 1.2, goal 1.0).")


if __name__ == "__main__":
    main()
