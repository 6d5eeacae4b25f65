"""Attacks on outlets and on single workers, and a bystander that plays and listens meanwhile and must not notice."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from eardrum.protocol.catalog import Auth, Stat, StatReply
from eardrum.server.rights import Right
from eardrum.testing.arena import BACKENDS, Arena
from eardrum.testing.bystander import Bystander
from eardrum.testing.packages import missing_packages, packages_advice
from eardrum.testing.servers import Stage
from eardrum.testing.workers import ALL, Caller, Worker, Workers, until

PLAY = Right.CONNECT | Right.LOOK | Right.PLAY
HEAR = Right.CONNECT | Right.LOOK | Right.RECORD
FEW_MIB = 4096  # KiB


@dataclass
class Victim:
    """A worker and how its attackers reach it."""

    worker: Worker
    bystander: Bystander
    is_room: bool

    @property
    def backend(self) -> str:
        return "room" if self.is_room else "outlet"

    def connect(self) -> socket.socket:
        """An attacker's connection; one to an outlet has said nothing yet."""
        return self.worker.attach(1).socket if self.is_room else self.worker.connect()

    def join(self) -> Caller:
        """An attacker that has said AUTH."""
        caller = self.worker.attach(1, ALL) if self.is_room else Caller(self.worker.connect())
        caller.ask(Auth(version=35))
        return caller

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """An attack takes place within; afterwards everything must be as it was."""
        descriptors, memory = self.worker.descriptors(), self.worker.memory()
        yield
        until(lambda: self.worker.status is not None or self.worker.descriptors() <= descriptors, "few descriptors")
        assert self.worker.status is None
        with self.join() as later:
            assert later.ask(Stat()) == StatReply()
        until(lambda: self.worker.memory() - memory < FEW_MIB, "its memory to be what it was")
        self.bystander.goes_on()


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    with tempfile.TemporaryDirectory(prefix="eardrum-") as directory:
        workers = Workers(Path(directory))
        yield workers
        workers.close()


@contextlib.contextmanager
def single(workers: Workers, *, is_room: bool) -> Iterator[Victim]:
    """A worker without a desk."""
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


@pytest.fixture(scope="session")
def arenas() -> Iterator[dict[str, Arena]]:
    """By back end, those that were needed so far: they stay until all tests are done."""
    made: dict[str, Arena] = {}
    yield made
    with contextlib.ExitStack() as ends:
        for arena in made.values():
            ends.callback(arena.desk.stage.close)
            ends.callback(arena.close)


@pytest.fixture(scope="module", params=["outlet", "room"])
def attacked(arenas: dict[str, Arena], workers: Workers, request: pytest.FixtureRequest) -> Iterator[Victim | Arena]:
    """What is attacked: `outlet` and `room`, a worker without a desk; or outlets of one before each of `BACKENDS`.

    It is one for all attacks of a file: what one leaves behind the next one finds.
    """
    if request.param in BACKENDS:
        if request.param not in arenas:
            if missing := missing_packages():
                pytest.fail(packages_advice(missing), pytrace=False)
            with contextlib.ExitStack() as failed:
                stage = failed.enter_context(Stage())
                arenas[request.param] = Arena(stage, request.param)
                failed.pop_all()
        yield arenas[request.param]
    else:
        with single(workers, is_room=request.param == "room") as victim:
            yield victim


@pytest.fixture
def victim(attacked: Victim | Arena) -> Iterator[Victim | Arena]:
    """The same for one attack; afterwards it must be as it was, and the bystander must have heard everything."""
    with attacked.watched():
        yield attacked
