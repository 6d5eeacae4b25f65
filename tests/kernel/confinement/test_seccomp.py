"""What a confined process can do no more, and that it can still do its work."""

import errno
import mmap
import os
import signal
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from eardrum.kernel.confinement import seccomp


def in_a_confined_child(act: Callable[[], object], *, kill: bool = False) -> int:
    """How a forked child ends that does `act` after it was confined: 0, the errno it failed with, or minus a signal."""
    pid = os.fork()
    if pid == 0:
        status = 255
        try:
            seccomp.forbid(kill=kill)
            act()
            status = 0
        except OSError as error:
            status = error.errno or 255
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


NEVER = Path("/tmp/eardrum-never")
FORBIDDEN = {
    "open": lambda: os.open("/dev/null", os.O_RDONLY),
    "make a file": lambda: os.open(NEVER, os.O_CREAT | os.O_WRONLY, 0o600),
    "make a socket": lambda: socket.socket(socket.AF_UNIX),
    "fork": os.fork,
    "run a program": lambda: os.execv("/bin/true", ["true"]),
    "start a program": lambda: subprocess.Popen(["/bin/true"], close_fds=False),
    "signal itself": lambda: os.kill(os.getpid(), 0),
    "empty a file by its name": lambda: os.truncate(NEVER, 0),
    "remove a file": NEVER.unlink,
    "list a directory": lambda: list(NEVER.parent.iterdir()),
    "change a mode": lambda: NEVER.chmod(0),
    "become another user": lambda: os.setuid(0),
    "share memory by name": lambda: os.memfd_create("never"),
    "have memory that is code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_it_can_not(what):
    assert in_a_confined_child(FORBIDDEN[what]) == errno.EPERM


def test_where_it_is_told_so_the_attempt_ends_the_process():
    assert in_a_confined_child(FORBIDDEN["open"], kill=True) == -signal.SIGSYS


def test_it_can_still_work_with_what_it_has(tmp_path):
    one, other = socket.socketpair()
    listening, caller = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    with one, other, listening, caller, open(tmp_path / "file", "wb", buffering=0) as file:
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        caller.connect(str(tmp_path / "socket"))

        def work() -> None:
            accepted, _ = listening.accept()
            accepted.setblocking(False)
            accepted.close()
            one.sendmsg([b"sound"])
            if other.recv(5) != b"sound":
                raise OSError(errno.EIO, "not what was sent")
            file.write(bytearray(1_000_000))
            os.ftruncate(file.fileno(), 10)
            memory = mmap.mmap(-1, 1_000_000)
            memory[:] = bytes(1_000_000)
            memory.close()

        assert in_a_confined_child(work, kill=True) == 0
    assert (tmp_path / "file").stat().st_size == 10


def test_it_cannot_be_undone_or_gone_round_by_another_filter():
    assert in_a_confined_child(lambda: seccomp.forbid(kill=False)) == errno.EPERM


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_program_falls_through_to_a_refusal(machine):
    """Every jump stays inside, and the last line refuses."""
    text = seccomp.program(*seccomp.MACHINES[machine], kill=False)
    lines = list(struct.iter_unpack("=HBBI", text))
    for position, (code, if_true, if_false, _) in enumerate(lines):
        if code & 0x07 == 0x05:
            assert position + 1 + max(if_true, if_false) < len(lines)
    assert lines[-1][3] == 0x00050000 | errno.EPERM
    assert len(lines) < 4096


def test_an_unknown_machine_is_said(monkeypatch):
    monkeypatch.setattr(os, "uname", lambda: type("Uname", (), {"machine": "vax"})())
    seccomp.prepared.cache_clear()
    with pytest.raises(OSError, match="vax"):
        seccomp.prepared(False)
    seccomp.prepared.cache_clear()
