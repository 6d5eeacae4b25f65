"""Files and FIFOs at the ends of wires, with real programs at both sides."""

from __future__ import annotations

import os
import signal
import subprocess

import numpy as np
import pytest
import soundfile

from eardrum.testing import heard
from eardrum.testing.servers import RATE

TONES = (440, 660)
S16 = ["-f", "s16le", "-ar", str(RATE), "-ac", "2"]


def decoded(path) -> np.ndarray:
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, *S16, "-"], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return np.frombuffer(done.stdout, np.int16).reshape(-1, 2)


def assert_heard(samples, seconds: float) -> None:
    sound = heard.trimmed(samples)
    heard.assert_tones(sound, RATE, TONES, 0.5)
    heard.assert_no_gap(sound, RATE)
    assert abs(len(sound) - seconds * RATE) < 50


@pytest.fixture
def file(tmp_path):
    """Two seconds of the tones at another rate."""
    path = tmp_path / "hello.flac"
    soundfile.write(path, heard.stereo_tones(*TONES, 2.0, 44_100, 0.5), 44_100)
    return path


def test_a_file_is_the_microphone_from_its_first_frame_for_everyone_who_begins(desk, stage, until, file):
    outlet = desk.open("bot", output="null", input=f"file:{file}")
    for _ in range(2):
        recording = stage.record(outlet.address)
        until(lambda recording=recording: recording.frames() > 3 * RATE, "the file and silence", 30)
        samples = recording.finish()
        assert_heard(samples[: 3 * RATE], 2.0)


def test_a_loop_goes_on(desk, stage, until, file):
    outlet = desk.open("bot", output="null", input=f"loop:{file}")
    recording = stage.record(outlet.address)
    until(lambda: recording.frames() > 5 * RATE, "more than two rounds", 30)
    sound = recording.finish()[4000:]
    heard.assert_tones(sound, RATE, TONES, 0.5, within=0.02)


def test_a_microphone_is_one(desk, stage, file):
    outlet = desk.open("bot", output="null", input=f"file:{file}")
    listed = stage.pactl(outlet.address, "list", "sources")
    microphone = listed.split("Source #")[-1]
    assert "Name: input" in microphone
    assert "Monitor of Sink: n/a" in microphone
    assert 'device.class = "sound"' in microphone


@pytest.fixture
def raw(tmp_path):
    """Three seconds of the tones, as they go through a FIFO."""
    path = tmp_path / "said.raw"
    soundfile.write(path, heard.stereo_tones(*TONES, 3.0, RATE, 0.5), RATE, "PCM_16", format="RAW")
    return path


def test_what_is_written_into_a_fifo_is_heard_in_its_time(desk, stage, until, raw, tmp_path):
    fifo = tmp_path / "mouth"
    outlet = desk.open("bot", output="null", input=f"fifo:{fifo}")
    recording = stage.record(outlet.address)
    for _ in range(2):
        before = recording.frames()
        stage.run(["sh", "-c", f"exec cat {raw} >{fifo}"]).check_returncode()  # it is ahead by what the kernel holds
        until(lambda before=before: recording.frames() > before + 4 * RATE, "all of it", 30)
    samples = recording.finish()
    for half in (samples[:before], samples[before:]):
        assert_heard(half, 3.0)
    desk.close("bot")
    assert not fifo.exists()


def test_of_a_writer_who_may_be_late_nothing_is_lost(desk, stage, until, raw, tmp_path):
    fifo = tmp_path / "mouth"
    outlet = desk.open("bot", output="null", input=f"fifo:{fifo}")
    recording = stage.record(outlet.address)
    stage.run(["ffmpeg", "-v", "error", "-y", "-re", *S16, "-i", str(raw), *S16, str(fifo)]).check_returncode()
    until(lambda: np.any(np.fromfile(recording.path, "<i2")), "the first of it", 30)
    samples = recording.finish(tail=1.0)
    said = np.fromfile(raw, "<i2").reshape(-1, 2)
    np.testing.assert_array_equal(*(sound[sound.any(axis=1)] for sound in (samples, said)))


def test_what_is_played_comes_out_of_a_fifo(desk, stage, until, sounds, tmp_path):
    fifo, heard_file = tmp_path / "ear", tmp_path / "heard.raw"
    outlet = desk.open("radio", output=f"fifo:{fifo}")
    stage.play(outlet.address, sounds / "short.wav")  # for nobody
    with heard_file.open("wb") as sink:
        reader = stage.start("cat", ["cat", str(fifo)], stdout=sink)
    until(lambda: heard_file.stat().st_size, "silence to be read", 30)
    stage.play(outlet.address, sounds / "tone.wav")
    enough = heard_file.stat().st_size + 2 * RATE
    until(lambda: heard_file.stat().st_size > enough, "half a second of silence", 30)
    reader.terminate()
    reader.wait()
    samples = np.fromfile(heard_file, np.int16)
    assert_heard(samples[: len(samples) // 2 * 2].reshape(-1, 2), 2.0)


@pytest.mark.parametrize("name", ["heard.opus", "heard.flac", "heard.wav"])
def test_a_killed_worker_leaves_all_but_the_last_second(desk, stage, until, sounds, name, tmp_path):
    file = tmp_path / name
    outlet = desk.open("bot", output=f"file:{file}")
    stage.start("player", ["paplay", str(sounds / "long.wav")], {"PULSE_SERVER": outlet.address})
    enough = {"heard.opus": 32_000, "heard.flac": 100_000, "heard.wav": 400_000}[name]  # bytes of two seconds
    until(lambda: file.stat().st_size > enough, "two seconds of it", 30)
    os.kill(desk.list()["bot"]["worker"], signal.SIGKILL)
    sound = heard.trimmed(decoded(file))
    assert len(sound) > RATE
    for channel, tone in zip(sound[RATE // 2 :].T, TONES, strict=True):
        assert abs(heard.amplitude_at(channel, RATE, tone) - 0.5) < 0.02


def test_what_cannot_be_an_end_is_said_when_it_is_opened(desk, tmp_path):
    (tmp_path / "text.wav").write_text("no sound " * 1000)
    (tmp_path / "plain").write_text("mine")
    for option, end, said in (
        ("--input", f"file:{tmp_path}/text.wav", "cannot be played"),
        ("--input", f"loop:{tmp_path}/none.wav", "No such file"),
        ("--input", f"file:{tmp_path}", "is no regular file"),
        ("--input", f"fifo:{tmp_path}/plain", "is no FIFO"),
        ("--output", f"fifo:{tmp_path}/plain", "is no FIFO"),
        ("--output", f"file:{tmp_path}/a.mp3", "must end in .wav, .flac, .opus"),
    ):
        done = desk.command("open", "game", option, end)
        assert done.returncode
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    assert desk.list() == {}


def test_a_file_that_turns_bad_is_silence_and_a_note(desk, stage, until, file):
    outlet = desk.open("bot", output="null", input=f"file:{file}")
    file.write_text("no sound any more")
    recording = stage.record(outlet.address)
    until(lambda: recording.frames() > RATE, "silence", 30)
    heard.assert_silence(recording.finish())
    until(lambda: "is broken" in desk.list()["bot"]["note"], "the note", 30)
