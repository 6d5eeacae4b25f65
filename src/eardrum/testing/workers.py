"""Real workers, forked from a real nursery and confined so that a forbidden call ends them, and programs that talk to
them over real sockets. The part of the desk is the test's: it has the other end of each worker's link.
"""

from __future__ import annotations

import itertools
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from eardrum.kernel import seqpacket
from eardrum.kernel.confinement import ENVIRONMENT
from eardrum.protocol.catalog import (
    Ack,
    Auth,
    ClientNamed,
    CreatePlaybackStream,
    CreateRecordStream,
    DrainPlaybackStream,
    GetSinkInfo,
    GetSourceInfo,
    PlaybackStreamCreated,
    RecordStreamCreated,
    Request,
    SetClientName,
    SinkInfo,
    SourceInfo,
)
from eardrum.protocol.conversation import Asking, Command, ErrorReply, Reply, Serving, Told
from eardrum.protocol.message import NEWEST, NO_TAG, Message
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.server.events import OWN_VIEW
from eardrum.server.rights import Right
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.worker import nursery
from eardrum.worker.records import FROM_WORKER, RECORD_BYTES, Kind, Record, parse
from eardrum.worker.spec import GateSpec, OutletSpec, RoomSpec, WorkerSpec

DEADLINE = 20.0  # seconds
PATIENCE = 0.3  # seconds after which a worker that does not read is taken not to
S16 = SampleSpec(SampleFormat.S16LE, 2, 48000)
ALL = Right.CONNECT | Right.LOOK | Right.PLAY | Right.RECORD
_DEVICE = {"description": "", "sample_spec": S16, "channel_map": STEREO, "volume": (0, 0), "muted": False, "driver": ""}
_DEVICES: dict[type[Message], Message] = {
    GetSinkInfo: SinkInfo(index=8, name="ear", **_DEVICE),  # type: ignore[arg-type]
    GetSourceInfo: SourceInfo(index=7, name="mic", **_DEVICE),  # type: ignore[arg-type]
}
_START = """
import os, socket
from eardrum.kernel import seqpacket
from eardrum.worker import nursery
one = nursery.start()
with one.socket:
    seqpacket.send(socket.socket(fileno=0), b"ready", [one.socket.fileno()])
os.waitpid(one.pid, 0)
"""


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for the condition; an AssertionError that names `what` at the deadline."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.005)


class Workers:
    """A nursery, which runs in a process that has imported nothing else, and its workers."""

    def __init__(self, directory: Path) -> None:
        """`directory` is short enough for sockets to have a path in it."""
        self._directory = directory
        self._numbers = 0
        self.ended: dict[int, int] = {}  # exit status by number
        self._forked: dict[int, int] = {}  # pid by number
        sources = str(Path(nursery.__file__).parents[2])
        ours, theirs = seqpacket.pair()
        with ours, theirs:
            environment = {**os.environ, "PYTHONPATH": sources, ENVIRONMENT: "kill"}
            self._starter = subprocess.Popen([sys.executable, "-c", _START], stdin=theirs.fileno(), env=environment)
            ours.settimeout(DEADLINE)
            _, (descriptor,) = seqpacket.receive(ours, 16, 1)
        self._link = socket.socket(fileno=descriptor)
        self._link.settimeout(DEADLINE)
        packet, _ = seqpacket.receive(self._link, nursery.REPORT_BYTES)
        assert nursery.parse_report(packet).told is nursery.Told.READY

    def close(self) -> None:
        """End the nursery; its workers go on until their last connection is gone."""
        self._link.close()
        self._starter.wait(DEADLINE)

    def outlet(self, output: str = "null", input: str = "", *, file: Path | None = None, **more: Any) -> Worker:
        """A worker of an outlet; `more` goes into its spec."""
        path = self._directory / f"{self._numbers + 1}"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen(512)
            files = [] if file is None else [os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)]
            worker = self._grow(OutletSpec("box", output, input, **more), [listening.fileno(), *files], path)
            for descriptor in files:
                os.close(descriptor)
        return worker

    def room(self) -> Worker:
        """A worker of a room."""
        return self._grow(RoomSpec("studio"), [], None)

    def gate(self, **more: Any) -> Worker:
        """The gate of an outlet; `more` goes into its spec."""
        return self._grow(GateSpec("box", **more), [], None)

    def _grow(self, spec: WorkerSpec, descriptors: Sequence[int], path: Path | None) -> Worker:
        self._numbers += 1
        number = self._numbers
        ours, theirs = seqpacket.pair()
        with theirs:
            seqpacket.send(self._link, nursery.order(number, spec), [theirs.fileno(), *descriptors])
        while number not in self._forked:
            self.hear()
        worker = Worker(self, number, self._forked[number], ours, path)
        worker.hears(Kind.READY)
        return worker

    def hear(self) -> None:
        """The nursery's next report."""
        packet, descriptors = seqpacket.receive(self._link, nursery.REPORT_BYTES, 1)
        report = nursery.parse_report(packet)
        known = self._forked if report.told is nursery.Told.FORKED else self.ended
        known[report.number] = report.value
        for descriptor in descriptors:
            os.close(descriptor)

    def hear_what_came(self) -> None:
        """All reports that are there."""
        while select.select([self._link], [], [], 0)[0]:
            self.hear()


class Worker:
    """One worker: `link` is the desk's end, `path` the outlet's socket."""

    def __init__(self, workers: Workers, number: int, pid: int, link: socket.socket, path: Path | None) -> None:
        self._workers = workers
        self._number = number
        self.pid = pid
        self.link = link
        self.path = path
        self.heard: list[Record] = []

    def hears(self, kind: Kind) -> Record:
        """What the worker says next to the desk of this kind."""
        while True:
            assert select.select([self.link], [], [], DEADLINE)[0], f"the worker does not say {kind.name}"
            record = parse(seqpacket.receive(self.link, RECORD_BYTES)[0], FROM_WORKER)
            self.heard.append(record)
            if record.kind is kind:
                return record

    def says(self, record: Record, descriptors: Sequence[int] = ()) -> None:
        """Tell the worker something as the desk."""
        seqpacket.send(self.link, bytes(record), descriptors)

    def connect(self) -> socket.socket:
        """A connection that has said nothing yet."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self.path))
        return connection

    def join(self, version: int = NEWEST) -> Caller:
        """A program that has said AUTH and its name."""
        return Caller.join(self.connect(), version)

    def attach(self, view: int = OWN_VIEW, rights: Right = ALL) -> Caller:
        """Another outlet's worker, in a room."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.says(Record(Kind.ATTACH, view, rights.value), [theirs.fileno()])
        return Caller(ours, NEWEST)

    @property
    def status(self) -> int | None:
        """How it ended; None while it lives."""
        self._workers.hear_what_came()
        return self._workers.ended.get(self._number)

    def ends(self) -> int:
        """How it ended, when it has."""
        until(lambda: self.status is not None, "the end of the worker")
        return self._workers.ended[self._number]

    def descriptors(self) -> int:
        """How many it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def memory(self) -> int:
        """KiB that are its own and nobody else's."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))

    def close(self) -> None:
        """Let it go: it ends when its last connection is gone."""
        self.link.close()


class Caller:
    """A program on a real connection: what it asks, is told and records."""

    def __init__(self, connection: socket.socket, version: int = 8) -> None:
        self.socket = connection
        self.socket.settimeout(DEADLINE)
        self.asking = Asking(version)
        self.answers: dict[int, Message | PulseError] = {}
        self.told: list[Message] = []
        self.sound: dict[int, bytearray] = {}
        self.ended = False
        self.groups = itertools.count()

    @classmethod
    def join(cls, connection: socket.socket, version: int = NEWEST) -> Caller:
        """A program that has said AUTH and its name."""
        caller = cls(connection)
        assert not isinstance(caller.ask(Auth(version=version)), PulseError)
        caller.ask(SetClientName(name="caller", proplist={"application.name": b"caller\0"}))
        return caller

    @classmethod
    def at(cls, address: str) -> Caller:
        """A program at a server, whose address is as in PULSE_SERVER."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address.removeprefix("unix:"))
        return cls.join(connection)

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def say(self, message: Message) -> int:
        """Ask and do not wait; returns the tag."""
        tag, packet = self.asking.ask(message)
        self.socket.sendall(packet)
        return tag

    def ask(self, message: Message) -> Any:
        """Ask; returns the reply or the error."""
        return self.answer(self.say(message))

    def answer(self, tag: int) -> Any:
        """The reply or the error to what was asked with this tag."""
        self.until(lambda: tag in self.answers, f"the answer {tag}")
        return self.answers.pop(tag)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Hear until the condition is true; an AssertionError that names `what` if the connection ends before."""
        while not condition():
            assert not self.ended, f"the connection ended before {what}"
            self.hear()

    def ends(self) -> bool:
        """True once the worker has ended the connection."""
        while not self.ended:
            self.hear()
        return True

    def hear(self) -> None:
        """What comes next, or the end."""
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionError:
            data = b""
        if not data:
            self.ended = True
        for item in self.asking.receive(memoryview(data)):
            match item:
                case SoundPacket():
                    self.sound.setdefault(item.channel, bytearray()).extend(item.data)
                case Reply():
                    self.answers[item.tag] = item.message
                case ErrorReply():
                    self.answers[item.tag] = item.code
                case Told():
                    self.told.append(item.message)

    def tell_all(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.told if isinstance(message, kind)]

    def play(self, spec: SampleSpec = S16, **fields: Any) -> PlaybackStreamCreated:
        fields = {"channel_map": STEREO, "volume": (VOLUME_NORM,) * 2, **fields}
        reply = self.ask(CreatePlaybackStream(**{"sample_spec": spec, "sync_id": next(self.groups), **fields}))
        assert isinstance(reply, PlaybackStreamCreated), reply
        return reply

    def record(self, spec: SampleSpec = S16, **fields: Any) -> RecordStreamCreated:
        fields = {"channel_map": STEREO, **fields}
        reply = self.ask(CreateRecordStream(sample_spec=spec, **fields))
        assert isinstance(reply, RecordStreamCreated), reply
        return reply

    def write(self, channel: int, samples: bytes) -> None:
        self.socket.sendall(sound_head(channel, len(samples)) + samples)

    def play_all(self, samples: bytes, **fields: Any) -> None:
        """Play this as paplay does: as much as is asked for, and a drain at the end."""
        stream = self.play(**fields)
        position = 0
        while position < len(samples):
            more = stream.missing + self.requested(stream.channel) - position
            if more > 0:
                self.write(stream.channel, samples[position : position + more])
                position += more
            else:
                self.hear()
                assert not self.ended, "the connection ended"
        assert self.ask(DrainPlaybackStream(channel=stream.channel)) == Ack()

    def requested(self, channel: int) -> int:
        """Bytes it was asked for beyond what the reply allowed."""
        return sum(request.nbytes for request in self.tell_all(Request) if request.channel == channel)


class Upstream:
    """A server that the test plays, on the connection with this number that the worker was given for a wire; with the
    device at its end, or not.
    """

    def __init__(self, worker: Worker, wire: int, number: int = 0, *, has_device: bool = True) -> None:
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(DEADLINE)
        self.has_device = has_device
        self.serving = Serving(35)
        self.sound = b""
        self._heard: list[Command] = []
        with theirs:
            self.give(worker, wire, number, theirs)

    def give(self, worker: Worker, wire: int, number: int, connection: socket.socket) -> None:
        """Let the worker have the other end."""
        worker.says(Record(Kind.UPSTREAM, wire, 35, number), [connection.fileno()])

    def hears(self, kind: type[Message]) -> Command:
        """The next command of this kind; sound is kept."""
        while True:
            for command in self._heard:
                if isinstance(command.message, kind):
                    self._heard.remove(command)
                    return command
            self.hear()

    def hear(self) -> None:
        """What comes next."""
        data = self.socket.recv(1 << 20)
        assert data, "the worker has gone"
        for item in self.serving.receive(memoryview(data)):
            if isinstance(item, SoundPacket):
                self.sound += bytes(item.data)
            else:
                self._heard.append(item)
                if isinstance(item.message, SetClientName):
                    self.says(ClientNamed(index=1), item.tag)
                if self.has_device and type(item.message) in _DEVICES:
                    self.says(_DEVICES[type(item.message)], item.tag)

    def refuses(self, kind: type[Message]) -> None:
        """The next command of this kind."""
        self.socket.sendall(self.serving.refuse(self.hears(kind).tag, PulseError.NOENTITY))

    def says(self, message: Message, tag: int = NO_TAG) -> None:
        """Say it, as the answer to the command with this tag if there is one."""
        self.socket.sendall(self.serving.say(message, tag))

    def refuses_a_stream(self, error: PulseError) -> None:
        """The next playback stream that is asked for."""
        self.socket.sendall(self.serving.refuse(self.hears(CreatePlaybackStream).tag, error))

    def makes_a_stream(self, channel: int = 5) -> None:
        """The next playback stream that is asked for, with 100 000 bytes wanted."""
        create = self.hears(CreatePlaybackStream)
        made = PlaybackStreamCreated(
            channel=channel, sink_input=6, missing=100_000, maxlength=1 << 22, tlength=100_000, prebuf=4, minreq=4
        )
        self.says(made, create.tag)


def floods(connection: socket.socket, packets: bytes) -> int:
    """Send this again and again, and read nothing, until the worker has read no more for a while; the bytes sent."""
    connection.setblocking(False)
    sent = 0
    while select.select([], [connection], [], PATIENCE)[1]:
        with suppress(BlockingIOError):
            sent += connection.send(packets[sent % len(packets) :])
    connection.settimeout(DEADLINE)
    return sent


def ends_at_once(connection: socket.socket) -> bool:
    """Whether the worker has ended the connection, whatever it said before."""
    connection.settimeout(DEADLINE)
    with suppress(ConnectionError, RemoteProtocolError):
        while connection.recv(1 << 20):
            pass
    return True
