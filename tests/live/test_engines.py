"""Every container engine that is here: `eardrum run` gives its container an outlet, and what plays there is heard."""

from __future__ import annotations

import pytest

from eardrum.testing import heard
from eardrum.testing.ordinary_user import EARDRUM, OrdinaryUser
from eardrum.testing.rootfs import PLAYER

# who it is, which networks it has, whether it could write; then a program that uses libpulse and one that uses ALSA
PLAYS = """\
while read key uid rest; do case $key in Uid:) echo uid $uid;; esac; done </proc/self/status
while read name rest; do case $name in *:) echo network ${name%:};; esac; done </proc/net/dev
(: >/new) 2>/dev/null && echo its root can be written to
paplay /sounds/tone.wav && aplay -q /sounds/short.wav"""
TELLS = ["uid 12345", "network lo"]
ENGINES = ("podman", "docker", "bubblewrap", "nspawn", "nspawn -U", "lxc")


@pytest.fixture
def engine(request, stage, rootfs, tmp_path):
    """Makes the command line that runs a program in a container of the engine `engine.name`."""

    def command_line(name, *command, options=()):
        match name:
            case "podman":
                return rootfs.podman(stage.make_directory("podman"), PLAYER, *command, options=options)
            case "docker":
                address = request.getfixturevalue("docker")
                return rootfs.docker(address, PLAYER, *command, options=options)
            case "bubblewrap":
                return rootfs.bubblewrap(PLAYER, *command)
            case "lxc":
                return rootfs.lxc(tmp_path, PLAYER, *command)
        return rootfs.nspawn("player", *command, options=[*name.split()[1:], *options])

    return command_line


@pytest.fixture
def assert_both(assert_whole, frames_of):
    """A recording holds what PLAYS plays, one sound after the other."""

    def check(samples):
        sound = heard.trimmed(samples)
        assert_whole(sound[: frames_of("tone")])
        assert_whole(sound[frames_of("tone") :], "short")

    return check


@pytest.mark.parametrize("name", ENGINES)
def test_a_container_plays(desk, engine, tmp_path, load, assert_both, name):
    file = tmp_path / "heard.wav"
    played = desk.command("run", "--output", f"file:{file}", "--", *engine(name, "sh", "-c", PLAYS))
    assert played.returncode == 0, played.stderr
    assert played.stdout.splitlines() == TELLS
    assert_both(load(file))


@pytest.fixture
def somebody(base):
    user = OrdinaryUser(base())
    yield user
    user.close()


def test_rootless_podman_plays(stage, rootfs, somebody, load, assert_both):
    """The desk, podman and the container are an ordinary user's."""
    stage.directory.chmod(0o711)  # it can be passed, not listed
    file = somebody.directory / "heard.wav"
    podman = rootfs.podman(somebody.directory / "storage", PLAYER, "sh", "-c", PLAYS, options=["--cap-drop=ALL"])
    podman[1:1] = ["--storage-driver", "vfs"]
    played = somebody.run(*EARDRUM, "run", "--output", f"file:{file}", "--", *podman)
    assert played.returncode == 0, played.stderr
    assert played.stdout.splitlines() == TELLS
    assert_both(load(file))


def test_podman_takes_it_as_a_device(desk, engine, tmp_path, load, assert_both):
    file, name = tmp_path / "heard.wav", f"web-{tmp_path.parent.name}"
    opened = desk.command("open", "--cdi", "--output", f"file:{file}", name)
    try:
        assert opened.returncode == 0, opened.stderr
        device = f"--device=eardrum.local/outlet={name}"
        played = desk.stage.run(engine("podman", "sh", "-c", PLAYS, options=[device]))
        assert played.returncode == 0, played.stderr
    finally:
        desk.close(name)
    assert_both(load(file))
    gone = desk.stage.run(engine("podman", "true", options=[device]))
    assert "unresolvable CDI devices" in gone.stderr
