"""The process that workers are forked from."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

import eardrum
from eardrum.kernel import seqpacket
from eardrum.terms.errors import RemoteProtocolError
from eardrum.worker import nursery
from eardrum.worker.nursery import REPORT_BYTES, Nursery, Report, Serve, Told, parse_report
from eardrum.worker.spec import OutletSpec, RoomSpec, WorkerSpec

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

DEADLINE = 20.0
RADIO = OutletSpec("radio", "null", "room:hall")


def tell_all(spec: WorkerSpec, descriptors: Sequence[int]) -> None:
    """A worker that tells all about itself, and ends when its link does."""
    link = socket.socket(fileno=descriptors[0])
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    about = {
        "spec": repr(spec),
        "comm": Path("/proc/self/comm").read_text().strip(),
        "parent": os.getppid(),
        "directory": str(Path.cwd()),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())) - 1,
        "input": os.readlink("/proc/self/fd/0"),  # noqa: PTH115
        "output": os.readlink("/proc/self/fd/1"),  # noqa: PTH115
        "threads": int(status["Threads"]),
        "ignored": int(status["SigIgn"], 16),
    }
    link.sendall(json.dumps(about).encode())
    link.recv(1)


@pytest.fixture
def start():
    """A function that starts a nursery with workers that do this, and waits until it is ready."""
    started: list[Nursery] = []

    def start(serve: Serve, load: Callable[[], Serve] | None = None) -> Nursery:
        started.append(nursery.start(load or (lambda: serve)))
        return started[-1]

    yield start
    for one in started:
        one.socket.close()
        with suppress(ChildProcessError):
            os.waitpid(one.pid, 0)


def heard(one: Nursery) -> tuple[Report, list[int]]:
    """The nursery's next report."""
    assert select.select([one.socket], [], [], DEADLINE)[0], "the nursery says nothing"
    packet, descriptors = seqpacket.receive(one.socket, REPORT_BYTES, 1)
    return parse_report(packet), descriptors


def grow(one: Nursery, number: int, spec: WorkerSpec, more: Sequence[int] = ()) -> tuple[socket.socket, int]:
    """Order a worker: our end of its link, and its pid."""
    ours, theirs = seqpacket.pair()
    ours.settimeout(DEADLINE)
    with theirs:
        seqpacket.send(one.socket, nursery.order(number, spec), [theirs.fileno(), *more])
    (told, about, pid), (pidfd,) = heard(one)
    assert (told, about) == (Told.FORKED, number)
    signal.pidfd_send_signal(pidfd, 0)
    os.close(pidfd)
    return ours, pid


def test_a_worker_has_what_is_its_own_and_nothing_else(start):
    one = start(tell_all)
    assert heard(one) == (Report(Told.READY), [])
    other, _ = grow(one, 1, RoomSpec("hall"))
    other.recv(4096)
    link, pid = grow(one, 2, RADIO, [0, 0])
    about = json.loads(link.recv(4096))
    ignored = about.pop("ignored")
    assert about == {
        "spec": repr(RADIO),
        "comm": "eardrum:radio",
        "parent": one.pid,
        "directory": "/",
        "descriptors": 3 + 3,  # standard ones; link, listening socket, file
        "input": "/dev/null",
        "output": "/dev/null",
        "threads": 1,
    }
    assert ignored & 1 << signal.SIGINT - 1
    assert ignored & 1 << signal.SIGHUP - 1
    assert not ignored & 1 << signal.SIGTERM - 1
    link.close()
    assert heard(one)[0] == (Told.ENDED, 2, 0)
    other.close()
    assert heard(one)[0] == (Told.ENDED, 1, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_tells_how_a_worker_ended(start):
    one = start(tell_all)
    heard(one)
    link, pid = grow(one, 7, RADIO)
    os.kill(pid, signal.SIGKILL)
    assert heard(one)[0] == (Told.ENDED, 7, -signal.SIGKILL)
    link.close()


def test_a_bug_in_a_worker_is_shown_and_ends_that_worker_only(start, capfd):
    def fail(spec: WorkerSpec, descriptors: Sequence[int]) -> None:
        if spec.name == "bad":
            raise ValueError("out of tune")
        tell_all(spec, descriptors)

    one = start(fail)
    heard(one)
    bad, _ = grow(one, 1, OutletSpec("bad", "null"))
    assert heard(one)[0] == (Told.ENDED, 1, nursery.BUG)
    shown = capfd.readouterr().err
    assert shown.startswith("eardrum:bad: Traceback")
    assert shown.endswith("ValueError: out of tune\n")
    good, _ = grow(one, 2, RADIO)
    assert json.loads(good.recv(4096))["comm"] == "eardrum:radio"
    bad.close()
    good.close()


def test_workers_outlive_it(start):
    one = start(tell_all)
    heard(one)
    link, _ = grow(one, 1, RADIO)
    link.recv(4096)
    one.socket.close()
    os.waitpid(one.pid, 0)
    link.send(b"still there?")
    assert link.recv(1) == b""  # it ends now that it has read this
    link.close()


def test_one_that_cannot_load_says_why_and_ends(start, capfd):
    def load() -> Serve:
        raise ImportError("no such library")

    one = start(tell_all, load)
    assert select.select([one.socket], [], [], DEADLINE)[0]
    assert seqpacket.receive(one.socket, REPORT_BYTES) == (b"", [])
    assert "ImportError: no such library" in capfd.readouterr().err


def test_what_workers_need_is_imported_with_one_thread_and_frozen():
    """The real thing, in a process that has imported nothing yet."""
    script = """
import gc, json, os, select, sys
from pathlib import Path
from eardrum.kernel import seqpacket
from eardrum.worker import nursery
from eardrum.worker.spec import RoomSpec

def load():
    nursery.load()
    def serve(spec, descriptors):
        status = Path("/proc/self/status").read_text()
        print(json.dumps({
            "threads": status.split("Threads:")[1].split()[0],
            "imported": [name for name in ("numpy", "soxr", "soundfile") if name in sys.modules],
            "frozen": gc.get_freeze_count() > 1000,
        }), file=sys.stderr)
    return serve

one = nursery.start(load)
os.set_blocking(one.socket.fileno(), True)
seqpacket.receive(one.socket, 100)
link, theirs = seqpacket.pair()
seqpacket.send(one.socket, nursery.order(1, RoomSpec("hall")), [theirs.fileno()])
_, (pidfd,) = seqpacket.receive(one.socket, 100, 1)
seqpacket.receive(one.socket, 100)
assert "numpy" not in sys.modules
"""
    sources = str(Path(eardrum.__file__).parents[1])
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": sources},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stderr) == {"threads": "1", "imported": ["numpy", "soxr", "soundfile"], "frozen": True}


@pytest.mark.parametrize("packet", [b"", b"x", bytes(REPORT_BYTES), bytes(Report(Told.READY)) + b"\0"])
def test_a_report_is_read_strictly(packet):
    with pytest.raises(RemoteProtocolError):
        parse_report(packet)
