"""Connecting to a sound server and saying AUTH."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import threading
from pathlib import Path

import pytest

from eardrum.kernel.upstream_socket import Unreachable, connect, first_cookie
from eardrum.terms.errors import PulseError


def control(command: int, number: int) -> bytes:
    """A control packet that answers tag 0 with one number."""
    return struct.pack(">5I", 15, 0xFFFFFFFF, 0, 0, 0) + struct.pack(">BIBIBI", 76, command, 76, 0, 76, number)


def welcome(version: int) -> bytes:
    return control(2, version)


REFUSAL = control(0, PulseError.ACCESS)
AUTH_BYTES = 20 + 10 + 5 + 5 + 256


class Server:
    """Answers one client with prepared pieces; what the client said is in `heard`."""

    def __init__(self, path: Path, *pieces: bytes) -> None:
        self.path = path
        self.heard = b""
        self._pieces = pieces
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._done.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        try:
            client, _ = self._listening.accept()
        except OSError:
            return
        with client, contextlib.suppress(ConnectionError):  # who has heard enough hangs up
            while len(self.heard) < AUTH_BYTES and (more := client.recv(4096)):
                self.heard += more
            for piece in self._pieces:
                client.sendall(piece)
            if self._pieces[-1:] != (b"",):  # an empty last piece: hang up
                self._done.wait()


def reach(path: Path, *cookies: Path, patience: float = 5.0) -> tuple[socket.socket, int]:
    return asyncio.run(connect(str(path), [str(cookie) for cookie in cookies], patience))


def unreachable(path: Path, patience: float = 5.0) -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        reach(path, patience=patience)
    assert str(caught.value).startswith(f"unix:{path}: ")
    assert "\n" not in str(caught.value)
    return caught.value


def test_auth_is_said_without_flags_and_exactly_its_answer_is_read(tmp_path):
    (tmp_path / "cookie").write_bytes(bytes(range(256)))
    with Server(tmp_path / "native", welcome(35) + b"next") as server:
        connection, version = reach(server.path, tmp_path / "none", tmp_path / "cookie")
        with connection:
            assert version == 35
            assert not connection.getblocking()
            connection.setblocking(True)
            assert connection.recv(100) == b"next"
    assert server.heard[20:] == struct.pack(">BIBIBI", 76, 8, 76, 0, 76, 35) + b"x\0\0\1\0" + bytes(range(256))


@pytest.mark.parametrize("cookie", [None, b"", b"short"])
def test_without_a_cookie_it_is_zeros(tmp_path, cookie):
    if cookie is not None:
        (tmp_path / "cookie").write_bytes(cookie)
    with Server(tmp_path / "native", welcome(35)) as server:
        reach(server.path, tmp_path / "cookie")[0].close()
    assert server.heard.endswith(bytes(256))


@pytest.mark.parametrize(("said", "spoken"), [(35, 35), (36, 35), (13, 13), (0xC0000023, 35), (0x80000020, 32)])
def test_the_older_version_is_spoken(tmp_path, said, spoken):
    with Server(tmp_path / "native", welcome(said)) as server:
        connection, version = reach(server.path)
        connection.close()
    assert version == spoken


def test_an_answer_may_come_in_pieces(tmp_path):
    with Server(tmp_path / "native", *(welcome(35)[i : i + 1] for i in range(35))) as server:
        connection, version = reach(server.path)
        connection.close()
    assert version == 35


def test_descriptors_that_come_along_are_not_taken(tmp_path):
    before = len(list(os.scandir("/proc/self/fd")))
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "native"))
        listening.listen()

        async def scene() -> None:
            asking = asyncio.create_task(connect(str(tmp_path / "native"), []))
            await asyncio.sleep(0)
            client, _ = listening.accept()
            with client:
                socket.send_fds(client, [welcome(35)], [0, 1])
                (await asking)[0].close()

        asyncio.run(scene())
    assert len(list(os.scandir("/proc/self/fd"))) == before


def test_a_server_that_does_not_know_us_is_no_access(tmp_path):
    with Server(tmp_path / "native", REFUSAL) as server:
        problem = unreachable(server.path)
    assert problem.error is PulseError.ACCESS
    assert "neither our uid nor our cookie" in str(problem)


def test_nothing_there(tmp_path):
    problem = unreachable(tmp_path / "native")
    assert problem.error is PulseError.CONNECTIONREFUSED
    assert "no such socket" in str(problem)


def test_a_socket_that_nobody_serves(tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "native"))
    assert "nobody serves this socket" in str(unreachable(tmp_path / "native"))


def test_what_is_no_socket(tmp_path):
    (tmp_path / "file").touch()
    assert "nobody serves this socket" in str(unreachable(tmp_path / "file"))
    assert "Not a directory" in str(unreachable(tmp_path / "file/native"))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        bytes(40),
        struct.pack(">5I", 15, 0xFFFFFFFF, 0, 0, 1) + welcome(35)[20:],
        struct.pack(">5I", 15, 0, 0, 0, 0) + welcome(35)[20:],
        struct.pack(">5I", 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0),
        struct.pack(">5I", 5, 0xFFFFFFFF, 0, 0, 0) + bytes(5),
        control(99, 35),
        struct.pack(">5I", 16, 0xFFFFFFFF, 0, 0, 0) + welcome(35)[20:] + b"0",
    ],
    ids=["http", "zeros", "flags", "sound", "endless", "short", "no reply", "too long"],
)
def test_what_is_no_sound_server(tmp_path, answer):
    with Server(tmp_path / "native", answer, b"") as server:
        assert "what answers there is not a PulseAudio or PipeWire server" in str(unreachable(server.path))


def test_a_server_that_has_no_connection_left(tmp_path):
    with Server(tmp_path / "native", b"") as server:
        problem = unreachable(server.path)
        assert "hangs up" in str(problem)
        assert (problem.error, problem.answered) == (PulseError.BUSY, True)


def test_a_server_of_long_ago(tmp_path):
    with Server(tmp_path / "native", welcome(12)) as server:
        assert "speaks protocol 12, Eardrum needs 13 or newer" in str(unreachable(server.path))


def test_a_server_that_does_not_answer(tmp_path):
    with Server(tmp_path / "native") as server:
        assert "no answer in 0.05 s" in str(unreachable(server.path, patience=0.05))


def test_a_server_whose_backlog_is_full_is_waited_for(tmp_path):
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as first:
        listening.bind(str(tmp_path / "native"))
        listening.listen(0)
        listening.setblocking(False)
        first.connect(str(tmp_path / "native"))
        assert "no answer in 0.1 s" in str(unreachable(tmp_path / "native", patience=0.1))

        async def scene() -> int:
            loop = asyncio.get_running_loop()
            asking = asyncio.create_task(connect(str(tmp_path / "native"), []))
            await asyncio.sleep(0)
            (await loop.sock_accept(listening))[0].close()
            client, _ = await loop.sock_accept(listening)
            with client:
                await loop.sock_sendall(client, welcome(35))
                connection, version = await asking
                connection.close()
            return version

        assert asyncio.run(scene()) == 35


def test_long_paths_are_reached(tmp_path, monkeypatch):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    monkeypatch.chdir(folder)
    with Server(Path("native"), welcome(35)):
        connection, version = reach(folder / "native")
        connection.close()
    assert version == 35


def test_a_cookie_that_is_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "cookie").write_bytes(bytes(range(256)))
    assert first_cookie([str(tmp_path / "fifo"), str(tmp_path / "cookie")]) == bytes(range(256))
