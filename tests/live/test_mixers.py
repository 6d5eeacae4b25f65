"""Programs that show and turn what is there: pactl, pulsectl, pulsemixer, pavucontrol."""

from __future__ import annotations

import json

import pulsectl
import pytest


@pytest.fixture
def parlour(desk):
    """An outlet that plays into a room, and one that hears it."""
    return desk.open("player", output="room:parlour"), desk.open("listener", output="null", input="room:parlour")


class TestPactl:
    def listed(self, stage, outlet, what):
        return [line.split("\t") for line in stage.pactl(outlet.address, "list", "short", what).splitlines()]

    def test_sees_one_sink_and_nobody_else(self, stage, parlour, endless, until):
        player, listener = parlour
        endless(player.address)
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


def test_pulsectl_lists_turns_and_meters(served, spoken, until):
    with pulsectl.Pulse("mixer", server=served.address) as pulse:
        assert pulse.server_info().default_sink_name == served.sink
        sink = pulse.get_sink_by_name(served.sink)
        pulse.volume_set_all_chans(sink, 0.5)
        pulse.mute(sink)
        sink = pulse.get_sink_by_name(served.sink)
        assert (sink.volume.value_flat, sink.mute) == (0.5, 1)
        assert served.source in [source.name for source in pulse.source_list()]
        # the silent one first: pulsectl may count late peaks of the last stream for the next
        assert pulse.get_peak_sample(sink.monitor_source_name, 0.2) == 0
        both = pytest.approx(0.476, abs=0.01)  # the sides, mixed
        until(lambda: pulse.get_peak_sample(served.source, 0.2) == both, "the peak")


def test_pulsemixer_lists_and_turns(served, stage):
    def said(*words):
        done = stage.run(["pulsemixer", *words], {"PULSE_SERVER": served.address})
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    sinks = [line for line in said("--list").splitlines() if line.startswith("Sink:")]
    assert len(sinks) == 1
    assert "Default" in sinks[0]
    assert said("--set-volume", "40", "--get-volume") == "40 40\n"
    assert said("--mute", "--get-mute") == "1\n"
