"""paplay in a container (no network, read-only root, as root and as an ordinary user) is heard as it played."""

from __future__ import annotations

import re

from eardrum.testing.servers import EARDRUM


def test_a_file_holds_the_tone_and_nothing_else(desk, container, load, assert_whole, frames_of, tmp_path):
    file = tmp_path / "heard.wav"
    played = desk.command("run", "--output", f"file:{file}", "--", *container("paplay", "/sounds/tone.wav"))
    assert played.returncode == 0, played.stderr
    heard = load(file)
    assert len(heard) == frames_of("tone")
    assert_whole(heard)


def test_run_needs_no_desk(stage, sounds, load, assert_whole, frames_of, tmp_path):
    file = tmp_path / "heard.wav"
    words = ["run", "--runtime-dir", str(tmp_path / "runtime"), "--output", f"file:{file}", "--"]
    played = stage.run([EARDRUM, *words, "paplay", str(sounds / "tone.wav")])
    assert played.returncode == 0, played.stderr
    heard = load(file)
    assert len(heard) == frames_of("tone")
    assert_whole(heard)


def test_a_room_is_heard_by_another_outlet(desk, stage, container, assert_whole):
    listener = desk.open("listener", output="null", input="room:parlour")
    recording = stage.record(listener.address)
    played = desk.command("run", "--output", "room:parlour", "--", *container("paplay", "/sounds/tone.wav"))
    assert played.returncode == 0, played.stderr
    assert_whole(recording.finish())


def test_pulseaudio_hears_the_tone(open_desk, stage, pulseaudio, container, assert_whole):
    desk = open_desk(upstream=pulseaudio.address)
    recording = stage.record(pulseaudio.address, pulseaudio.monitor)
    played = desk.command("run", "--output", "host", "--", *container("paplay", "/sounds/tone.wav"))
    assert played.returncode == 0, played.stderr
    assert_whole(recording.finish())


def test_pipewire_pulse_hears_the_tone(open_desk, stage, pipewire_pulse, container, assert_whole):
    desk = open_desk(upstream=pipewire_pulse.address)
    recording = stage.record(pipewire_pulse.address, pipewire_pulse.monitor)
    played = desk.command(
        "run", "--output", f"host:{pipewire_pulse.sink}", "--", *container("paplay", "/sounds/tone.wav")
    )
    assert played.returncode == 0, played.stderr
    assert_whole(recording.finish())


def test_upstream_sees_the_outlet_and_not_the_program(open_desk, stage, pulseaudio, sounds, until):
    desk = open_desk(upstream=pulseaudio.address)
    outlet = desk.open("jukebox")
    stage.start("player", ["paplay", str(sounds / "tone.wav")], {"PULSE_SERVER": outlet.address})
    seen = until(lambda: stage.pactl(pulseaudio.address, "list", "sink-inputs"), "the stream upstream")
    assert re.search(r'application\.name = "(.*)"', seen)[1] == "jukebox"
    assert "application.process" not in seen
    assert "paplay" not in seen
