"""A crowd of real programs outlives what happens to the sound server of the host. `make soak` has more of it, and says
how long they are not heard.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eardrum.testing.crowd import Crowd, Ear, Mortal
from eardrum.testing.servers import Stage

SOAK = Path(__file__).parents[2] / "soak"
DEADLINE = 30.0  # seconds


@pytest.fixture
def stage(peers):
    """One of its own: the server dies."""
    with Stage() as stage:
        yield stage


@pytest.fixture(params=["pulseaudio", "pipewire_pulse"])
def host(request, stage):
    return Mortal(stage, request.param)


@pytest.fixture
def heard(host, until):
    """Waits until tones are heard at the host."""

    def wait(tones):
        with Ear(host.address, "null.monitor") as ear:
            until(lambda: ear.hears(tones), "the tones", DEADLINE)

    return wait


def test_nobody_is_lost_when_the_server_is_killed(stage, host, heard):
    outlet = stage.desk(upstream=host.address).open("box", output="host:null", input="host")
    crowd = Crowd(stage)
    crowd.gather([outlet.address], playing=6, recording=2, idle=1)
    tones = [player.tone for player in crowd.players]
    heard(tones)
    for _ in range(2):
        host.kill()
        host.start()
        heard(tones)
    assert not crowd.lost, [program.log.read_text() for program in crowd.lost]


def test_a_container_that_was_first_is_heard_as_soon_as_there_is_a_server(stage, host, heard, contained, until):
    host.kill()
    desk = stage.desk(upstream=host.address)
    play = "for time in 1 2 3 4 5 6 7 8; do paplay /sounds/long.wav || exit 1; done"
    container = desk.start(
        "first", "run", "--name=first", "--output=host:null", "--", *contained("podman", 0, "sh", "-c", play)
    )
    until(lambda: desk.list()["first"]["playing"], "the container to play", DEADLINE)
    host.start()
    heard([440, 660])
    assert container.poll() is None, stage.log("first")


def test_nothing_is_left_of_streams_that_have_ended(stage):
    done = stage.run([sys.executable, str(SOAK / "starts.py"), "pulseaudio", "100"])
    assert done.returncode == 0, done.stdout + done.stderr
