"""A machine as dictionaries."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

import pytest

from eardrum.upstream.surroundings import Look, Surroundings

UID = 1000


@dataclass
class FakeFiles:
    """Contents of files (or the error that reading one raises), targets of links, owners and modes of directories.

    Where nothing lies, directories could be made; nobody else's could be adopted, unless `powerful`.
    """

    texts: dict[str, str | OSError] = field(default_factory=lambda: {"/etc/machine-id": "abc\n"})
    links: dict[str, str] = field(default_factory=dict)
    directories: dict[str, tuple[int, int]] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    reals: dict[str, str] = field(default_factory=dict)
    powerful: bool = False

    def text(self, path: str) -> str:
        text = self.texts.get(path, FileNotFoundError(2, "No such file or directory"))
        if isinstance(text, OSError):
            raise text
        return text

    def names(self, path: str) -> list[str]:
        return [name.removeprefix(path + "/") for name in self.texts if name.startswith(path + "/")]

    def look(self, path: str, follow: bool = False) -> Look:
        if path in self.barred:
            raise PermissionError(13, "Permission denied")
        if path in self.links and not follow:
            return Look("link", UID, UID, 0o777)
        path = self.links.get(path, path)
        if path in self.directories:
            uid, mode = self.directories[path]
            return Look("directory", uid, UID, mode)
        if path in self.texts:
            return Look("file", UID, UID, 0o644)
        raise FileNotFoundError(2, "No such file or directory")

    def link(self, path: str) -> str:
        if path in self.texts or path in self.directories:
            raise OSError(22, "Invalid argument")
        if path not in self.links:
            raise FileNotFoundError(2, "No such file or directory")
        return self.links[path]

    def real(self, path: str) -> str:
        return self.reals.get(path, self.links.get(path, path))

    def readable(self, path: str) -> bool:
        return path not in self.barred

    def adoptable(self, path: str) -> bool:
        return self.powerful or self.directories[path][0] == UID

    def creatable(self, path: str) -> bool:
        return posixpath.dirname(path) not in self.barred


@pytest.fixture
def files() -> FakeFiles:
    return FakeFiles()


@pytest.fixture
def around(files: FakeFiles) -> Surroundings:
    return Surroundings({}, UID, UID, "/home/ann", "piano", files, "/run/user/1000/eardrum/outlets")


@pytest.fixture
def within(around: Surroundings):
    """The same machine with other environment variables."""
    from dataclasses import replace

    return lambda **environment: replace(around, environment=environment)
