"""`eardrum play`, to a worker that takes it all."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from eardrum.protocol import catalog as c
from eardrum.protocol.conversation import Serving
from eardrum.protocol.message import NEWEST
from eardrum.protocol.packets import SoundPacket
from eardrum.terms.audio import MONO, STEREO
from eardrum.testing import heard


class Taker:
    """Asks for sound bit by bit, and answers a drain."""

    def __init__(self):
        self.asked = None
        self.data = b""
        self.ends = False  # before all of it was heard

    def __call__(self, connection):
        conversation = Serving(NEWEST)
        while data := connection.recv(65_536):
            for item in conversation.receive(memoryview(data)):
                if isinstance(item, SoundPacket):
                    if self.ends:
                        return
                    self.data += item.data
                    connection.sendall(conversation.say(c.Request(channel=7, nbytes=len(item.data))))
                elif isinstance(item.message, c.CreatePlaybackStream):
                    self.asked = item.message
                    created = c.PlaybackStreamCreated(channel=7, sink_input=0, missing=1000)
                    connection.sendall(conversation.say(created, item.tag))
                else:
                    assert item.message == c.DrainPlaybackStream(channel=7)
                    connection.sendall(conversation.say(c.Ack(), item.tag))

    @property
    def samples(self):
        return np.frombuffer(self.data, "<f4").reshape(-1, self.asked.sample_spec.channels)


@pytest.fixture
def taker(desk):
    desk.worker = Taker()
    return desk.worker


@pytest.mark.parametrize(
    ("name", "channels", "channel_map"),
    [
        ("a.wav", 1, MONO),
        ("a.flac", 2, STEREO),
        ("a.ogg", 2, STEREO),
        ("a.wav", 6, bytes((1, 2, 3, 7, 5, 6))),
        ("a.wav", 11, bytes(range(12, 23))),
    ],
)
def test_any_sound_file_is_played_as_it_is(taker, say, tmp_path, name, channels, channel_map):
    file = tmp_path / name
    soundfile.write(file, heard.sine(440, 20_000, 22_050, channels=channels), 22_050)
    result = say("play", str(file), "bot/in")
    assert (result.exit_code, result.output) == (0, "")
    assert np.array_equal(taker.samples, soundfile.read(file, dtype="float32", always_2d=True)[0])
    assert (taker.asked.sample_spec.rate, taker.asked.channel_map) == (22_050, channel_map)


def test_raw_sound(taker, say, tmp_path):
    file = tmp_path / "sound.raw"
    steps = np.arange(2000, dtype="<i2").reshape(-1, 2)
    file.write_bytes(steps.tobytes())
    assert say("play", "--raw", str(file), "room:hall").exit_code == 0
    assert np.array_equal(taker.samples, steps.astype("<f4") / 32768)


def test_a_worker_that_ends_before_the_sound(taker, say, tmp_path):
    taker.ends = True
    file = heard.write_wav(tmp_path / "a.wav", heard.sine(440, 48_000))
    result = say("play", str(file), "room:hall")
    assert (result.exit_code, result.stderr) == (1, f"eardrum: room:hall: has ended before {file} was heard\n")


@pytest.mark.parametrize(
    ("content", "words", "part"),
    [
        (None, (), "No such file or directory"),
        (b"", (), "is no sound file that can be read"),
        (b"garbage" * 1000, (), "is no sound file that can be read: Format not recognised"),
        (b"", ("--raw",), "has no sound in it"),
        (b"", ("--raw", "--loop"), "has no sound in it"),
    ],
)
def test_what_cannot_be_played(taker, say, tmp_path, content, words, part):
    file = tmp_path / "x.wav"
    if content is not None:
        file.write_bytes(content)
    result = say("play", *words, str(file), "room:hall")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"eardrum: {file}: ")
    assert part in result.stderr
    assert result.stderr.count("\n") == 1


def test_misuse(desk, say):
    assert say("play", "--loop", "-", "room:hall").exit_code == 2
    assert say("play", "x.wav", "bot").exit_code == 2
    assert not desk.heard
