"""The files beside an outlet's socket, in a directory that a container may write to."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from eardrum.kernel import kit_files
from eardrum.kernel.outlet_directory import Access, Runtime
from eardrum.terms.errors import Complaint

KIT = {"client.conf": "autospawn = no\n", "README": "read me\n"}
FRESH = ".client.conf.new"


@pytest.fixture
def runtime(tmp_path):
    runtime = Runtime(tmp_path / "runtime", kit=KIT)
    yield runtime
    runtime.close()


@pytest.fixture
def directory(runtime):
    """Of an outlet that is open."""
    runtime.listen_outlet("radio", Access()).close()
    return runtime.outlet("radio")


def assert_complete(directory: Path) -> None:
    for name, text in KIT.items():
        there = (directory / name).lstat()
        assert stat.S_ISREG(there.st_mode)
        assert stat.S_IMODE(there.st_mode) == 0o644
        assert (directory / name).read_text() == text
    assert {path.name for path in directory.iterdir()} == {*KIT, "native"}


def test_it_lies_beside_the_socket_whatever_the_umask(runtime):
    before = os.umask(0o777)
    try:
        runtime.listen_outlet("radio", Access()).close()
    finally:
        os.umask(before)
    assert_complete(runtime.outlet("radio"))


def test_it_goes_with_the_outlet(runtime, directory):
    runtime.remove_outlet("radio")
    assert not directory.exists()


PLANTED = {
    "a link": lambda path, victim: path.symlink_to(victim),
    "a link to nowhere": lambda path, victim: path.symlink_to(victim.with_name("new")),
    "another name of a file": lambda path, victim: path.hardlink_to(victim),
    "a FIFO": lambda path, victim: os.mkfifo(path),
    "a file": lambda path, victim: path.write_text("default-server = tcp:elsewhere"),
}


@pytest.mark.parametrize("name", ["client.conf", FRESH])
@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_what_a_container_planted_is_replaced_and_never_followed(runtime, directory, tmp_path, plant, name):
    victim = tmp_path / "victim"
    victim.write_text("of the person")
    victim.chmod(0o600)
    (directory / name).unlink(missing_ok=True)
    plant(directory / name, victim)
    inode = directory.stat().st_ino
    runtime.listen_outlet("radio", Access()).close()
    assert_complete(directory)
    assert directory.stat().st_ino == inode
    assert (victim.read_text(), stat.S_IMODE(victim.stat().st_mode)) == ("of the person", 0o600)
    assert not victim.with_name("new").exists()


@pytest.mark.parametrize("name", ["client.conf", FRESH])
def test_a_directory_in_its_place_is_named(runtime, directory, name):
    (directory / name).unlink(missing_ok=True)
    (directory / name).mkdir()
    with pytest.raises(Complaint, match=f"{directory}/client.conf: cannot be written: Is a directory; remove"):
        runtime.listen_outlet("radio", Access())


def test_what_is_no_file_of_ours_is_not_removed(runtime, directory, tmp_path):
    (directory / "README").unlink()
    (directory / "README").symlink_to(tmp_path / "victim")
    runtime.remove_outlet("radio")
    assert [path.name for path in directory.iterdir()] == ["README"]


def test_a_file_that_was_half_written_is_removed_too(tmp_path):
    (tmp_path / FRESH).write_text("auto")
    directory = os.open(tmp_path, os.O_RDONLY)
    kit_files.remove(directory, KIT)
    os.close(directory)
    assert not list(tmp_path.iterdir())
