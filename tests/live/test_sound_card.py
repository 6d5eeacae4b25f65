"""The pytest fixture `sound` with real programs."""

from __future__ import annotations

import os
import subprocess

import numpy as np
import pytest

from eardrum.testing import heard
from eardrum.testing.servers import wait_until

TONE = heard.sine(523, 48_000)


@pytest.fixture
def record(tmp_path):
    """Starts parec; `finished()` of what it gives ends it and returns the path of its WAV file."""
    started = []

    def start(*options):
        path = tmp_path / f"microphone-{len(started)}.wav"
        program = subprocess.Popen(["parec", "--file-format=wav", "--latency-msec=50", *options, str(path)])
        started.append(program)

        def finished():
            before = path.stat().st_size
            wait_until(lambda: path.stat().st_size > before + 50_000, "a tail", deadline=30)
            program.terminate()
            program.wait()
            return path

        return finished

    yield start
    for program in started:
        program.kill()
        program.wait()


def test_what_paplay_plays_is_heard(sound, tmp_path):
    path = heard.write_wav(tmp_path / "tones.wav", heard.stereo_tones(440, 660, seconds=1))
    subprocess.run(["paplay", str(path)], check=True)
    sound.assert_tone(440, "left")
    sound.assert_tone(660, "right")
    sound.assert_no_gaps()
    heard.assert_tones(heard.trimmed(sound.heard()), sound.rate, (440, 660), 0.25)
    assert len(heard.trimmed(sound.heard())) == pytest.approx(48_000, abs=4)


@pytest.mark.parametrize("shape", ["mono", "stereo", "file", "44100"])
def test_what_is_played_into_the_microphone_is_recorded_from_its_first_frame(sound, record, tmp_path, shape):
    match shape:
        case "mono":
            playing = sound.play_into_microphone(TONE[:, 0])
        case "stereo":
            playing = sound.play_into_microphone(np.repeat(TONE, 2, axis=1))
        case "file":
            playing = sound.play_into_microphone(heard.write_wav(tmp_path / "tone.wav", TONE))
        case _:
            playing = sound.play_into_microphone(heard.sine(523, 44_100, 44_100), 44_100)
    finished = record()
    playing.wait()
    samples, rate = heard.load(finished())
    sounding = heard.trimmed(samples)
    assert len(sounding) / rate == pytest.approx(1, abs=0.001)
    heard.assert_tones(sounding[200:-200], rate, (523, 523), 0.25)
    heard.assert_no_gap(sounding[200:-200], rate)
    sound.assert_silence()


def test_the_microphone_does_not_hear_what_is_played(sound, record, tmp_path):
    finished = record()
    playing = sound.play_into_microphone(TONE)
    path = heard.write_wav(tmp_path / "tones.wav", heard.stereo_tones(440, 660, seconds=1))
    subprocess.run(["paplay", str(path)], check=True)
    playing.wait()
    samples, rate = heard.load(finished())
    assert heard.amplitude_at(heard.trimmed(samples)[:, 0], rate, 440) < 0.001
    sound.assert_tone(440, "left")


def test_in_a_container(sound, tmp_path):
    """bwrap stands for any engine: the directory is mounted, nothing else is known inside."""
    path = heard.write_wav(tmp_path / "tones.wav", heard.stereo_tones(440, 660, seconds=0.5))
    command = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--tmpfs", "/run"]
    command += ["--ro-bind", str(sound.directory), "/run/pulse", "--clearenv", "--setenv", "PATH", os.environ["PATH"]]
    command += ["--setenv", "PULSE_SERVER", sound.container_environment["PULSE_SERVER"]]
    subprocess.run([*command, "paplay", str(path)], check=True)
    sound.assert_tone(440, "left")
