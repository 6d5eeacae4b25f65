"""The person's levels, with the sound servers of real hosts: what is heard there, and what they remember."""

from __future__ import annotations

import json

import numpy as np
import pytest

from eardrum.terms.audio import VOLUME_NORM, linear
from eardrum.testing.servers import FRAME_BYTES, RATE, end

LATELY = RATE // 4  # frames
AMPLITUDE = 0.5  # of what `endless` plays
HALF = VOLUME_NORM // 2
HIGHEST = pytest.approx(HALF, abs=2)  # volumes are whole numbers, and multiplied
TWIN = ("--client-name=twin", "--property=media.role=music")


@pytest.fixture
def types(carried):
    """Runs `eardrum WORDS`, and returns what it prints."""

    def run(*words):
        done = carried.desk.command(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def peak(stage, carried):
    """How loud it is at the host, lately."""
    recording = stage.record(carried.upstream.address, carried.upstream.monitor)
    yield lambda: lately(recording)
    end(recording.process)


@pytest.fixture
def streams(stage):
    """Streams of a server by the name of their client: `streams(address, "sink-inputs")`."""

    def listed(address, what="sink-inputs"):
        found = json.loads(stage.pactl(address, "--format=json", "list", what))
        return {stream["properties"].get("application.name"): stream for stream in found}

    return listed


def lately(recording):
    """The loudest sample, lately."""
    skipped = max(0, recording.frames() - LATELY) * FRAME_BYTES
    samples = np.fromfile(recording.path, "<i2", offset=skipped)
    return np.abs(samples / 2**15).max(initial=0)


def level(stream):
    return stream["volume"]["front-left"]["value"], stream["mute"]


def shown(stream):
    return stream["volume"]["front-left"]["value_percent"]


def about(amplitude):
    return pytest.approx(amplitude, rel=0.05, abs=1e-4)


def test_the_person_turns_down_and_mutes_what_plays(stage, carried, types, peak, endless, until):
    endless(carried.address)
    until(lambda: peak() == about(AMPLITUDE), "the tones", 30)
    assert types("volume", "carried", "50%") == "50% / -18.06 dB\n"
    until(lambda: peak() == about(AMPLITUDE * linear(HALF)), "half the level", 30)
    assert types("mute", "carried") == "50% / -18.06 dB, muted\n"
    until(lambda: peak() == 0, "silence", 30)
    assert stage.pactl(carried.address, "get-sink-mute", "output") == "Mute: yes\n"
    stage.pactl(carried.address, "set-sink-mute", "output", "0")
    stage.pactl(carried.address, "set-sink-volume", "output", "150%")
    assert stage.pactl(carried.address, "get-sink-mute", "output") == "Mute: yes\n"
    assert peak() == 0
    assert "output muted" in types("list")
    types("mute", "carried", "off")
    until(lambda: peak() == about(AMPLITUDE * linear(HALF * 3 // 2)), "the level that the program has set, at half", 30)


def test_no_program_is_louder_than_the_ceiling(stage, carried, types, endless, streams, until):
    types("open", "quiet", "--ceiling", "50%")
    outlet = carried.address.replace("outlets/carried", "outlets/quiet")
    endless(outlet, f"--volume={2 * VOLUME_NORM}")
    stream = until(lambda: streams(outlet).get("pacat"), "its stream", 30)
    assert level(stream) == (2 * VOLUME_NORM, False)
    assert level(streams(carried.upstream.address)["quiet"]) == (HIGHEST, False)
    stage.pactl(outlet, "set-sink-volume", "output", "150%")
    types("volume", "quiet", "120%")
    assert level(streams(carried.upstream.address)["quiet"]) == (HIGHEST, False)
    types("volume", "quiet", "10%")
    assert level(streams(carried.upstream.address)["quiet"]) == (pytest.approx(VOLUME_NORM * 3 // 10, abs=2), False)


@pytest.fixture
def remembers(stage, carried):
    """The host remembers levels of streams."""
    address, module = carried.upstream.address, None
    if "PipeWire" not in stage.pactl(address, "info"):  # there wireplumber does it
        module = stage.pactl(address, "load-module", "module-stream-restore").strip()
    yield
    if module is not None:
        stage.pactl(address, "unload-module", module)


@pytest.mark.usefixtures("remembers")
def test_programs_of_one_name_here_and_there_share_no_level(stage, carried, endless, streams, until):
    host = carried.upstream.address
    outlet = carried.desk.open("own").address

    def plays(address, name):
        player = endless(address, *TWIN)
        return player, until(lambda: streams(host).get(name), f"{name} to play", 30)

    def set_volume(address, index, percent):
        stage.pactl(address, "set-sink-input-volume", str(index), percent)

    player, stream = plays(host, "twin")
    set_volume(host, stream["index"], "30%")
    end(player)
    player, _ = plays(outlet, "own")
    until(lambda: level(streams(host)["own"]) == (VOLUME_NORM, False), "the outlet's own level", 30)
    set_volume(outlet, streams(outlet)["twin"]["index"], "80%")
    until(lambda: shown(streams(host)["own"]) == "80%", "what its program has set", 30)
    end(player)
    player, _ = plays(host, "twin")
    until(lambda: shown(streams(host)["twin"]) == "30%", "what was set at the host", 30)
    end(player)


@pytest.mark.usefixtures("remembers")
def test_a_mute_that_is_over_is_not_remembered(carried, types, endless, streams, until):
    host = carried.upstream.address
    player = endless(carried.address)
    until(lambda: streams(host).get("carried"), "its stream", 30)
    types("mute", "carried")
    until(lambda: level(streams(host)["carried"])[1], "its stream to be muted", 30)
    end(player)
    types("mute", "carried", "off")
    endless(carried.address)
    until(lambda: streams(host).get("carried"), "its next stream", 30)
    until(lambda: level(streams(host)["carried"]) == (VOLUME_NORM, False), "its level", 30)


def test_a_muted_microphone_is_not_recorded_and_goes_on_later(stage, carried, types, endless, streams, until):
    host, sink = carried.voice()
    endless(host, f"--device={sink}")
    recording = stage.record(carried.address, "input")
    until(lambda: lately(recording) == about(AMPLITUDE), "the voice", 30)
    assert "carried" in streams(host, "source-outputs")
    types("mute", "carried/in")
    until(lambda: lately(recording) == 0, "silence", 30)
    assert "carried" not in streams(host, "source-outputs")
    stage.pactl(carried.address, "set-source-mute", "input", "0")
    before = recording.frames()
    until(lambda: recording.frames() > before + 2 * LATELY, "more silence", 30)
    assert lately(recording) == 0
    assert "carried" not in streams(host, "source-outputs")
    types("mute", "carried/in", "off")
    until(lambda: lately(recording) == about(AMPLITUDE), "the voice again", 30)
    end(recording.process)


@pytest.mark.usefixtures("remembers")
def test_what_the_host_remembers_of_the_output_is_not_the_microphones(stage, carried, types, endless, streams, until):
    host = carried.upstream.address
    carried.voice()
    endless(carried.address)
    until(lambda: streams(host).get("carried"), "its stream", 30)
    types("mute", "carried")
    until(lambda: level(streams(host)["carried"])[1], "its stream to be muted", 30)
    recording = stage.record(carried.address, "input")
    until(lambda: streams(host, "source-outputs").get("carried"), "its microphone", 30)
    assert not streams(host, "source-outputs")["carried"]["mute"]
    end(recording.process)
