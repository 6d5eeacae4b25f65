"""A real desk in a process of its own, asked over its real control socket."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

import eardrum
from eardrum.kernel import outlet_directory

SOURCES = Path(eardrum.__file__).parents[1]
DEADLINE = 20.0


class Caller(http.client.HTTPConnection):
    """A connection to a control socket."""

    def __init__(self, control: Path) -> None:
        super().__init__("desk")
        self.control = control

    def connect(self) -> None:
        self.sock = outlet_directory.connect(self.control)
        self.sock.settimeout(DEADLINE)

    def ask(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        """Status and body of the answer."""
        self.request(method, target, None if body is None else json.dumps(body))
        response = self.getresponse()
        return response.status, json.loads(response.read())


class Visitor:
    """A connection to an outlet, whose fake worker obeys lines."""

    def __init__(self, path: Path) -> None:
        self.socket = outlet_directory.connect(path)
        self.socket.settimeout(DEADLINE)
        self.lines = self.socket.makefile("r")

    def line(self) -> str:
        """The next line, "" if the worker is gone."""
        try:
            return self.lines.readline().strip()
        except ConnectionResetError:
            return ""

    def about(self) -> Any:
        """What the worker says about itself first of all."""
        return json.loads(self.line())

    def tell(self, order: str) -> str:
        """The line that the worker answers with."""
        self.socket.sendall(order.encode())
        return self.line()

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


class Desk:
    """A desk process on a runtime directory."""

    def __init__(
        self, runtime: Path, *arguments: str, environment: dict[str, str] | None = None, mask: int = 0o022
    ) -> None:
        self.runtime = runtime
        self.log = runtime.with_name(f"{runtime.name[:20]}.log")
        self._stack = ExitStack()
        own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES), "HOME": str(runtime.parent)}
        script = Path(__file__).with_name("fake_desk.py")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(script), str(runtime), *arguments],
                env=own | (environment or {}),
                stdout=subprocess.PIPE,
                stderr=log,
                umask=mask,
            )
        assert self.process.stdout
        self.hello = self.process.stdout.readline()

    @property
    def said(self) -> str:
        """What it has said on standard error so far."""
        return self.log.read_text()

    def caller(self) -> Caller:
        caller = Caller(self.runtime / "control")
        self._stack.callback(caller.close)
        return caller

    def ask(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        caller = Caller(self.runtime / "control")
        try:
            return caller.ask(method, target, body)
        finally:
            caller.close()

    def open(self, name: str, output: str = "null", **more: Any) -> Any:
        status, outlet = self.ask("POST", "/v1/outlets", {"name": name, "output": output, **more})
        assert status == 201, outlet
        return outlet

    def close(self, name: str) -> None:
        status, answer = self.ask("DELETE", f"/v1/outlets/{name}")
        assert status == 200, answer

    def outlet(self, name: str) -> Any:
        """The outlet as the desk lists it, None if it is not open."""
        outlets = {outlet["name"]: outlet for outlet in self.ask("GET", "/v1/outlets")[1]["outlets"]}
        return outlets.get(name)

    def visit(self, name: str) -> Visitor:
        visitor = Visitor(self.runtime / "outlets" / name / "native")
        self._stack.callback(visitor.close)
        return visitor

    def upgrade(self, target: str) -> tuple[bytes, socket.socket]:
        """The status line of the answer, and the connection, on which a worker may speak now."""
        connection = outlet_directory.connect(self.runtime / "control")
        self._stack.callback(connection.close)
        connection.settimeout(DEADLINE)
        head = f"GET {target} HTTP/1.1\r\nHost: desk\r\nUpgrade: native\r\nConnection: upgrade\r\n\r\n"
        connection.sendall(head.encode())
        said = b""
        while b"\r\n\r\n" not in said:
            said += connection.recv(1)
        return said.partition(b"\r\n")[0], connection

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the desk; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(DEADLINE)
        if self.process.stdout:
            self.process.stdout.close()
        return status

    def leave(self) -> None:
        """End the desk and hang up everywhere."""
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.stop(signal.SIGKILL)
            raise
        finally:
            self._stack.close()


StartDesk = Callable[..., Desk]


@pytest.fixture
def start_desk(tmp_path: Path) -> Iterator[StartDesk]:
    """A function that starts a desk, by default always in the same runtime directory and without a host."""
    with ExitStack() as stack:

        def start(*arguments: str, runtime: Path = tmp_path / "runtime", **more: Any) -> Desk:
            desk = Desk(runtime, *arguments, **more)
            stack.callback(desk.leave)
            return desk

        yield start


@pytest.fixture
def desk(start_desk: StartDesk) -> Desk:
    """A desk on a machine without a sound server."""
    return start_desk("none")


@pytest.fixture(scope="module")
def quiet_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all tests of a file that leave it as it was."""
    desk = Desk(tmp_path_factory.mktemp("quiet") / "runtime", "none")
    yield desk
    desk.leave()


@pytest.fixture
def until() -> Callable[[Callable[[], Any], str], Any]:
    """Wait for a condition; the first true value."""

    def wait(condition: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + DEADLINE
        while not (value := condition()):
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(0.005)
        return value

    return wait


@pytest.fixture
def sound_server(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """A function that makes a socket on which every client is answered with the same bytes."""
    made: list[tuple[socket.socket, threading.Thread]] = []

    def serve(answer: bytes, name: str = "server") -> Path:
        path = tmp_path / name
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=_answer_all, args=(listening, answer))
        thread.start()
        made.append((listening, thread))
        return path

    yield serve
    for listening, thread in made:
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(DEADLINE)
        listening.close()


def _answer_all(listening: socket.socket, answer: bytes) -> None:
    clients = []
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            break
        clients.append(client)
        with suppress(ConnectionError):  # who has heard enough hangs up
            client.recv(4096)
            client.sendall(answer)
    for client in clients:
        client.close()
