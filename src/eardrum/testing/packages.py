"""The Debian packages whose programs the live tests and the demo start: which lack here, and what to type then."""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections.abc import Sequence
from pathlib import Path

# program -> the Debian package that has it
PROGRAMS = {
    "pulseaudio": "pulseaudio",
    "pactl": "pulseaudio-utils",
    "paplay": "pulseaudio-utils",
    "parec": "pulseaudio-utils",
    "pipewire": "pipewire",
    "pipewire-pulse": "pipewire-pulse",
    "wireplumber": "wireplumber",
    "dbus-daemon": "dbus-daemon",
    "podman": "podman",
    "runc": "runc",
    "bwrap": "bubblewrap",
    "dockerd": "docker.io",
    "lxc-execute": "lxc",
    "systemd-nspawn": "systemd-container",
    "newuidmap": "uidmap",
    "ffmpeg": "ffmpeg",
    "aplay": "alsa-utils",
    "socat": "socat",
    "tini": "tini",
    "sox": "sox",
    "mpv": "mpv",
    "gst-launch-1.0": "gstreamer1.0-tools",
    "pulsemixer": "pulsemixer",
    "pavucontrol": "pavucontrol",
    "Xvfb": "xvfb",
    "chromium": "chromium",
    "gcc": "gcc",  # with what follows of it: builds pyalsaaudio
}
ALSA_PLUGIN = "libasound_module_pcm_pulse.so"
# file below /usr/lib -> the Debian package that has it
LIBRARIES = {
    f"*/alsa-lib/{ALSA_PLUGIN}": "libasound2-plugins",
    "*/sox/libsox_fmt_pulseaudio.so": "libsox-fmt-pulse",
    "*/gstreamer-1.0/libgstpulseaudio.so": "gstreamer1.0-pulseaudio",
    "*/gstreamer-1.0/libgstwavparse.so": "gstreamer1.0-plugins-good",
    "*/gstreamer-1.0/libgstaudioconvert.so": "gstreamer1.0-plugins-base",
    "*/libcanberra-*/libcanberra-pulse.so": "libcanberra-pulse",
    "*/libopenal.so.1": "libopenal1",
    "*/libportaudio.so.2": "libportaudio2",
    "*/libasound.so": "libasound2-dev",
    "*/crt1.o": "libc6-dev",
}
PYTHON_HEADER = Path(sysconfig.get_path("include"), "Python.h")
SEARCH_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


def missing_packages() -> list[str]:
    """The Debian packages that lack on this machine, sorted."""
    lacking = {package for program, package in PROGRAMS.items() if not shutil.which(program, path=SEARCH_PATH)}
    lacking |= {package for library, package in LIBRARIES.items() if not any(Path("/usr/lib").glob(library))}
    lacking |= set() if PYTHON_HEADER.exists() else {"python3-dev"}
    return sorted(lacking)


def packages_advice(packages: Sequence[str]) -> str:
    """What to type to get `packages`, for people."""
    return (
        "these programs' packages are missing; the live tests fail and the demo may stop without them. As root:\n"
        f"  apt-get install --no-install-recommends {' '.join(packages)}"
    )
