"""What is said to a service manager, and which socket it may hand over."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from eardrum.kernel.service import handed_over, notify
from eardrum.terms.errors import Complaint

TAKES = """
import sys
from eardrum.kernel.service import handed_over
from eardrum.terms.errors import Complaint
try:
    given = handed_over()
except Complaint as complaint:
    sys.exit(str(complaint))
print(given and given.getsockname(), given and given.get_inheritable(), handed_over())
"""


def started_with(descriptor: int, count: str = "1", pid: str = "$$") -> subprocess.CompletedProcess[str]:
    """A process that is started as systemd does it, with this one as its descriptor 3."""
    script = f'export LISTEN_PID={pid} LISTEN_FDS={count} LISTEN_FDNAMES=x; exec "$@" 3<&{descriptor}'
    return subprocess.run(
        ["bash", "-c", script, "bash", sys.executable, "-c", TAKES],
        pass_fds=[descriptor],
        capture_output=True,
        text=True,
    )


@pytest.fixture
def listening(tmp_path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "control"))
        listening.listen()
        yield listening


def test_a_listening_socket_is_taken_once(listening):
    assert started_with(listening.fileno()).stdout == f"{listening.getsockname()} False None\n"


def test_what_was_meant_for_another_process_is_left(listening):
    assert started_with(listening.fileno(), pid="1").stdout == "None None None\n"


@pytest.mark.parametrize("count", ["0", "2", "", "-1", "one"])
def test_more_or_less_than_one_is_refused(listening, count):
    assert f"LISTEN_FDS={count}: the desk takes one socket" in started_with(listening.fileno(), count).stderr


def test_what_is_no_listening_unix_socket_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with (
        open(tmp_path / "file") as file,
        socket.socket(socket.AF_UNIX) as idle,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
        socket.socket() as far,
    ):
        datagrams.bind(str(tmp_path / "datagrams"))
        far.bind(("127.0.0.1", 0))
        far.listen()
        assert "descriptor 3 is no socket" in started_with(file.fileno()).stderr
        for other in (idle, datagrams, far):
            assert "descriptor 3 is no UNIX stream socket that listens" in started_with(other.fileno()).stderr


def test_who_was_not_started_like_that_gets_none(monkeypatch):
    monkeypatch.delenv("LISTEN_PID", raising=False)
    assert handed_over() is None


def test_a_descriptor_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr("eardrum.kernel.service._FIRST", 987)
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "1")
    with pytest.raises(Complaint, match="descriptor 987 is no socket: Bad file descriptor"):
        handed_over()


@pytest.mark.parametrize("name", ["{}/notify", "@eardrum-test-{}"])
def test_the_manager_is_told_line_by_line(tmp_path, monkeypatch, name):
    name = name.format(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify(READY="1", STATUS="two\nlines")
        assert manager.recv(1024) == b"READY=1\nSTATUS=two lines"


@pytest.mark.parametrize("name", ["", "vsock:2:1234", "/nowhere/at/all"])
def test_without_a_manager_nothing_is_said(monkeypatch, name):
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    notify(READY="1")
