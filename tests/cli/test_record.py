"""`eardrum record`, from a worker that says its piece and ends."""

from __future__ import annotations

import numpy as np
import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol.conversation import Serving
from eardrum.protocol.message import NEWEST
from eardrum.protocol.packets import sound_head
from eardrum.testing import heard

TUNE = (heard.sine(440, 9600, channels=2) * 32767).astype("<i2")


@pytest.fixture
def tune(desk):
    """Whoever records hears the tune, in pieces that are not whole frames; then the outlet is gone."""

    def worker(connection):
        conversation = Serving(NEWEST)
        (asked,) = conversation.receive(memoryview(connection.recv(4096)))
        desk.asked = asked.message
        said = conversation.say(c.RecordStreamCreated(channel=0, source_output=0), asked.tag)
        data = TUNE.tobytes()
        for start in range(0, len(data), 1001):
            piece = data[start : start + 1001]
            said += sound_head(0, len(piece)) + piece
        desk.answers["GET"] = (404, b'{"error": "outlet game: is not open", "status": 1}')
        connection.sendall(said)

    desk.worker = worker
    return desk


def test_what_is_heard_is_written_and_the_end_is_told(tune, say, tmp_path):
    file = tmp_path / "heard.wav"
    result = say("record", "game", str(file))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"eardrum: {file}: 0:00 recorded, 38 kB; outlet game is closed\n"
    samples, rate = heard.load(file)
    assert rate == 48_000
    assert np.array_equal(np.rint(samples * 32768).astype("<i2"), TUNE)
    assert tune.asked.source_name == "output"


def test_no_more_than_the_length_is_written(tune, say, tmp_path):
    file = tmp_path / "heard.flac"
    assert say("record", "--length", "50ms", "game", str(file)).exit_code == 0
    samples, _ = heard.load(file)
    assert np.array_equal(np.rint(samples * 32768).astype("<i2"), TUNE[:2400])


def test_less_than_the_length_is_a_failure(tune, say, tmp_path):
    assert say("record", "--length", "5s", "game/in", str(tmp_path / "heard.wav")).exit_code == 1
    assert tune.asked.source_name == "input"


def test_a_file_that_is_there_is_replaced_by_force_only(tune, say, tmp_path):
    file = tmp_path / "heard.wav"
    file.write_bytes(b"precious" * 100_000)
    result = say("record", "game", str(file))
    assert result.exit_code == 1
    assert result.stderr == f"eardrum: {file}: is there already; choose another name, or --force replaces it\n"
    assert file.read_bytes() == b"precious" * 100_000
    tune.answers.clear()
    assert say("record", "--force", "game", str(file)).exit_code == 0
    assert len(heard.load(file)[0]) == 9600


def test_an_empty_file_may_be_there(tune, say, tmp_path):
    file = tmp_path / "heard.wav"
    file.touch()
    assert say("record", "game", str(file)).exit_code == 0


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (("game", "heard.mp3"), 2, "the file's name must end in"),
        (("file:x", "heard.wav"), 2, "no such place"),
        (("--length", "soon", "game", "heard.wav"), 2, "is no time"),
        (("game", "/nowhere/heard.wav"), 1, "eardrum: /nowhere/heard.wav: No such file or directory"),
    ],
)
def test_complaints(tune, say, words, status, part):
    result = say("record", *words)
    assert result.exit_code == status
    assert part in result.stderr


def test_no_such_outlet(desk, say, tmp_path):
    desk.answers["GET"] = (404, b'{"error": "outlet game: is not open", "status": 1}')
    result = say("record", "game", str(tmp_path / "heard.wav"))
    assert (result.exit_code, result.stderr) == (1, "eardrum: outlet game: is not open\n")
    assert not (tmp_path / "heard.wav").exists()
