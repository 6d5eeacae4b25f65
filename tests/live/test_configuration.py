"""An outlet that only the configuration names, with real programs, from one desk to the next."""

from __future__ import annotations

import pytest

from eardrum.testing.servers import EARDRUM, Desk, end


@pytest.fixture
def configured(stage, until, tmp_path):
    """Starts a desk with this configuration, always in the same runtime directory."""
    desks = []

    def start(text):
        file = tmp_path / "config.toml"
        file.write_text(text)
        command = [EARDRUM, "up", "--upstream=none", f"--runtime-dir={tmp_path}/runtime", f"--config={file}"]
        desks.append(Desk(stage, tmp_path / "runtime", stage.start("configured", command)))
        until(lambda: desks[-1].command("list").returncode == 0, "the desk to serve")
        return desks[-1]

    yield start
    for desk in desks:
        end(desk.process)


def test_a_configured_outlet_plays_in_the_same_directory_and_within_its_limits(
    stage, configured, endless, sounds, load, assert_whole, until, tmp_path
):
    recording = tmp_path / "radio.wav"
    outlet = f'[[outlet]]\nname = "radio"\noutput = "file:{recording}"\n'
    first = configured(outlet)
    directory = tmp_path / "runtime/outlets/radio"
    before, address = directory.stat().st_ino, {"PULSE_SERVER": f"unix:{directory}/native"}
    assert stage.run(["paplay", str(sounds / "tone.wav")], address).returncode == 0
    end(first.process)
    assert_whole(load(recording))
    second = configured('[budget]\nconnections = 1\n[[outlet]]\nname = "radio"\noutput = "null"\n')
    assert directory.stat().st_ino == before
    endless(address["PULSE_SERVER"])
    until(lambda: second.list()["radio"]["playing"] == 1, "somebody to play")
    assert stage.run(["pactl", "info"], address).returncode != 0  # one more than it may have
