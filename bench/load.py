"""Load for a sound server: many connections in one process, a playback stream on each, which answers every REQUEST at
once with samples that lie ready.

As a program it is told a Load as JSON and prints READY when all streams play. A line on standard input begins the
measuring; at the end of standard input it prints what it measured, as JSON, and ends.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time
from dataclasses import asdict, dataclass
from functools import cached_property

from eardrum.protocol.catalog import (
    Auth,
    CreatePlaybackStream,
    PlaybackStreamCreated,
    Request,
    SetClientName,
    Started,
    Underflow,
)
from eardrum.protocol.conversation import Asking, ErrorReply, Reply, Told
from eardrum.protocol.message import NEWEST, Message
from eardrum.protocol.packets import DESCRIPTOR_BYTES, sound_head
from eardrum.terms.audio import INVALID, STEREO, VOLUME_NORM, SampleFormat, SampleSpec

SOUND_BYTES = 2 * 1024 * 1024
SOUNDS = {  # what is played in each format: noise at full scale, and for floats what is no sound but no silence either
    SampleFormat.S16LE: os.urandom(SOUND_BYTES),
    SampleFormat.FLOAT32LE: struct.pack("<f", 0.01) * (SOUND_BYTES // 4),
}
READ_BYTES = 4096
_LENGTH = struct.Struct(">I")
_REQUEST = struct.Struct(">xIxI")  # channel and bytes, behind command and tag
_REQUEST_HEAD = b"L" + _LENGTH.pack(Request.CODE)
_ONE_REQUEST = DESCRIPTOR_BYTES + 10 + _REQUEST.size


@dataclass(frozen=True)
class Load:
    """What is to be played, a connection for each stream."""

    address: str  # as in PULSE_SERVER; several, with commas between them, get a stream each in turn
    streams: int
    rate: int = 48_000  # Hz
    latency: float = 0.02  # seconds, with ADJUST_LATENCY; 0: the server's default buffer
    channels: int = 2
    format: SampleFormat = SampleFormat.S16LE

    @cached_property
    def spec(self) -> SampleSpec:
        return SampleSpec(self.format, self.channels, self.rate)


@dataclass
class Measured:
    """What happened to all streams together."""

    seconds: float = 0.0
    packets: int = 0
    asked: int = 0  # bytes
    underflows: int = 0
    speed: float = 0.0  # 1: as much as time has passed


class Generator:
    """All the streams of a load."""

    def __init__(self, load: Load) -> None:
        self._spec = load.spec
        self._sound = SOUNDS[load.format]
        self._load = load
        self._epoll = select.epoll()
        self._connections: dict[int, tuple[socket.socket, Asking]] = {}
        self._held: dict[int, bytes] = {}  # by descriptor, the beginning of a packet
        self._packets: dict[tuple[int, int], bytes] = {}  # by channel and bytes of sound
        self._playing = 0
        self._found = Measured()
        addresses = load.address.split(",")
        for number in range(load.streams):
            self._connect(addresses[number % len(addresses)])

    def _connect(self, address: str) -> None:
        connection, asking = socket.socket(socket.AF_UNIX), Asking()
        connection.connect(address.removeprefix("unix:"))
        for message in (Auth(version=NEWEST), SetClientName(proplist={"application.name": b"load\0"})):
            connection.sendall(asking.ask(message)[1])
            while not asking.receive(memoryview(connection.recv(65536))):
                pass
        self._connections[connection.fileno()] = connection, asking
        self._epoll.register(connection.fileno(), select.EPOLLIN)

    def run(self) -> Measured:
        """Play until standard input ends."""
        create = CreatePlaybackStream(
            sample_spec=self._spec,
            channel_map=STEREO if self._load.channels == 2 else bytes(range(1, self._load.channels + 1)),
            volume=(VOLUME_NORM,) * self._load.channels,
            tlength=self._spec.bytes_for(int(self._load.latency * 1e6)) if self._load.latency else INVALID,
            adjust_latency=bool(self._load.latency),
            proplist={"media.name": b"load\0"},
        )
        for connection, asking in self._connections.values():
            connection.sendall(asking.ask(create)[1])
        self._epoll.register(0, select.EPOLLIN)
        begin = time.monotonic()
        while True:
            for descriptor, _ in self._epoll.poll():
                if descriptor:
                    self._hear(descriptor)
                elif os.read(0, 1):
                    self._found, begin = Measured(), time.monotonic()
                else:
                    return self._result(time.monotonic() - begin)

    def _result(self, seconds: float) -> Measured:
        found = self._found
        found.seconds = seconds
        found.speed = found.asked / (self._spec.bytes_for(1_000_000) * seconds * self._load.streams)
        return found

    def _hear(self, descriptor: int) -> None:
        connection, asking = self._connections[descriptor]
        data = connection.recv(READ_BYTES)
        if len(data) == _ONE_REQUEST and data.startswith(_REQUEST_HEAD, DESCRIPTOR_BYTES) and not self._held:
            self._write(connection, *_REQUEST.unpack_from(data, DESCRIPTOR_BYTES + 10))
            return
        if not data:
            raise RuntimeError("the server ended a connection")
        data = self._held.pop(descriptor, b"") + data
        position = 0
        while position + DESCRIPTOR_BYTES <= len(data):
            start = position + DESCRIPTOR_BYTES
            end = start + _LENGTH.unpack_from(data, position)[0]
            if end > len(data):
                break
            if data.startswith(_REQUEST_HEAD, start):
                self._write(connection, *_REQUEST.unpack_from(data, start + 10))
            else:
                for heard in asking.receive(memoryview(data)[position:end]):
                    self._take(connection, heard)
            position = end
        if position < len(data):
            self._held[descriptor] = data[position:]

    def _write(self, connection: socket.socket, channel: int, nbytes: int) -> None:
        self._found.asked += nbytes
        self._found.packets += 1
        packet = self._packets.get((channel, nbytes))
        if packet is None:
            packet = self._packets[channel, nbytes] = sound_head(channel, nbytes) + self._sound[:nbytes]
        if connection.send(packet) < len(packet):
            raise RuntimeError("the server does not read")

    def _take(self, connection: socket.socket, heard: object) -> None:
        match heard:
            case ErrorReply():
                raise RuntimeError(f"refused: {heard.code.name}")
            case Reply(message=PlaybackStreamCreated() as created):
                self._write(connection, created.channel, created.missing)
            case Told(message):
                self._told(message)

    def _told(self, message: Message) -> None:
        if isinstance(message, Underflow):
            self._found.underflows += 1
        elif isinstance(message, Started):
            self._playing += 1
            if self._playing == self._load.streams:
                print("READY", flush=True)


def main() -> None:
    print(json.dumps(asdict(Generator(Load(**json.loads(sys.argv[1]))).run())), flush=True)


if __name__ == "__main__":
    main()
