"""Rooms, and the commands `play` and `record`: what is heard where, by content."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import numpy as np
import pytest

from eardrum.testing import heard
from eardrum.testing.servers import EARDRUM, RATE

QUICK = 30  # seconds
TAIL = {".wav": RATE, ".flac": 30}  # bytes that a quarter of a second of silence takes at least


@pytest.fixture
def hall(desk):
    """What `eardrum room --json` says of the room `hall`: `hall("playing")`; None if there is no such room."""

    def told(what):
        rooms = json.loads(desk.command("room", "--json").stdout)["rooms"]
        return next((room[what] for room in rooms if room["name"] == "hall"), None)

    return told


class Recorder:
    """An `eardrum record` at work."""

    def __init__(self, desk, until, place, file, *words):
        self.name, self.file = f"record-{file.name}", file
        self.desk, self.until = desk, until
        self.process = desk.start(self.name, "record", place, str(file), *words)
        until(lambda: file.exists() and file.stat().st_size, f"{place} to be recorded", QUICK)

    @property
    def said(self):
        return self.desk.stage.log(self.name)

    def ends(self):
        """It ends by itself; the exit status."""
        return self.process.wait(QUICK)

    def finish(self):
        """Ctrl-C after some more silence; what was recorded."""
        enough = self.file.stat().st_size + TAIL[self.file.suffix]
        self.until(lambda: self.file.stat().st_size > enough, "a quarter of a second more", QUICK)
        self.process.send_signal(signal.SIGINT)
        assert self.ends() == 0, self.said
        samples, rate = heard.load(self.file)
        assert rate == RATE
        return samples


@pytest.fixture
def record(desk, until, tmp_path):
    """Starts to record: `record("room:hall", "heard.wav")`."""
    return lambda place, name="heard.wav", *words: Recorder(desk, until, place, tmp_path / name, *words)


@pytest.fixture
def play(desk, sounds):
    """`eardrum play` of a sound, to its end."""

    def play(place, name="tone", *words):
        done = desk.command("play", *words, str(sounds / f"{name}.wav"), place)
        assert (done.returncode, done.stderr) == (0, "")

    return play


def test_what_is_played_into_a_room_is_recorded_there(record, play, assert_whole):
    recorder = record("room:hall", "heard.flac")
    play("room:hall")
    assert_whole(recorder.finish())
    assert "heard.flac: 0:0" in recorder.said


def test_two_outlets_in_one_room_hear_each_other_but_not_themselves(desk, stage, sounds, record, assert_whole):
    one, two = (desk.open(name, "room:hall", "room:hall") for name in ("one", "two"))
    everything = record("room:hall")
    by_itself, by_the_other = (stage.record(outlet.address) for outlet in (one, two))
    stage.play(one.address, sounds / "tone.wav")
    assert_whole(by_the_other.finish())
    assert not by_itself.finish().any()
    assert_whole(everything.finish())


def test_a_late_joiner_hears_the_rest(desk, endless, until, hall, record, assert_tones):
    endless(desk.open("player", "room:hall").address)
    until(lambda: hall("playing"), "somebody to play", QUICK)
    late = heard.trimmed(record("room:hall").finish())
    assert len(late) > RATE // 10
    assert_tones(late)


def test_a_room_that_nobody_plays_in_gives_silence(desk, tmp_path):
    done = desk.command("record", "--length", "1.5s", "room:desert", str(tmp_path / "silence.wav"))
    assert done.returncode == 0, done.stderr
    samples, _ = heard.load(tmp_path / "silence.wav")
    assert samples.shape == (1.5 * RATE, 2)
    assert not samples.any()


def test_a_file_is_played_into_a_microphone(desk, stage, record, play, assert_whole):
    outlet = desk.open("bot", "null", "silence")
    program = stage.record(outlet.address)
    microphone, output = record("bot/in", "in.wav"), record("bot", "out.wav")
    play("bot/in")
    assert_whole(program.finish())
    assert_whole(microphone.finish())
    assert not output.finish().any()


def test_a_microphone_that_is_a_room_is_played_into_by_way_of_the_room(desk, stage, record, play, assert_whole):
    outlet = desk.open("bot", "room:hall", "room:hall")
    program = stage.record(outlet.address)
    microphone = record("bot/in", "in.wav")
    play("bot/in")
    assert_whole(program.finish())
    assert_whole(microphone.finish())


@pytest.mark.parametrize("output", ["null", "room:hall"])
def test_what_an_outlet_plays_is_recorded_and_the_programs_do_not_notice(
    desk, stage, sounds, record, assert_whole, output
):
    outlet = desk.open("player", output)
    recorder = record("player")
    for kind in ("clients", "source-outputs", "sink-inputs"):
        seen = stage.pactl(outlet.address, "list", "short", kind).splitlines()
        assert len(seen) == (kind == "clients")  # pactl itself
    stage.play(outlet.address, sounds / "tone.wav")
    assert_whole(recorder.finish())


def test_what_an_outlet_plays_on_the_host_is_recorded(
    open_desk, stage, pulseaudio, sounds, until, tmp_path, assert_whole
):
    desk = open_desk(upstream=pulseaudio.address)
    outlet = desk.open("player", "host")
    recorder = Recorder(desk, until, "player", tmp_path / "heard.wav")
    stage.play(outlet.address, sounds / "tone.wav")
    assert_whole(recorder.finish())


def test_a_recording_is_complete_when_its_outlet_is_closed(desk, stage, sounds, load, record, assert_whole):
    outlet = desk.open("player", "null")
    recorder = record("player")
    stage.play(outlet.address, sounds / "tone.wav")
    desk.close("player")
    assert recorder.ends() == 0
    assert "outlet player is closed" in recorder.said
    assert_whole(load(recorder.file))


def test_less_than_was_asked_for_is_a_failure(desk, record):
    desk.open("player", "null")
    recorder = record("player", "heard.wav", "--length", "60s")
    desk.close("player")
    assert recorder.ends() == 1


def test_a_recording_goes_on_with_the_next_worker(desk, stage, sounds, until, record, assert_whole):
    outlet = desk.open("player", "null")
    recorder = record("player")
    worker = desk.list()["player"]["worker"]
    os.kill(worker, signal.SIGKILL)
    until(lambda: desk.list()["player"]["recording"] and desk.list()["player"]["worker"] != worker, "the next", QUICK)
    stage.play(outlet.address, sounds / "tone.wav")
    assert_whole(recorder.finish())


def test_a_closed_room_is_recorded_no_longer(desk, record):
    desk.command("room", "hall")
    recorder = record("room:hall")
    assert desk.command("room", "--close", "hall").returncode == 0
    assert recorder.ends() == 0
    assert "room hall is closed" in recorder.said


def test_a_loop_has_no_gap_and_ends_at_once(desk, sounds, until, hall, record, assert_tones, frames_of):
    recorder = record("room:hall")
    player = desk.start("loop", "play", "--loop", str(sounds / "short.wav"), "room:hall")
    until(lambda: hall("playing"), "the loop", QUICK)
    size = recorder.file.stat().st_size
    until(lambda: recorder.file.stat().st_size > size + 3 * 4 * frames_of("short"), "three rounds", QUICK)
    player.send_signal(signal.SIGINT)
    assert player.wait(QUICK) == 130
    until(lambda: not hall("playing"), "silence", QUICK)
    looped = heard.trimmed(recorder.finish())
    assert len(looped) > 2 * frames_of("short")
    assert_tones(looped)


@pytest.mark.parametrize("raw", [False, True])
def test_standard_input_and_output(desk, sounds, until, hall, raw, tmp_path, assert_whole):
    with (tmp_path / "heard.raw").open("wb") as out:
        recorder = desk.start("record", "record", "room:hall", "-", stdout=out)
    until(lambda: (tmp_path / "heard.raw").stat().st_size, "the room to be recorded", QUICK)
    with (sounds / "tone.wav").open("rb") as sound:
        if raw:
            sound.seek(44)
        words = ["--raw"] if raw else []
        piped = subprocess.Popen(["cat"], stdin=sound, stdout=subprocess.PIPE)
        assert desk.start("play", "play", *words, "-", "room:hall", stdin=piped.stdout).wait(QUICK) == 0
        piped.stdout.close()
        assert piped.wait(QUICK) == 0
    recorder.send_signal(signal.SIGTERM)
    assert recorder.wait(QUICK) == 128 + signal.SIGTERM
    assert_whole(np.fromfile(tmp_path / "heard.raw", "<i2").reshape(-1, 2))


def test_a_full_disk_ends_the_recording_and_the_file_is_valid(desk, stage, load, tmp_path):
    file = tmp_path / "heard.wav"
    words = ["bash", "-c", 'ulimit -f 400; exec "$@"', "bash", EARDRUM, "record", "room:hall", str(file)]
    done = stage.run(words, desk.environment)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"eardrum: {file}: the recording ends here, after ")
    assert len(load(file)) * 4 + 44 == file.stat().st_size <= 400 * 1024


def test_who_records_and_does_not_read_harms_nobody(desk, stage, sounds, until, hall, record, assert_whole):
    stuck = desk.start("stuck", "record", "room:hall", "-", stdout=subprocess.PIPE)
    until(lambda: hall("recording"), "the room to be recorded", QUICK)
    stuck.send_signal(signal.SIGSTOP)
    recorder = record("room:hall")
    outlet = desk.open("player", "room:hall")
    stage.play(outlet.address, sounds / "long.wav")
    assert_whole(recorder.finish(), "long")
    stuck.kill()
    stuck.stdout.close()


def test_after_a_killed_desk_there_is_one_room_of_a_name(
    open_desk, stage, sounds, endless, until, tmp_path, assert_whole
):
    desk = open_desk()
    outlet = desk.open("player", "room:hall")
    player = endless(outlet.address)
    until(lambda: desk.list()["player"]["playing"], "somebody to play", QUICK)
    held = desk.start("held", "run", "--name", "held", "--output", "null", "--", "sleep", "60")
    until(lambda: "held" in desk.list(), "the held outlet", QUICK)
    desk.process.kill()
    desk.process.wait()
    assert player.wait(QUICK) != 0  # its room is gone, and it is told

    desk = open_desk(runtime=desk.runtime)
    assert [path.name for path in (desk.runtime / "outlets").iterdir()] == ["player"]
    recorder = Recorder(desk, until, "room:hall", tmp_path / "heard.wav")
    stage.play(outlet.address, sounds / "tone.wav")
    assert_whole(recorder.finish())
    held.terminate()
    held.wait(QUICK)


def test_what_a_container_plays_is_recorded_from_the_sink_that_it_made(desk, stage, sounds, until, load, assert_whole):
    outlet = desk.open("bot", output="null", modules=True)
    stage.pactl(outlet.address, "load-module", "module-null-sink", "sink_name=grab")
    file = stage.directory / "bot.wav"
    recording = desk.start("bot-recording", "record", "bot", str(file))
    until(lambda: file.exists() and file.stat().st_size > 10_000, "the recording to begin", 30)
    stage.play(outlet.address, sounds / "tone.wav")
    enough = file.stat().st_size + 100_000
    until(lambda: file.stat().st_size > enough, "half a second more", 30)
    recording.send_signal(signal.SIGINT)
    assert recording.wait(30) == 0
    assert_whole(load(file))
