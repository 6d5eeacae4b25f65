"""A process as it sees the machine, read from /proc, and from a directory that looks like it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import pytest

from eardrum.kernel.process_view import Mount, ProcessView, shows, visitors
from eardrum.terms.errors import Complaint

STATUS = "Name:\tfirefox\nUid:\t1\t4711\t3\t4\nGid:\t5\t4712\t7\t8\nGroups:\t4713 4714 \nCapEff:\t0000000000000003\n"
MOUNTS = (
    "36 35 98:0 / / rw,noatime master:1 - ext4 /dev/root rw\n"
    "40 36 0:25 /eardrum/outlets/a\\040b /run/pulse ro - tmpfs t rw\n"
)


@pytest.fixture
def proc(tmp_path):
    """A directory like /proc with the process 7."""
    process = tmp_path / "proc/7"
    (process / "attr").mkdir(parents=True)
    (process / "root/etc").mkdir(parents=True)
    (process / "comm").write_text("firefox\n")
    (process / "status").write_text(STATUS)
    (process / "uid_map").write_text("         0       1000          1\n         1     100000      65536\n")
    (process / "environ").write_bytes(b"HOME=/home/me\0PULSE_SERVER=unix:/x=y\0nonsense\0")
    (process / "mountinfo").write_text(MOUNTS)
    return tmp_path / "proc"


@pytest.fixture
def view(proc):
    with closing(ProcessView(7, proc)) as view:
        yield view


def test_it_is_read_from_proc(view):
    assert view.name == "firefox"
    assert (view.user.uid, view.user.gid, view.user.groups) == (4711, 4712, {4713, 4714})
    assert view.user.mapped == (range(1000, 1001), range(100_000, 165_536))
    assert view.environment == {"HOME": "/home/me", "PULSE_SERVER": "unix:/x=y"}
    assert view.mounts[1] == Mount(os.makedev(0, 25), "/eardrum/outlets/a b", "/run/pulse")
    assert view.label == ""


@pytest.mark.parametrize(
    "label", ["system_u:system_r:container_t:s0:c1,c2\0", "docker-default (enforce)\n", "unconfined"]
)
def test_its_label_is_that_of_the_security_module(proc, label):
    (proc / "7/attr/current").write_text(label)
    with closing(ProcessView(7, proc)) as view:
        assert view.label == label.strip("\n\0")


def test_its_home_is_what_its_own_passwd_says(view, proc):
    del view.environment["HOME"]
    assert view.surroundings().home is None
    (proc / "7/root/etc/passwd").write_text("other:x:1:1::/nowhere:\nme:x:4711:4711:I:/home/of/me:/bin/sh\n")
    assert view.surroundings().home == "/home/of/me"


def test_a_process_that_calls_itself_and_its_mounts_what_is_no_text(proc):
    (proc / "7/comm").write_bytes(b"\xff\x1b\n")
    (proc / "7/status").write_bytes(b"Name:\t\xff\x0bUid:\n" + STATUS.partition("\n")[2].encode())
    (proc / "7/mountinfo").write_bytes(MOUNTS.encode() + b"41 36 0:26 / /mnt/\xff\x0b\xc2\x85 rw - tmpfs t rw\n")
    with closing(ProcessView(7, proc)) as view:
        assert view.name == "\udcff\x1b"
        assert view.user.uid == 4711
        assert os.fsencode(view.mounts[2].point) == b"/mnt/\xff\x0b\xc2\x85"


def test_where_there_is_no_process_one_is_told(proc):
    with pytest.raises(Complaint, match="process 8: there is none"):
        ProcessView(8, proc)


def test_this_process_sees_what_we_see():
    with closing(ProcessView(os.getpid())) as view:
        assert view.user.uid == os.geteuid()
        assert view.files.look("/tmp").kind == "directory"


@pytest.mark.parametrize(
    ("root", "is_shown"),
    [
        ("/a/web", True),
        ("/a/web/native", True),
        ("/a/web//deleted", True),
        ("/a/web2", False),
        ("/a", False),
        ("/", False),
    ],
)
def test_a_mount_of_the_directory_or_of_something_in_it_shows_it(root, is_shown):
    assert shows(Mount(1, root, "/run/pulse"), 1, "/a/web") is is_shown
    assert not shows(Mount(2, root, "/run/pulse"), 1, "/a/web")


def test_visitors_are_processes_in_other_mounts_that_have_the_directory(tmp_path):
    source, target = tmp_path / "outlet", tmp_path / "there"
    source.mkdir()
    target.mkdir()
    program = "import sys; print(flush=True); sys.stdin.read()"
    script = f"mount --bind {source} {target} && exec {sys.executable} -c '{program}'"
    argv = ["unshare", "--map-root-user", "--mount", "/bin/sh", "-c", script]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert visitors(source) == [process.pid]
        assert visitors(target) == []
        process.communicate()
    assert visitors(source) == []
