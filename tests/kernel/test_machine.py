"""What this machine answers to the search for a sound server."""

from __future__ import annotations

import os
import socket

import pytest

from eardrum.kernel.machine import MachineFiles, surroundings
from eardrum.upstream.discovery import find
from eardrum.upstream.surroundings import Look


@pytest.fixture
def files():
    return MachineFiles()


def test_files_and_links(files, tmp_path):
    (tmp_path / "text").write_bytes(b"tune \xff")
    (tmp_path / "link").symlink_to("text")
    assert files.text(f"{tmp_path}/text") == "tune \udcff"
    assert sorted(files.names(str(tmp_path))) == ["link", "text"]
    assert files.names(f"{tmp_path}/none") == []
    assert files.link(f"{tmp_path}/link") == "text"
    assert files.real(f"{tmp_path}/link") == f"{tmp_path}/text"
    for ask in (files.text, files.look, files.link):
        with pytest.raises(FileNotFoundError):
            ask(f"{tmp_path}/none")
    with pytest.raises(FileNotFoundError):
        files.look("")


def test_nobody_is_waited_for(files, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert files.text(f"{tmp_path}/fifo") == ""
    writer = os.open(tmp_path / "fifo", os.O_RDWR)
    assert files.text(f"{tmp_path}/fifo") == ""
    os.close(writer)
    assert len(files.text("/dev/zero")) == 1 << 20
    with pytest.raises(IsADirectoryError):
        files.text(str(tmp_path))


def test_what_lies_there(files, tmp_path):
    (tmp_path / "folder").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("folder")
    folder = Look("directory", os.getuid(), os.getgid(), 0o700)
    assert files.look(f"{tmp_path}/folder") == folder
    assert files.look(f"{tmp_path}/link").kind == "link"
    assert files.look(f"{tmp_path}/link", follow=True) == folder
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{tmp_path}/native")
        assert files.look(f"{tmp_path}/native").kind == "socket"


def test_what_could_be_made_or_adopted(files, tmp_path):
    assert files.readable(str(tmp_path))
    assert files.adoptable(str(tmp_path))
    assert files.creatable(f"{tmp_path}/a/b/c")
    (tmp_path / "text").touch()
    assert not files.creatable(f"{tmp_path}/text/b")
    assert not files.creatable("/proc/self/none")
    assert sorted(files.names(str(tmp_path))) == ["text"]


def test_the_surroundings_are_this_process(monkeypatch, tmp_path):
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/native")
    around = surroundings(tmp_path / "outlets")
    assert (around.uid, around.gid) == (os.getuid(), os.getgid())
    assert find(around).paths == (f"{tmp_path}/native",)


def test_the_home_directory_is_libpulses(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("USERPROFILE", "/profile")
    assert surroundings(tmp_path).home == "/home/ann"
    monkeypatch.delenv("HOME")
    assert surroundings(tmp_path).home == "/profile"
    monkeypatch.setenv("HOME", "")
    assert surroundings(tmp_path).home is None
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("USERPROFILE")
    assert str(surroundings(tmp_path).home).startswith("/")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)  # nobody's
    assert surroundings(tmp_path).home is None
