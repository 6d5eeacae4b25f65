"""The machine as a sound client sees it: what the search for a server asks, answered by `kernel.machine`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Look:
    """What lies at a path."""

    kind: str  # "socket", "directory", "link", "file", "device" or "FIFO"
    uid: int
    gid: int
    mode: int  # permission bits


class Files(Protocol):
    """What is asked about files. Nothing of it changes any."""

    def text(self, path: str) -> str:
        """The contents of a file. Raises OSError."""

    def names(self, path: str) -> list[str]:
        """What lies in a directory; nothing if it cannot be looked at."""

    def look(self, path: str, follow: bool = False) -> Look:
        """What lies at a path; with `follow`, where a link leads. Raises OSError."""

    def link(self, path: str) -> str:
        """Where a symbolic link points. Raises OSError."""

    def real(self, path: str) -> str:
        """The path with every link in it resolved."""

    def readable(self, path: str) -> bool:
        """Whether we may open it for reading."""

    def adoptable(self, path: str) -> bool:
        """Whether we could give it our uid, our gid and any mode."""

    def creatable(self, path: str) -> bool:
        """Whether we could make it, and the directories that lack above it."""


@dataclass(frozen=True)
class Surroundings:
    """A user and a machine. `root_window` has the properties of the X display's first screen, if one was asked."""

    environment: Mapping[str, str]
    uid: int
    gid: int
    home: str | None  # as libpulse finds it: HOME, USERPROFILE, the user's entry; absolute, or there is none
    host_name: str
    files: Files
    own_outlets: str  # our outlets' directory: nothing in it is an upstream
    root_window: Mapping[str, str] = field(default_factory=dict)
