"""Code that somebody planted in a worker: what it still can do, and what it finds open."""

import errno
import json
import os
import select
import socket
from pathlib import Path

import pytest

from eardrum.kernel import confinement, seqpacket
from eardrum.kernel.confinement import ALL, FILE_CALLS, GATE_CALLS, WORKER_CALLS, Layer, Profile
from eardrum.terms.budget import Budget
from eardrum.terms.names import WireEnd
from eardrum.testing.planted import ATTEMPTS, HERE, attempts
from eardrum.worker import nursery, profiles
from eardrum.worker.records import Kind
from eardrum.worker.spec import RoomSpec

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

DEADLINE = 20.0
HOST, NULL, FILE, LOOP = WireEnd("host"), WireEnd("null"), WireEnd("file", "/x.wav"), WireEnd("loop", "/x.wav")
USES = {
    "an outlet": profiles.outlet(HOST, None, Budget()),
    "an outlet that writes a file": profiles.outlet(FILE, LOOP, Budget()),
    "a room": profiles.ROOM_WORKER,
    "a gate": profiles.GATE,
    "a look at a file": profiles.SOUND_FILE,
}


def planted(profile: Profile) -> dict[str, int]:
    """What a worker with this profile tells that was forked from a nursery, confined itself, and then tried it all."""

    def serve(_, descriptors):
        link = socket.socket(fileno=descriptors[0])
        held = confinement.confine(profile)
        seqpacket.send(link, json.dumps({"layers": held, **attempts()}).encode())

    def load():
        confinement.prepare(profile.calls)
        return serve

    one = nursery.start(load)
    ours, theirs = seqpacket.pair()
    with ours, one.socket:
        with theirs:
            seqpacket.send(one.socket, nursery.order(1, RoomSpec("den")), [theirs.fileno()])
        assert select.select([ours], [], [], DEADLINE)[0], "the worker says nothing"
        said: dict[str, int] = json.loads(seqpacket.receive(ours, 1 << 16)[0])
    os.waitpid(one.pid, 0)
    return said


@pytest.fixture(scope="module")
def possible():
    """What planted code can do, in a process of each use."""
    return {use: planted(profile) for use, profile in USES.items()}


@pytest.mark.parametrize("use", USES)
def test_all_layers_hold(possible, use):
    assert Layer(possible[use]["layers"]) == ALL


@pytest.mark.parametrize("what", [each.what for each in ATTEMPTS if each.numbers[HERE] is not None])
def test_planted_code_can_not(possible, what):
    there = {use: said[what] for use, said in possible.items()}
    if what == "shut down a socket that others have too":
        assert there.pop("a gate") == errno.ENOTSOCK  # it may, with one that it has
    assert set(there.values()) == {errno.EPERM}


@pytest.mark.parametrize(
    ("ends", "calls", "file"),
    [
        ((HOST, None), WORKER_CALLS, 0),
        ((NULL, HOST), WORKER_CALLS, 0),
        ((HOST, LOOP), FILE_CALLS, 0),
        ((FILE, None), FILE_CALLS, None),
    ],
)
def test_an_outlet_keeps_files_only_where_its_wires_end_in_some(ends, calls, file):
    profile = profiles.outlet(*ends, Budget())
    assert (profile.calls, profile.limits.file) == (calls, file)


def test_more_connections_and_more_sound_take_more():
    small, large = (profiles.outlet(HOST, None, Budget(connections=n, sound_bytes=n << 20)).limits for n in (1, 999))
    assert small.descriptors < 999 < large.descriptors
    assert small.memory < 999 << 20 < large.memory


def test_a_gate_can_do_no_more_than_a_worker_but_end_connections():
    assert {call.name for call in GATE_CALLS} - {call.name for call in WORKER_CALLS} == {"shutdown"}


def opened(pid: int) -> list[str]:
    """What a process has open, sockets and pipes without their numbers."""
    return sorted(map(name, Path(f"/proc/{pid}/fd").iterdir()))


def name(descriptor: Path) -> str:
    link = os.readlink(descriptor)  # noqa: PTH115  # as text: what is no path must stay as it is
    return link if link.startswith("/") else link.partition("[")[0]


COMMON = ["/dev/null", "/dev/null", "anon_inode:"]  # standard input and output, and its loop


def test_a_worker_has_open_what_it_needs_and_nothing_else(workers, grow, tmp_path):
    link, listening, errors = "socket:", "socket:", name(Path("/proc/self/fd/2"))
    common = [*COMMON, link, errors]
    file = tmp_path / "x.wav"
    with_file = grow(f"file:{file}", file=file)
    assert opened(with_file.pid) == sorted([*common, listening, str(file)])
    room = workers.room()
    assert opened(room.pid) == sorted(common)  # nothing of the worker before
    room.close()


def test_a_worker_tells_which_layers_hold(grow):
    (ready,) = [record for record in grow().heard if record.kind is Kind.READY]
    assert Layer(ready.a) == ALL
