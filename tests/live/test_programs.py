"""Programs that were never changed for Eardrum: parec, ffmpeg, aplay through the ALSA plugin, pactl."""

from __future__ import annotations

import json

import numpy as np
import pytest

from eardrum.testing.heard import trimmed


@pytest.fixture
def parlour(desk):
    """An outlet that plays into a room, and one that hears it."""
    return desk.open("player", output="room:parlour"), desk.open("listener", output="null", input="room:parlour")


def test_parec_in_a_container_records_the_room(desk, stage, parlour, sounds, contained, until, assert_whole):
    player, _ = parlour
    heard = stage.directory / "parec-in-a-container.raw"
    parec = contained("podman", 0, "parec", "--format=s16le", "--rate=48000", "--channels=2", "--latency-msec=50")
    with heard.open("wb") as sound:
        recording = desk.start("parec", "run", "--output=null", "--input=room:parlour", "--", *parec, stdout=sound)
    until(lambda: heard.stat().st_size, "parec in podman to record")
    stage.play(player.address, sounds / "tone.wav")
    size = heard.stat().st_size
    until(lambda: heard.stat().st_size > size + 96_000, "parec to record half a second more")
    recording.terminate()
    recording.wait(10)
    assert_whole(np.fromfile(heard, "<i2").reshape(-1, 2))


def test_ffmpeg_records_the_room(stage, parlour, sounds, load, assert_tones):
    player, listener = parlour
    file = stage.directory / "ffmpeg.wav"
    stage.start("player", ["paplay", str(sounds / "long.wav")], {"PULSE_SERVER": player.address})
    record = ["-f", "pulse", "-i", "default", "-t", "1", "-y", str(file)]
    done = stage.run(["ffmpeg", "-nostdin", "-loglevel", "error", *record], {"PULSE_SERVER": listener.address})
    assert (done.returncode, done.stderr) == (0, "")
    heard = trimmed(load(file))  # ffmpeg may have begun before the player
    assert len(heard) > 0.5 * 48_000
    assert_tones(heard)


def test_ffmpeg_plays(desk, sounds, load, assert_tones, tmp_path):
    file = tmp_path / "heard.wav"
    ffmpeg = ["ffmpeg", "-nostdin", "-loglevel", "error", "-i", str(sounds / "tone.wav")]
    # ffmpeg throws away what is still in its buffer when it ends, on any server: 100 ms here.
    played = desk.command(
        "run", f"--output=file:{file}", "--", *ffmpeg, "-f", "pulse", "-buffer_duration", "100", "out"
    )
    assert (played.returncode, played.stderr) == (0, "")
    heard = load(file)
    assert len(heard) > 1.8 * 48_000
    assert_tones(heard)


def test_aplay_plays_through_the_alsa_plugin(desk, container, load, assert_whole, tmp_path):
    file = tmp_path / "heard.wav"
    aplay = container("aplay", "-q", "-D", "pulse", "/sounds/tone.wav")
    played = desk.command("run", f"--output=file:{file}", "--", *aplay)
    assert played.returncode == 0, played.stderr
    assert_whole(load(file))


class TestPactl:
    def listed(self, stage, outlet, what):
        return [line.split("\t") for line in stage.pactl(outlet.address, "list", "short", what).splitlines()]

    def test_sees_one_sink_and_nobody_else(self, desk, stage, parlour, sounds, until):
        player, listener = parlour
        stage.start("player", ["paplay", str(sounds / "tone.wav")], {"PULSE_SERVER": player.address})
        until(lambda: self.listed(stage, player, "sink-inputs"), "the player's own stream")
        assert [sink[1] for sink in self.listed(stage, listener, "sinks")] == ["output"]
        assert [source[1] for source in self.listed(stage, listener, "sources")] == ["output.monitor", "input"]
        assert self.listed(stage, listener, "sink-inputs") == []
        assert self.listed(stage, listener, "source-outputs") == []
        assert self.listed(stage, listener, "cards") == []
        assert [client[2] for client in self.listed(stage, listener, "clients")] == ["pactl"]

    def test_lists_everything_as_json(self, stage, parlour):
        _, listener = parlour
        seen = json.loads(stage.pactl(listener.address, "--format=json", "list"))
        assert [sink["name"] for sink in seen["sinks"]] == ["output"]
        assert len(seen["clients"]) == 1

    def test_info_names_no_host_and_no_user(self, stage, parlour):
        _, listener = parlour
        said = dict(line.split(": ", 1) for line in stage.pactl(listener.address, "info").splitlines() if ": " in line)
        assert said["Default Sink"] == "output"
        assert said["Default Source"] == "input"
        assert said["Server Protocol Version"] == "35"
        host = {said["User Name"], said["Host Name"]} & {stage.run(["uname", "-n"]).stdout.strip(), "root"}
        assert not host

    def test_sets_volume_and_mute_of_the_outlets_own_sink(self, stage, parlour):
        player, _ = parlour
        stage.pactl(player.address, "set-sink-volume", "@DEFAULT_SINK@", "40%")
        stage.pactl(player.address, "set-sink-mute", "output", "1")
        assert " 40% " in stage.pactl(player.address, "get-sink-volume", "output")
        assert stage.pactl(player.address, "get-sink-mute", "output") == "Mute: yes\n"

    def test_subscribe_tells_of_streams(self, stage, parlour, sounds, until):
        player, _ = parlour
        stage.start("subscribe", ["pactl", "subscribe"], {"PULSE_SERVER": player.address})
        until(
            lambda: len(self.listed(stage, player, "clients")) == 2 and "on client" in stage.log("subscribe"),
            "an event",
        )
        stage.play(player.address, sounds / "short.wav")
        until(lambda: "Event 'remove' on sink-input" in stage.log("subscribe"), "the stream's end to be told")
        assert "Event 'new' on sink-input" in stage.log("subscribe")
