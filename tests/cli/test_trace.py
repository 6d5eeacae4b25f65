"""`eardrum trace`: a program behind the tap, and what is printed of it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from eardrum.cli.trace import HEX_BYTES, Printer, golden_entry
from eardrum.protocol import catalog as c
from eardrum.protocol.codec import encode
from eardrum.protocol.conversation import Serving
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.protocol.tap import Riddle, Said
from eardrum.terms.errors import PulseError

# Says AUTH, a name and EXIT, and sends sound; its exit status is 3.
PROGRAM = r"""
import os, socket, sys
from eardrum.protocol import catalog as c
from eardrum.protocol.conversation import Asking
from eardrum.protocol.packets import sound_head
asking = Asking()
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(os.environ["PULSE_SERVER"].removeprefix("unix:"))
    for message in (c.Auth(version=35), c.SetClientName(proplist={"application.name": b"\33[2Jmelody\0"}), c.Exit()):
        connection.sendall(asking.ask(message)[1])
        while not asking.receive(memoryview(connection.recv(4096))):
            pass
    connection.sendall(sound_head(0, 4) + b"abcd")
print("spoken", flush=True)
exec(sys.argv[1] if sys.argv[1:] else "sys.exit(3)")
"""


class FakeServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        conversation = Serving()
        while data := self.request.recv(4096):
            for heard in conversation.receive(memoryview(data)):
                if isinstance(heard, SoundPacket):
                    continue
                match heard.message:
                    case c.Auth():
                        answer = conversation.say(c.AuthReply(version=35), heard.tag)
                    case c.SetClientName():
                        answer = conversation.say(c.ClientNamed(index=7), heard.tag)
                    case _:
                        answer = conversation.refuse(heard.tag, PulseError.ACCESS)
                self.request.sendall(answer)


@pytest.fixture
def server(runtime: Path) -> Iterator[str]:
    """The address of a server that refuses everything but its acquaintance."""
    path = runtime / "server"
    with FakeServer(str(path), _Handler) as fake:
        thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"unix:{path}"
        fake.shutdown()
        thread.join()


def trace(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "eardrum", "trace", *words],
        capture_output=True, text=True, timeout=60, env={**os.environ, **environment},
    )  # fmt: skip


def told(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines without their times, which must be there."""
    lines = done.stderr.splitlines()
    assert all(re.match(r" +\d+\.\d{4}  1 [<>] ", line) for line in lines), done.stderr
    return [line[10:] for line in lines]


def test_a_program_and_its_server(server: str) -> None:
    done = trace("--server", server, "--", sys.executable, "-c", PROGRAM)
    assert told(done) == [
        " 1 > AUTH tag=0 version=35 cookie=256 bytes",
        " 1 < AUTH_REPLY tag=0 version=35",
        r" 1 > SET_CLIENT_NAME tag=1 proplist={application.name='\x1b[2Jmelody'}",
        " 1 < CLIENT_NAMED tag=1 index=client#7",
        " 1 > EXIT tag=2",
        " 1 < ERROR tag=2 code=ACCESS refuses=EXIT",
    ]
    assert (done.returncode, done.stdout) == (3, "spoken\n")


def test_sound_and_a_record_of_it(server: str, tmp_path: Path) -> None:
    done = trace("--audio", "--golden", str(tmp_path / "x"), "--", sys.executable, "-c", PROGRAM, PULSE_SERVER=server)
    assert told(done)[-1] == " 1 > SOUND channel=0 bytes=4"
    golden = (tmp_path / "x").read_text().splitlines()
    assert [f" {line}" for line in golden if line[0] != " "] == told(done)
    assert golden[-1] == f"    {sound_head(0, 4).hex()}"


def test_json_for_programs(server: str) -> None:
    done = trace("--json", "--server", server, "--", sys.executable, "-c", PROGRAM)
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert [one.get("command") for one in said[:2]] == ["AUTH", "AUTH_REPLY"]
    assert (said[-1]["connection"], said[-1]["by"], said[-1]["error"]) == (1, "server", "ACCESS")
    assert said[2]["fields"]["proplist"] == {"application.name": "\33[2Jmelody"}
    assert sorted(one["time"] for one in said) == [one["time"] for one in said]


def test_a_signal_ends_the_program_not_the_tracer(server: str) -> None:
    forever = "import signal; signal.pause()"
    tracer = subprocess.Popen(
        [sys.executable, "-m", "eardrum", "trace", "--server", server, "--", sys.executable, "-c", PROGRAM, forever],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert tracer.stdout
    assert tracer.stdout.readline() == "spoken\n"
    tracer.send_signal(signal.SIGTERM)
    _, said = tracer.communicate(timeout=30)
    assert tracer.returncode == 128 + signal.SIGTERM
    assert said.count("\n") == 6


def test_nothing_is_left_behind(server: str, tmp_path: Path) -> None:
    trace("--server", server, "--", sys.executable, "-c", PROGRAM, TMPDIR=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["paplay", "x.wav"], 125, "write -- before a program"),
        (["--"], 125, "Missing argument"),
        (["--server", "unix:/nowhere/native", "--", "true"], 125, "eardrum: unix:/nowhere/native: no such socket"),
        (["--server", "tcp:localhost", "--", "true"], 125, "eardrum: no UNIX socket of a sound server is named"),
        (["--", "no-such-command"], 127, "eardrum: no-such-command: no such command"),
        (["--", "/etc/passwd"], 126, "eardrum: /etc/passwd: cannot be executed"),
    ],
)
def test_complaints(words: list[str], status: int, line: str) -> None:
    done = trace(*words)
    assert done.returncode == status
    assert line in done.stderr.splitlines()[-1]


def test_a_record_that_cannot_be_written(server: str) -> None:
    done = trace("--server", server, "--golden", "/nowhere/x", "--", "true")
    assert (done.returncode, done.stderr) == (
        125, "eardrum: --golden /nowhere/x: cannot be written: No such file or directory\n"
    )  # fmt: skip


def printed(said: Said, **how: bool) -> list[str]:
    lines: list[str] = []
    Printer(lines.append, **how).heard(1.5, 12, said)
    return lines


SOUND = SoundPacket(0, 0, 0, memoryview(b"ab"), True, 70_000)


def test_of_sound_in_pieces_one_line_is_printed_and_only_if_wanted() -> None:
    assert printed(Said("client", SOUND)) == []
    assert printed(Said("client", SOUND), sound=True) == ["   1.5000 12 > SOUND channel=0 bytes=70000"]
    assert printed(Said("client", SOUND._replace(first=False)), sound=True) == []


@pytest.mark.parametrize("what", [c.Error(code=1), Riddle("no sense")])
def test_what_went_wrong_is_red(what: c.Error | Riddle) -> None:
    (line,) = printed(Said("server", what))
    assert "\33[31m< " in line
    assert "\33" not in printed(Said("server", what), as_json=True)[0]
    assert "\33" not in golden_entry(1, Said("server", what))


def test_a_golden_entry_is_the_line_and_the_bytes() -> None:
    message = c.SetClientName(proplist={"application.name": b"a long name to fill a line of hex and more\0"})
    data = encode(message, 3, 35)
    line, *below = golden_entry(2, Said("client", message, tag=3, data=data)).splitlines()
    assert line.startswith("2 > SET_CLIENT_NAME tag=3 proplist=")
    assert bytes.fromhex("".join(below)) == data
    assert max(map(len, below)) == 4 + 2 * HEX_BYTES


def test_a_record_has_what_is_printed() -> None:
    record = io.StringIO()
    printer = Printer(lambda line: None, golden=record)
    printer.heard(0.0, 1, Said("client", SOUND))
    printer.heard(0.0, 1, Said("client", c.Stat(), tag=1, data=b"\1"))
    assert record.getvalue() == "1 > STAT tag=1\n    01\n"
