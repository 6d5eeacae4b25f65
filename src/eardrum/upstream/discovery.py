"""Where the host's sound server is: the addresses that libpulse would try, in its order, UNIX sockets only.

Nothing here looks at the machine by itself: `Surroundings` answers what is asked.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

SYSTEM_SOCKET = "/var/run/pulse/native"
MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")


class Files(Protocol):
    """What is asked about files; a path that cannot be looked at is None or nothing."""

    def text(self, path: str) -> str | None:
        """The contents of a file."""

    def names(self, path: str) -> list[str]:
        """What lies in a directory."""

    def link(self, path: str) -> str | None:
        """Where a symbolic link points."""

    def owner_and_mode(self, path: str) -> tuple[int, int] | None:
        """Owner and permission bits of a directory that is no link."""

    def real(self, path: str) -> str:
        """The path with every link in it resolved."""


@dataclass(frozen=True)
class Surroundings:
    """The machine as the desk's user sees it."""

    environment: Mapping[str, str]
    uid: int
    home: str
    host_name: str
    files: Files
    own_outlets: str  # our outlets' directory: nothing in it is an upstream


@dataclass(frozen=True)
class Found:
    """Paths of sockets to try in this order, files that may hold the cookie, and a line for each address left out."""

    paths: tuple[str, ...]
    cookies: tuple[str, ...]
    notes: tuple[str, ...] = ()


def find(around: Surroundings, given: str | None = None) -> Found:
    """`given` is what a person typed as --upstream, else PULSE_SERVER, client.conf or the usual places count."""
    config = _client_conf(around)
    listed = given or around.environment.get("PULSE_SERVER") or config.get("default-server")
    paths: list[str] = []
    notes: list[str] = []
    for path, note in _listed(around, listed) if listed else _usual(around):
        if note:
            notes.append(note)
        elif _is_ours(around, path):
            notes.append(f"{path}: is an outlet of this desk, so it cannot be its upstream")
        elif path not in paths:
            paths.append(path)
    return Found(tuple(paths), tuple(_cookies(around, config)), tuple(notes))


def _listed(around: Surroundings, listed: str) -> Iterator[tuple[str, str]]:
    """Each address of a list as its path, or as the note that tells why it is left out."""
    for item in listed.split():
        address = item
        if address.startswith("{"):
            machine, closed, address = address[1:].partition("}")
            if not closed:
                yield "", f"{item}: no address; use unix:/PATH"
                continue
            if machine != _machine_id(around):
                yield "", f"{item}: is for another machine"
                continue
        path = address.removeprefix("unix:")
        if path.startswith("/"):
            yield path, ""
        elif address.startswith("unix:"):
            yield "", f"{item}: no absolute path; use unix:/PATH"
        else:
            yield "", f"{item}: is a network address; Eardrum connects to UNIX sockets only, use unix:/PATH"


def _usual(around: Surroundings) -> Iterator[tuple[str, str]]:
    directory, note = _runtime_directory(around)
    yield (posixpath.join(directory, "native") if directory else ""), note
    yield SYSTEM_SOCKET, ""


def _runtime_directory(around: Surroundings) -> tuple[str, str]:
    """The user's own directory of sockets, or a note that tells why there is none."""
    if path := around.environment.get("PULSE_RUNTIME_PATH"):
        return path, ""
    if path := around.environment.get("XDG_RUNTIME_DIR"):
        there = around.files.owner_and_mode(around.files.real(path))
        if there and there[0] != around.uid:
            return "", f"XDG_RUNTIME_DIR {path}: belongs to uid {there[0]}, we are {around.uid}"
        return posixpath.join(path, "pulse"), ""
    link = runtime_link(around)
    target = around.files.link(link)
    if target is None:
        return "", f"{link}: no such link"
    # Anybody may make a directory in /tmp: only one that nobody else can enter is the user's server.
    if not target.startswith("/") or around.files.owner_and_mode(target) != (around.uid, 0o700):
        return "", f"{link}: does not lead to a directory that is ours alone"
    return target, ""


def runtime_link(around: Surroundings) -> str:
    """The link to a user's directory of sockets, where no environment variable names one."""
    return posixpath.join(_state_directory(around), f"{_machine_id(around)}-runtime")


def _state_directory(around: Surroundings) -> str:
    old = posixpath.join(around.home, ".pulse")
    return old if around.files.owner_and_mode(old) else _config_home(around)


def _config_home(around: Surroundings) -> str:
    configs = around.environment.get("XDG_CONFIG_HOME") or posixpath.join(around.home, ".config")
    return posixpath.join(configs, "pulse")


def _machine_id(around: Surroundings) -> str:
    for path in MACHINE_IDS:
        if text := around.files.text(path):
            return text.strip()
    return around.host_name


def _is_ours(around: Surroundings, path: str) -> bool:
    outlets = around.files.real(around.own_outlets)
    return around.files.real(path).startswith(outlets.rstrip("/") + "/")


def _client_conf(around: Surroundings) -> dict[str, str]:
    """The settings of the first client.conf that is there, and of the `.d` directory beside it."""
    settings: dict[str, str] = {}
    for path in _client_confs(around):
        text = around.files.text(path)
        if text is not None:
            parts = sorted(name for name in around.files.names(f"{path}.d") if name.endswith(".conf"))
            for part in (text, *(around.files.text(posixpath.join(f"{path}.d", name)) or "" for name in parts)):
                settings.update(_settings(part))
            break
    return settings


def _client_confs(around: Surroundings) -> Iterator[str]:
    if path := around.environment.get("PULSE_CLIENTCONFIG"):
        yield path
        return
    if path := around.environment.get("PULSE_CONFIG_PATH"):
        yield posixpath.join(path, "client.conf")
    yield posixpath.join(around.home, ".pulse/client.conf")
    yield posixpath.join(_config_home(around), "client.conf")
    yield "/etc/pulse/client.conf"


def _settings(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, equals, value = line.partition("#")[0].partition(";")[0].partition("=")
        if equals:
            yield key.strip(), value.strip()


def _cookies(around: Surroundings, config: Mapping[str, str]) -> Iterator[str]:
    home = _config_home(around)
    for path in (around.environment.get("PULSE_COOKIE"), config.get("cookie-file"), "cookie"):
        if path:
            yield posixpath.join(home, path)
    yield posixpath.join(around.home, ".pulse-cookie")
