"""What can go wrong, and whose fault it is."""

from __future__ import annotations

import enum


class PulseError(enum.IntEnum):
    """Error codes of the native protocol."""

    ACCESS = 1
    COMMAND = 2
    INVALID = 3
    EXIST = 4
    NOENTITY = 5
    CONNECTIONREFUSED = 6
    PROTOCOL = 7
    TIMEOUT = 8
    AUTHKEY = 9
    INTERNAL = 10
    CONNECTIONTERMINATED = 11
    KILLED = 12
    INVALIDSERVER = 13
    MODINITFAILED = 14
    BADSTATE = 15
    NODATA = 16
    VERSION = 17
    TOOLARGE = 18
    NOTSUPPORTED = 19
    UNKNOWN = 20
    NOEXTENSION = 21
    OBSOLETE = 22
    NOTIMPLEMENTED = 23
    FORKED = 24
    IO = 25
    BUSY = 26


class RemoteProtocolError(Exception):
    """The peer sent bytes that no sane peer sends; its connection ends here."""


class LocalProtocolError(Exception):
    """We tried to say nonsense: a bug of ours."""


class Refused(Exception):
    """A well-formed command is answered with an error; the connection lives on."""

    def __init__(self, error: PulseError, why: str = "") -> None:
        super().__init__(why or error.name)
        self.error = error
        self.why = why


class Complaint(Exception):
    """One line for a person: what is wrong, where, and what to do. `status` is the exit status of the command."""

    def __init__(self, line: str, status: int = 1) -> None:
        super().__init__(line)
        self.status = status


def shown(text: str) -> str:
    """`text` for a terminal: what it should not get, and what is no text, replaced."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
