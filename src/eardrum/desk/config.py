"""The configuration: what a person wants of every desk, from a file of TOML that is read once, when a desk starts.

Anything that is not known here is refused, with the line that it stands in.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from eardrum.desk.wiring import Wiring
from eardrum.kernel.peer import root_as_seen
from eardrum.terms.budget import Budget
from eardrum.terms.errors import Complaint

SYSTEM = Path("/etc/eardrum/config.toml")
MISTAKEN = 78  # exit status, as in sysexits.h: starting it again would not help
LONGEST = 64 * 1024  # bytes

_Shape = TypeVar("_Shape", bound=msgspec.Struct)
_Steps = tuple[str | int, ...]  # the way to a value: names of keys, and numbers of tables in double brackets


class Confinement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the kernel must take from workers."""

    require: bool = False  # the desk does not start where a layer of it is missing


class HostWires(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Wires that lead to the host's sound server."""

    gate: bool = False  # each has a gate, at a cost: see decision 0045


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables of the file."""

    budget: Budget = Budget()  # of every outlet, as far as it has no other
    confinement: Confinement = Confinement()
    host: HostWires = HostWires()
    outlet: list[Wiring] = []  # opened by every desk, and as they are here


_TABLES: dict[str, type[msgspec.Struct]] = {
    "budget": Budget,
    "confinement": Confinement,
    "host": HostWires,
    "outlet": Wiring,
}
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "object": "a table",
    "array": "tables in double brackets",
}


class _Mistake(Exception):
    """Something that cannot be meant so, and the way to it."""

    def __init__(self, steps: _Steps, why: str) -> None:
        super().__init__(why)
        self.steps = steps


def places(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a desk looks for its configuration; the first that is there counts."""
    base = Path(environ.get("XDG_CONFIG_HOME", ""))
    if not base.is_absolute():
        base = Path(environ.get("HOME") or "/", ".config")
    return base / "eardrum/config.toml", SYSTEM


def found(among: Sequence[Path]) -> Path | None:
    """The first of these files that is there. Raises Complaint if others than we and root could have written it."""
    for path in among:
        try:
            there = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise Complaint(f"{path}: {error.strerror}; mend that, or name another with --config") from None
        mode = stat.S_IMODE(there.st_mode)
        if there.st_uid not in (*root_as_seen(), os.geteuid()) or mode & 0o022:
            problem = f"{path}: somebody else may write to it (uid {there.st_uid}, mode {mode:04o})"
            raise Complaint(f"{problem}; `chown` and `chmod go-w` it, or name it with --config", MISTAKEN)
        return path
    return None


def read(path: Path) -> Config:
    """The configuration in this file. Raises Complaint, with the line, if anything in it cannot be meant so."""
    text = _text(path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        why, _, where = str(error).partition(" (at ")
        number = re.match(r"line (\d+)", where)
        line = number[1] if number else text.count("\n") + 1
        raise Complaint(f"{path}:{line}: {why}; see https://toml.io for how it is written", MISTAKEN) from None
    try:
        return _checked(tables)
    except _Mistake as mistake:
        key = ".".join(str(step) for step in mistake.steps if isinstance(step, str))
        raise Complaint(f"{path}:{line_of(text, mistake.steps)}: {key}: {mistake}", MISTAKEN) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise Complaint(f"{path}: is longer than {LONGEST} bytes; is it the right file?", MISTAKEN)
        return content.decode()
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}; name another with --config", MISTAKEN) from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Complaint(f"{path}:{line}: is not UTF-8; write it anew there", MISTAKEN) from None


def _checked(tables: dict[str, Any]) -> Config:
    """Raises _Mistake."""
    config = _shaped(tables, Config)
    first: dict[str, int] = {}
    for number, wiring in enumerate(config.outlet):
        steps = ("outlet", number)
        _shaped(wiring.budget, Budget, (*steps, "budget"))
        for field, check in wiring.checks():
            try:
                check()
            except Complaint as complaint:
                raise _Mistake((*steps, field), str(complaint)) from None
        if first.setdefault(wiring.name, number) != number:
            raise _Mistake((*steps, "name"), f"there is another outlet {wiring.name}; give each a name of its own")
    return config


def _shaped(value: Any, shape: type[_Shape], steps: _Steps = ()) -> _Shape:
    """`value`, which stands at the end of these steps, as `shape`. Raises _Mistake."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        why, _, where = str(error).partition(" - at `$")
        raise _mistake(why, (*steps, *_steps(where))) from None


def _steps(path: str) -> Iterator[str | int]:
    """Of a path as msgspec writes it: `.outlet[0].mode`."""
    for name, number in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        yield name or int(number)


def _mistake(why: str, steps: _Steps) -> _Mistake:
    """What msgspec says, for a person."""
    if key := re.fullmatch("Object contains unknown field `(.*)`", why):
        names = [step for step in steps if isinstance(step, str)]
        keys = (_TABLES[names[-1]] if names else Config).__struct_fields__
        near = difflib.get_close_matches(key[1], keys, 1)
        hint = f"is {near[0]} meant?" if near else f"what can stand here is {', '.join(keys)}"
        return _Mistake((*steps, key[1]), f"is no key; {hint}")
    if key := re.fullmatch("Object missing required field `(.*)`", why):
        return _Mistake(steps, f"has no {key[1]}; give it one")
    if kind := re.fullmatch("Expected `([a-z]+).*`, got `([a-z]+)`", why):
        return _Mistake(steps, f"must be {_WORDS[kind[1]]}, and is {_WORDS.get(kind[2], kind[2])}")
    return _Mistake(steps, why.replace("Expected", "must be").replace("`", ""))


def line_of(text: str, steps: _Steps) -> int:
    """In which line, from 1 on, the statement begins that gives this value. The whole text must be fit to be read."""
    lines = text.split("\n")
    last = bisect_left(range(len(lines)), True, key=lambda end: _leads_somewhere(_head(lines, end)[1], steps))
    return _head(lines, last - 1)[0] + 1


def _head(lines: Sequence[str], most: int) -> tuple[int, dict[str, Any]]:
    """As many of the first `most` lines as can be read by themselves, and what they say."""
    for number in range(most, 0, -1):
        try:
            return number, tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            pass  # ends within a text or list that goes over several lines
    return 0, {}


def _leads_somewhere(tables: Any, steps: _Steps) -> bool:
    for step in steps:
        try:
            tables = tables[step]
        except (LookupError, TypeError):
            return False
    return True
