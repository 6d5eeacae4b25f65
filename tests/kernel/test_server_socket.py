"""A socket at a path: what is made, what is refused, what is removed."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from eardrum.kernel.server_socket import ServerSocket
from eardrum.terms.errors import Complaint


@pytest.fixture
def place() -> Iterator[Path]:
    """A path that is short enough for a socket."""
    directory = Path(tempfile.mkdtemp(prefix="eardrum-"))
    yield directory / "pulse/native"
    shutil.rmtree(directory)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def left_behind(path: Path) -> None:
    """A socket whose server is gone."""
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))


@pytest.mark.parametrize(("wanted", "directory"), [(0o600, 0o700), (0o660, 0o755), (0o666, 0o755)])
def test_it_has_its_mode_and_a_directory_that_suits_it(place, wanted, directory):
    served = ServerSocket(place, wanted)
    assert connects(place)
    assert (mode(place), mode(place.parent)) == (wanted, directory)
    assert [*place.parent.iterdir()] == [place]
    served.remove()
    assert [*place.parent.iterdir()] == []


def test_it_may_be_given_to_a_group(place):
    served = ServerSocket(place, 0o660, os.getgid())
    assert (place.lstat().st_gid, mode(place)) == (os.getgid(), 0o660)
    served.remove()


def test_a_group_that_it_cannot_be_given_to_is_told(place, monkeypatch):
    def refuse(*words: object, **named: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    with pytest.raises(Complaint, match="cannot be given to group 4711, in which you are not; use mode=0666"):
        ServerSocket(place, 0o660, 4711)
    assert [*place.parent.iterdir()] == []


def test_a_directory_that_is_there_stays_as_it_is(place):
    place.parent.mkdir(mode=0o750)
    ServerSocket(place, 0o666).remove()
    assert mode(place.parent) == 0o750


def test_a_socket_that_nobody_serves_is_replaced(place):
    left_behind(place)
    served = ServerSocket(place)
    assert connects(place)
    served.remove()
    assert not place.exists()


def test_one_that_was_left_half_made_is_no_hindrance(place):
    left_behind(place.with_name(".native.new"))
    ServerSocket(place).remove()
    assert [*place.parent.iterdir()] == []


def test_a_living_server_is_not_disturbed(place):
    served = ServerSocket(place)
    with pytest.raises(Complaint, match=f"{place}: a server is running there already"):
        ServerSocket(place)
    assert connects(place)
    served.remove()


def test_what_is_no_socket_is_left_alone(place):
    place.parent.mkdir()
    place.write_text("mine")
    with pytest.raises(Complaint, match="no socket"):
        ServerSocket(place)
    assert place.read_text() == "mine"


def test_a_link_is_not_followed(place):
    left_behind(place)
    link = place.with_name("link")
    link.symlink_to(place)
    with pytest.raises(Complaint, match="no socket"):
        ServerSocket(link)
    assert link.is_symlink()


def test_what_another_server_made_meanwhile_is_not_removed(place):
    served = ServerSocket(place)
    place.unlink()
    other = ServerSocket(place)
    served.remove()
    assert connects(place)
    other.remove()


def test_a_path_that_no_client_could_reach_is_refused():
    with pytest.raises(Complaint, match="longer than 107 bytes"):
        ServerSocket(Path("/tmp", "n" * 103))


def test_a_directory_that_cannot_be_made_is_told():
    with pytest.raises(Complaint, match="/dev/null/pulse/native: no socket can be made: Not a directory"):
        ServerSocket(Path("/dev/null/pulse/native"))


def test_who_locks_the_directory_for_ever_is_no_hindrance(place):
    place.parent.mkdir()
    directory = os.open(place.parent, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    ServerSocket(place).remove()
    os.close(directory)
