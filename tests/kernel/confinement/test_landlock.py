"""A domain that allows nothing, without the filter that forbids the same."""

import errno
import os
import signal
import socket
from pathlib import Path

import pytest

from eardrum.kernel.confinement import landlock, privileges

ABI = landlock.abi()
HERE = pytest.mark.skipif(ABI == 0, reason="this kernel has no Landlock")


def confined(act):
    """Does this in a domain, and tells the name of the error."""

    def do():
        privileges.gain_nothing()
        landlock.enter()
        try:
            act()
        except OSError as error:
            return errno.errorcode[error.errno]
        return "done"

    return do


def bind() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))


@HERE
@pytest.mark.parametrize(
    "act",
    [
        lambda: os.open("/dev/null", os.O_RDONLY),
        lambda: os.open("/proc/self/status", os.O_RDONLY),
        lambda: os.open("/tmp/eardrum-never", os.O_CREAT | os.O_WRONLY, 0o600),
        lambda: os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600),
        lambda: list(Path("/").iterdir()),
        lambda: Path("/tmp/eardrum-never").mkdir(),
        lambda: Path("/tmp/eardrum-never").symlink_to("/"),
        lambda: os.mkfifo("/tmp/eardrum-never"),
        lambda: os.execv("/bin/true", ["true"]),
    ],
)
def test_no_path(in_a_child, act):
    assert in_a_child(confined(act)) == "EACCES"


@pytest.mark.skipif(ABI < 4, reason="this kernel's Landlock knows no ports")
def test_no_port(in_a_child):
    assert in_a_child(confined(bind)) == "EACCES"


@pytest.mark.skipif(ABI < 6, reason="this kernel's Landlock has no scopes")
def test_no_abstract_socket_and_no_process_outside(in_a_child):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0eardrum-{os.getpid()}")
        listening.listen()

        def connect():
            socket.socket(socket.AF_UNIX).connect(listening.getsockname())

        parent = os.getpid()
        assert in_a_child(confined(connect)) == "EPERM"
        assert in_a_child(confined(lambda: os.kill(parent, signal.SIGCONT))) == "EPERM"


@HERE
def test_what_is_open_stays_open(in_a_child, tmp_path):
    with open(tmp_path / "file", "w+b", buffering=0) as file:

        def use():
            file.write(b"sound")
            os.ftruncate(file.fileno(), 3)

        assert in_a_child(confined(use)) == "done"
        assert os.pread(file.fileno(), 10, 0) == b"sou"


@pytest.mark.parametrize(
    ("version", "rights"),
    [
        (1, [0x1FFF]),
        (2, [0x3FFF]),
        (3, [0x7FFF]),
        (4, [0x7FFF, 3]),
        (5, [0xFFFF, 3]),
        (6, [0xFFFF, 3, 3]),
        (7, [0xFFFF, 3, 3]),
        (99, [0xFFFF, 3, 3]),
    ],
)
def test_all_is_forbidden_that_a_version_knows(version, rights):
    assert landlock.ruleset(version) == b"".join(each.to_bytes(8, "little") for each in rights)


def test_a_kernel_without_it_is_said(monkeypatch):
    """As old kernels do, and containers whose engine forbids the calls."""

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(landlock, "call", refuse)
    landlock.abi.cache_clear()
    assert landlock.abi() == 0
    with pytest.raises(OSError):
        landlock.enter()
    landlock.abi.cache_clear()


@pytest.mark.parametrize("version", [1, 6])
def test_a_domain_is_made_entered_and_closed(monkeypatch, version):
    made: list[tuple[object, ...]] = []
    reader, writer = os.pipe()

    def call(*arguments: object) -> int:
        made.append(arguments)
        return writer

    monkeypatch.setattr(landlock, "abi", lambda: version)
    monkeypatch.setattr(landlock, "call", call)
    landlock.enter()
    assert [arguments[1] for arguments in made] == [444, 446]
    assert os.read(reader, 1) == b""  # the last writer is closed
    os.close(reader)
