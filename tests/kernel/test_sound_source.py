"""Sound files of any kind, read as what a microphone gives."""

from __future__ import annotations

import os
import subprocess

import numpy as np
import pytest
import soundfile

from eardrum.kernel.sound_source import FileReader
from eardrum.testing import heard

RATE = 48_000


def tones(rate: int, seconds: float = 1.0) -> np.ndarray:
    return heard.stereo_tones(440, 660, seconds, rate, 0.5)


def reader(path, **options) -> FileReader:
    return FileReader(os.open(path, os.O_RDONLY), path.name, RATE, **options)


def all_of(file: FileReader, at_once: int = 960) -> np.ndarray:
    blocks = []
    while len(block := file.read(at_once)):
        blocks.append(block)
    return np.concatenate(blocks)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_file_is_heard_whole_at_our_rate(tmp_path, name, rate):
    soundfile.write(tmp_path / name, tones(rate), rate)
    sound = all_of(reader(tmp_path / name))
    assert len(sound) == RATE
    heard.assert_tones(sound[2000:-2000], RATE, (440, 660), 0.5)


@pytest.mark.parametrize("name", ["a.ogg", "a.opus", "a.mp3", "a.aiff"])
def test_other_formats(tmp_path, name):
    soundfile.write(tmp_path / "a.wav", tones(RATE), RATE)
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", tmp_path / name]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=60)
    sound = all_of(reader(tmp_path / name))
    assert abs(len(sound) - RATE) < 3000
    for channel, tone in zip(sound[5000:-5000].T, (440, 660), strict=True):
        assert abs(heard.amplitude_at(channel, RATE, tone) - 0.5) < 0.04


def test_mono_is_on_both_sides(tmp_path):
    soundfile.write(tmp_path / "a.wav", tones(RATE)[:, 0], RATE)
    heard.assert_tones(all_of(reader(tmp_path / "a.wav")), RATE, (440, 440), 0.5)


def test_what_is_read_at_once_makes_no_difference(tmp_path):
    soundfile.write(tmp_path / "a.wav", tones(44_100), 44_100)
    assert np.array_equal(all_of(reader(tmp_path / "a.wav"), 7), all_of(reader(tmp_path / "a.wav"), 100_000))


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_loop_has_no_gap(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", tones(rate, 0.5), rate)  # whole periods
    sound = reader(tmp_path / "a.wav", loop=True).read(4 * RATE)
    assert len(sound) == 4 * RATE
    heard.assert_no_gap(sound, RATE)
    heard.assert_tones(sound[2000:-2000], RATE, (440, 660), 0.5)


def test_it_can_begin_again(tmp_path):
    soundfile.write(tmp_path / "a.wav", tones(44_100), 44_100)
    file = reader(tmp_path / "a.wav")
    first = all_of(file)
    assert not len(file.read(10))
    file.begin()
    file.read(1000)
    file.begin()
    assert np.array_equal(all_of(file), first)


def test_what_is_no_number_is_silence(tmp_path):
    sound = tones(RATE, 0.1)
    sound[100:200] = np.nan
    sound[300:400] = np.inf
    soundfile.write(tmp_path / "a.wav", sound, RATE, "FLOAT")
    assert np.isfinite(all_of(reader(tmp_path / "a.wav"))).all()


def test_what_is_no_sound_file_is_named(tmp_path):
    (tmp_path / "text.wav").write_text("no sound " * 1000)
    (tmp_path / "empty.wav").touch()
    soundfile.write(tmp_path / "short.wav", tones(RATE)[:0], RATE)
    soundfile.write(tmp_path / "slow.wav", tones(RATE), 10)
    for name, why in {
        "text.wav": "no sound file",
        "empty.wav": "no sound file",
        "short.wav": "no sound in this file",
        "slow.wav": "2 channels at 10 Hz",
    }.items():
        with pytest.raises(OSError, match=rf"{name}: .*{why}"):
            reader(tmp_path / name)


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("loop", [False, True])
def test_a_file_that_is_cut_short_meanwhile_is_broken_there(tmp_path, name, loop):
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (5 * RATE, 2))
    soundfile.write(tmp_path / name, noise, RATE)
    file = reader(tmp_path / name, loop=loop)
    assert len(file.read(RATE)) == RATE
    os.truncate(tmp_path / name, 20)
    with pytest.raises(OSError, match=name):
        all_of(file)
