"""What is told about the places. Whether it is what clients do is in tests/live/test_paths.py."""

from __future__ import annotations

import os
import socket

import pytest

from eardrum.kernel.places import Lying, look_around


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """No variable of this session, a home directory and a runtime directory of one's own."""
    for name in list(os.environ):
        if name.startswith(("PULSE_", "XDG_", "PIPEWIRE_")) or name in ("DISPLAY", "SSH_CONNECTION"):
            monkeypatch.delenv(name)
    for name, variable in (("home", "HOME"), ("run", "XDG_RUNTIME_DIR")):
        (tmp_path / name).mkdir(mode=0o700)
        monkeypatch.setenv(variable, str(tmp_path / name))
    return tmp_path


def spot(spots, address):
    return next(spot for spot in spots if spot.address == str(address))


def test_what_lies_there(alone, monkeypatch):
    (alone / "run/pulse").mkdir(mode=0o700)
    (alone / "run/pulse/native").symlink_to(alone / "real")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(alone / "real"))
    (alone / "real").chmod(0o640)
    monkeypatch.setenv("PULSE_SERVER", f"/gone/native unix:{alone}/run tcp:127.0.0.1:1")
    report = look_around()
    assert [place.number for place in report.places] == [1, 2, 3]
    gone, directory, network = report.places
    assert (gone.lying, gone.directory) == (Lying(problem="nothing there"), Lying(problem="nothing there"))
    assert (directory.lying.kind, directory.lying.mode, directory.answer.connects) == ("directory", "0700", False)
    assert (network.path, network.lying, network.answer.connects) == (None, None, False)
    hidden = spot(report.passed_over, alone / "run/pulse/native")
    assert (hidden.lying.kind, hidden.lying.mode, hidden.lying.link) == ("socket", "0640", str(alone / "real"))
    assert "nobody serves" in hidden.answer.problem
    assert hidden.note == "PULSE_SERVER names the server"
    assert report.winner is None
    assert report.why == "PULSE_SERVER names the server, and none of them takes a connection"


def test_sockets_that_clients_do_not_use(alone, monkeypatch):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(alone / "run/pipewire-0"))
    pipewire, dbus = look_around().others
    assert (pipewire.path, pipewire.lying.kind, pipewire.answer) == (f"{alone}/run/pipewire-0", "socket", None)
    assert dbus.path == f"{alone}/run/pulse/dbus-socket"
    monkeypatch.setenv("PULSE_DBUS_SERVER", "unix:path=/my/bus")
    monkeypatch.setenv("PIPEWIRE_REMOTE", "/my/pipe")
    assert [other.path for other in look_around().others] == ["/my/pipe", "/my/bus"]


def told(report):
    return [
        (cookie.path, cookie.state.partition(" ")[2] if ":" in cookie.state else cookie.state, cookie.sent)
        for cookie in report.cookies
    ]


def test_the_cookie_that_is_sent(alone, monkeypatch):
    usual, old = f"{alone}/home/.config/pulse/cookie", f"{alone}/home/.pulse-cookie"
    made = "not there; a client makes it, of random bytes"
    assert told(look_around()) == [(usual, made, True), (old, "not there", False)]
    (alone / "home/.pulse-cookie").write_bytes(bytes(256))
    (alone / "home/.pulse-cookie").chmod(0o600)
    assert told(look_around()) == [(usual, "not there", False), (old, "0600, 256 bytes", True)]
    monkeypatch.setenv("PULSE_COOKIE", str(alone / "mine"))
    assert told(look_around())[0] == (str(alone / "mine"), made, True)
    (alone / "mine").write_bytes(b"crumb")
    (alone / "mine").chmod(0o600)
    short = "0600, 5 bytes, too short; a client writes it anew, of random bytes"
    assert told(look_around())[0] == (str(alone / "mine"), short, True)
    monkeypatch.setenv("PULSE_COOKIE", "/proc/self/none")
    assert told(look_around()) == [
        ("/proc/self/none", "not there", False),
        (usual, "not there", False),
        (old, "0600, 256 bytes", True),
    ]


def test_wrong_input(alone, monkeypatch):
    (alone / "home/.pulse").mkdir()
    (alone / "home/.pulse/client.conf").write_text("default-sever = x\n")
    monkeypatch.setenv("PULSE_SERVER", "{x")
    monkeypatch.setenv("DISPLAY", "wall")
    display, conf, server = look_around().complaints
    assert display.startswith("DISPLAY wall: ")
    assert conf.startswith(f"{alone}/home/.pulse/client.conf:1: there is no key 'default-sever'")
    assert server.startswith("PULSE_SERVER: {x: ")
