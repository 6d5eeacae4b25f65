"""`eardrum serve` as the sound server of a container, for others that share the directory of its socket."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import eardrum
from eardrum.testing.rootfs import PLAYER
from eardrum.testing.servers import CHANNELS, RATE, end, wait_until

STRANGER = 23456  # a uid that has no name in the container
PYTHON = f"/python/bin/python3.{sys.version_info.minor}"
MOUNTED = (  # what of this machine is seen in the container and where, read-only; Python may be that of /usr
    ("/usr", "/usr"),
    (sys.base_prefix, "/python"),
    (sysconfig.get_path("purelib"), "/packages"),
    (str(Path(eardrum.__file__).parents[1]), "/eardrum"),
)
NAKED = ("env", "-i", "PATH=/usr/bin", "PYTHONPATH=/eardrum:/packages")  # neither HOME nor XDG_RUNTIME_DIR
FIRSTS = {"as pid 1": (), "under tini": ("tini", "--")}


@pytest.fixture
def shared(stage, request):
    """A directory that the containers have at /shared; the stranger's."""
    path = stage.make_directory(f"shared-{abs(hash(request.node.name)) % 10**8}")
    path.chmod(0o777)
    return path


@pytest.fixture
def podman(stage, rootfs, shared):
    """Starts a program in a container of its own, as `uid`."""
    storage = stage.make_directory("podman")

    def start(name, uid, *command, volumes=(), **popen):
        options = [f"--volume={shared}:/shared", "--read-only-tmpfs=false", "--env=PULSE_SERVER=unix:/shared/native"]
        options += [f"--volume={path}:{place}:ro" for path, place in volumes]
        return stage.start(name, rootfs.podman(storage, uid, *command, options=options), **popen)

    return start


@pytest.fixture(params=FIRSTS)
def server(request, stage, podman, shared):
    """An `eardrum serve` for every user, into /shared/all.wav."""
    command = ["serve", "--socket", "/shared/native,auth=anonymous", "--sink", "file:/shared/all.wav"]
    command = [*FIRSTS[request.param], *NAKED, PYTHON, "-m", "eardrum", *command]
    process = podman("contained", STRANGER, *command, volumes=MOUNTED)
    stage.await_listener(process, "contained", shared / "native")
    yield process
    end(process)


def test_others_play_and_record(server, podman, stage, shared, assert_whole, load):
    recorded = stage.directory / "contained.raw"
    with recorded.open("wb") as file:
        parec = ["parec", "--format=s16le", f"--rate={RATE}", f"--channels={CHANNELS}", "--latency-msec=50"]
        recorder = podman("contained-recorder", 0, *parec, stdout=file)
    wait_until(lambda: recorded.stat().st_size, "the recorder to hear", 30)
    player = podman("contained-player", PLAYER, "paplay", "/sounds/tone.wav")
    assert player.wait(60) == 0
    enough = recorded.stat().st_size + 100_000
    wait_until(lambda: recorded.stat().st_size > enough, "the end of the recording", 30)
    end(recorder)
    sound = np.fromfile(recorded, "<i2")
    assert_whole(sound[: len(sound) // CHANNELS * CHANNELS].reshape(-1, CHANNELS))
    assert_ends(server, shared)
    assert_whole(load(shared / "all.wav"))


def test_what_plays_when_it_ends_is_in_the_file(server, podman, shared, assert_tones, load):
    player = podman("contained-player", PLAYER, "paplay", "/sounds/long.wav")
    wait_until(lambda: (shared / "all.wav").stat().st_size > 200_000, "a second of sound", 30)
    assert_ends(server, shared)
    player.wait(30)
    assert_tones(load(shared / "all.wav"))


def assert_ends(server, shared):
    """SIGTERM, which podman passes on, ends it with success and without its socket."""
    server.terminate()
    assert server.wait(30) == 0
    assert not (shared / "native").exists()
