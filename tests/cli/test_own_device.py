"""The device of `eardrum serve`: a process beside it."""

from __future__ import annotations

import os

import numpy as np
import pytest

from eardrum.cli.own_device import OwnDevice
from eardrum.terms.errors import Complaint
from eardrum.terms.names import WireEnd
from eardrum.testing import heard
from eardrum.testing.servers import wait_until

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def test_what_is_written_is_played_to_its_end(cards):
    device = OwnDevice(WireEnd("alsa", "file"), print, captures=False)
    device.begin(True)
    name, pipe = device.take()
    assert name == "file"
    tones = heard.stereo_tones(440, 660, 0.2, 48_000, 0.5).astype(np.float32)
    os.write(pipe, tones.tobytes())
    os.close(pipe)
    device.end()
    samples, _ = heard.load(cards.directory / "card.wav")
    assert np.abs(samples[-len(tones) :] - tones).max() < 1e-6


def test_a_device_that_is_not_there_is_a_complaint(cards, capfd):
    device = OwnDevice(WireEnd("alsa", "none"), print, captures=True)
    with pytest.raises(Complaint, match="no such device"):
        device.begin(True)
    device.end()
    assert capfd.readouterr() == ("", "")


def test_what_becomes_of_it_is_said_in_lines(cards, tmp_path):
    said = tmp_path / "said"

    def say(line):
        with said.open("a") as file:
            file.write(line + "\n")

    config = cards.directory / "asound.conf"
    devices = config.read_text()
    device = OwnDevice(WireEnd("alsa", "nothing"), say, captures=False)
    device.begin(True)
    config.unlink()  # the device is opened when there is sound
    _, pipe = device.take()
    os.write(pipe, bytes(80_000))
    wait_until(lambda: said.exists() and "it is tried again every second\n" in said.read_text(), "a line", 30)
    assert said.read_text().startswith("alsa:nothing: ALSA knows no such device now")
    config.write_text(devices)
    wait_until(lambda: said.read_text().endswith("alsa:nothing is there again\n"), "another", 30)
    os.close(pipe)
    device.end()
