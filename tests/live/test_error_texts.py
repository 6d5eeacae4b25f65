"""Texts in the table of docs/sound-and-containers.md are said, by real programs, for the causes that it names."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from eardrum.testing.rootfs import PLAYER
from eardrum.testing.servers import EARDRUM

PAGE = Path(__file__).parents[2] / "docs/sound-and-containers.md"
ROWS = re.findall(r"^\| (.*)", PAGE.read_text().partition("## When it does not work")[2], re.MULTILINE)
TEXTS = [row.split("|")[0] for row in ROWS]


@pytest.fixture
def said(stage):
    """Has a program fail, and holds what it says against the text on the page; … there stands for anything."""

    def check(text, argv, **variables):
        assert any(f"`{text}`" in cell for cell in TEXTS), f"the page does not have {text!r}"
        done = stage.run([str(word) for word in argv], variables)
        pattern = ".*".join(re.escape(part) for part in text.split("…"))
        assert re.search(pattern, done.stdout + done.stderr), done.stdout + done.stderr
        return done

    return check


@pytest.fixture
def confined(stage, contained):
    """A command line in a container of another uid, with more options for podman."""

    def command_line(options, *command):
        words = contained("podman", PLAYER, *command)
        after = words.index("--rm") + 1
        return [*words[:after], *options, *words[after:]]

    return command_line


@pytest.fixture(scope="module")
def private(stage):
    """The directory of a PulseAudio that asks who one is, as on a desktop."""
    directory = stage.make_directory("private")
    options = ["-L", f"module-native-protocol-unix socket={directory}/native"]
    stage.pulseaudio("private-server", *options)
    directory.chmod(0o755)  # so that it is the server that says no
    return directory


def test_nothing_is_mounted(said, confined):
    said("Connection refused", confined([], "pactl", "info"))


def test_the_socket_was_mounted_and_its_server_started_again(said, tmp_path):
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "native"))
    stale.listen()
    stale.close()
    said("Connection refused", ["pactl", "info"], PULSE_SERVER=f"unix:{tmp_path}/native")


def test_a_directory_cannot_be_entered(said, confined, private, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    options = ["-v", f"{closed}:/closed", "--env", "PULSE_SERVER=unix:/closed/native"]
    said("Connection refused", confined(options, "pactl", "info"))


def test_pulseaudio_asks_who_one_is(said, confined, private):
    done = said("Access denied", confined(["-v", f"{private}:/run/pulse:ro"], "pactl", "info"))
    assert "Failed to load cookie file from cookie" in done.stderr


def test_a_cookie_that_is_not_there(said, confined, desk):
    outlet = desk.open("radio", output="null")
    done = said(
        "Failed to load cookie file from cookie",
        confined(["-v", f"{outlet.directory}:/run/pulse:ro"], "pactl", "info"),
    )
    assert done.returncode == 0


def test_what_an_outlet_refuses(said, desk):
    outlet = desk.open("radio", output="null")
    said("Access denied", ["pactl", "load-module", "module-null-sink"], PULSE_SERVER=outlet.address)
    said("No such entity", ["parec"], PULSE_SERVER=outlet.address)


def test_pulseaudio_has_64_clients(said, private, stage, until):
    crowd = [socket.socket(socket.AF_UNIX) for _ in range(64)]
    for client in crowd:
        until(lambda client=client: not client.connect_ex(f"{private}/native"), "a place in the backlog")
    said("Connection terminated", ["pactl", "info"], PULSE_SERVER=f"unix:{private}/native")
    for client in crowd:
        client.close()


def test_an_outlet_is_mounted_in_the_runtime_directory(said, desk):
    outlet = desk.open("radio", output="null")
    sandbox = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--tmpfs", "/run"]
    sandbox += ["--dir", "/run/user/1", "--ro-bind", outlet.directory, "/run/user/1/pulse"]
    said(
        "Failed to create secure directory (…/pulse): Read-only file system",
        [*sandbox, "pactl", "info"],
        XDG_RUNTIME_DIR="/run/user/1",
    )


def test_there_is_no_home(said, confined):
    said("Failed to create secure directory (…/.config/pulse)", confined([], "pactl", "info"))


def test_the_runtime_directory_of_another(said, confined, tmp_path):
    tmp_path.chmod(0o755)
    options = ["-v", f"{tmp_path}:/run/user/1", "--env", "XDG_RUNTIME_DIR=/run/user/1"]
    said("XDG_RUNTIME_DIR (…) is not owned by us", confined(options, "pactl", "info"))


def test_a_second_pulseaudio(said, stage):
    runtime = stage.make_directory("second")
    argv = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "-L", "module-null-sink"]
    argv += ["-L", "module-native-protocol-unix"]
    first = stage.start("first", argv, {"XDG_RUNTIME_DIR": str(runtime)})
    stage.await_listener(first, "first", runtime / "pulse/native")
    said("Daemon already running", argv, XDG_RUNTIME_DIR=str(runtime))


def test_a_server_is_started_beside_pulse_server(said, private):
    said(
        "User-configured server at …, refusing to start/autospawn",
        ["pulseaudio", "--start"],
        PULSE_SERVER=f"unix:{private}/native",
    )


def test_there_is_no_such_module(said, private):
    address = f"unix:{private}/native"
    said("Module initialization failed", ["pactl", "load-module", "module-nosuch"], PULSE_SERVER=address)


def test_alsa_without_a_configuration(said, sounds):
    said("Unknown PCM default", ["aplay", sounds / "short.wav"])


def test_no_desk(said, tmp_path):
    said("no desk is running in …", [EARDRUM, "list", "--runtime-dir", tmp_path])
