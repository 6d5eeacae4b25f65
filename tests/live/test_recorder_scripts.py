"""The module lines that recorders and meeting bots of public images begin with, and what they are for, in an outlet.

Each case is written after the pattern that several images share: what their start-up script says to the server, then
where their browser plays and their recorder or speech listens.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from eardrum.testing import heard
from eardrum.testing.servers import RATE

TONES = (440, 660)  # Hz, of tone.wav
RIVALS = (1000, 1500)  # Hz, of another container


@dataclass(frozen=True)
class Image:
    """What an image's script says to pactl, a line each; `played` and `recorded` are devices, "" for the default."""

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


def start_up(stage, address, image):
    for line in image.script.splitlines():
        stage.run(["sh", "-c", f"pactl {line}"], {"PULSE_SERVER": address}).check_returncode()


def play(stage, address, device, file):
    option = [f"--device={device}"] if device else []
    return stage.start("played", ["paplay", *option, str(file)], {"PULSE_SERVER": address})


def test_an_image_hears_itself_and_nobody_else(image, desk, stage, sounds, frames_of):
    other = heard.write_wav(sounds / "other.wav", heard.stereo_tones(*RIVALS, 2.0, RATE, 0.5), RATE)
    outlets = [desk.open(name, "null", modules=True).address for name in ("one", "two")]
    for address in outlets:
        start_up(stage, address, image)
    recordings = [stage.record(address, image.recorded) for address in outlets]
    players = [
        play(stage, *each) for each in zip(outlets, [image.played] * 2, (sounds / "tone.wav", other), strict=True)
    ]
    assert [player.wait(60) for player in players] == [0, 0]
    for recording, tones in zip(recordings, (TONES, RIVALS), strict=True):
        sound = heard.trimmed(recording.finish())
        heard.assert_tones(sound, RATE, tones, 0.5)
        heard.assert_no_gap(sound, RATE)
        assert abs(len(sound) - frames_of("tone")) <= 4
