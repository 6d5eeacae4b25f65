"""A desk of a few lines: it keeps a table of outlets and has no sound. It is served by the standard library's HTTP."""

from __future__ import annotations

import json
import shutil
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from eardrum.cli import eardrum


class FakeDesk(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, runtime: Path) -> None:
        super().__init__(str(runtime / "control"), _Handler)
        self.runtime = runtime
        self.outlets: dict[str, dict[str, Any]] = {}
        self.rooms: dict[str, dict[str, Any]] = {}
        self.worker: Callable[[socket.socket], None] = lambda connection: None  # who goes on after 101
        self.heard: list[tuple[str, str]] = []  # method and path of every request
        self.bodies: list[Any] = []  # of those that had one
        self.answers: dict[str, tuple[int, bytes]] = {}  # by method: what is said instead
        self.hung_up = threading.Event()  # a connection that held an outlet has ended

    def open(self, wanted: dict[str, Any]) -> dict[str, Any]:
        directory = self.runtime / "outlets" / wanted["name"]
        self.outlets[wanted["name"]] = wanted | {
            "directory": str(directory), "socket": str(directory / "native"), "worker": None,
            "connections": 0, "playing": 0, "recording": 0, "note": "", "configured": False,
            "permissions": {"owner": "me", "group": "audio", "mode": "0660"},
        }  # fmt: skip
        return self.outlets[wanted["name"]]

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    server: FakeDesk
    protocol_version = "HTTP/1.1"
    holds = False

    def parse_request(self) -> bool:
        parsed = super().parse_request()
        if parsed:
            self.server.heard.append((self.command, self.path))
            self.body = self.rfile.read(int(self.headers["content-length"]))
            if self.body:
                self.server.bodies.append(json.loads(self.body))
            if self.command in self.server.answers:
                self.say(*self.server.answers[self.command])
                return False
        return parsed

    def do_GET(self) -> None:
        if "upgrade" in self.headers:
            self.send_response(101)
            self.send_header("upgrade", self.headers["upgrade"])
            self.send_header("connection", "upgrade")
            self.end_headers()
            self.close_connection = True
            self.server.worker(self.connection)
            return
        collection = self.path.rpartition("/")[2]
        self.say(200, json.dumps({collection: list(getattr(self.server, collection).values())}).encode())

    def do_POST(self) -> None:
        if self.path.startswith("/v1/rooms/"):
            name = self.path.rpartition("/")[2]
            self.server.rooms[name] = {"name": name, "kept": True, "players": [], "hearers": []}
            self.say(200, json.dumps(self.server.rooms[name]).encode())
            return
        wanted = json.loads(self.body)
        if wanted["name"] in self.server.outlets:
            self.say(409, b'{"error": "outlet is open already", "status": 1}')
        else:
            self.holds = wanted["held"]
            self.say(201, json.dumps(self.server.open(wanted)).encode())

    def do_PATCH(self) -> None:
        outlet = self.server.outlets.get(self.path.rpartition("/")[2])
        if outlet:
            outlet.update(json.loads(self.body))
            self.say(200, json.dumps(outlet).encode())
        else:
            self.say(404, b'{"error": "no such outlet is open", "status": 1}')

    def do_DELETE(self) -> None:
        if self.path.startswith("/v1/rooms/"):
            room = self.server.rooms.pop(self.path.rpartition("/")[2], None)
            none = b'{"error": "no such room", "status": 1}'
            self.say(*((200, json.dumps(room).encode()) if room else (404, none)))
        elif gone := self.server.outlets.pop(self.path.rpartition("/")[2], None):
            self.say(200, json.dumps({"configured": gone["configured"]}).encode())
        else:
            self.say(404, b'{"error": "no such outlet is open", "status": 1}')

    def say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        super().finish()
        if self.holds:
            self.server.hung_up.set()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def runtime() -> Iterator[Path]:
    """An empty runtime directory; its path is short enough for a socket."""
    directory = Path(tempfile.mkdtemp(prefix="eardrum-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def desk(runtime: Path) -> Iterator[FakeDesk]:
    with FakeDesk(runtime) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def say(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `eardrum WORDS…` in this process, in the runtime directory of the test."""
    monkeypatch.setenv("EARDRUM_RUNTIME_DIR", str(runtime))
    return lambda *words: CliRunner().invoke(eardrum, words)
