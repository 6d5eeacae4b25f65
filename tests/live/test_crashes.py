"""One falls, the others go on: of eight containers, of an outlet's connections, of desks."""

from __future__ import annotations

import os
import signal
import socket

import pytest

pytestmark = pytest.mark.alone

CONTAINERS = 8


def test_a_killed_worker_takes_only_its_outlet_along(
    desk, contained, load, assert_tones, frames_of, sounds, until, tmp_path
):
    names = [f"player-{number}" for number in range(CONTAINERS)]
    victim = names[3]
    files = {name: tmp_path / f"{name}.wav" for name in names}
    start = sounds / "start"
    wait = f"echo waiting; until [ -e /sounds/{start.name} ]; do sleep 0.05; done; exec"
    plays = dict.fromkeys(names, f"{wait} paplay /sounds/long.wav") | {victim: f"{wait} pacat /dev/zero"}
    players = {
        name: desk.start(
            name,
            "run",
            f"--name={name}",
            f"--output=file:{files[name]}",
            "--",
            *contained("podman", 0, "sh", "-c", plays[name]),
        )
        for name in names
    }
    until(lambda: all("waiting" in desk.stage.log(name) for name in names), "all containers to run", 60)
    start.touch()

    def playing():
        outlets = desk.list()
        return all(outlets[name]["worker"] for name in names) and outlets[victim]["playing"] and outlets

    outlets = until(playing, "all containers to have begun, and the victim to play", 60)
    assert len({outlet["worker"] for outlet in outlets.values()}) == CONTAINERS
    names.remove(victim)
    os.kill(outlets[victim]["worker"], signal.SIGKILL)
    assert players[victim].wait(30) != 0
    for name in names:
        assert players[name].wait(60) == 0, desk.stage.log(name)
        heard = load(files[name])
        assert len(heard) == frames_of("long")
        assert_tones(heard)


def test_garbage_ends_its_own_connection_only(desk, stage, sounds, load, assert_whole, frames_of, until, tmp_path):
    file = tmp_path / "heard.wav"
    outlet = desk.open("player", output=f"file:{file}")
    player = stage.start("player", ["paplay", str(sounds / "tone.wav")], {"PULSE_SERVER": outlet.address})
    until(lambda: file.exists() and file.stat().st_size > 1000, "the tone to play")
    for garbage in (b"GET / HTTP/1.1\r\nHost: eardrum\r\n\r\n", b"\xff" * 4096, os.urandom(4096), b"\0" * 4096):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(outlet.address.removeprefix("unix:"))
            connection.sendall(garbage)
            assert ended(connection)
    assert player.wait(30) == 0, stage.log("player")
    desk.close("player")
    heard = load(file)
    assert len(heard) == frames_of("tone")
    assert_whole(heard)


def ended(connection):
    """True once the other side has closed; TimeoutError if it does not."""
    try:
        return not connection.recv(1)
    except ConnectionResetError:
        return True


def test_after_a_killed_worker_the_next_connect_works(
    desk, stage, sounds, endless, until, load, assert_whole, tmp_path
):
    outlet = desk.open("player", output=f"file:{tmp_path / 'heard.wav'}")
    player = endless(outlet.address)
    until(lambda: desk.list()["player"]["playing"], "the tone to play")
    os.kill(desk.list()["player"]["worker"], signal.SIGKILL)
    assert player.wait(30) != 0
    stage.play(outlet.address, sounds / "tone.wav")
    desk.close("player")
    assert_whole(load(tmp_path / "heard-2.wav"))


def test_open_outlets_survive_the_desk(open_desk, stage, sounds, until, assert_whole):
    desk = open_desk()
    outlet = desk.open("player", output="room:parlour")
    listener = desk.open("listener", output="null", input="room:parlour")
    stage.play(outlet.address, sounds / "short.wav")
    inode = outlet.directory.stat().st_ino
    desk.process.kill()
    desk.process.wait()

    desk = open_desk(runtime=desk.runtime)
    assert sorted(desk.list()) == ["listener", "player"]
    assert outlet.directory.stat().st_ino == inode
    recording = stage.record(listener.address)
    stage.play(outlet.address, sounds / "tone.wav")
    assert_whole(recording.finish())


def test_a_stream_goes_on_when_the_desk_dies(open_desk, stage, sounds, pulseaudio, until, assert_whole):
    desk = open_desk(upstream=pulseaudio.address)
    outlet = desk.open("player")
    recording = stage.record(pulseaudio.address, pulseaudio.monitor)
    player = stage.start("player", ["paplay", str(sounds / "long.wav")], {"PULSE_SERVER": outlet.address})
    until(lambda: desk.list()["player"]["playing"], "the tone to play")
    desk.process.kill()
    assert player.wait(30) == 0, stage.log("player")
    assert_whole(recording.finish(), "long")
