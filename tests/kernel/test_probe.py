"""Who answers at an address. What real servers answer is in tests/live/test_paths.py."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from eardrum.kernel.probe import Answer, ask
from eardrum.protocol.catalog import Auth, AuthReply, ClientNamed, GetServerInfo, ServerInfo, SetClientName
from eardrum.protocol.conversation import Serving
from eardrum.protocol.message import NEWEST
from eardrum.terms.audio import SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.upstream.addresses import Address

COOKIE = bytes(range(256))
INFO = ServerInfo(
    package_name="fiddle", package_version="7", user_name="", host_name="",
    sample_spec=SampleSpec(SampleFormat.S16LE, 2, 1), default_sink="", default_source="", cookie=0,
)  # fmt: skip


@contextlib.contextmanager
def served(listening, cookie=COOKIE):
    """A server that takes one client, if it has this cookie."""

    def serve():
        with contextlib.suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                talk = Serving(NEWEST)
                while data := connection.recv(65536):
                    for said in talk.receive(memoryview(data)):
                        connection.sendall(answer(talk, said.tag, said.message))

    def answer(talk, tag, message):
        match message:
            case Auth() if message.cookie == cookie:
                return talk.say(AuthReply(version=NEWEST), tag)
            case SetClientName():
                return talk.say(ClientNamed(index=0), tag)
            case GetServerInfo():
                return talk.say(INFO, tag)
        return talk.refuse(tag, PulseError.ACCESS)

    listening.listen()
    thread = threading.Thread(target=serve)
    thread.start()
    yield
    listening.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "native"


@pytest.fixture
def listening(path):
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(path))
        yield unix


def test_a_server_says_its_name(listening, path):
    with served(listening):
        assert ask(Address(str(path)), COOKIE, 30) == Answer(True, "", "fiddle", "7", NEWEST)


def test_over_the_network():
    with socket.socket() as network:
        network.bind(("127.0.0.1", 0))
        with served(network):
            address = Address(host="127.0.0.1", port=network.getsockname()[1], version=4)
            assert ask(address, COOKIE, 30) == Answer(True, "", "fiddle", "7", NEWEST)


def test_a_relative_path_is_relative_to_where_the_program_is(listening, path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with served(listening):
        assert ask(Address("native"), COOKIE, 30).server == "fiddle"


def test_who_refuses_has_taken_the_connection(listening, path):
    with served(listening, bytes(256)):
        answer = ask(Address(str(path)), COOKIE, 30)
    assert answer.connects
    assert "Access denied" in answer.problem


def test_who_says_nothing_has_taken_the_connection(listening, path):
    listening.listen()
    answer = ask(Address(str(path)), COOKIE, patience=0.05)
    assert answer.connects
    assert "no answer" in answer.problem


def test_where_too_many_wait_a_client_goes_on(listening, path):
    listening.listen(0)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(BlockingIOError):
            while True:
                waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)
                waiting.connect(str(path))
        answer = ask(Address(str(path)), COOKIE, 30)
    assert not answer.connects
    assert "more wait" in answer.problem


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        (Address("/nonexistent/native"), "no such socket"),
        (Address(f"/{'x' * 200}"), "the path has 201 bytes, a client cuts it to 107"),
        (Address(host="127.0.0.1", port=1, version=4), "Connection refused"),
        (Address(host=""), "no such host"),
        (Address(host="nowhere.invalid"), "no such host"),
    ],
)
def test_nobody(address, problem):
    answer = ask(address, COOKIE, 30)
    assert not answer.connects
    assert problem in answer.problem
