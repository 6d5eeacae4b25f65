"""Who is let in at a socket of a standard server: the judgement, and the time that a stranger has.

A connection to an outlet is never judged here: whoever holds its socket is let in, but must say AUTH in time. At all
other sockets the server's own user is let in, and besides whom the rules name. Root is a user like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from eardrum.terms.budget import Budget

USUAL_COOKIE = "cookie"  # the file in the user's configuration in which clients look


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let in besides the server's own user, as a person says it."""

    anonymous: bool = False  # everybody
    group: str | None = None  # members of this group, by name or number
    cookie: str | None = None  # who knows the 256 bytes in this file; a relative path is in the user's configuration


NOBODY_ELSE = Admission()


@dataclass(frozen=True, slots=True)
class Peer:
    """What the kernel says of who connected. A user or group that has no number here is None, or absent."""

    uid: int | None
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Door:
    """The rules of one socket, with the numbers of this machine. Any of them lets a peer in."""

    uid: int  # the server's own user
    anonymous: bool = False
    group: int | None = None
    cookie: bytes | None = None

    def admits(self, peer: Peer, cookie: bytes) -> bool:
        """`cookie` is what the peer said, of any length."""
        if self.anonymous or peer.uid == self.uid or self.group in peer.groups:
            return True
        return self.cookie is not None and _equal(self.cookie, cookie)


def _equal(secret: bytes, said: bytes) -> bool:
    """Takes as long for any difference; `hmac` has the same, and OpenSSL in every worker with it."""
    return len(secret) == len(said) and not sum(one ^ other for one, other in zip(secret, said, strict=True))


@dataclass(frozen=True, slots=True)
class Entry:
    """How a connection came in."""

    door: Door
    peer: Peer


class Strangers:
    """The connections that must authenticate and have not yet. Of too many the oldest goes: they fill no server."""

    def __init__(self, budget: Budget) -> None:
        self.until: dict[int, float] = {}  # number of each, and its time (seconds); they came in this order
        self._budget = budget

    def came(self, number: int, now: float) -> None:
        self.until[number] = now + self._budget.auth_seconds

    def known(self, number: int) -> None:
        """It has authenticated, or is gone."""
        self.until.pop(number, None)

    @property
    def due(self) -> float | None:
        """When the time of the first is over (seconds)."""
        return next(iter(self.until.values()), None)

    def overdue(self, now: float) -> list[int]:
        """Those whose time is over, and those who are too many; they are forgotten."""
        surplus = len(self.until) - self._budget.strangers
        over = [number for at, (number, until) in enumerate(self.until.items()) if at < surplus or until <= now]
        for number in over:
            del self.until[number]
        return over
