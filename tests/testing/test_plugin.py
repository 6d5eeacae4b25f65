from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

PLAYING = """
import os, signal, subprocess, sys
from pathlib import Path
import numpy as np
import pytest
from eardrum.kernel.outlet_directory import connect
from eardrum.protocol.catalog import Auth, SetClientName
from eardrum.protocol.message import NEWEST
from eardrum.testing.heard import sine, stereo_tones
from eardrum.testing.workers import S16, Caller

@pytest.fixture
def play():
    '''A program that plays on the card that the environment names.'''
    def played(samples):
        with Caller(connect(Path(os.environ["PULSE_SERVER"].removeprefix("unix:")))) as program:
            program.ask(Auth(version=NEWEST))
            program.ask(SetClientName(name="program"))
            program.play_all((samples * 32768).astype("<i2").tobytes())
    return played
"""


@pytest.fixture
def suite(pytester, tmp_path):
    """Runs a suite of these tests, as somebody else's, in a process of its own."""

    def run(tests, *options):
        pytester.makeconftest(PLAYING)
        pytester.makepyfile("from conftest import *\n" + tests)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", f"--basetemp={tmp_path / 'tmp'}", *options)

    return run


def test_each_test_has_a_card_of_its_own(suite):
    suite("""
def test_left(sound, play):
    play(stereo_tones(440, 660, seconds=0.5))
    sound.assert_tone(440, "left")
    sound.assert_tone(440)
    sound.assert_no_gaps()
    sound.assert_lasts(at_least=0.5, at_most=0.5)
    heard = sound.heard()
    assert heard.dtype == np.float32
    assert heard.shape[1] == 2
    assert abs(len(heard) - sound.rate / 2) <= 4

def test_nothing(sound):
    assert sound.heard().shape == (0, 2)
    sound.assert_silence()

def test_another(sound, play):
    play(stereo_tones(880, 880, seconds=0.3))
    with pytest.raises(AssertionError, match="no tone of 440 Hz"):
        sound.assert_tone(440)
""").assert_outcomes(passed=3)


def test_a_gap_is_heard(suite):
    suite("""
def test_it(sound, play):
    tones = stereo_tones(440, 440, seconds=0.3)
    play(np.concatenate((tones, np.zeros((4800, 2)), tones)))
    sound.assert_lasts(at_least=0.7, at_most=0.7)
    with pytest.raises(AssertionError, match="left has gaps: 0.100 s at 0.300 s"):
        sound.assert_no_gaps()
""").assert_outcomes(passed=1)


def test_what_was_heard_is_told_and_kept(suite, tmp_path):
    result = suite("""
def test_it(sound, play):
    play(stereo_tones(440, 660, seconds=0.5))
    sound.assert_tone(880, "left")
""")
    result.assert_outcomes(failed=1)
    recording = tmp_path / "tmp" / "test_it0" / "heard.wav"
    result.stdout.fnmatch_lines([
        "E*no tone of 880 Hz in left; its tones are left: 440.0 Hz at -12.0 dBFS (0.0 to 0.5 s)",
        "E*heard: 0.500 s at 48000 Hz, 2 channels",
        "E*right: level -15.1 dBFS, peak -12.0 dBFS; tones: 660.0 Hz *",
        f"E*recording: {recording}",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*__tracebackhide__*")
    assert recording.stat().st_size > 90_000


def test_waiting(suite):
    suite("""
import threading

def test_a_tone_is_waited_for(sound, play):
    playing = threading.Thread(target=play, args=(stereo_tones(440, 660, seconds=2),))
    playing.start()
    sound.wait_until_heard()
    sound.wait_until_heard(660, "right", seconds=0.5)
    playing.join()

def test_a_tone_is_waited_for_in_vain(sound):
    with pytest.raises(AssertionError, match=r"no tone of 440 Hz of 0.1 s within 0.1 s\\nheard: 0.000 s"):
        sound.wait_until_heard(440, timeout=0.1)
""").assert_outcomes(passed=2)


def test_programs_find_the_card_and_nothing_of_the_user(suite, monkeypatch):
    monkeypatch.setenv("PULSE_SINK", "mine")
    monkeypatch.setenv("PULSE_SERVER", "unix:/mine")
    suite("""
def test_inside(sound):
    assert "PULSE_SINK" not in os.environ
    for name in ("PULSE_SERVER", "PULSE_COOKIE", "PULSE_CLIENTCONFIG"):
        assert os.environ[name] == sound.environment[name]
    assert os.environ["PULSE_SERVER"] == f"unix:{sound.socket}"
    assert len(Path(os.environ["PULSE_COOKIE"]).read_bytes()) == 256
    assert Path(os.environ["PULSE_CLIENTCONFIG"]).read_text() == "autospawn = no\\n"
    assert sound.socket.is_socket()
    assert sound.socket == sound.directory / "native"
    assert sound.container_environment == {"PULSE_SERVER": "unix:/run/pulse/native"}
    assert len(str(sound.socket)) < 100

def test_outside():
    assert os.environ["PULSE_SERVER"] == "unix:/mine"
    assert os.environ["PULSE_SINK"] == "mine"
""").assert_outcomes(passed=2)


def test_what_cannot_be_played_into_the_microphone(suite):
    suite("""
def test_it(sound, tmp_path):
    with pytest.raises(OSError, match="cannot be read as a sound file"):
        sound.play_into_microphone(tmp_path / "nothing.wav")
    with pytest.raises(ValueError, match="use frames, or frames by 1 or 2 channels"):
        sound.play_into_microphone(np.zeros((10, 3)))
    with pytest.raises(TimeoutError, match="does nothing record"):
        sound.play_into_microphone(np.zeros(10)).wait(0.1)
""").assert_outcomes(passed=1)


def test_parallel_under_xdist(suite):
    suite("""
@pytest.mark.parametrize("frequency", [440, 550, 660, 880])
def test_it(sound, play, frequency):
    play(stereo_tones(frequency, frequency, seconds=0.3))
    sound.assert_tone(frequency)
""", "-n", "2").assert_outcomes(passed=4)  # fmt: skip


def test_the_desk_ends_and_leaves_nothing(suite, tmp_path, monkeypatch):
    scratch = tmp_path / "s"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    suite("""
def test_it(sound, play):
    play(stereo_tones(440, 660, seconds=0.3))
""").assert_outcomes(passed=1)
    assert not list(scratch.glob("eardrum-*"))


def test_other_suites_do_not_pay_for_it():
    heavy = {"numpy", "soundfile", "soxr", "msgspec", "click", "eardrum.cli", "eardrum.sound", "eardrum.testing.card"}
    program = (
        "import pytest, sys; before = {*sys.modules}; import eardrum.testing.plugin; print(*{*sys.modules} - before)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "eardrum.testing.plugin" in ran.stdout.split()
    assert not heavy & set(ran.stdout.split())
