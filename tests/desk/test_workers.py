"""A worker may have been taken over: what it may say to the desk, and how often."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time

import pytest

from eardrum.desk import workers
from eardrum.desk.outlet import SPACING
from eardrum.desk.workers import Worker
from eardrum.kernel import seqpacket
from eardrum.worker.records import RECORD_BYTES, Kind, Record


@pytest.fixture
def visitor(desk):
    desk.open("radio")
    visitor = desk.visit("radio")
    visitor.about()
    return visitor


def packet(kind: int, *numbers: int) -> str:
    return bytes(Record(kind, *numbers)).hex()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (packet(Kind.FINISH), "said what no worker says"),
        (packet(99), "said what no worker says"),
        (packet(Kind.READY) + "00", "said what no worker says"),
        ("2f6574632f706173737764", "said what no worker says"),
        (packet(Kind.READY), "said twice that it is ready"),
        (packet(Kind.WANT, 0, 1), "wants wire 0, which leads nowhere"),
        (packet(Kind.WANT, 1, 1), "wants wire 1, which leads nowhere"),
        (packet(Kind.FILE_FAILED), "speaks of a file, but has none"),
        (packet(Kind.WANT, 7, 1), "wants wire 7, which leads nowhere"),
    ],
)
def test_what_no_worker_says_kills_it(desk, visitor, until, said, why):
    visitor.socket.sendall(f"say {said}".encode())
    until(lambda: visitor.line() in ("done", "") and visitor.line() == "", "the worker is gone")
    until(lambda: f"outlet radio: its worker is killed: it {why}" in desk.said, "a line about it")
    assert desk.visit("radio").about()


def test_a_burst_is_heard_and_a_flood_kills(desk, visitor, until):
    visitor.tell("flood 150")
    until(lambda: desk.outlet("radio")["connections"] == 1, "the burst is heard")
    visitor.tell("flood 400")
    until(lambda: visitor.line() == "", "the worker is gone")
    until(lambda: "it says too much" in desk.said, "a line about it")
    assert desk.visit("radio").about()


def test_a_worker_that_hangs_up_does_not_outlive_it(desk, visitor, until):
    assert visitor.tell("hang up") == "done"
    assert visitor.line() == ""
    assert desk.visit("radio").about()


def test_a_worker_that_spoils_the_listening_socket_does_not_keep_the_desk_busy(desk, visitor, until):
    begun = time.monotonic()
    assert visitor.tell("spoil") == ""
    pids = {until(lambda: desk.outlet("radio")["worker"], "the next worker") for _ in range(100)}
    assert len(pids) <= 2 + (time.monotonic() - begun) / SPACING
    desk.close("radio")
    desk.open("radio")
    assert desk.visit("radio").about()


class Sleeper:
    """A process that does nothing, as a worker, and this end of its link."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["sleep", "100"])
        ours, self.link = seqpacket.pair()
        ours.setblocking(False)
        self.ended = 0
        self.worker = Worker("outlet radio", ours, self.asks, self.end)
        self.worker.forked(self.process.pid, os.pidfd_open(self.process.pid))
        self.worker.watch()

    def asks(self, worker: Worker, record: Record) -> None:
        raise AssertionError("it asks for nothing")

    def end(self, worker: Worker) -> None:
        self.ended += 1


def test_a_worker_that_does_not_finish_is_killed(monkeypatch, capsys):
    monkeypatch.setattr(workers, "PATIENCE", 0.01)

    async def scene() -> None:
        sleeper = Sleeper()
        await asyncio.gather(sleeper.worker.finish(), sleeper.worker.finish())
        assert sleeper.process.wait(20) == -signal.SIGKILL
        assert seqpacket.receive(sleeper.link, RECORD_BYTES)[0] == bytes(Record(Kind.FINISH))
        await asyncio.wait_for(sleeper.worker.over.wait(), 20)
        assert sleeper.ended == 1
        sleeper.link.close()

    asyncio.run(scene())
    assert capsys.readouterr().err.count("its worker is killed: it does not finish") == 1


def test_a_worker_that_does_not_listen_is_killed(capsys):
    async def scene() -> None:
        sleeper = Sleeper()
        for _ in range(10_000):
            sleeper.worker.tell(Record(Kind.NO_UPSTREAM))
        await asyncio.wait_for(sleeper.worker.over.wait(), 20)
        assert sleeper.process.wait(20) == -signal.SIGKILL
        assert not sleeper.worker.tell(Record(Kind.NO_UPSTREAM))
        sleeper.link.close()

    asyncio.run(scene())
    assert capsys.readouterr().err.count("it does not listen to the desk") == 1
