from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from eardrum.containers import bubblewrap
from eardrum.terms.errors import Complaint

# As later versions print it: no second blank where an option is long.
HELP = """usage: bwrap [OPTIONS...] [--] COMMAND [ARGS...]

    --help                       Print this help
    --args FD                    Parse NUL-separated args from FD
    --unshare-all                Unshare every namespace we support by default
    --userns2 FD                 After setup switch to this user namespace
    --setenv VAR VALUE           Set an environment variable
    --bind SRC DEST              Bind mount the host path SRC on DEST
    --ro-bind SRC DEST           Bind mount the host path SRC readonly on DEST
    --ro-bind-try SRC DEST       Equal to --ro-bind but ignores non-existent SRC
    --bind-fd FD DEST            Bind open directory or path fd on DEST
    --remount-ro DEST            Remount DEST as readonly; does not recursively remount
    --overlay RWSRC WORKDIR DEST Mount overlayfs on DEST, with RWSRC as the host path for writes and
                                 WORKDIR an empty directory on the same filesystem as RWSRC
    --symlink SRC DEST           Create symlink at DEST with target SRC
    --tmpfs DEST                 Mount new tmpfs on DEST
    --dir DEST                   Create dir at DEST
    --perms OCTAL                Set permissions of next argument (--bind-data, --file, etc.)
"""
KNOWN = bubblewrap.operands(HELP)
OUTLET = "/o/game"


def test_help_tells_what_each_option_takes():
    assert KNOWN["--help"] == ()
    assert KNOWN["--args"] == KNOWN["--userns2"] == ("FD",)
    assert KNOWN["--bind"] == ("SRC", "DEST")
    assert KNOWN["--overlay"] == ("RWSRC", "WORKDIR", "DEST")
    assert len(KNOWN) == HELP.count("    --")


@pytest.mark.live
def test_help_of_the_bwrap_that_is_here():
    known = bubblewrap.operands(bubblewrap.read_help("bwrap"))
    assert len(known) > 50
    assert known["--unshare-all"] == ()
    assert known["--setenv"] == ("VAR", "VALUE")
    assert known["--ro-bind-data"] == ("FD", "DEST")


def test_a_program_that_is_no_bwrap():
    with pytest.raises(Complaint, match="is it bubblewrap"):
        bubblewrap.read_help("false")


PLACES = {
    "ours": "--dir /run --ro-bind /o/game /run/pulse",
    "tmpfs": "--tmpfs /run --ro-bind /o/game /run/pulse",
    "pulse": "--ro-bind /o/game /run/pulse",
    "itself": "--ro-bind /o/game /o/game",
    "found": "--setenv PULSE_SERVER unix:/run/pulse/native --setenv PULSE_CLIENTCONFIG /run/pulse/client.conf"
    " --setenv ALSA_CONFIG_PATH /usr/share/alsa/alsa.conf:/run/pulse/asound.conf",
    "found-itself": "--setenv PULSE_SERVER unix:/o/game/native --setenv PULSE_CLIENTCONFIG /o/game/client.conf"
    " --setenv ALSA_CONFIG_PATH /usr/share/alsa/alsa.conf:/o/game/asound.conf",
}


@pytest.mark.parametrize(
    "command",
    [
        # where the program begins
        "bwrap [ours] [found] sh",
        "bwrap [ours] [found] -- sh",
        "bwrap [ours] --unshare-all [found] sh --tmpfs x",
        "bwrap --bind /a /b --tmpfs /t [ours] [found] sh -- x",
        "bwrap [ours] --setenv A -- [found] -- sh",
        # variables may be changed behind the last mount
        "bwrap --bind /a /b [ours] --setenv A B [found] sh",
        "bwrap --dir /a --perms 0700 --dir /b [ours] [found] sh",
        # nothing can be made behind --remount-ro
        "bwrap --tmpfs /t [ours] --remount-ro / [found] sh",
        # the host's /run
        "bwrap --ro-bind {full} / [itself] [found-itself] sh",
        "bwrap --bind {full} // [itself] [found-itself] sh",
        "bwrap --ro-bind-try {full}/run /run/ [itself] [found-itself] sh",
        "bwrap --tmpfs /run --ro-bind {full} / [itself] [found-itself] sh",
        "bwrap --ro-bind {full} / --tmpfs /run [ours] [found] sh",
        # a /run in which nothing can be hidden
        "bwrap --ro-bind {empty} / [tmpfs] [found] sh",
        "bwrap --bind {empty} / --dir /run/x [itself] [found-itself] sh",
        # a /run with a place for it
        "bwrap --ro-bind {pulse} / [pulse] [found] sh",
        # nobody can tell whose /run it is
        "bwrap --bind-fd 3 / [itself] [found-itself] sh",
        "bwrap --symlink /x /run [itself] [found-itself] sh",
        "bwrap --args 3 [itself] [found-itself] sh",
        # an option that --help does not tell of
        "bwrap --new thing [itself] [found-itself] -- sh",
    ],
)
def test_the_outlet_goes_behind_all_other_mounts(command, tmp_path):
    for name, within in (("full", "run/user"), ("empty", "run"), ("pulse", "run/pulse")):
        (tmp_path / name / within).mkdir(parents=True)
        command = command.replace(f"{{{name}}}", str(tmp_path / name))
    typed, wanted = command, command
    for name, words in PLACES.items():
        typed, wanted = typed.replace(f"[{name}] ", ""), wanted.replace(f"[{name}]", words)
    assert bubblewrap.spliced(typed.split(), OUTLET, KNOWN) == wanted.split()


def test_where_the_program_begins_cannot_be_told():
    with pytest.raises(Complaint, match="bwrap option --new: not in bwrap --help; put -- before the program") as raised:
        bubblewrap.spliced(["bwrap", "--new", "thing", "sh"], OUTLET, KNOWN)
    assert raised.value.status == 125


@pytest.mark.parametrize("command", ["bwrap", "bwrap --bind", "bwrap --bind /a", "bwrap --help"])
def test_what_is_cut_short_stays_so(command):
    said = bubblewrap.spliced(command.split(), OUTLET, KNOWN)
    assert [word for word in said if word in command.split()] == command.split()


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("bwrap --bind / / /usr/bin/firefox -P", "firefox"),
        ("bwrap -- mpv --", "mpv"),
        ("bwrap", "bwrap"),
    ],
)
def test_what_the_sandbox_is_called(command, name):
    assert bubblewrap.suggested_name(command.split(), KNOWN) == name


USR = "--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64"


@pytest.mark.live
class TestRealBwrap:
    """The sandbox connects to a socket in the directory and is told a word."""

    @pytest.fixture
    def outlet(self, tmp_path: Path) -> Iterator[Path]:
        directory = tmp_path / "outlets/game"
        directory.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(directory / "native"))
            (directory / "native").chmod(0o666)
            listening.listen()

            def answer() -> None:
                try:
                    with listening.accept()[0] as connection:
                        connection.sendall(b"heard")
                except OSError:
                    pass

            thread = threading.Thread(target=answer)
            thread.start()
            yield directory
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()

    @pytest.mark.parametrize(
        ("options", "inside"),
        [
            (USR, "/run/pulse"),
            (f"{USR} --unshare-user --uid 12345 --tmpfs /tmp --clearenv", "/run/pulse"),
            (f"{USR} --tmpfs /run --remount-ro /run", "/run/pulse"),
            (f"{USR} --remount-ro /", "/run/pulse"),
            ("--ro-bind {root} / --ro-bind /usr /usr", "/run/pulse"),
            ("--ro-bind / /", "{outlet}"),
            ("--bind / /", "{outlet}"),
            ("--dev-bind / / --tmpfs /tmp", "{outlet}"),
            (f"{USR} --ro-bind /run /run", "{outlet}"),
        ],
    )
    def test_a_program_finds_the_outlet(self, outlet, tmp_path, options, inside):
        assert any(Path("/run").iterdir()), "these cases want something in /run"
        root = tmp_path / "root"
        for name in ("run", "usr"):
            (root / name).mkdir(parents=True)
        for name in ("bin", "lib", "lib64"):
            (root / name).symlink_to(f"usr/{name}")
        inside = inside.format(outlet=outlet)
        script = "test $PULSE_SERVER = unix:$0/native && exec socat -u UNIX-CONNECT:$0/native -"
        command = ["bwrap", "--unshare-all", *options.format(root=root).split(), "/bin/sh", "-c", script, inside]
        known = bubblewrap.operands(bubblewrap.read_help("bwrap"))
        there_before = Path("/run/pulse").exists()
        command = bubblewrap.spliced(command, str(outlet), known)
        ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert ran.stdout == "heard", ran.stderr
        assert Path("/run/pulse").exists() == there_before

    def test_a_program_that_gives_up_root_can_still_pass(self, outlet):
        if os.getuid():
            pytest.skip("only root can change the uid")
        command = ["bwrap", *USR.split(), "setpriv", "--reuid=12345", "--clear-groups", "cat", "/run/pulse/note"]
        (outlet / "note").write_text("passed")
        known = bubblewrap.operands(bubblewrap.read_help("bwrap"))
        command = bubblewrap.spliced(command, str(outlet), known)
        ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert ran.stdout == "passed", ran.stderr

    def test_options_from_a_descriptor(self, outlet, tmp_path):
        options = tmp_path / "options"
        options.write_bytes(b"\0".join(word.encode() for word in USR.split()) + b"\0")
        known = bubblewrap.operands(bubblewrap.read_help("bwrap"))
        with open(options, "rb") as file:
            command = ["bwrap", "--args", str(file.fileno()), "sh", "-c", 'exec socat -u "UNIX-CONNECT:$0/native" -']
            command = bubblewrap.spliced([*command, str(outlet)], str(outlet), known)
            ran = subprocess.run(command, capture_output=True, text=True, timeout=30, pass_fds=[file.fileno()])
        assert ran.stdout == "heard", ran.stderr
