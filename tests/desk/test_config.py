"""The configuration file: what it may say, and where a mistake in it is found."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from eardrum.desk.config import LONGEST, SYSTEM, Config, Confinement, HostWires, found, line_of, places, read
from eardrum.desk.wiring import Wiring
from eardrum.terms.budget import Budget
from eardrum.terms.errors import Complaint

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text()

WHOLE = """
[budget]
connections = 64  # of each outlet
auth_seconds = 5

[confinement]
require = true

[host]
gate = false

[[outlet]]
name = "browser"

[[outlet]]
name = "recorder"
output = "file:/tmp/tune.flac"
input = "host:built_in.monitor"
hear = true
modules = true
ceiling = "-6dB"
mode = "0660"
group = "root"
gate = true

[outlet.budget]
connections = 4
"""


@pytest.fixture
def file(tmp_path):
    """Writes the configuration: its path."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "config.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def complaint(path: Path) -> tuple[str, int]:
    """What is said of the configuration there, behind its path, and the exit status."""
    with pytest.raises(Complaint) as caught:
        read(path)
    said = str(caught.value)
    assert said.startswith(f"{path}:")
    return said.removeprefix(f"{path}:"), caught.value.status


def test_everything_that_can_be_said(file):
    assert read(file(WHOLE)) == Config(
        Budget(connections=64, auth_seconds=5),
        Confinement(require=True),
        HostWires(gate=False),
        [
            Wiring("browser"),
            Wiring(
                "recorder", "file:/tmp/tune.flac", "host:built_in.monitor", "0660", "root",
                modules=True, hear=True, ceiling="-6dB", gate=True, budget={"connections": 4},
            ),
        ],
    )  # fmt: skip


def test_an_empty_file_says_nothing(file):
    assert read(file("")) == read(Path("/dev/null")) == Config()


MISTAKES = {
    "colour = 1": "1: colour: is no key; what can stand here is budget, confinement, host, outlet",
    "\n[budgets]\nstreams = 1": "2: budgets: is no key; is budget meant?",
    "[budget]\n\nstream = 1": "3: budget.stream: is no key; is streams meant?",
    "[budget]\nstreams = 'few'": "2: budget.streams: must be a whole number, and is text in quotes",
    "[budget]\nstreams = 1.5": "2: budget.streams: must be a whole number, and is a number",
    "[budget]\nstreams = -1": "2: budget.streams: must be int >= 0",
    "[budget]\nauth_seconds = 2020-01-01": "2: budget.auth_seconds: must be a number, and is date",
    "budget = 3": "1: budget: must be a table, and is a whole number",
    "[confinement]\nrequire = 'yes'": "2: confinement.require: must be true or false, and is text in quotes",
    "[host]\ngate = 'no'": "2: host.gate: must be true or false, and is text in quotes",
    "[outlet]\nname = 'a'": "1: outlet: must be tables in double brackets, and is a table",
    "[[outlet]]\nname = 'a'\n[[outlet]]\noutput = 'null'": "3: outlet: has no name; give it one",
    "[[outlet]]\nname = 'a'\nbudget = {stream = 1}": "3: outlet.budget.stream: is no key; is streams meant?",
    "[[outlet]]\nname = 'a'\n[outlet.budget]\n# few\nstreams = -1": "5: outlet.budget.streams: must be int >= 0",
    "[[outlet]]\nname = 'a'\n[outlet.budget]\nstreams = 'x'": "3: outlet.budget: must be a whole number",
    "[[outlet]]\nname = '../x'": "2: outlet.name: outlet name '../x': use 1 to 64 of",
    "[[outlet]]\noutput = 'hosst'\nname = 'a'": "2: outlet.output: output 'hosst': no such wire end",
    "[[outlet]]\nname = 'a'\noutput = 'file:a.wav'": "3: outlet.output: 'file:a.wav': the path must be absolute",
    "[[outlet]]\nname = 'a'\ninput = 'loop:a.wav'": "3: outlet.input: 'loop:a.wav': the path must be absolute",
    "[[outlet]]\nname = 'a'\ninput = 'host:a.monitor'": "3: outlet.input: input 'host:a.monitor': hears everything",
    "[[outlet]]\nname = 'a'\nmode = 0o660": "3: outlet.mode: must be text in quotes, and is a whole number",
    "[[outlet]]\nname = 'a'\nmode = '0777'": "3: outlet.mode: mode '0777': use 0666, 0660, 0600",
    "[[outlet]]\nname = 'a'\ngroup = 'no-such'": "3: outlet.group: group 'no-such': no such group",
    "[[outlet]]\nname = 'a'\nceiling = 'low'": "3: outlet.ceiling: level 'low': is none",
    "[[outlet]]\nname = 'a'\n[[outlet]]\nname = 'a'": "4: outlet.name: there is another outlet a; give each a name",
    "[budget\n": "1: Expected ']' at the end of a table declaration; see https://toml.io",
    "[budget]\nstreams = 1\nstreams = 2": "3: Cannot overwrite a value; see",
    "streams = \"\"\"\n": "2: Unterminated string; see",
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named_with_its_line(file, text):
    said, status = complaint(file(text))
    assert said.startswith(MISTAKES[text])
    assert status == 78


def test_what_is_no_text_is_named_with_its_line(file):
    assert complaint(file(b"# fine\n# \xff\n")) == ("2: is not UTF-8; write it anew there", 78)


def test_a_file_that_is_too_long_is_not_read(file):
    read(file("#" * LONGEST))
    assert "is longer than 65536 bytes" in complaint(file("#" * (LONGEST + 1)))[0]


def test_a_file_that_is_named_must_be_there(tmp_path):
    assert "No such file or directory" in complaint(tmp_path / "config.toml")[0]
    assert "Is a directory" in complaint(tmp_path)[0]


def test_a_line_is_found_however_its_value_is_written():
    text = '\n# first\na.b = 1\n[c]\n"d" = [\n 1,\n\n 2 ]\ne = """\n[f]\n"""\n[[c.f]]\ng = {h = 1}\n[[c.f]]\n\ng.h = 2'
    lines = {
        ("a", "b"): 3, ("c",): 4, ("c", "d"): 5, ("c", "d", 1): 5, ("c", "e"): 9, ("c", "f"): 12,
        ("c", "f", 0, "g", "h"): 13, ("c", "f", 1): 14, ("c", "f", 1, "g", "h"): 16,
    }  # fmt: skip
    assert {steps: line_of(text, steps) for steps in lines} == lines


def test_where_it_is_looked_for():
    assert places({"HOME": "/home/u"}) == (Path("/home/u/.config/eardrum/config.toml"), SYSTEM)
    assert places({"HOME": "/home/u", "XDG_CONFIG_HOME": "/c"}) == (Path("/c/eardrum/config.toml"), SYSTEM)
    assert places({"HOME": "/home/u", "XDG_CONFIG_HOME": "c"})[0] == Path("/home/u/.config/eardrum/config.toml")
    assert places({})[0] == Path("/.config/eardrum/config.toml")


def test_the_first_that_is_there_counts(tmp_path):
    among = (tmp_path / "none/config.toml", tmp_path / "first.toml", tmp_path / "second.toml")
    assert found(among) is None
    among[2].touch(0o644)
    assert found(among) == among[2]
    among[1].touch(0o600)
    assert found(among) == among[1]
    assert found((among[1] / "below", among[2])) == among[2]


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666], ids=oct)
def test_one_that_others_may_write_to_is_refused(tmp_path, mode):
    path = tmp_path / "config.toml"
    path.touch()
    path.chmod(mode)
    with pytest.raises(Complaint, match=rf"config\.toml: somebody else may write to it \(uid \d+, mode {mode:04o}\)"):
        found([path])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_one_of_somebody_else_is_refused(tmp_path):
    path = tmp_path / "config.toml"
    path.touch()
    os.chown(path, 12345, 12345)
    with pytest.raises(Complaint, match=r"config\.toml: somebody else may write to it \(uid 12345"):
        found([path])


def test_the_page_has_every_key_and_its_default():
    told = dict(re.findall(r"^\| `([\w.]+)` \| ([^|]*?) ?\|", PAGE, re.MULTILINE))
    real = {}
    for table, shape in {"budget": Budget, "confinement": Confinement, "host": HostWires, "outlet": Wiring}.items():
        for field in msgspec.structs.fields(shape):
            real[f"{table}.{field.name}"] = field.default
    assert told.keys() == real.keys()
    for key, default in real.items():
        if isinstance(default, bool | int | float | str):
            assert told[key] == f"`{msgspec.json.encode(default).decode()}`", key
        else:
            assert "`" not in told[key], key


def test_the_pages_example_is_right(file, monkeypatch):
    (example,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert {wiring.name for wiring in read(file(example)).outlet} == {"browser", "recorder"}
    assert tomllib.loads(example)["outlet"][1]["group"] == "audio"
