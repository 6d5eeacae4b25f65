"""The module lines that recorders and meeting bots of public images begin with, and what they are for.

Each case is written after the pattern that several images share: what their start-up script says to pactl or pacmd,
then where their browser plays and their recorder or speech listens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pytest

from eardrum.testing import heard
from eardrum.testing.servers import EARDRUM, RATE

TONES = (440, 660)  # Hz, of short.wav
RIVALS = (1000, 1500)  # Hz, of another container
NAMES = ("one", "two")


@dataclass(frozen=True)
class Image:
    """What an image's script says, a line each; `played` and `recorded` are devices, "" for the default."""

    script: str
    played: str = ""
    recorded: str = ""


IMAGES = {
    # a web service's recorder: one grab sink; its monitor is recorded by name
    "conference recorder": Image(
        """load-module module-null-sink sink_name="grab" sink_properties=device.description="monitorOUT" """,
        recorded="grab.monitor",
    ),
    # a browser's recorder that makes its sink the default and records the default source
    "browser recorder": Image(
        """load-module module-virtual-sink sink_name=v1
        set-default-sink v1
        set-default-source v1.monitor""",
    ),
    # a meeting bot whose speech comes out of a remapped source, as Chromium shows no monitors
    "speaking bot": Image(
        """load-module module-null-sink sink_name=tts_sink rate=48000 channels=2 sink_properties=device.description=TTS
        load-module module-remap-source master=tts_sink.monitor source_name=virtual_mic channels=2
        set-default-source virtual_mic""",
        played="tts_sink",
    ),
    # the same with a virtual source, beside a sink for the meeting
    "bot with two sinks": Image(
        """load-module module-null-sink sink_name=meeting_out sink_properties=device.description=MeetingOut
        load-module module-null-sink sink_name=bot_voice sink_properties=device.description=BotVoice
        load-module module-virtual-source source_name=bot_mic master=bot_voice.monitor
        set-default-sink meeting_out
        set-default-source bot_mic""",
        played="bot_voice",
        recorded="bot_mic",
    ),
    # a streaming desktop: output and input sinks, and a loopback from one to the other
    "streaming desktop": Image(
        """load-module module-null-sink sink_name=output_sink sink_properties=device.description=output
        load-module module-null-sink sink_name=input_sink sink_properties=device.description=input
        load-module module-loopback source=output_sink.monitor sink=input_sink latency_msec=50
        set-default-sink output_sink""",
        recorded="input_sink.monitor",
    ),
    # an exporter that makes a sink for each of its jobs, mono at another rate too, and drops the one that ended
    "exporter of jobs": Image(
        """load-module module-null-sink sink_name=job_1 rate=44100 channels=1
        load-module module-null-sink sink_name=job_2 rate=48000 channels=2 format=s16le
        unload-module module-suspend-on-idle
        set-default-sink job_2""",
        recorded="job_2.monitor",
    ),
    # a test runner that combines what is heard and what is recorded
    "test runner": Image(
        """load-module module-null-sink sink_name=recording
        load-module module-null-sink sink_name=speakers
        load-module module-combine-sink sink_name=both slaves=recording,speakers
        set-default-sink both""",
        recorded="recording.monitor",
    ),
}


@pytest.fixture(params=IMAGES)
def image(request):
    return IMAGES[request.param]


class Started(NamedTuple):
    """A server of an image: where its programs find it, and the command that takes a script's lines."""

    environment: dict[str, str]
    tool: str = "pactl"

    @property
    def address(self) -> str:
        return self.environment.get("PULSE_SERVER") or f"unix:{self.environment['XDG_RUNTIME_DIR']}/pulse/native"


def in_outlets(stage, desk):
    """What an image starts is not there: its sound server is an outlet."""
    return [Started({"PULSE_SERVER": desk.open(name, "null", modules=True).address}) for name in NAMES]


def on_serve(stage, desk):
    """An image that starts `eardrum serve`."""
    return [Started({"PULSE_SERVER": stage.serve(f"image-{name}").address}) for name in NAMES]


def by_shims(stage, desk):
    """An image that starts `pulseaudio` and says its lines to `pacmd`."""
    shims = stage.make_directory("shims")
    stage.run([EARDRUM, "serve", "--install-shims", str(shims)]).check_returncode()
    started = []
    for name in NAMES:
        environment = {"XDG_RUNTIME_DIR": str(stage.make_directory(f"image-{name}-run"))}
        environment["PATH"] = f"{shims}:{stage.environment['PATH']}"
        start = "pulseaudio --start --exit-idle-time=-1 --log-target=stderr && pulseaudio --check"
        stage.run(["sh", "-c", start], environment).check_returncode()
        started.append(Started(environment, "pacmd"))
    return started


@pytest.fixture(params=[in_outlets, on_serve, by_shims], ids=lambda way: way.__name__)
def images_started(request, stage, desk):
    """Two servers of the same kind, one for each container."""
    started = request.param(stage, desk)
    yield started
    if request.param is not in_outlets:
        for each in started:
            stage.run(["pactl", "exit"], each.environment)


def start_up(stage, started, image):
    for line in image.script.splitlines():
        stage.run(["sh", "-c", f"{started.tool} {line}"], started.environment).check_returncode()


def play(stage, started, device, file):
    option = [f"--device={device}"] if device else []
    return stage.start("played", ["paplay", *option, str(file)], started.environment)


def test_an_image_hears_itself_and_nobody_else(image, images_started, stage, sounds, frames_of):
    tones = heard.stereo_tones(*RIVALS, frames_of("short") / RATE, RATE, 0.5)
    other = heard.write_wav(sounds / "other.wav", tones, RATE)
    for started in images_started:
        start_up(stage, started, image)
    recordings = [stage.record(started.address, image.recorded) for started in images_started]
    files = (sounds / "short.wav", other)
    players = [play(stage, started, image.played, file) for started, file in zip(images_started, files, strict=True)]
    assert [player.wait(60) for player in players] == [0, 0]
    for recording, tones in zip(recordings, (TONES, RIVALS), strict=True):
        sound = heard.trimmed(recording.finish())
        heard.assert_tones(sound, RATE, tones, 0.5)
        heard.assert_no_gap(sound, RATE)
        assert abs(len(sound) - frames_of("short")) <= 4
