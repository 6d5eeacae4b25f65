"""Containers for tests, made from the machine's own files: no image, no network.

What comes in: the programs of this machine. What goes out: a small root file system, and the command lines by which
container engines run a program in it, without network, on a read-only root.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from eardrum.testing.packages import ALSA_PLUGIN, SEARCH_PATH

IMAGE = "player"  # what it is called where it is an image
PLAYER = 12345  # uid and gid of the container's ordinary user
PROGRAMS = ("sh", "sleep", "pacat", "pactl", "aplay", "getent")
CALLED_ALSO = {"paplay": "pacat", "parec": "pacat", "parecord": "pacat"}
DIRECTORIES = ("dev", "etc", "proc", "run", "sounds", "sys", "tmp", "usr/bin", "usr/lib", "usr/lib64", "var/tmp")
LINKS = {
    "bin": "usr/bin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "var/run": "../run",
    "etc/mtab": "../proc/self/mounts",
}
MOUNTED_OVER = ("hosts", "hostname", "resolv.conf")  # by engines, which cannot make them on a root of somebody else
ALSA_CONFIGURATION = ("/usr/share/alsa/alsa.conf", "/usr/share/alsa/pcm", "/etc/alsa/conf.d/50-pulseaudio.conf")


class Rootfs:
    """A root file system with sh, paplay, parec, pactl and aplay; the directory `sounds` is visible at /sounds."""

    def __init__(self, directory: Path, sounds: Path) -> None:
        self.directory = directory
        self.sounds = sounds
        for name in DIRECTORIES:
            (directory / name).mkdir(parents=True)
        for name, target in LINKS.items():
            (directory / name).symlink_to(target)
        for name in MOUNTED_OVER:
            (directory / "etc" / name).touch()
        self._copy_programs()
        self._copy_alsa()
        (directory / "etc/passwd").write_text(
            f"root:x:0:0:root:/:/bin/sh\nplayer:x:{PLAYER}:{PLAYER}:player:/tmp:/bin/sh\n"
        )
        (directory / "etc/group").write_text(f"root:x:0:\nplayer:x:{PLAYER}:\n")

    def _copy_programs(self) -> None:
        for program in PROGRAMS:
            path = Path(str(shutil.which(program, path=SEARCH_PATH))).resolve()
            shutil.copy(path, self.directory / "usr/bin" / program)
            self._copy(libraries(path))
        for name, target in CALLED_ALSO.items():
            (self.directory / "usr/bin" / name).symlink_to(target)

    def _copy_alsa(self) -> None:
        plugins = [*Path("/usr/lib").glob(f"*/alsa-lib/{ALSA_PLUGIN}")]
        plugins += [path.with_name(ALSA_PLUGIN.replace("_pcm_", "_conf_")) for path in plugins]
        for plugin in plugins:
            self._copy([plugin, *libraries(plugin)])
        self._copy(Path(name) for name in ALSA_CONFIGURATION)

    def _copy(self, paths: Iterable[Path]) -> None:
        for path in paths:
            target = self.directory / path.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            elif not target.exists():
                shutil.copy(path, target)  # what a link points at, under the link's name

    def podman(self, storage: Path, uid: int, *command: str, options: Sequence[str] = ()) -> list[str]:
        """podman running `command` as `uid`; what podman itself keeps goes below `storage`. `options` are its own."""
        return [
            *("podman", "--root", str(storage / "root"), "--runroot", str(storage / "runroot"), "--runtime", "runc"),
            *("run", "--rm", "--network=none", "--read-only", f"--user={uid}"),
            *("--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000"),
            *("--volume", f"{self.sounds}:/sounds:ro", *options),
            *("--rootfs", str(self.directory), *command),
        ]

    def bubblewrap(self, uid: int, *command: str, options: Sequence[str] = ()) -> list[str]:
        """bwrap running `command` as `uid`. `options` are its own."""
        return [
            *("bwrap", "--unshare-all", "--die-with-parent", "--clearenv", "--setenv", "PATH", "/usr/bin"),
            *("--uid", str(uid), "--gid", str(uid)),
            *("--ro-bind", str(self.directory), "/", "--proc", "/proc", "--dev", "/dev"),
            *("--tmpfs", "/run", "--tmpfs", "/tmp", "--ro-bind", str(self.sounds), "/sounds"),
            *(*options, "--", *command),
        ]

    def docker(self, address: str, uid: int, *command: str, options: Sequence[str] = ()) -> list[str]:
        """docker running `command` as `uid` in the image of this root at `address`. `options` are its own."""
        return [
            *("docker", f"--host={address}", "run", "--rm", "--network=none", "--read-only", f"--user={uid}"),
            *("--cap-drop=ALL", "--security-opt=no-new-privileges"),
            *("--volume", f"{self.sounds}:/sounds:ro", *options, IMAGE, *command),
        ]

    def nspawn(self, user: str, *command: str, options: Sequence[str] = ()) -> list[str]:
        """systemd-nspawn running `command` as `user`, without asking systemd. `options` are its own."""
        return [
            *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--resolv-conf=off", "--timezone=off"),
            *(f"--directory={self.directory}", "--read-only", "--private-network", f"--user={user}"),
            *(f"--bind-ro={self.sounds}:/sounds", *options, *command),
        ]

    def lxc(self, place: Path, uid: int, *command: str) -> list[str]:
        """lxc-execute running `command` as `uid`; what LXC keeps and reads goes into the directory `place`."""
        configuration = place / "config"
        configuration.write_text(
            f"lxc.rootfs.path = dir:{self.directory}\n"
            "lxc.rootfs.options = ro\n"
            "lxc.net.0.type = empty\n"
            "lxc.mount.auto = proc:mixed sys:ro\n"
            "lxc.mount.entry = tmpfs run tmpfs mode=0755 0 0\n"
            f"lxc.mount.entry = {self.sounds} sounds none bind,ro 0 0\n"
            f"lxc.init.uid = {uid}\n"
            f"lxc.init.gid = {uid}\n"
        )
        name = f"eardrum-{place.name}"
        return ["lxc-execute", "-n", name, "-P", str(place), "-f", str(configuration), "--", *command]


def libraries(program: Path) -> list[Path]:
    """The shared libraries that `program` loads, its loader included."""
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    return [Path(path) for path in re.findall(r"/\S+", said) if not path.endswith(":")]
