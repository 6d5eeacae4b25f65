"""client.conf as libpulse reads it: which file counts, what it says, and which line is wrong."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from eardrum.upstream.surroundings import Files, Surroundings

SYSTEM_FILE = "/etc/pulse/client.conf"
TEXTS = frozenset((
    "default-sink", "default-source", "default-server", "default-dbus-server", "daemon-binary", "extra-arguments",
    "cookie-file",
))  # fmt: skip
SWITCHES = frozenset((
    "autospawn", "enable-shm", "disable-shm", "enable-memfd", "auto-connect-localhost", "auto-connect-display",
))  # fmt: skip
SIZES = frozenset(("shm-size-bytes",))

_YES, _NO = ("1", "t", "true", "on"), ("0", "f", "false", "off")
_MOST_INCLUDES = 8  # of files in each other; libpulse has no limit and would never end
_MOST_PIECES = 256  # that are looked for: files that each include the next one often have no end either
_NUMBER = re.compile("[+]?(0[xX][0-9a-fA-F]+|[0-9]+)")


@dataclass(frozen=True)
class Setting:
    """The value of a key, and the FILE:LINE that says so."""

    value: str
    where: str


@dataclass(frozen=True)
class ConfFile:
    """A file that was looked for: `state` is "read", "not there", or why it cannot be read."""

    path: str
    state: str


@dataclass(frozen=True)
class ClientConf:
    """All that client.conf says. Each of `complaints` is one line: file, line, what is wrong and what it leads to."""

    settings: Mapping[str, Setting]
    files: tuple[ConfFile, ...]
    complaints: tuple[str, ...]

    def text(self, key: str) -> str:
        """The value of a key; empty if it is not set."""
        return self.settings[key].value if key in self.settings else ""

    def switch(self, key: str, default: bool) -> bool:
        """The value of a key that is yes or no."""
        value = boolean(self.text(key))
        return default if value is None else value


def read(around: Surroundings) -> ClientConf:
    """What counts for this user. Never raises: what cannot be read is a complaint."""
    reader = _Reader(around.files)
    given = around.environment.get("PULSE_CLIENTCONFIG")
    own: tuple[str, ...]
    if given is not None:
        own = (given,)
    elif (directory := around.environment.get("PULSE_CONFIG_PATH")) is not None:
        own = (posixpath.join(directory, "client.conf"),)
    elif around.home is not None:  # libpulse heeds no XDG_CONFIG_HOME here
        own = tuple(posixpath.join(around.home, name, "client.conf") for name in (".pulse", ".config/pulse"))
    else:
        reader.complaints.append(f"no home directory: libpulse reads no client.conf, not even {SYSTEM_FILE}; set HOME")
        return reader.result()
    problem: OSError | None = None
    for path in own:
        problem = reader.opened(path)
        if problem is None:
            return reader.result()
    assert problem is not None
    if given is not None:
        reader.complain(given, problem, "libpulse reads no client.conf at all")
    elif isinstance(problem, FileNotFoundError):
        problem = reader.opened(SYSTEM_FILE)
        if problem and not isinstance(problem, FileNotFoundError):
            reader.complain(SYSTEM_FILE, problem, "libpulse reads no client.conf at all")
    else:
        reader.complain(own[-1], problem, f"libpulse reads no client.conf, not even {SYSTEM_FILE}")
    return reader.result()


def boolean(text: str) -> bool | None:
    """Yes or no as libpulse reads it; None if it is neither."""
    word = text.lower()
    if word in _YES or word.startswith("y"):
        return True
    return False if word in _NO or word.startswith("n") else None


class _Reader:
    def __init__(self, files: Files) -> None:
        self.complaints: list[str] = []
        self._files = files
        self._settings: dict[str, Setting] = {}
        self._seen: list[ConfFile] = []
        self._pieces = 0

    def result(self) -> ClientConf:
        return ClientConf(self._settings, tuple(self._seen), tuple(self.complaints))

    def complain(self, path: str, problem: OSError, outcome: str) -> None:
        self.complaints.append(f"{path}: {problem.strerror}; {outcome}")

    def opened(self, path: str) -> OSError | None:
        """Read the file and the pieces beside it; the problem, if it is not the file that counts."""
        try:
            text = self._files.text(path)
        except IsADirectoryError as problem:  # it opens
            self.complain(path, problem, "libpulse reads nothing else in its place")
            text = ""
        except OSError as problem:
            missing = isinstance(problem, FileNotFoundError)
            self._seen.append(ConfFile(path, "not there" if missing else str(problem.strerror)))
            return problem
        self._seen.append(ConfFile(path, "read"))
        self._parse(path, text)
        for name in sorted(self._files.names(f"{path}.d")):
            if name.endswith(".conf"):
                self._piece(posixpath.join(f"{path}.d", name))
        return None

    def _piece(self, path: str, depth: int = 0) -> bool:
        """Whether the file that includes this one is read on."""
        self._pieces += 1
        if self._pieces > _MOST_PIECES:
            if self._pieces == _MOST_PIECES + 1:
                self.complaints.append(
                    f"{path}: is one of more than {_MOST_PIECES} pieces; the others were not looked at"
                )
            return False
        try:
            text = self._files.text(path)
        except FileNotFoundError:
            return True
        except OSError as problem:
            self._seen.append(ConfFile(path, str(problem.strerror)))
            self.complain(path, problem, "libpulse leaves it out")
            return False
        self._seen.append(ConfFile(path, "read"))
        return self._parse(path, text, depth)

    def _parse(self, path: str, text: str, depth: int = 0) -> bool:
        """Whether every line was right; libpulse leaves out all that is behind a wrong one."""
        for number, line in enumerate(text.split("\n"), start=1):
            said = re.split("[#;\0]", line.lstrip(" \t"), maxsplit=1)[0]
            where = f"{path}:{number}"
            if not said:
                continue
            if said.startswith(".include "):
                if not self._include(path, said.removeprefix(".include ").strip(), depth):
                    return False
                continue
            if wrong := self._header(said) if said.startswith("[") else self._assign(said, where):
                self.complaints.append(f"{where}: {wrong}; libpulse reads this file no further")
                return False
        return True

    def _include(self, path: str, name: str, depth: int) -> bool:
        if depth == _MOST_INCLUDES:
            self.complaints.append(f"{path}: includes files without end; libpulse does not come back from this")
            return False
        return self._piece(posixpath.join(posixpath.dirname(path), name), depth + 1)

    @staticmethod
    def _header(said: str) -> str:
        if not said.endswith("]"):
            return f"{said.strip()} is no section header"
        return "[Properties] may not be in this file" if said == "[Properties]" else ""

    def _assign(self, said: str, where: str) -> str:
        """What is wrong with this line, or nothing."""
        key, equals, value = (part.strip() for part in said.partition("="))
        if not equals:
            return f"{said.strip()!r} has no ="
        if key not in TEXTS | SWITCHES | SIZES:
            return f"there is no key {key!r}"
        if key in SWITCHES and boolean(value) is None:
            return f"{key} = {value} is neither yes nor no"
        if key in SIZES and not _NUMBER.fullmatch(value):
            return f"{key} = {value} is no number"
        if value:
            self._settings[key] = Setting(value, where)
        else:
            self._settings.pop(key, None)
        return ""
