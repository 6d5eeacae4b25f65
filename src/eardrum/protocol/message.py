"""How a message is declared: a dataclass whose fields stand in wire order.

    @command(41, reply=Ack)
    class CorkPlaybackStream(Message):
        channel: PlaybackChannel
        cork: Bool

Codec, trace line, test strategies and the completeness of the rules all follow from `CATALOG` and `fields_of`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar, Literal, TypeVar, cast, dataclass_transform, get_type_hints

from eardrum.protocol.kinds import (
    PROPLIST_,
    STRING_,
    STRINGS_,
    TAIL_,
    U32,
    Counted,
    Kind,
    ModuleIndex,
    ModuleName,
    Ref,
    ToEnd,
)

OLDEST = 8
NEWEST = 35
REPLY = 2  # the code of every reply; its tag says what it answers
EXTENSION = 87  # the code of all that is said to modules and by them
NO_TAG = 0xFFFFFFFF  # the tag of what the server says unasked

Sender = Literal["client", "server", "both"]
C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])


def once(function: F) -> F:
    """Call `function` once for the same arguments and remember what it returned."""
    return cast(F, cache(function))


class Record:
    """A row of fields inside a message."""

    __slots__ = ()


class Message(Record):
    """All that is said in one control packet."""

    __slots__ = ()
    CODE: ClassVar[int]
    SENDER: ClassVar[Sender]
    ANSWER: ClassVar[type[Message] | None]  # the reply to this command; None: it is never answered
    SINCE: ClassVar[int]  # peers of older versions do not know it
    DESCRIPTORS: ClassVar[int]  # how many file descriptors may come along


CATALOG: dict[int, type[Message]] = {}  # commands and what the server says unasked, by code
REPLIES: list[type[Message]] = []
EXTENSIONS: dict[str, dict[int, type[Message]]] = {}  # what modules understand and say, by name and subcommand


def wire_name(cls: type[Record]) -> str:
    """CreatePlaybackStream -> CREATE_PLAYBACK_STREAM, as every PulseAudio log has it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).upper()


def every() -> list[type[Message]]:
    """All that is declared: what is said by code, what is said to modules and by them, and replies."""
    return [*CATALOG.values(), *(cls for known in EXTENSIONS.values() for cls in known.values()), *REPLIES]


def since(version: int, *, default: Any) -> Any:
    """A field that peers older than `version` neither send nor expect."""
    return _field(default, {"since": version})


def until(version: int, *, default: Any) -> Any:
    """A field that peers of `version` and newer no longer send."""
    return _field(default, {"until": version})


def _field(default: Any, metadata: dict[str, Any]) -> Any:
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(kw_only_default=True, field_specifiers=(since, until))
def command(
    code: int,
    *,
    sender: Sender = "client",
    reply: type[Message] | None = None,
    since: int = OLDEST,
    descriptors: int = 0,
) -> Callable[[C], C]:
    """Declare a command, or with `sender="server"` something the server says unasked."""

    def declare(cls: C) -> C:
        made = _declared(cls)
        made.CODE, made.SENDER, made.ANSWER, made.SINCE, made.DESCRIPTORS = code, sender, reply, since, descriptors
        if CATALOG.setdefault(code, made) is not made:
            raise TypeError(f"{cls.__name__}: code {code} is taken by {CATALOG[code].__name__}")
        return cast(C, made)

    return declare


@dataclass_transform(kw_only_default=True, field_specifiers=(since, until))
def extension(
    module: str, subcommand: int, *, sender: Sender = "client", reply: type[Message] | None = None
) -> Callable[[C], C]:
    """Declare what the module of this name understands as this subcommand, or says unasked."""

    def declare(cls: C) -> C:
        # Set before the dataclass is made, they are in its every message and stand where ExtensionMessage has them.
        cls.__annotations__ = {"name": ModuleName, "subcommand": U32, **cls.__annotations__}
        for name, value in (("name", module), ("subcommand", subcommand)):
            setattr(cls, name, _field(value, {"constant": value}))
        made = _declared(cls)
        made.CODE, made.SENDER, made.ANSWER, made.SINCE, made.DESCRIPTORS = EXTENSION, sender, reply, 14, 0
        if EXTENSIONS.setdefault(module, {}).setdefault(subcommand, made) is not made:
            raise TypeError(f"{cls.__name__}: subcommand {subcommand} of {module} is taken")
        return cast(C, made)

    return declare


@dataclass_transform(kw_only_default=True, field_specifiers=(since, until))
def reply(cls: C) -> C:
    """Declare what a command is answered with."""
    made = _declared(cls)
    made.CODE, made.SENDER, made.ANSWER, made.SINCE, made.DESCRIPTORS = REPLY, "server", None, OLDEST, 0
    REPLIES.append(made)
    return cast(C, made)


@dataclass_transform(kw_only_default=True, field_specifiers=(since, until))
def record(cls: C) -> C:
    """Declare a row of fields that stands inside messages."""
    return cast(C, _declared(cls))


def _declared(cls: type) -> Any:
    made: Any = dataclasses.dataclass(slots=True, kw_only=True)(cls)
    fields = fields_of(made)
    for before, after in pairwise(fields):
        if before.kind is PROPLIST_ and after.kind in (STRING_, STRINGS_):  # a proplist ends with a null string
            raise TypeError(f"{cls.__name__}.{after.name}: a string right after a proplist cannot be told apart")
        if before.kind is TAIL_ or isinstance(before.kind, ToEnd):
            raise TypeError(f"{cls.__name__}.{before.name} goes to the end, so nothing can follow it")
    return made


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of a message: versions from `since` to below `until` have it.

    `constant` is its value in every message of this class; None: it varies.
    """

    name: str
    kind: Kind | Counted | ToEnd
    ref: Ref | None
    since: int
    until: int
    constant: str | int | None

    def in_version(self, version: int) -> bool:
        return self.since <= version < self.until


@once
def fields_of(cls: type[Record]) -> tuple[Field, ...]:
    """The fields in wire order."""
    hints = get_type_hints(cls, include_extras=True)
    found = []
    for f in dataclasses.fields(cls):  # type: ignore[arg-type]
        kind, *marks = hints[f.name].__metadata__
        ref = marks[0] if marks else None
        said = f.metadata
        versions = said.get("since", 0), said.get("until", NEWEST + 1)
        found.append(Field(f.name, kind, ref, *versions, said.get("constant")))
    return tuple(found)


@record
class ExtensionMessage(Message):
    """Said to a module, which `index` or `name` means, or by it. What follows the subcommand is the module's own."""

    index: ModuleIndex = None
    name: ModuleName = None
    subcommand: U32 = 0
