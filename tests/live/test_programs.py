"""Programs that were never changed for Eardrum play and record, on every server under test (`served`), and are carried
to the sound servers of hosts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from eardrum.testing import heard
from eardrum.testing.servers import CHANNELS, RATE

SCRIPTS = Path(__file__).with_name("programs")


def script(name: str, verb: str) -> str:
    return f"{sys.executable} {SCRIPTS / name}.py {verb}"


# FILE begins with a second of tones and ends in silence, for some programs throw away what they hold at their end: half
# a second where they let us choose, so that they may be late
PLAYERS = {
    "paplay": "paplay FILE",
    "pacat": "pacat --file-format=wav FILE",
    "ffmpeg": "ffmpeg -nostdin -loglevel error -i FILE -f pulse -buffer_duration 500 out",
    "sox": "sox -q FILE -t pulseaudio default",
    "mpv": "mpv --no-config --really-quiet --vo=null --ao=pulse --pulse-buffer=500 FILE",
    "gstreamer": "gst-launch-1.0 -q filesrc location=FILE ! wavparse ! audioconvert ! pulsesink buffer-time=500000",
    "aplay": "aplay -q -D pulse FILE",
    "sdl": script("sdl", "play") + " FILE",
    "openal": script("openal", "play") + " FILE",
    "portaudio": script("portaudio", "play") + " FILE",
    "canberra": script("canberra", "play") + " FILE",
    "canberra-cached": script("canberra", "cached") + " FILE",
}
CARRIED = ("paplay", "pacat", "ffmpeg", "mpv", "gstreamer", "aplay", "sdl")
RECORDERS = {
    "parec": "timeout -s INT 3 parec --file-format=wav --rate=48000 --latency-msec=50 FILE",
    "ffmpeg": "ffmpeg -nostdin -loglevel error -f pulse -i default -t 1 -y FILE",
    "sox": "sox -q -t pulseaudio default -r 48000 FILE trim 0 1",
    "mpv": "mpv --no-config --really-quiet --vo=null --ao=pcm --ao-pcm-file=FILE --length=1 av://pulse:default",
    "gstreamer": "gst-launch-1.0 -q pulsesrc num-buffers=100 ! audio/x-raw,rate=48000,channels=2 ! audioconvert"
    " ! wavenc ! filesink location=FILE",
    "arecord": "arecord -q -D pulse -f S16_LE -r 48000 -c 2 -d 1 FILE",
    "sdl": script("sdl", "record") + " FILE",
    "openal": script("openal", "record") + " FILE",
    "portaudio": script("portaudio", "record") + " FILE",
}
CARRIED_RECORDERS = ("parec", "ffmpeg", "gstreamer", "arecord", "sdl")
VARIABLES = {
    "SDL_AUDIODRIVER": "pulseaudio",
    "ALSOFT_CONF": str(SCRIPTS / "alsoft.conf"),
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}


@pytest.fixture(scope="session")
def padded(stage, sounds):
    """A second of tones, then 0.6 s of silence."""
    sound = heard.stereo_tones(440, 660, 1.0, RATE, 0.5)
    return heard.write_wav(sounds / "padded.wav", np.vstack((sound, np.zeros((round(0.6 * RATE), CHANNELS)))), RATE)


@pytest.fixture
def plays(stage, padded, assert_tones):
    """Has the program of this name play on a server, where it is heard whole and unharmed."""

    def check(name, server):
        words = [word.replace("FILE", str(padded)) for word in PLAYERS[name].split()]
        played = stage.run(words, {**VARIABLES, "PULSE_SERVER": server.address})
        assert played.returncode == 0, played.stderr
        sound = heard.trimmed(server.heard())
        assert_tones(sound)
        # A tone begins and ends near zero, which counts as silence; OpenAL fades a few frames of its own.
        assert RATE - 4 <= len(sound) <= RATE + 64

    return check


@pytest.mark.parametrize("name", PLAYERS)
def test_a_program_plays(name, served, plays):
    plays(name, served)


@pytest.mark.parametrize("name", CARRIED)
def test_a_program_is_carried(name, carried, plays):
    plays(name, carried)


@pytest.fixture
def records(stage, load, assert_tones, tmp_path):
    """Has the program of this name record on a server, in whose microphone the tones are."""

    def check(name, server):
        file = tmp_path / "recorded.wav"
        words = [word.replace("FILE", str(file)) for word in RECORDERS[name].split()]
        recorded = stage.run(words, {**VARIABLES, "PULSE_SERVER": server.address})
        assert file.exists(), recorded.stderr
        sound = load(file)
        assert len(sound) > 0.9 * RATE
        assert_tones(sound[RATE // 20 :])  # pipewire-pulse begins softly

    return check


@pytest.mark.parametrize("name", RECORDERS)
def test_a_program_records(name, served, spoken, records):
    records(name, served)


@pytest.mark.parametrize("name", CARRIED_RECORDERS)
def test_a_program_records_a_microphone_of_the_host(name, carried, spoken_on_the_host, records):
    records(name, carried)


def test_speaker_test_plays_on_one_side(served, stage):
    words = "speaker-test -D pulse -c 2 -r 48000 -t sine -f 500 -s 2 -b 500000 -p 100000"
    assert stage.run(words.split(), {"PULSE_SERVER": served.address}).returncode == 0
    sound = heard.trimmed(served.heard())
    assert len(sound) > RATE
    heard.assert_silence(sound[:, 0])
    heard.assert_tone(sound[:, 1], RATE, 500)


class TestInContainers:
    def test_parec_records_the_room(self, desk, stage, sounds, contained, until, assert_whole):
        player = desk.open("player", output="room:parlour")
        file = stage.directory / "parec-in-a-container.raw"
        parec = contained("podman", 0, "parec", "--format=s16le", "--rate=48000", "--channels=2", "--latency-msec=50")
        with file.open("wb") as sound:
            recording = desk.start("parec", "run", "--output=null", "--input=room:parlour", "--", *parec, stdout=sound)
        until(lambda: file.stat().st_size, "parec in podman to record")
        stage.play(player.address, sounds / "tone.wav")
        size = file.stat().st_size
        until(lambda: file.stat().st_size > size + 96_000, "parec to record half a second more")
        recording.terminate()
        recording.wait(30)
        assert_whole(np.fromfile(file, "<i2").reshape(-1, 2))

    def test_aplay_plays_through_the_alsa_plugin(self, desk, container, load, assert_whole, tmp_path):
        file = tmp_path / "heard.wav"
        aplay = container("aplay", "-q", "-D", "pulse", "/sounds/tone.wav")
        played = desk.command("run", f"--output=file:{file}", "--", *aplay)
        assert played.returncode == 0, played.stderr
        assert_whole(load(file))
