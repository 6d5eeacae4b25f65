"""What an expectation is: a sentence, a check that proves it, and where our server differs, in what and why."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar, overload

from eardrum.protocol.message import NEWEST
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Fate, Talk, Unmet

Kind = Literal["pulseaudio", "mixed", "carried", "serve"]
MIXED: frozenset[Kind] = frozenset({"mixed"})
CARRIED: frozenset[Kind] = frozenset({"carried"})
SERVE: frozenset[Kind] = frozenset({"serve"})
OUTLETS = MIXED | CARRIED
MIXING = MIXED | SERVE
OURS = OUTLETS | SERVE


class When(enum.Enum):
    """How long a difference is meant to last."""

    ON_PURPOSE = "on purpose"
    NOT_YET = "not yet"


@dataclass(frozen=True)
class Reason:
    """Why our server differs; several expectations may share it."""

    when: When
    why: str


class Difference(NamedTuple):
    """On our servers `on`, the check sees `instead` (what Unmet.got is); `words` say it to people."""

    reason: Reason
    instead: object
    words: str
    on: frozenset[Kind]


@dataclass(frozen=True)
class Expectation:
    """`check` gets a connection that has introduced itself with `version`, and raises Unmet."""

    topic: str
    sentence: str
    case: str  # what completes the sentence, "" for nothing
    check: Callable[[Talk], None]
    version: int
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.topic, self.sentence, self.case)))

    def difference(self, kind: Kind) -> Difference | None:
        """The declared difference of this kind of server."""
        return next((difference for difference in self.differences if kind in difference.on), None)

    def hold(self, kind: Kind, path: str) -> None:
        """Raises AssertionError if the server at `path` does not do what is declared of its kind."""
        talk = Talk(path)
        try:
            self.judge(kind, talk.introduced(self.version))
        finally:
            talk.close()

    def judge(self, kind: Kind, talk: Talk) -> None:
        """Raises AssertionError if what this connection sees is not what is declared of this kind of server."""
        difference = self.difference(kind)
        try:
            self.check(talk)
        except Unmet as unmet:
            if difference is None or unmet.got != difference.instead:
                raise
        else:
            if difference is not None:
                raise AssertionError(f"no longer differs: {difference.reason.why}")


EXPECTATIONS: list[Expectation] = []
Cases = Mapping[str, tuple[Any, ...]]
SPELLED = {"auth": "AUTH", "pcm": "PCM", "json": "JSON", "kib": "KiB", "mib": "MiB", "khz": "kHz", "utf8": "UTF-8"}
NO_CASES: Cases = {"": ()}
F = TypeVar("F", bound=Callable[..., None])


@overload
def expectation(function: F) -> F: ...
@overload
def expectation(*, versions: tuple[int, ...] = ..., each: Cases = ...) -> Callable[[F], F]: ...
def expectation(
    function: F | None = None, *, versions: tuple[int, ...] = (NEWEST,), each: Cases = NO_CASES
) -> F | Callable[[F], F]:
    """Declare one: the function's name is its sentence.

    It is checked at each of `versions`, and with the arguments of `each`, whose keys complete the sentence.
    """
    if function is None:
        return lambda function: _declared(function, versions, each)
    return _declared(function, versions, each)


def _declared(function: F, versions: tuple[int, ...], each: Cases) -> F:
    topic = function.__module__.rpartition(".")[2].replace("_", " ")
    sentence = " ".join(SPELLED.get(word, word) for word in function.__name__.split("_"))
    differences = getattr(function, "differences", ())
    for case, arguments in each.items():
        for version in versions:
            spoken = f"version {version}" if len(versions) > 1 else ""
            chosen = tuple(difference for cases, difference in differences if not cases or case in cases)
            check = partial(_call, function, arguments)
            named = ", ".join(filter(None, (case, spoken)))
            EXPECTATIONS.append(Expectation(topic, sentence, named, check, version, chosen))
    return function


def _call(function: Callable[..., None], arguments: tuple[Any, ...], talk: Talk) -> None:
    function(talk, *arguments)


def differs(
    reason: Reason, instead: object, words: str = "", *, on: frozenset[Kind] = OURS, cases: tuple[str, ...] = ()
) -> Callable[[F], F]:
    """Declare that our server differs: stands below `expectation`.

    `words` say what `instead` is, where it is no error and no fate. `cases` are keys of the expectation's `each`; none
    means all.
    """
    if isinstance(instead, PulseError):
        words = words or f"`{instead.name}`"
    elif isinstance(instead, Fate):
        words = words or instead.value
    assert words, f"{instead} needs words"

    def mark(function: F) -> F:
        marked: Any = function
        difference = Difference(reason, instead, words, on)
        marked.differences = [(cases, difference), *getattr(function, "differences", ())]
        return function

    return mark
