"""Outlets that lead elsewhere while programs play: by `eardrum rewire`, or because of what the host's server does."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from eardrum.testing.crowd import Crowd, Ear
from eardrum.testing.servers import Stage, wait_until

MOST_CONNECTIONS = 64  # of PulseAudio
QUICK = 30.0  # seconds
HALF_A_SECOND = 25  # blocks of an ear


@pytest.fixture
def own_stage(peers):
    """A stage where no server is yet; programs and a desk there look for one at `pulseaudio/native`."""
    with Stage() as stage:
        stage.environment["PULSE_SERVER"] = f"unix:{stage.directory}/pulseaudio/native"
        yield stage


@pytest.fixture
def listen():
    """Starts an ear: `listen(address, source)`; it is closed with the test."""
    with ExitStack() as ears:

        def start(address: str, source: str) -> Ear:
            ear = Ear(address, source)
            ears.callback(ear.close)
            return ear

        yield start


def rewire(desk, *words: str) -> None:
    done = desk.command("rewire", *words)
    assert (done.returncode, done.stderr) == (0, "")


def output(desk) -> dict[str, str]:
    return desk.list()["box"]["wires"]["output"]


def test_programs_go_along_wherever_their_outlet_leads(own_stage, listen):
    host = own_stage.pulseaudio()
    desk = own_stage.desk(upstream=host.address)
    crowd = Crowd(own_stage)
    crowd.gather([desk.open("box", output="null").address], playing=5)
    tones = [player.tone for player in crowd.players]
    listener = desk.open("listener", output="null", input="room:parlour")
    there, parlour = listen(host.address, host.monitor), listen(listener.address, "input")
    rewire(desk, "box", "--output", "host")
    there.listen_for(tones)
    assert output(desk)["state"] == "connected"
    rewire(desk, "box", "--output", "room:parlour")
    parlour.listen_for(tones)
    rewire(desk, "box", "--output", "null")
    assert output(desk)["state"] == "silent"
    rewire(desk, "box", "--output", f"host:{host.sink}")
    there.listen(1.0)
    there.listen_for(tones)
    assert crowd.lost == []


def test_a_microphone_leads_elsewhere_while_programs_record(own_stage, listen):
    desk = own_stage.desk()
    crowd = Crowd(own_stage)
    tones = [crowd.play("pacat", desk.open("singer", output="room:studio").address).tone]
    box = desk.open("box", output="null", input="silence")
    ear = listen(box.address, "input")
    ear.listen(0.5)
    assert not ear.levels(tones).any()
    rewire(desk, "box", "--input", "room:studio")
    ear.listen_for(tones)
    rewire(desk, "box", "--input", "silence")
    wait_until(lambda: not ear.levels(tones, HALF_A_SECOND).any(), "silence", QUICK)


def test_what_was_started_before_any_server_plays_as_soon_as_there_is_one(own_stage, listen):
    desk = own_stage.desk(upstream=None)
    crowd = Crowd(own_stage)
    crowd.gather([desk.open("box", output="host").address], playing=3)
    tones = [player.tone for player in crowd.players]
    speakers = listen(desk.open("listener", output="null", input="room:speakers").address, "input")
    speakers.listen_for(tones)
    assert output(desk)["leads_to"] == "room:speakers"
    host = own_stage.pulseaudio()
    there = listen(host.address, host.monitor)
    there.listen_for(tones)
    assert output(desk)["leads_to"] == "host"
    assert crowd.lost == []


def test_where_no_connection_is_left_programs_play_on_in_silence_until_one_is(own_stage, listen):
    host = own_stage.pulseaudio()
    desk = own_stage.desk(upstream=host.address)
    crowd = Crowd(own_stage)
    with ExitStack() as taken:
        there = listen(host.address, host.monitor)
        for _ in range(MOST_CONNECTIONS - 1):
            connection = taken.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(host.address.removeprefix("unix:"))
        player = crowd.play("watched", desk.open("box", output="host").address)
        wait_until(lambda: "PulseAudio: 64" in desk.list()["box"]["note"], "the note", QUICK)
        assert output(desk)["state"] == "waiting"
        wait_until(lambda: len(player.positions) and player.positions[-1] > 1.0, "its time to go on", QUICK)
    there.listen_for([player.tone])
    assert desk.list()["box"]["note"] == ""
    assert crowd.lost == []
