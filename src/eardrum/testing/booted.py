"""A machine for a test: systemd, booted in a container of systemd-nspawn from this machine's own /usr, without network.

Only for root.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from eardrum.testing.installed import BINDS, PLACE, install
from eardrum.testing.servers import Stage, as_user, end, wait_until

MEMBER = 1000  # an ordinary user, with a service manager of its own, and in the group `eardrum`
_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64", "var/run": "../run"}
_ALSO_ALLOWED = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"  # by systemd-nspawn itself
_DIRECTORIES = ("proc", "sys", "dev", "run", "tmp", "root", "var/lib")
_FILES = {
    "etc/os-release": "ID=test\n",
    "etc/machine-id": f"{'5' * 32}\n",
    "etc/passwd": f"root:x:0:0:root:/root:/bin/sh\nmember:x:{MEMBER}:{MEMBER}:member:/home/member:/bin/sh\n",
    "etc/group": f"root:x:0:\ntty:x:5:\naudio:x:29:\nmember:x:{MEMBER}:\n",
    # a user's service manager, without PAM and logind
    "etc/systemd/system/user@.service.d/alone.conf": "[Service]\nPAMName=\nEnvironment=XDG_RUNTIME_DIR=/run/user/%i\n",
    "etc/systemd/system/user-runtime-dir@.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
    "ExecStart=/bin/sh -c 'install -d -m 755 /run/user && install -d -o %i -g %i -m 700 /run/user/%i'\n",
    "etc/systemd/system/default.target": "[Unit]\nRequires=basic.target\nAfter=basic.target\n",
    # made on other machines by the first service with a mount namespace; users' managers take it as given
    "etc/tmpfiles.d/namespaces.conf": "d /run/systemd/unit-root 0555\nd /tmp 1777\n",
}


class Booted:
    """The machine; `run` is what a person types there."""

    def __init__(self, directory: Path, leader: int) -> None:
        self.directory = directory
        self.leader = leader  # pid of its systemd

    def run(self, *argv: str, uid: int = 0, groups: Sequence[int] = ()) -> str:
        """What a program prints in the machine; RuntimeError with what it says when it fails."""
        done = subprocess.run(
            ["nsenter", f"--target={self.leader}", "--all", *as_user(uid, uid, *groups), "env", "-i",
             f"PATH={PLACE}:/usr/bin:/usr/sbin", f"HOME={'/home/member' if uid else '/root'}",
             "LANG=C.UTF-8", *([f"XDG_RUNTIME_DIR=/run/user/{uid}"] if uid else []), *argv],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")
        return done.stdout

    def path(self, name: str) -> Path:
        """Where a file of the machine is for us."""
        return Path(f"/proc/{self.leader}/root", name.lstrip("/"))


@contextlib.contextmanager
def booted(stage: Stage, wheel: Path) -> Iterator[Booted]:
    """A machine that has booted, with Eardrum installed from `wheel`; what it says is `stage.log("booted")`."""
    directory = stage.make_directory("machine")
    directory.chmod(0o755)
    _furnish(directory, wheel)
    cgroups = _cgroups(f"eardrum-booted-{os.getpid()}")
    process = stage.start(
        "booted",
        ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--private-network", "--console=pipe",
         f"--directory={directory}", "--kill-signal=SIGRTMIN+3", f"--system-call-filter={_ALSO_ALLOWED}",
         *(f"--bind-ro={source}:{target}" for target, source in BINDS.items())],
        preexec_fn=lambda: _join(cgroups),
    )  # fmt: skip
    try:
        leader = wait_until(lambda: _leader(process, stage), "systemd-nspawn to start systemd")
        machine = Booted(directory, leader)
        wait_until(lambda: _is_up(machine), "systemd to boot")
        yield machine
    finally:
        end(process)
        wait_until(lambda: _removed(cgroups), "the machine's last processes to end")


def _furnish(directory: Path, wheel: Path) -> None:
    for name in _DIRECTORIES:
        (directory / name).mkdir(parents=True, exist_ok=True)
    for name, target in _LINKS.items():
        (directory / name).symlink_to(target)
    for name, text in _FILES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    install(wheel, directory)
    home = directory / "home/member"
    home.mkdir(parents=True)
    os.chown(home, MEMBER, MEMBER)


def _cgroups(name: str) -> list[Path]:
    """New cgroups below our own, for those hierarchies in which a service manager makes its own."""
    made = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        roots = [Path("/sys/fs/cgroup/systemd")] if controllers == "name=systemd" else []
        roots += [Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")] if number == "0" else []
        for root in roots:
            if (parent := root / path.lstrip("/")).joinpath("cgroup.procs").exists():
                made.append(parent / name)
                made[-1].mkdir()
                break
    return made


def _join(cgroups: Sequence[Path]) -> None:
    for cgroup in cgroups:
        (cgroup / "cgroup.procs").write_text("0")


def _removed(cgroups: Sequence[Path]) -> bool:
    try:
        for cgroup in cgroups:
            for inner, _, _ in os.walk(cgroup, topdown=False):
                Path(inner).rmdir()
    except OSError:  # there is a process in it
        return False
    return True


def _leader(process: subprocess.Popen[bytes], stage: Stage) -> int:
    if process.poll() is not None:
        raise RuntimeError(f"systemd-nspawn ended with status {process.returncode}:\n{stage.log('booted')}")
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError):
            if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                return int(child)
    return 0


def _is_up(machine: Booted) -> bool:
    try:
        machine.run("systemctl", "is-active", "default.target")
    except RuntimeError:
        return False
    return True
