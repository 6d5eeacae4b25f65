"""Write docs/commands.md, which is also the man page: the template's words, then a section for every verb.

commands_page.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from eardrum.cli import VERBS, eardrum

DOCS = Path(__file__).parents[1] / "docs"
PLACE = "<!-- here the verbs are put in -->\n"
WIDTH = 10_000  # of a line of usage: never broken
EXACTLY = "\b"  # click keeps the line breaks of a paragraph that begins so
# What is code in a sentence of click's: options, variables, and words that stand for what is typed.
CODE = re.compile(
    r"(`[^`]*`)|(?<![\w-])--[a-z][a-z-]*|\$\w+(?:/\w+)*|[\w:/=]*\b(?:NAME|DEVICE|PATH|FILE|DIR|COMMAND|OUTLET|PROGRAM)\b(?:/\w+)?"
    r"|(?<!\S)-(?!\S)"
)


def page(template: str) -> str:
    """The whole page. ValueError if the template has no place for the verbs."""
    before, place, after = template.partition(PLACE)
    if not place:
        raise ValueError(f"the template has no line {PLACE!r}")
    return before + "\n".join(line for name in VERBS for line in section(name)) + after


def section(name: str) -> Iterator[str]:
    """One verb: how it is called, what it does, its options."""
    parent = click.Context(eardrum, info_name="eardrum", terminal_width=WIDTH, max_content_width=WIDTH)
    verb = eardrum.get_command(parent, name)
    assert verb is not None
    context = click.Context(verb, info_name=name, parent=parent)
    yield f"### eardrum {name}\n"
    yield f"    {context.command_path} {' '.join(verb.collect_usage_pieces(context))}\n"
    for paragraph in inspect.cleandoc(verb.help or "").split("\n\n"):
        exact = paragraph.startswith(EXACTLY)
        text = paragraph.removeprefix(EXACTLY).strip("\n")
        yield ("\n".join("    " + line.strip() for line in text.split("\n")) if exact else in_code(text)) + "\n"
    for option in verb.params:
        record = option.get_help_record(context)
        if isinstance(option, click.Option) and record:
            yield f"`{record[0]}`\n: {in_code(' '.join(record[1].split()))}\n"


def in_code(text: str) -> str:
    """A sentence as Markdown."""
    return CODE.sub(lambda found: found[1] or f"`{found[0]}`", text.replace("*", r"\*").replace("<", r"\<"))


def main() -> None:
    template = (DOCS / "commands.template.md").read_text(encoding="utf-8")
    (DOCS / "commands.md").write_text(page(template), encoding="utf-8")


if __name__ == "__main__":
    main()
