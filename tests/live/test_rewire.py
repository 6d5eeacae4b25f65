"""Outlets that lead elsewhere while programs play: by `eardrum rewire`, or because of what the host's server does."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from eardrum.testing.crowd import Crowd, Ear
from eardrum.testing.servers import Stage, wait_until

MOST_CONNECTIONS = 64  # of PulseAudio
QUICK = 30.0  # seconds


@pytest.fixture
def own_stage(peers):
    """A stage where no server is yet; programs and a desk there look for one at `pulseaudio/native`."""
    with Stage() as stage:
        stage.environment["PULSE_SERVER"] = f"unix:{stage.directory}/pulseaudio/native"
        yield stage


def hears(ear: Ear, crowd: Crowd, what: str) -> None:
    tones = [player.tone for player in crowd.players]
    wait_until(lambda: ear.hears(tones), what, QUICK)


def rewire(desk, *words: str) -> None:
    done = desk.command("rewire", *words)
    assert (done.returncode, done.stderr) == (0, "")


def output(desk) -> dict[str, str]:
    return desk.list()["box"]["wires"]["output"]


def test_programs_go_along_wherever_their_outlet_leads(own_stage):
    host = own_stage.pulseaudio()
    desk = own_stage.desk(upstream=host.address)
    crowd = Crowd(own_stage)
    crowd.gather([desk.open("box", output="null").address], playing=5)
    listener = desk.open("listener", output="null", input="room:parlour")
    there, parlour = Ear(host.address, host.monitor), Ear(listener.address, "input")
    rewire(desk, "box", "--output", "host")
    hears(there, crowd, "all of them on the host")
    assert output(desk)["state"] == "connected"
    rewire(desk, "box", "--output", "room:parlour")
    hears(parlour, crowd, "all of them in the room")
    rewire(desk, "box", "--output", "null")
    assert output(desk)["state"] == "silent"
    rewire(desk, "box", "--output", f"host:{host.sink}")
    there.listen(1.0)
    hears(there, crowd, "all of them on the host again")
    assert crowd.lost == []
    there.close()
    parlour.close()


def test_a_microphone_leads_elsewhere_while_programs_record(own_stage):
    desk = own_stage.desk()
    crowd = Crowd(own_stage)
    crowd.play("pacat", desk.open("singer", output="room:studio").address)
    box = desk.open("box", output="null", input="silence")
    ear = Ear(box.address, "input")
    ear.listen(0.5)
    assert not ear.hears([crowd.players[0].tone])
    rewire(desk, "box", "--input", "room:studio")
    hears(ear, crowd, "the singer in the microphone")
    rewire(desk, "box", "--input", "silence")
    wait_until(lambda: not ear.hears([crowd.players[0].tone]), "silence", QUICK)
    ear.close()


def test_what_was_started_before_any_server_plays_as_soon_as_there_is_one(own_stage):
    desk = own_stage.desk(upstream=None)
    crowd = Crowd(own_stage)
    crowd.gather([desk.open("box", output="host").address], playing=3)
    speakers = Ear(desk.open("listener", output="null", input="room:speakers").address, "input")
    hears(speakers, crowd, "all of them in the room")
    assert output(desk)["leads_to"] == "room:speakers"
    host = own_stage.pulseaudio()
    there = Ear(host.address, host.monitor)
    hears(there, crowd, "all of them on the host")
    assert output(desk)["leads_to"] == "host"
    assert crowd.lost == []
    there.close()
    speakers.close()


def test_where_no_connection_is_left_programs_play_on_in_silence_until_one_is(own_stage):
    host = own_stage.pulseaudio()
    desk = own_stage.desk(upstream=host.address)
    crowd = Crowd(own_stage)
    with ExitStack() as taken:
        there = Ear(host.address, host.monitor)
        for _ in range(MOST_CONNECTIONS - 1):
            connection = taken.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(host.address.removeprefix("unix:"))
        player = crowd.play("watched", desk.open("box", output="host").address)
        wait_until(lambda: "PulseAudio: 64" in desk.list()["box"]["note"], "the note", QUICK)
        assert output(desk)["state"] == "waiting"
        wait_until(lambda: len(player.positions) and player.positions[-1] > 1.0, "its time to go on", QUICK)
    hears(there, crowd, "it on the host")
    assert desk.list()["box"]["note"] == ""
    assert crowd.lost == []
    there.close()
