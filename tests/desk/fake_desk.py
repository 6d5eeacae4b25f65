"""A real desk and nursery whose workers only do what their clients tell them: `fake_desk.py RUNTIME [UPSTREAM]`.

Its configuration is what EARDRUM_CONFIG names, if anything.

A worker greets each connection with a JSON line about itself, one that it is given with how. Then it obeys lines:

    nothing         do nothing
    knobs           tell what the person had set at the start, and the last that the desk said since
    want WIRE       ask the desk for an upstream, and tell what came; want WIRE NUMBER for one beside it
    withdraw WIRE   want it no more
    hear            tell what came next
    counts A B C    tell the desk these counts
    write TEXT      append to the file of a `file:` end
    say HEX         say this packet to the desk
    flood N         say N records at once
    cut [NUMBER]    read from the first upstream, or another
    hang up         close the link to the desk, and live on
    spoil           shut the listening socket down, which the desk has too, and end
    die             end by a signal
    fail            end by a bug
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from eardrum.desk.config import Config, read
from eardrum.desk.main import run_desk
from eardrum.kernel import seqpacket
from eardrum.worker.nursery import Serve
from eardrum.worker.records import FROM_DESK, RECORD_BYTES, Kind, Record, end_from_pipe, parse
from eardrum.worker.spec import GateSpec, OutletSpec, WorkerSpec


class FakeOutlet:
    def __init__(self, spec: OutletSpec, descriptors: Sequence[int]) -> None:
        self.spec = spec
        self.descriptors = descriptors
        self.link = socket.socket(fileno=descriptors[0])
        self.listening = socket.socket(fileno=descriptors[1])
        self.listening.setblocking(False)
        self.clients: dict[int, socket.socket] = {}
        self.poll = select.poll()
        self.poll.register(self.link, select.POLLIN)
        self.poll.register(self.listening, select.POLLIN)
        self.alone = False
        self.kept: list[socket.socket] = []
        self.heard: deque[tuple[Record, list[int]]] = deque()  # that nobody has asked for yet
        self.turned: Record | None = None

    def say(self, kind: Kind, *numbers: int) -> None:
        seqpacket.send(self.link, bytes(Record(kind, *numbers)))

    def hear(self) -> tuple[Record | None, list[int]]:
        try:
            packet, descriptors = seqpacket.receive(self.link, RECORD_BYTES, 1)
        except ConnectionResetError:  # the desk was killed before it had heard all
            packet, descriptors = b"", []
        return (parse(packet, FROM_DESK) if packet else None), descriptors

    def serve(self) -> None:
        self.say(Kind.READY)
        while not (self.alone and not self.clients):
            for ready, _ in self.poll.poll():
                if ready == self.listening.fileno():
                    self.greet()
                elif ready in self.clients:
                    self.obey(self.clients[ready])
                else:
                    kind = self.heed()
                    if kind is Kind.RETIRE and self.clients:
                        self.say(Kind.STAYS)
                    elif kind in (Kind.FINISH, Kind.RETIRE):
                        self.say(Kind.FINISHED)
                        return

    def greet(self) -> None:
        try:
            client, _ = self.listening.accept()
        except BlockingIOError:
            return
        self.admit(client)
        about = {
            "pid": os.getpid(),
            "spec": [self.spec.name, self.spec.output, self.spec.input],
            "descriptors": len(list(Path("/proc/self/fd").iterdir())) - 1,
            "comm": Path("/proc/self/comm").read_text().strip(),
        }
        client.sendall(json.dumps(about).encode() + b"\n")

    def admit(self, client: socket.socket) -> None:
        self.clients[client.fileno()] = client
        self.poll.register(client, select.POLLIN)

    def obey(self, client: socket.socket) -> None:
        line = client.recv(4096).decode()
        if not line:
            self.poll.unregister(client)
            del self.clients[client.fileno()]
            client.close()
            return
        verb, *words = line.split()
        getattr(self, f"do_{verb}")(client, *words)
        client.sendall(b"done\n")

    def heed(self) -> Kind | None:
        record, descriptors = self.hear()
        if record is None:
            self.alone = True
            self.poll.unregister(self.link)
            return None
        if record.kind is Kind.ATTACH:
            client = socket.socket(fileno=descriptors[0])
            client.setblocking(True)
            client.sendall(f"ATTACH {record.a} {record.b}\n".encode())
            self.admit(client)
        elif record.kind in (Kind.UPSTREAM, Kind.NO_UPSTREAM, Kind.REWIRE):
            self.heard.append((record, descriptors))
        if record.kind is Kind.KNOB:
            self.turned = record
        return record.kind

    def do_want(self, client: socket.socket, wire: str, number: str = "0") -> None:
        self.say(Kind.WANT, int(wire), 1, int(number))
        self.do_hear(client)

    def do_withdraw(self, client: socket.socket, wire: str) -> None:
        self.say(Kind.WANT, int(wire), 0)

    def do_hear(self, client: socket.socket) -> None:
        record, descriptors = self.heard.popleft() if self.heard else self.hear()
        assert record
        said = f"{record.kind.name} {record.a} {record.b}" + (f" number={record.c}" if record.c else "")
        if record.kind is Kind.REWIRE:
            said = f"REWIRE {record.a} {end_from_pipe(record.a, descriptors[0])}"
        elif descriptors:
            upstream = socket.socket(fileno=descriptors[0])
            said += f" blocking={os.get_blocking(descriptors[0])}"
            upstream.setblocking(True)
            said += f" {upstream.recv(100).decode()}"
            self.kept.append(upstream)
        client.sendall(said.encode() + b"\n")

    def do_knobs(self, client: socket.socket) -> None:
        knobs = [knob and [knob.volume, knob.muted] for knob in (self.spec.output_knob, self.spec.input_knob)]
        client.sendall(json.dumps([knobs, self.turned and self.turned[1:]]).encode() + b"\n")

    def do_nothing(self, client: socket.socket) -> None:
        pass

    def do_cut(self, client: socket.socket, which: str = "0") -> None:
        client.sendall(f"{self.kept[int(which)].recv(1)!r}\n".encode())

    def do_counts(self, client: socket.socket, *counts: str) -> None:
        self.say(Kind.COUNTS, *map(int, counts))

    def do_write(self, client: socket.socket, text: str) -> None:
        os.write(self.descriptors[2], text.encode())

    def do_say(self, client: socket.socket, packet: str) -> None:
        seqpacket.send(self.link, bytes.fromhex(packet))

    def do_flood(self, client: socket.socket, number: str) -> None:
        for _ in range(int(number)):
            self.say(Kind.COUNTS, 1)

    def do_hang(self, client: socket.socket, up: str) -> None:
        self.poll.unregister(self.link)
        self.link.close()

    def do_spoil(self, client: socket.socket) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        os._exit(0)

    def do_fail(self, client: socket.socket) -> None:
        raise ZeroDivisionError

    def do_die(self, client: socket.socket) -> None:
        os.kill(os.getpid(), signal.SIGABRT)


def serve_room(name: str, link: socket.socket) -> None:
    """Tell each outlet that is attached who it is; the room `meddler` also asks for what no room has."""
    seqpacket.send(link, bytes(Record(Kind.READY)))
    attached: list[socket.socket] = []
    while True:
        packet, descriptors = seqpacket.receive(link, RECORD_BYTES, 1)
        if not packet:
            return
        record = parse(packet, FROM_DESK)
        if record.kind is Kind.FINISH:
            return
        if name == "meddler":
            seqpacket.send(link, bytes(Record(Kind.WANT, 0, 1)))
        attached.append(socket.socket(fileno=descriptors[0]))
        attached[-1].sendall(f"room={name} outlet={record.a} rights={record.b} pid={os.getpid()}".encode())


def load() -> Serve:
    if os.environ.get("FAKE_NURSERY") == "broken":
        raise ImportError("broken")
    from eardrum.worker import gate  # numpy comes along, which the desk must not have

    def serve(spec: WorkerSpec, descriptors: Sequence[int]) -> None:
        if isinstance(spec, OutletSpec):
            if spec.name == "stillborn":
                raise RuntimeError("stillborn")
            FakeOutlet(spec, descriptors).serve()
        elif isinstance(spec, GateSpec):
            gate.serve(spec, descriptors[0])
        else:
            serve_room(spec.name, socket.socket(fileno=descriptors[0]))

    return serve


def ready(host: str) -> None:
    """One line for the test: that it serves, and what a desk must not have."""
    foreign = [name for name in ("numpy", "soxr", "soundfile") if name in sys.modules]
    print(json.dumps({"imported": foreign, "threads": threading.active_count()}), flush=True)


if __name__ == "__main__":
    named = os.environ.get("EARDRUM_CONFIG")
    config = read(Path(named)) if named else Config()
    sys.exit(run_desk(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None, ready, config, load=load))
