"""A play tells what happens to a pure core and what it wants done, and checks every line.

(Play(core)
    >> Asked(1, tag=4, message=CorkPlaybackStream(channel=0, cork=True))
    << Answer(1, tag=4, message=Ack())
    >> Woke(now=1.0, wall=0.0)
).over()
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from eardrum.server.effects import CloseShortcut, OpenShortcut

UNSEEN = (OpenShortcut, CloseShortcut)  # with them all is said and played as without

Event = Any
Effect = Any


class Core(Protocol):
    """What can be put on stage."""

    def handle(self, event: Any) -> Sequence[Any]: ...


class Play:
    """`>>` is an event for the core, `<<` the next effect it must want. None may be left when the next event comes.

    Effects are compared by ==, so `unittest.mock.ANY` may stand for a part that does not matter.
    Those of `UNSEEN` are left out.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._told: list[str] = []
        self._left: list[Effect] = []

    def __rshift__(self, event: Event) -> Play:
        self.over()
        self._told.append(f">> {event}")
        self._left = [effect for effect in self._core.handle(event) if not isinstance(effect, UNSEEN)]
        return self

    def __lshift__(self, effect: Effect) -> Play:
        if not self._left:
            self._fail(effect, "nothing")
        if self._left[0] != effect:
            self._fail(effect, *self._left)
        self._told.append(f"<< {effect}")
        del self._left[0]
        return self

    def over(self) -> None:
        """No effect may be left. A play without this line does not look at what came last."""
        if self._left:
            self._fail("nothing more", *self._left)

    def _fail(self, expected: object, *came: object) -> None:
        lines = [*self._told, f"   expected: {expected}", *(f"   came:     {effect}" for effect in came)]
        raise AssertionError("the play went wrong here:\n" + "\n".join(lines))
