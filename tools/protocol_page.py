"""Write docs/protocol.md: the template's words, then a table for every message that is declared.

protocol_page.py
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from eardrum.protocol import catalog
from eardrum.protocol.kinds import Counted, Kind, ToEnd
from eardrum.protocol.message import (
    CATALOG,
    EXTENSIONS,
    NEWEST,
    OLDEST,
    REPLIES,
    REPLY,
    ExtensionMessage,
    Field,
    Message,
    Record,
    fields_of,
    wire_name,
)
from eardrum.server.rules import RULES

DOCS = Path(__file__).parents[1] / "docs"
PLACE = "<!-- here the tables are put in -->\n"
NOBODY = "none: ends the connection"
COMMENT = re.compile(r"^    (\w+): .*?  # (.*)$", re.MULTILINE)  # beside a field
# The files of the catalogue in the order of the page.
SECTIONS = (
    "hello", "clients", "events", "devices", "streams", "playback", "record", "upload", "samples", "cards",
    "modules", "extensions", "memory",
)  # fmt: skip


def page(template: str) -> str:
    """The whole page. ValueError if the template has no place for the tables."""
    before, place, after = template.partition(PLACE)
    if not place:
        raise ValueError(f"the template has no line {PLACE!r}")
    return before + "\n".join([*codes(), *messages()]) + "\n" + after


def codes() -> Iterator[str]:
    """One row for each code."""
    yield "## All codes\n"
    yield "| code | name | since | said by | reply | right needed |\n|---:|---|---:|---|---|---|"
    for code in sorted([*CATALOG, *catalog.NEVER_SAID, REPLY]):
        if code in CATALOG:
            cls = CATALOG[code]
            yield f"| {code} | {link(cls)} | {cls.SINCE} | {cls.SENDER} | {reply_to(cls)} | {right(cls)} |"
        elif code == REPLY:
            yield f"| {code} | REPLY | {OLDEST} | server | | |"
        else:
            yield f"| {code} | {catalog.NEVER_SAID[code]} | | nobody | | {NOBODY} |"
    yield ""


def messages() -> Iterator[str]:
    """A section for each file of the catalogue, in it the messages by their codes."""
    shown: set[type[Record]] = set()
    for section in SECTIONS:
        module = importlib.import_module(f"{catalog.__name__}.{section}")
        yield f"## {section.capitalize()}\n\n{inspect.getdoc(module)}\n"
        for cls in sorted(CATALOG.values(), key=lambda cls: cls.CODE):
            if cls.__module__ == module.__name__:
                yield from message(f"{cls.CODE} {wire_name(cls)}", cls, shown)
        for name, known in EXTENSIONS.items():
            for number, cls in sorted(known.items()):
                if cls.__module__ == module.__name__:
                    yield from message(f"{name} {number} {wire_name(cls)}", cls, shown)


def message(title: str, cls: type[Message], shown: set[type[Record]]) -> Iterator[str]:
    """A message, and its reply unless that was shown with another command."""
    facts = [f"said by {cls.SENDER}" if cls.SENDER != "both" else "said by both"]
    facts += [f"since version {cls.SINCE}"] if cls.SINCE > OLDEST else []
    facts += [f"with {cls.DESCRIPTORS} file descriptor{'s'[: cls.DESCRIPTORS - 1]}"] if cls.DESCRIPTORS else []
    facts += [f"right needed: {right(cls)}"] if right(cls) else []
    facts += [f"reply: {reply_to(cls)}"] if cls.ANSWER else []
    yield f"### {title}{anchor(cls)}\n\n*{' · '.join(facts)}*\n"
    yield from described(cls, shown)
    if cls.ANSWER and cls.ANSWER not in shown:
        yield f"#### {wire_name(cls.ANSWER)}{anchor(cls.ANSWER)}\n"
        yield from described(cls.ANSWER, shown)


def described(cls: type[Record], shown: set[type[Record]]) -> Iterator[str]:
    """What is said about a class, the table of its fields, and the rows inside it that were not shown yet."""
    shown.add(cls)
    words = cls.__dict__.get("__doc__") or ""
    if not words.startswith(f"{cls.__name__}("):  # what dataclasses write where nothing is said
        yield inspect.cleandoc(words) + "\n"
    own = fields_of(cls)
    if issubclass(cls, ExtensionMessage) and cls not in CATALOG.values():
        own = own[len(fields_of(ExtensionMessage)) :]
    if not own:
        yield "No fields.\n"
        return
    comments = dict(COMMENT.findall(inspect.getsource(cls)))
    yield "| field | type | versions | meaning |\n|---|---|---|---|"
    for field in own:
        points = [field.ref.to.replace("_", " ")] if field.ref and field.ref.to != "event" else []
        meaning = "; ".join([*points, *([comments[field.name]] if field.name in comments else [])])
        yield f"| `{field.name}` | {type_of(field)} | {versions(field)} | {meaning} |"
    yield ""
    for field in own:
        row = None if isinstance(field.kind, Kind) else field.kind.of
        if isinstance(row, type) and row not in shown and row not in REPLIES:
            yield f"#### {wire_name(row)}, in `{field.name}`{anchor(row)}\n"
            yield from described(row, shown)


def right(cls: type[Message]) -> str:
    """What the rules ask for; nothing for what only servers say."""
    if cls.SENDER == "server":
        return ""
    rule = RULES[cls]
    if rule.hang_up:
        return NOBODY
    needed = " or ".join(str(flag.name).lower() for flag in rule.needs)
    return f"{needed}, also before AUTH" if rule.before_auth else needed


def reply_to(cls: type[Message]) -> str:
    return link(cls.ANSWER) if cls.ANSWER else ""


def type_of(field: Field) -> str:
    match field.kind:
        case Kind() as kind:
            return kind.name
        case Counted(of, count):
            return f"{count.name} count, then as many: {item(of)}"
        case ToEnd(of):
            return f"to the end: {item(of)}"


def item(of: Kind | type[Record]) -> str:
    return of.name if isinstance(of, Kind) else link(of)


def versions(field: Field) -> str:
    if field.until <= NEWEST:
        return f"up to {field.until - 1}"
    return f"from {field.since}" if field.since else ""


def link(cls: type[Record]) -> str:
    return f'<a href="#{cls.__name__}">{wire_name(cls)}</a>'


def anchor(cls: type[Record]) -> str:
    return f' <a id="{cls.__name__}"></a>'


def main() -> None:
    template = (DOCS / "protocol.template.md").read_text(encoding="utf-8")
    (DOCS / "protocol.md").write_text(page(template), encoding="utf-8")


if __name__ == "__main__":
    main()
