"""Clicks that go out of a server's default sink and come back by its default source: how long each was on its way.

As a program it is told address, number of clicks, seconds of latency and source on its command line, and prints the
seconds of each, as JSON, when all came back.
"""

from __future__ import annotations

import json
import random
import socket
import sys
import time

from eardrum.protocol.catalog import (
    Auth,
    CreatePlaybackStream,
    CreateRecordStream,
    PlaybackStreamCreated,
    Request,
    SetClientName,
)
from eardrum.protocol.conversation import Asking, ErrorReply, Reply, Told
from eardrum.protocol.message import NEWEST, Message
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec

SPEC = SampleSpec(SampleFormat.S16LE, 2, 48_000)
CLICK = b"".join(level.to_bytes(2, "little", signed=True) * 2 for level in (24_000, 24_000, -24_000, -24_000)) * 16
LOUD = 8_000
BEGIN_AFTER = 2.0  # seconds
BETWEEN = 0.25, 0.3  # seconds at least and at most, so that no clock of the server is met
LOST_AFTER = 5.0  # seconds


class Loop:
    """A stream that plays and one that records."""

    def __init__(self, address: str, latency: float, source: str | None) -> None:
        self._asking = Asking()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(address.removeprefix("unix:"))
        self._due = time.perf_counter() + BEGIN_AFTER
        self._clicked = 0.0  # when the click that is on its way was sent
        self.taken: list[float] = []
        self._ask(Auth(version=NEWEST))
        self._ask(SetClientName(proplist={"application.name": b"clicks\0"}))
        nbytes = SPEC.bytes_for(int(latency * 1e6))
        level = (VOLUME_NORM, VOLUME_NORM)
        self._ask(
            CreateRecordStream(
                sample_spec=SPEC,
                channel_map=STEREO,
                volume=level,
                source_name=source,
                fragsize=nbytes,
                adjust_latency=True,
            )
        )
        played = self._ask(
            CreatePlaybackStream(
                sample_spec=SPEC,
                channel_map=STEREO,
                volume=level,
                tlength=nbytes,
                adjust_latency=True,
            )
        )
        assert isinstance(played, PlaybackStreamCreated)
        self._write(played.channel, played.missing)

    def _ask(self, message: Message) -> Message:
        """The reply to this command. Raises RuntimeError if it is refused."""
        tag, packet = self._asking.ask(message)
        self._socket.sendall(packet)
        while True:
            for heard in self._asking.receive(memoryview(self._socket.recv(65536))):
                if isinstance(heard, ErrorReply):
                    raise RuntimeError(f"{type(message).__name__}: {heard.code.name}")
                if isinstance(heard, Reply) and heard.tag == tag:
                    return heard.message

    def run(self, count: int) -> None:
        """Until so many clicks came back."""
        self._socket.settimeout(LOST_AFTER)
        while len(self.taken) < count:
            data = self._socket.recv(65536)
            now = time.perf_counter()
            for heard in self._asking.receive(memoryview(data)):
                match heard:
                    case SoundPacket():
                        self._listen(heard.data, now)
                    case Told(message=Request() as request):
                        self._write(request.channel, request.nbytes)

    def _write(self, channel: int, nbytes: int) -> None:
        now = time.perf_counter()
        sound = b""
        if now >= self._due and nbytes >= len(CLICK):
            sound = CLICK
            self._clicked, self._due = now, now + random.uniform(*BETWEEN)
        self._socket.sendall(sound_head(channel, nbytes) + sound.ljust(nbytes, b"\0"))

    def _listen(self, data: memoryview, now: float) -> None:
        if self._clicked and max(memoryview(bytes(data)).cast("h")) > LOUD:
            self.taken.append(now - self._clicked)
            self._clicked = 0.0


def main() -> None:
    address, count, latency, *source = sys.argv[1:]
    loop = Loop(address, float(latency), *source or (None,))
    loop.run(int(count))
    print(json.dumps(loop.taken))


if __name__ == "__main__":
    main()
