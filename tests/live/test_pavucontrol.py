"""pavucontrol on a screen without a monitor: it shows the stream, whose meter moves with the sound."""

from __future__ import annotations

import os

import numpy as np
import pytest
import soundfile

from eardrum.testing import heard
from eardrum.testing.servers import RATE

SIZE = 500, 400  # pixels, of pavucontrol's window, which begins in the corner


@pytest.fixture
def picture(stage, tmp_path):
    """Takes a picture of a private screen: rows by columns by red, green and blue."""
    reader, writer = os.pipe()
    argv = ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"]
    stage.start("screen", argv, pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as told:
        display = f":{told.readline().strip()}"

    def take():
        file = tmp_path / "picture.raw"
        grab = ["-f", "x11grab", "-video_size", f"{SIZE[0]}x{SIZE[1]}", "-i", display, "-frames:v", "1"]
        raw = ["-pix_fmt", "rgb24", "-f", "rawvideo", "-y", str(file)]
        stage.run(["ffmpeg", "-loglevel", "error", *grab, *raw]).check_returncode()
        return np.fromfile(file, np.uint8).reshape(SIZE[1], SIZE[0], 3).astype(int)

    take.display = display
    return take


def meter(picture):
    """How far the meter of the only stream reaches, in pixels: what is blue below its slider."""
    below = picture[115:200]
    return int(((below[:, :, 2] > 150) & (below[:, :, 0] < 100)).sum(axis=1).max())


def test_pavucontrol_shows_a_stream_whose_meter_moves(served, stage, picture, until, tmp_path):
    second, quiet = tmp_path / "second.raw", tmp_path / "quiet"
    soundfile.write(second, heard.stereo_tones(440, 660, 1.0, RATE, 0.5), RATE, "PCM_16", format="RAW")
    sound = f"while [ ! -e {quiet} ]; do cat {second}; done; cat /dev/zero"
    play = f"{{ {sound}; }} | exec pacat --raw --rate={RATE} --latency-msec=100"
    stage.start("shown", ["sh", "-c", play], {"PULSE_SERVER": served.address})
    stage.start("pavucontrol", ["pavucontrol", "--tab=1"], {"PULSE_SERVER": served.address, "DISPLAY": picture.display})
    # 0.476, the peak of both sides mixed, of a meter that is nearly as wide as the window
    until(lambda: 190 < meter(picture()) < 260, "the meter to rise", 40)
    quiet.touch()
    until(lambda: meter(picture()) < 20, "the meter to fall", 40)
