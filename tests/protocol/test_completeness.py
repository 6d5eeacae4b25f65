"""No code without a declaration, a rule and a row in the documentation."""

import re
from pathlib import Path

import pytest

from eardrum.protocol import catalog
from eardrum.protocol.message import CATALOG, REPLY, Message, every, fields_of, wire_name
from eardrum.server.rules import RULES

PAGE = (Path(__file__).parents[2] / "docs/protocol.md").read_text(encoding="utf-8")
ROWS = {int(code): name for code, name in re.findall(r"^\| (\d+) \| (?:<a href=\"#\w+\">)?(\w+)", PAGE, re.MULTILINE)}
SAYABLE = [cls for cls in every() if cls.SENDER != "server"]


@pytest.mark.parametrize("code", range(105))
def test_every_code_is_declared_and_in_the_table(code: int) -> None:
    names = {REPLY: "REPLY", **catalog.NEVER_SAID}
    assert ROWS[code] == (wire_name(CATALOG[code]) if code in CATALOG else names[code])


@pytest.mark.parametrize("cls", SAYABLE, ids=wire_name)
def test_every_command_has_a_rule(cls: type[Message]) -> None:
    assert cls in RULES


@pytest.mark.parametrize("cls", every(), ids=wire_name)
def test_every_message_and_its_fields_are_described(cls: type[Message]) -> None:
    _, anchor, text = PAGE.partition(f'{wire_name(cls)} <a id="{cls.__name__}"></a>\n')
    assert anchor
    described = text.partition("\n##")[0]
    varying = [field for field in fields_of(cls) if field.constant is None]
    if cls not in CATALOG.values() and issubclass(cls, catalog.modules.ExtensionMessage):
        varying = varying[1:]  # `index` is described once, with EXTENSION
    assert [field.name for field in varying] == re.findall(r"^\| `(\w+)` \|", described, re.MULTILINE)


def test_rules_are_about_commands_that_are_declared() -> None:
    assert set(RULES) == set(SAYABLE)
