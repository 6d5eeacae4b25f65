"""Programs outlive the server that plays for them: it is killed, ended, hangs, or comes later than they do."""

from __future__ import annotations

import json
import os
import signal

import pytest

from eardrum.testing.crowd import Crowd, Ear, Mortal
from eardrum.testing.servers import Stage, wait_until

KINDS = ("watched", "pacat", "ffmpeg", "aplay")
PATIENCE = 30.0  # seconds


@pytest.fixture
def theatre():
    """A stage of its own: the server on it dies."""
    with Stage() as stage:
        yield stage


@pytest.fixture
def host(theatre, request):
    return Mortal(theatre, getattr(request, "param", "pulseaudio"))


def heard(host, crowd):
    """All players of the crowd are heard at the host's sink."""
    with Ear(host.address, f"{host.SINKS[0]}.monitor") as ear:
        ear.listen_for([player.tone for player in crowd.players], PATIENCE)


@pytest.fixture
def playing(theatre, host):
    """A crowd that plays to the host through an outlet, and the desk."""
    desk = theatre.desk(upstream=host.address)
    outlet = desk.open("box", output=f"host:{host.SINKS[0]}")
    crowd = Crowd(theatre)
    for kind in KINDS:
        crowd.play(kind, outlet.address)
    heard(host, crowd)
    return crowd, desk


def assert_undisturbed(crowd, times=1):
    assert crowd.lost == []
    assert all(player.underruns <= times for player in crowd.players)


@pytest.mark.parametrize(
    ("host", "sent"),
    [("pulseaudio", signal.SIGKILL), ("pulseaudio", signal.SIGTERM), ("pipewire_pulse", signal.SIGKILL)],
    indirect=["host"],
    ids=["killed", "ended", "killed pipewire-pulse"],
)
def test_players_outlive_their_server_and_are_heard_again(host, playing, sent):
    crowd, _ = playing
    host.kill(sent)
    host.start()
    heard(host, crowd)
    assert_undisturbed(crowd)


def test_players_outlive_a_server_that_hangs_and_are_heard_when_it_goes_on(host, playing):
    crowd, desk = playing
    host.hang()
    wait_until(lambda: desk.list()["box"]["wires"]["output"]["state"] != "connected", "the hung server to be lost", 30)
    assert desk.list()["box"]["playing"] == len(KINDS)
    host.go_on()
    heard(host, crowd)
    assert_undisturbed(crowd)


def test_time_goes_on_for_a_program_whose_server_does_not_return_and_its_end_is_answered(theatre, host, sounds):
    desk = theatre.desk(upstream=host.address)
    outlet = desk.open("box")
    argv = ["paplay", "--latency-msec=200", str(sounds / "long.wav")]
    player = theatre.start("player", argv, {"PULSE_SERVER": outlet.address})
    wait_until(lambda: desk.list()["box"]["playing"], "the program to play", PATIENCE)
    host.kill()
    assert player.wait(PATIENCE) == 0, theatre.log("player")


@pytest.mark.case("P71")
@pytest.mark.parametrize("gate", [False, True], ids=["", "gate"])
def test_what_is_played_before_there_is_any_server_is_heard_as_soon_as_there_is_one(theatre, gate):
    path = theatre.make_directory("pulseaudio") / "native"
    outlet = theatre.desk(upstream=f"unix:{path}").open("box", f"host:{Mortal.SINKS[0]}", gate=gate)
    crowd = Crowd(theatre)
    for kind in KINDS:
        crowd.play(kind, outlet.address)
    wait_until(lambda: all(player.consumed > 2 for player in crowd.players if player.reads), "time to pass", PATIENCE)
    host = Mortal(theatre, "pulseaudio")
    heard(host, crowd)
    assert_undisturbed(crowd, 0)


def test_a_room_whose_worker_is_killed_is_played_to_and_heard_again_on_the_same_connections(theatre):
    desk = theatre.desk()
    player, listener = desk.open("player", "room:studio"), desk.open("listener", "null", "room:studio")
    crowd = Crowd(theatre)
    tones = [crowd.play("watched", player.address).tone]
    recorder = crowd.record(listener.address)
    with Ear(listener.address, "input") as ear:
        ear.listen_for(tones, PATIENCE)
        os.kill(worker_of(desk, "studio"), signal.SIGKILL)
        ear.listen_for(tones, PATIENCE)
    assert not recorder.lost
    assert_undisturbed(crowd)


def worker_of(desk, name):
    """The process of a room."""
    rooms = json.loads(desk.command("room", "--json").stdout)["rooms"]
    return next(room["worker"] for room in rooms if room["name"] == name)
