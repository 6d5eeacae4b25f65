"""Another process' files: what its links may not do, and what its user may."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from eardrum.kernel import foreign_files
from eardrum.kernel.foreign_files import ForeignFiles, User

NOBODY = User(uid=4711, gid=4712, groups=frozenset((4713,)), capabilities=0, mapped=(range(2**32),))
ROOT = User(uid=0, gid=0, groups=frozenset(), capabilities=2**40 - 1, mapped=(range(2**32),))


@pytest.fixture
def root(tmp_path):
    """A root with a secret beside it."""
    (tmp_path / "secret").write_text("of the host")
    root = tmp_path / "root"
    (root / "run/pulse").mkdir(parents=True)
    (root / "etc").mkdir()
    return root


@pytest.fixture
def files(root):
    files = ForeignFiles(root, NOBODY)
    yield files
    files.close()


@pytest.mark.parametrize("target", ["/../secret", "../../secret", "{outside}/secret", "/proc/self/cwd", "/proc/1/root"])
def test_no_link_leads_out(files, root, tmp_path, target):
    (root / "etc/link").symlink_to(target.format(outside=tmp_path))
    with pytest.raises(OSError, match="No such file"):
        files.text("/etc/link")


def test_an_absolute_link_stays_inside(files, root):
    (root / "etc/real").write_text("inside")
    (root / "etc/link").symlink_to("/etc/real")
    assert files.text("/etc/link") == "inside"
    assert files.look("/etc/link").kind == "link"
    assert files.look("/etc/link", follow=True).kind == "file"
    assert files.link("/etc/link") == "/etc/real"
    assert files.real("/etc/link") == str(root / "etc/real")


def test_nobody_is_waited_for(files, root):
    os.mkfifo(root / "etc/client.conf")
    with pytest.raises(OSError, match="no file of text"):
        files.text("/etc/client.conf")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))])
def test_what_is_no_file_is_not_even_opened(files, root, monkeypatch, make):
    try:
        make(root / "etc/asound.conf")
    except PermissionError:  # who is not root makes no device
        os.mkfifo(root / "etc/asound.conf")
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened"))
    monkeypatch.setattr(foreign_files.machine, "read_head", lambda *_: pytest.fail("opened"))
    with pytest.raises(OSError, match="no file of text"):
        files.text("/etc/asound.conf")


def test_a_directory_that_cannot_be_looked_at_holds_nothing(files):
    assert files.names("/nowhere") == []
    assert sorted(files.names("/")) == ["etc", "run"]


@pytest.mark.parametrize(
    ("owner", "mode", "wanted", "allowed"),
    [
        ((4711, 0), 0o200, 2, True),
        ((4711, 0), 0o022, 2, False),
        ((0, 4712), 0o020, 2, True),
        ((0, 4713), 0o020, 2, True),
        ((0, 4712), 0o002, 2, False),
        ((0, 0), 0o002, 2, True),
        ((0, 0), 0o004, 2, False),
    ],
)
def test_owner_group_and_mode_decide(owner, mode, wanted, allowed):
    there = os.stat_result((stat.S_IFSOCK | mode, 1, 1, 1, *owner, 0, 0, 0, 0))
    assert NOBODY.may(there, wanted) is allowed
    assert ROOT.may(there, wanted)


def test_a_capability_ends_where_the_user_namespace_knows_no_owner():
    rootless = ROOT._replace(mapped=(range(1000, 1001), range(100_000, 165_536)))
    for owner, allowed in ((1000, True), (100_001, True), (0, False)):
        there = os.stat_result((stat.S_IFSOCK, 1, 1, 1, owner, 0, 0, 0, 0, 0))
        assert rootless.may(there, 2) is allowed


def test_a_socket_is_reached_through_every_directory_above_it(files, root):
    path = root / "run/pulse/native"
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(path))
        path.chmod(0o666)
        assert files.reaches("/run/pulse/native")
        (root / "run/pulse").chmod(0o700)
        assert files.reaches("/run/pulse/native") is (root.stat().st_uid == NOBODY.uid)
        path.chmod(0o600)
        (root / "run/pulse").chmod(0o755)
        assert not files.reaches("/run/pulse/native")


def test_what_libpulse_could_make_depends_on_the_first_directory_that_is_there(files, root):
    (root / "run").chmod(0o777)
    assert files.creatable("/run/user/1000/pulse")
    assert not files.creatable("/etc/pulse/x")
    assert not files.adoptable("/run/pulse")


def test_the_root_itself_must_be_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        ForeignFiles(tmp_path / "nowhere", NOBODY)


def test_paths_are_those_of_the_process(files, root):
    assert Path(files.real("/run/../etc")) == root / "etc"
