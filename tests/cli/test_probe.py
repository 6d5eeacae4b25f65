from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from eardrum.protocol.conversation import Serving
from eardrum.protocol.message import NEWEST
from eardrum.terms.errors import PulseError


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """Where a client looks there is nothing."""
    for name in ("PULSE_SERVER", "PULSE_RUNTIME_PATH", "PULSE_COOKIE", "DISPLAY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULSE_CLIENTCONFIG", "/dev/null")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_each_place_is_tried_and_none_answers(say, nowhere):
    result = say("probe")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"eardrum: no server to ask: {nowhere}/pulse/native: no such socket; ")
    assert result.stderr.endswith("name one: eardrum probe unix:/PATH\n")
    assert "/var/run/pulse/native: " in result.stderr


def test_only_the_named_one_is_asked(say, nowhere):
    result = say("probe", "unix:/no/such \x1b")
    assert result.exit_code == 2
    assert "eardrum: no server to ask: unix:/no/such: no such socket" in result.stderr
    assert "/var/run" not in result.stderr
    assert say("probe", "tcp:[").stderr.startswith("eardrum: no server to ask: tcp:[: no address; a ] lacks; ")


@contextlib.contextmanager
def answering(path, answer):
    """Who listens there says `answer(what was said)` to each of the first two who come."""

    def serve():
        for _ in range(2):  # who asks looks first whether somebody is there
            connection, _ = listening.accept()
            with connection:
                if data := connection.recv(4096):
                    connection.sendall(answer(data))

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def test_what_answers_is_no_sound_server(say, nowhere):
    with answering(nowhere / "native", lambda said: b"HTTP/1.1 400 Bad Request\r\n\r\n"):
        result = say("probe", f"unix:{nowhere}/native")
    line = f"eardrum: unix:{nowhere}/native: what answers there is not a PulseAudio or PipeWire server\n"
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", line)


def test_a_server_that_does_not_let_us_in(say, nowhere):
    def refuse(said):
        talk = Serving(NEWEST)
        return talk.refuse(talk.receive(memoryview(said))[0].tag, PulseError.ACCESS)

    with answering(nowhere / "native", refuse):
        result = say("probe", f"unix:{nowhere}/native")
    line = f"eardrum: unix:{nowhere}/native: refused us: ACCESS\n"
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", line)
