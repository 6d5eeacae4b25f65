"""The devices of a real host: what its microphone is, how it changes, and what an outlet hears and shows of it."""

from __future__ import annotations

import numpy as np
import pytest

from eardrum.testing import heard
from eardrum.testing.servers import RATE, end

SPEAKERS, MOUTH = (
    (6000, 9000),
    (440, 660),
)  # Hz, far apart: what others play on the host, what is said into its microphone
SURROUND = "channel_map=front-left,front-right,rear-left,rear-right,front-center,lfe"


class Host:
    """A server with speakers (`null`), where others play, and a microphone `mic`, into which somebody speaks."""

    def __init__(self, stage, kind, until):
        self._stage, self._until = stage, until
        self.server = stage.pulseaudio("devices") if kind == "pulseaudio" else stage.pipewire_pulse("devices-pipewire")
        self.address = self.server.address
        self.says("load-module", "module-null-sink", "sink_name=mouth", f"rate={RATE}")
        self.says("load-module", "module-remap-source", "source_name=mic", "master=mouth.monitor", "channels=2")
        until(lambda: "\tmic\t" in self.says("list", "short", "sources"), "the microphone")
        self._plays("null", SPEAKERS)
        self._plays("mouth", MOUTH)
        until(lambda: self.says("list", "short", "sink-inputs").count("\n") >= 2, "both to play")

    def says(self, *words):
        return self._stage.pactl(self.address, *words)

    def _plays(self, sink, tones):
        sound = heard.stereo_tones(*tones, 1.0, RATE, 0.5)  # whole periods, so that no seam is heard
        path = self._stage.directory / f"{sink}.raw"
        np.asarray(np.round(sound * 32767), "<i2").tofile(path)
        repeat = f"while cat {path}; do :; done | exec pacat --raw --rate={RATE} --device={sink} --latency-msec=100"
        self._stage.start(f"host-{sink}", ["sh", "-c", repeat], {"PULSE_SERVER": self.address})


@pytest.fixture(scope="module", params=["pulseaudio", "pipewire"])
def host(request, stage, until):
    before = len(stage.processes)
    yield Host(stage, request.param, until)
    for process in reversed(stage.processes[before:]):
        end(process)


def hears(recording, tones):
    """Whether the newest fifth of a second is these tones."""
    frames = recording.frames()
    samples = np.fromfile(recording.path, "<i2", count=frames * 2)[-RATE // 5 * 2 :].reshape(-1, 2) / 32768
    return all(heard.amplitude_at(side, RATE, tone) > 0.3 for side, tone in zip(samples.T, tones, strict=True))


@pytest.mark.parametrize("gate", [False, True], ids=["", "gate"])
def test_a_microphone_is_heard_and_a_monitor_is_not(host, open_desk, stage, until, gate):
    desk = open_desk(upstream=host.address)
    host.says("set-default-source", "null.monitor")
    careful = stage.record(desk.open("careful", output="null", input="host", gate=gate).address)
    nosy = stage.record(desk.open("nosy", output="null", input="host", hear=True, gate=gate).address)
    until(lambda: hears(nosy, SPEAKERS), "what others play", 30)
    until(lambda: careful.frames() > RATE // 2, "silence", 30)
    heard.assert_silence(np.fromfile(careful.path, "<i2"))
    until(lambda: "has no microphone like this" in desk.list()["careful"]["note"], "the note", 30)
    assert 'application.name = "careful"' not in host.says("list", "source-outputs")  # nothing is recorded for it

    host.says("set-default-source", "mic")
    until(lambda: hears(careful, MOUTH) and hears(nosy, MOUTH), "the microphone", 30)

    host.says("set-default-source", "null.monitor")
    until(lambda: hears(nosy, SPEAKERS), "what others play", 30)
    samples = careful.finish() / 32768
    nosy.finish()
    for tone in SPEAKERS:
        blocks = (samples[at : at + RATE // 5] for at in range(0, len(samples) - RATE // 5, RATE // 5))
        assert max(heard.amplitude_at(block[:, 0], RATE, tone) for block in blocks) < 0.02


def test_the_default_sink_is_followed_and_shown(host, open_desk, stage, sounds, until):
    outlet = open_desk(upstream=host.address).open("radio")
    host.says("load-module", "module-null-sink", "sink_name=surround", "rate=44100", "channels=6", SURROUND)
    until(lambda: "\tsurround\t" in host.says("list", "short", "sinks"), "the other sink")

    def shows(shape):
        return shape in stage.pactl(outlet.address, "list", "short", "sinks")

    host.says("set-default-sink", "null")
    second = str(stage.directory / "mouth.raw")
    player = stage.start(
        "radio", ["sh", "-c", f"while cat {second}; do :; done | exec pacat --raw --rate={RATE}"],
        {"PULSE_SERVER": outlet.address},
    )  # fmt: skip
    until(lambda: shows("2ch 48000Hz"), "the default sink", 30)
    there = stage.record(host.address, "surround.monitor")
    for default, shape in (("surround", "6ch"), ("null", "2ch"), ("surround", "6ch")):
        host.says("set-default-sink", default)
        until(lambda shape=shape: shows(shape), f"{default} to be shown", 30)
    until(lambda: hears(there, MOUTH), "the program there", 30)
    there.finish()
    shown = stage.pactl(outlet.address, "list", "sinks")
    assert "surround" not in shown
    assert "Name: output\n" in shown
    end(player)
