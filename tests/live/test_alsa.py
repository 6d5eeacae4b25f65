"""Devices of ALSA at the ends of wires. There is no card here: ALSA's own plugins stand for one."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from eardrum.testing import heard
from eardrum.testing.servers import CHANNELS, EARDRUM, RATE, Stage, end

pytestmark = pytest.mark.alone

TONES = (440, 660)
LONG = 8.0  # seconds


@pytest.fixture(scope="module")
def stage(peers):
    """A stage of its own, as other tests' programs need no cards."""
    with Stage() as stage:
        stage.cards()
        yield stage


@pytest.fixture
def card(stage):
    """The sound server that is the card; it may be another in the end."""
    yield stage.pulseaudio("card")
    for process in stage.processes:
        if process.args[0] == "pulseaudio":
            end(process)


@pytest.fixture
def wav(stage):
    """Makes a file of the tones."""

    def make(seconds):
        path = stage.directory / f"{seconds}.wav"
        if not path.exists():  # somebody may be playing it
            heard.write_wav(path, heard.stereo_tones(*TONES, seconds, RATE, 0.5), RATE)
        return path

    return make


def pull_out(stage, card):
    """The card is gone, from one moment to the next."""
    os.kill(card.pids[0], signal.SIGKILL)
    next(process for process in stage.processes if process.pid in card.pids).wait()


def assert_steady(samples, piece=RATE // 2):
    """The tones without a gap, apart from how they begin and end.

    They follow a clock, so their frequency is looked at in pieces.
    """
    samples = samples[piece // 10 : -piece // 10]
    heard.assert_no_gap(samples, RATE)
    for begin in range(0, len(samples) - piece, piece):
        heard.assert_tones(samples[begin : begin + piece], RATE, TONES, 0.5)


def assert_steady_after_a_while(recording, until):
    """Sound comes back in the middle of a tone, and goes on for two seconds."""

    def back():
        return heard.trimmed(np.fromfile(recording.path, "<i2")).size > 2 * CHANNELS * RATE

    until(back, "the sound to be back", 30)
    assert_steady(heard.trimmed(recording.finish())[RATE // 4 :])


def test_what_is_played_comes_to_the_device_as_it_is(desk, stage, card, until, wav):
    outlet = desk.open("radio", output="alsa:file")
    stage.play(outlet.address, wav(2.0))
    desk.close("radio")
    written = stage.directory / "card.wav"

    def complete():  # the process of the device ends a moment after the outlet, and writes the header then
        return written.stat().st_size > 2 * 8 * RATE and len(heard.load(written)[0]) > 2 * RATE

    until(complete, "the file to be complete", 30)
    samples, rate = heard.load(written)
    assert rate == RATE
    sound = heard.trimmed(samples)
    heard.assert_tones(sound, RATE, TONES, 0.5)
    heard.assert_no_gap(sound, RATE)
    assert abs(len(sound) - 2 * RATE) < 10


def test_a_card_with_a_clock_of_its_own_plays_without_a_gap(desk, stage, card, wav):
    outlet = desk.open("radio", output="alsa:card")
    recording = stage.record(card.address, card.monitor)
    stage.play(outlet.address, wav(4.0))
    sound = heard.trimmed(recording.finish())
    assert_steady(sound)
    assert abs(len(sound) - 4 * RATE) < 0.01 * RATE
    assert desk.list()["radio"]["note"] == ""


def test_a_microphone_is_open_while_somebody_listens(desk, stage, card, until, endless):
    outlet = desk.open("bot", output="null", input="alsa:card")

    def captures():
        return "\t" in stage.pactl(card.address, "list", "short", "source-outputs")

    endless(card.address)
    assert not captures()
    recording = stage.record(outlet.address, "input")
    until(captures, "the device to be opened", 30)
    until(lambda: recording.frames() > 3 * RATE, "three seconds", 30)
    assert_steady(heard.trimmed(recording.finish()))
    until(lambda: not captures(), "the device to be left", 30)


def test_a_capture_without_a_clock_is_heard_in_its_time(desk, stage, card, until):
    tones = heard.stereo_tones(*TONES, 6.0, RATE, 0.5)
    (np.rint(tones * 2**31).astype("<i4")).tofile(stage.directory / "mouth.raw")
    outlet = desk.open("bot", output="null", input="alsa:mouth")
    recording = stage.record(outlet.address, "input")
    until(lambda: recording.frames() > 2 * RATE, "two seconds", 30)
    sound = heard.trimmed(recording.finish())
    heard.assert_tones(sound, RATE, TONES, 0.5)
    heard.assert_no_gap(sound, RATE)


def test_a_card_that_vanishes_disturbs_nobody_and_plays_when_it_returns(
    desk, stage, card, until, wav, endless, tmp_path
):
    radio, other = desk.open("radio", output="alsa:card"), desk.open("other", output=f"file:{tmp_path}/other.wav")
    bot = desk.open("bot", output="null", input="alsa:card")
    before = stage.record(card.address, card.monitor)
    listens = stage.record(bot.address, "input")
    endless(radio.address)
    player = stage.start("other", ["paplay", str(wav(LONG))], {"PULSE_SERVER": other.address})
    until(lambda: heard.trimmed(np.fromfile(before.path, "<i2")).size > RATE, "the card to play", 30)
    pull_out(stage, card)
    for name in ("radio", "bot"):
        until(lambda name=name: "tried again" in desk.list()[name]["note"], f"the note of {name}", 30)
    assert "outlet radio: alsa:card: cannot be had" in stage.log(desk.runtime.name)
    frames = listens.frames()
    until(lambda: listens.frames() > frames + RATE // 2, "silence from the microphone", 30)
    card = stage.pulseaudio("card")
    after = stage.record(card.address, card.monitor)
    for name in ("radio", "bot"):
        until(lambda name=name: not desk.list()[name]["note"], f"{name} to have its device again", 30)
        assert f"outlet {name}: alsa:card is there again" in stage.log(desk.runtime.name)
    assert_steady_after_a_while(after, until)
    listens.finish()
    assert player.wait(60) == 0
    desk.close("other")
    sound = heard.trimmed(heard.load(tmp_path / "other.wav")[0])
    heard.assert_tones(sound, RATE, TONES, 0.5)
    heard.assert_no_gap(sound, RATE)
    assert abs(len(sound) - LONG * RATE) < 10


def test_a_desk_begins_while_a_card_is_gone(open_desk, stage, card, until, endless):
    first = open_desk()
    first.open("radio", output="alsa:card")
    end(first.process)
    pull_out(stage, card)
    second = open_desk(runtime=first.runtime)
    (radio,) = second.list().values()
    endless(f"unix:{radio['socket']}")
    until(lambda: "Connection refused" in second.list()["radio"]["note"], "the note", 30)
    card = stage.pulseaudio("card")
    recording = stage.record(card.address, card.monitor)
    until(lambda: not second.list()["radio"]["note"], "the card", 30)
    assert_steady_after_a_while(recording, until)


def test_a_device_that_is_not_there_is_said_at_once(desk, stage, card):
    for words in (
        (EARDRUM, "open", "radio", "--output", "alsa:none"),
        (EARDRUM, "open", "radio", "--output", "null", "--input", "alsa:none"),
        (EARDRUM, "serve", "--socket", str(stage.directory / "none"), "--sink", "alsa:none"),
    ):
        done = stage.run(words, desk.environment)
        assert done.returncode == 1
        assert done.stderr == (
            "eardrum: alsa:none: ALSA knows no such device now; `aplay -L` and `arecord -L` list what is there\n"
        )
    assert desk.list() == {}


def test_without_the_library_it_is_said_what_to_install(stage, card, tmp_path):
    (tmp_path / "alsaaudio.py").write_text("raise ImportError\n")
    words = [EARDRUM, "serve", "--socket", str(tmp_path / "native"), "--sink", "alsa:card"]
    done = stage.run(words, {"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert "pip install 'eardrum[alsa]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_serve_has_both_ends_and_says_what_becomes_of_them(stage, card, until, wav, endless):
    tones = heard.stereo_tones(*TONES, 9.0, RATE, 0.5)
    (np.rint(tones * 2**31).astype("<i4")).tofile(stage.directory / "mouth.raw")
    server = stage.serve("served", "--sink", "alsa:card", "--source", "alsa:mouth")
    recording = stage.record(server.address, "input")
    listens = stage.record(card.address, card.monitor)
    stage.play(server.address, wav(2.0))
    assert_steady(heard.trimmed(listens.finish()))
    assert_steady(heard.trimmed(recording.finish()))
    pull_out(stage, card)
    player = endless(server.address)
    until(lambda: "alsa:card: cannot be had" in stage.log("served"), "what serve says", 30)
    card = stage.pulseaudio("card")
    until(lambda: "alsa:card is there again" in stage.log("served"), "what serve says then", 30)
    end(player)
