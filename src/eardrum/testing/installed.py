"""Eardrum as a user has it: built as a wheel, and installed from that into the root file system of a container."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

PLACE = "/opt/eardrum/bin"  # where the command is then
_PYTHON = "/opt/python"
_PACKAGES = "/opt/packages"
_COMMAND = f"#!{PLACE}/python\nfrom eardrum.cli import main\nmain()\n"

# The machine's programs, our interpreter, and what Eardrum depends on: where they are mounted read-only, and what from
# here. The interpreter may be the machine's own.
BINDS = {"/usr": "/usr", _PYTHON: sys.base_prefix, _PACKAGES: sysconfig.get_path("purelib")}


def build_wheel(directory: Path) -> Path:
    """The wheel of the Eardrum that is running from its sources."""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-m", "hatchling", "build", "--target=wheel", "--directory", str(directory)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (wheel,) = directory.glob("*.whl")
    return wheel


def install(wheel: Path, root: Path) -> None:
    """Have the command in this root, once BINDS are mounted in it."""
    for target in BINDS:
        (root / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
    commands = root / PLACE.lstrip("/")
    commands.mkdir(parents=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (commands / "python").symlink_to(f"{_PYTHON}/bin/{version}")
    (commands / "eardrum").write_text(_COMMAND)
    (commands / "eardrum").chmod(0o755)
    (commands.parent / "pyvenv.cfg").write_text(f"home = {_PYTHON}/bin\n")
    packages = commands.parent / "lib" / version / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "dependencies.pth").write_text(f"{_PACKAGES}\n")
