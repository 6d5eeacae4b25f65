"""A real worker under attack, and a bystander that plays and listens all the while and must not notice."""

from __future__ import annotations

import select
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from eardrum.protocol.catalog import Auth, Stat, StatReply, Underflow
from eardrum.server.rights import Right
from eardrum.testing.workers import ALL, S16, Caller, Worker, Workers, until

PLAY = Right.CONNECT | Right.LOOK | Right.PLAY
HEAR = Right.CONNECT | Right.LOOK | Right.RECORD
FRAME = S16.frame_bytes
BUFFER = 48000 * FRAME  # a second: on a busy machine the bystander itself may come late
FEW_MIB = 4096  # KiB


def pattern(start: int, frames: int) -> bytes:
    """Frames of a sound that never repeats within a minute and has no silent frame."""
    n = np.arange(start, start + frames)
    return np.stack([(n * 31 + 7) % 32749 + 1, n // 32749 + 1], axis=1).astype("<i2").tobytes()


class Bystander(threading.Thread):
    """Plays the pattern and records it; notes the first thing that is wrong."""

    def __init__(self, player: Caller, listener: Caller, source: str) -> None:
        super().__init__(daemon=True)
        self.frames = 0  # heard, and right
        self.wrong = ""
        self._player, self._listener = player, listener
        self._ear, self._word = socket.socketpair()
        listener.record(source_name=source, fragsize=1920)
        self._stream = player.play(tlength=BUFFER, prebuf=FRAME, minreq=4800)
        self._played = 0

    def run(self) -> None:
        try:
            while not self.wrong:
                self._feed()
                callers = [self._player, self._listener]
                ready, _, _ = select.select([self._ear, *(caller.socket for caller in callers)], [], [])
                if self._ear in ready:
                    return
                for caller in callers:
                    if caller.socket in ready:
                        caller.hear()
                self._check()
        except Exception as error:
            self.wrong = repr(error)

    def _feed(self) -> None:
        more = self._stream.missing + self._player.requested(self._stream.channel) - self._played * FRAME
        if more > 0:
            self._player.write(self._stream.channel, pattern(self._played, more // FRAME))
            self._played += more // FRAME

    def _check(self) -> None:
        heard = self._listener.sound.pop(0, bytearray())
        if not self.frames:
            heard = heard[len(heard) - len(heard.lstrip(b"\0")) :]
        if heard != pattern(self.frames, len(heard) // FRAME):
            self.wrong = f"other sound than was played after {self.frames} frames"
        self.frames += len(heard) // FRAME
        if self._player.tell_all(Underflow):
            self.wrong = "an underrun"
        if self._player.ended or self._listener.ended:
            self.wrong = "its connection ended"

    def goes_on(self) -> None:
        """It still hears what it plays, without a gap since it began."""
        before = self.frames
        until(lambda: bool(self.wrong) or self.frames > before + 960, "the bystander to hear more")
        assert not self.wrong, f"the bystander noticed: {self.wrong}"

    def close(self) -> None:
        self._word.close()
        self.join()
        self._ear.close()


@dataclass
class Victim:
    """A worker and how its attackers reach it."""

    worker: Worker
    bystander: Bystander
    is_room: bool

    def connect(self) -> socket.socket:
        """An attacker's connection; one to an outlet has said nothing yet."""
        return self.worker.attach(1).socket if self.is_room else self.worker.connect()

    def join(self) -> Caller:
        """An attacker that has said AUTH."""
        caller = self.worker.attach(1, ALL) if self.is_room else Caller(self.worker.connect())
        caller.ask(Auth(version=35))
        return caller


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    with tempfile.TemporaryDirectory(prefix="eardrum-") as directory:
        workers = Workers(Path(directory))
        yield workers
        workers.close()


@pytest.fixture(scope="module", params=["outlet", "room"])
def attacked(workers: Workers, request: pytest.FixtureRequest) -> Iterator[Victim]:
    """One worker for all attacks of a file: what one leaves behind the next one finds."""
    is_room = request.param == "room"
    if is_room:
        worker = workers.room()
        callers = worker.attach(101, PLAY), worker.attach(102, HEAR)
    else:
        worker = workers.outlet()
        callers = worker.join(), worker.join()
    bystander = Bystander(*callers, "input" if is_room else "output.monitor")
    bystander.start()
    yield Victim(worker, bystander, is_room)
    bystander.close()
    for caller in callers:
        caller.close()
    worker.close()
    assert worker.ends() == 0


@pytest.fixture
def victim(attacked: Victim) -> Iterator[Victim]:
    """The worker; afterwards it must be as it was, and the bystander must have heard everything."""
    descriptors, memory = attacked.worker.descriptors(), attacked.worker.memory()
    yield attacked
    until(lambda: attacked.worker.status is not None or attacked.worker.descriptors() <= descriptors, "few descriptors")
    assert attacked.worker.status is None
    with attacked.join() as later:
        assert later.ask(Stat()) == StatReply()
    until(lambda: attacked.worker.memory() - memory < FEW_MIB, "its memory to be what it was")
    attacked.bystander.goes_on()
