"""A crowd of real programs outlives what happens to the sound server of the host. `make soak` has more of it, and says
how long they are not heard.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eardrum.testing.crowd import Crowd, Ear, Mortal
from eardrum.testing.heard import stereo_tones, write_wav
from eardrum.testing.servers import RATE, Stage

SOAK = Path(__file__).parents[2] / "soak"
DEADLINE = 30.0  # seconds


@pytest.fixture
def own_stage(peers):
    """One on which the server may die."""
    with Stage() as stage:
        yield stage


@pytest.fixture(params=["pulseaudio", "pipewire_pulse"])
def host(request, own_stage):
    return Mortal(own_stage, request.param)


@pytest.fixture
def heard(host):
    """Waits until tones are heard at the host."""

    def wait(tones):
        with Ear(host.address, "null.monitor") as ear:
            ear.listen_for(tones, DEADLINE)

    return wait


def test_nobody_is_lost_when_the_server_is_killed(own_stage, host, heard):
    outlet = own_stage.desk(upstream=host.address).open("box", output="host:null", input="host")
    crowd = Crowd(own_stage)
    crowd.gather([outlet.address], playing=6, recording=2, idle=1)
    tones = [player.tone for player in crowd.players]
    heard(tones)
    for _ in range(2):
        host.kill()
        host.start()
        heard(tones)
    assert not crowd.lost, [program.log.read_text() for program in crowd.lost]


def test_a_container_that_was_first_is_heard_as_soon_as_there_is_a_server(
    own_stage, host, heard, contained, sounds, until
):
    write_wav(sounds / "longest.wav", stereo_tones(440, 660, DEADLINE), RATE)
    host.kill()
    desk = own_stage.desk(upstream=host.address)
    play = ["--name=first", "--output=host:null", "--", *contained("podman", 0, "paplay", "/sounds/longest.wav")]
    container = desk.start("first", "run", *play)
    until(lambda: desk.list().get("first", {}).get("playing"), "the container to play", DEADLINE)
    host.start()
    heard([440, 660])
    assert container.poll() is None, own_stage.log("first")


def test_nothing_is_left_of_streams_that_have_ended(stage):
    done = stage.run([sys.executable, str(SOAK / "starts.py"), "pulseaudio", "100"])
    assert done.returncode == 0, done.stdout + done.stderr
