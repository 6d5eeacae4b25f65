"""The systemd units of the desk: written, and removed. What they hold is in `eardrum/systemd`."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import click

from eardrum.terms.errors import Complaint

SYSTEM = Path("/etc/systemd/system")
SYSUSERS = Path("/etc/sysusers.d")  # what lies here makes the user `eardrum` at boot
UNITS = ("eardrum.service", "eardrum.socket")
_USER = "eardrum-user.conf"
_FALLBACK = "without-namespaces.conf"
_PACKAGED = "/usr/bin/eardrum"  # the command, as the shipped units have it
_HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # from the system's unit
_HEAD = "# Written by `eardrum up --install`. Changes belong into a file of their own: `{edit} eardrum`. sha256 "


def install(system: bool) -> None:
    """Write the units for this user, or the system's. Raises Complaint before it would overwrite what was changed."""
    if system and os.geteuid() != 0:
        raise Complaint("--system --install: only root can write units for the whole machine; use sudo")
    texts = dict(_texts(system))
    for path in texts:
        _require_ours(path, system)
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_head(text, system) + text)
        except OSError as error:
            raise Complaint(f"{path}: {error.strerror}; make room or check its mode") from None
        click.echo(f"wrote {path}")
    systemctl = _systemctl(system)
    first = "systemd-sysusers && " if system else ""
    click.echo("now type, for a desk that is there from now on:")
    click.echo(f"  {first}{systemctl} daemon-reload && {systemctl} enable --now eardrum.service")
    click.echo("or the same with eardrum.socket, for one that starts when it gets its first order")


def uninstall(system: bool) -> None:
    """End the desk and remove the units. Raises Complaint before it would remove what was changed."""
    if system and os.geteuid() != 0:
        raise Complaint("--system --uninstall: only root can remove the machine's units; use sudo")
    there = [path for path in _paths(system) if path.exists()]
    for path in there:
        _require_ours(path, system)
    if not there:
        raise Complaint(f"{_directory(system)}: no units of Eardrum are there")
    _control(system, "disable", "--now", *UNITS)
    for path in there:
        path.unlink()
        click.echo(f"removed {path}")
    _control(system, "daemon-reload")


def command() -> list[str]:
    """The command line by which this very Eardrum is started."""
    script = Path(sys.argv[0]).absolute()
    if script.name == "eardrum" and os.access(script, os.X_OK):
        return [str(script)]
    return [sys.executable, "-P", "-m", "eardrum"]


def _texts(system: bool) -> Iterator[tuple[Path, str]]:
    words = command()
    hidden = next((place for place in _HIDDEN if Path(words[0]).is_relative_to(place)), None)
    if system and hidden is not None:
        raise Complaint(
            f"{words[0]}: the system's unit sees nothing in {hidden}; install Eardrum elsewhere: /opt/eardrum"
        )
    shipped = resources.files("eardrum") / "systemd" / ("system" if system else "user")
    for path in _paths(system):
        if path.name == _FALLBACK and namespaces_allowed():
            continue
        yield path, (shipped / path.name).read_text().replace(_PACKAGED, " ".join(map(_quoted, words)))


def _paths(system: bool) -> list[Path]:
    directory = _directory(system)
    return [
        *(directory / name for name in UNITS),
        SYSUSERS / _USER if system else directory / "eardrum.service.d" / _FALLBACK,
    ]


def _directory(system: bool) -> Path:
    if system:
        return SYSTEM
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config", "systemd/user")


def namespaces_allowed() -> bool:
    """Whether this user may make namespaces, as the user's unit wants."""
    asked = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    try:
        return subprocess.run(asked, capture_output=True).returncode == 0
    except OSError:
        return False


def _quoted(word: str) -> str:
    """As a word of ExecStart=."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{word}"' if set(word) & set(" \t'\"\\;") else word


def _head(text: str, system: bool) -> str:
    edit = f"{_systemctl(system)} edit"
    return _HEAD.format(edit=edit) + hashlib.sha256(text.encode()).hexdigest() + "\n"


def _require_ours(path: Path, system: bool) -> None:
    """Raises Complaint if there is a file that is not as we wrote it."""
    try:
        head, _, text = path.read_text().partition("\n")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise Complaint(f"{path}: cannot be read: {error}; look at it and remove it") from None
    if f"{head}\n" != _head(text, system):
        raise Complaint(
            f"{path}: was not written by `eardrum up --install`, or was changed since; move it away and try again"
        )


def _systemctl(system: bool) -> str:
    return "systemctl" if system else "systemctl --user"


def _control(system: bool, *words: str) -> None:
    """Tell systemd, where there is one."""
    try:
        subprocess.run([*_systemctl(system).split(), *words], check=False)
    except OSError:
        pass
