"""The sample cache with the programs that people have."""

from __future__ import annotations

import pytest

from eardrum.testing.heard import trimmed


@pytest.fixture
def load_and_play(stage, sounds, until):
    """Uploads a tone and plays it by name; returns when it has been played."""

    def run(address):
        environment = {"PULSE_SERVER": address}
        for command in (("upload-sample", str(sounds / "tone.wav"), "tone"), ("play-sample", "tone")):
            done = stage.run(["pactl", *command], environment)
            assert (done.returncode, done.stderr) == (0, "")
        assert "tone" in stage.pactl(address, "list", "short", "samples")
        until(lambda: not stage.pactl(address, "list", "short", "sink-inputs"), "the sample to end")

    return run


def test_a_sample_is_uploaded_and_played_by_pactl(desk, load_and_play, load, assert_whole, tmp_path):
    file = tmp_path / "heard.wav"
    outlet = desk.open("chime", output=f"file:{file}")
    load_and_play(outlet.address)
    desk.command("close", "chime")
    assert_whole(load(file))


@pytest.mark.parametrize("gate", [False, True], ids=["", "gate"])
def test_a_sample_is_played_by_the_server_that_an_outlet_is_in_front_of(
    open_desk, stage, load_and_play, assert_tones, gate
):
    server = stage.pulseaudio(f"chimes-{gate}")
    outlet = open_desk(upstream=server.address).open("chime", output="host", gate=gate)
    recording = stage.record(server.address)
    load_and_play(outlet.address)
    heard = trimmed(recording.finish())
    assert len(heard) > 1.8 * 48_000
    assert_tones(heard)
