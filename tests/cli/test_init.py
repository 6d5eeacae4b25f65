from __future__ import annotations

import importlib

import click
import pytest
from click.testing import CliRunner

from eardrum import __version__
from eardrum.cli import VERBS, eardrum
from eardrum.terms.errors import Complaint


def test_help_names_every_verb():
    for verb in VERBS:
        importlib.import_module(f"eardrum.cli.{verb.replace('-', '_')}")
    said = CliRunner().invoke(eardrum, ["--help"])
    assert said.exit_code == 0
    assert [line.split()[0] for line in said.stdout.partition("Commands:")[2].splitlines() if line] == list(VERBS)


def test_version():
    assert CliRunner().invoke(eardrum, ["--version"]).stdout == f"eardrum {__version__}\n"


@pytest.mark.parametrize("words", [["lisp"], ["open"], ["list", "--jason"], ["__init__"], ["options"]])
def test_what_is_no_command_is_a_usage_error(words):
    said = CliRunner().invoke(eardrum, words)
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize(("typed", "meant"), [("lst", "list"), ("opne", "open"), ("hear", "heard"), ("lisp", "list")])
def test_a_verb_that_is_nearly_one(typed, meant):
    said = CliRunner().invoke(eardrum, [typed, "--some", "words"])
    assert said.exit_code == 2
    assert said.stderr.splitlines()[-1] == f"Error: No such command '{typed}'. Did you mean '{meant}'?"


def test_the_list_of_verbs_tells_each_in_a_whole_line():
    assert "..." not in CliRunner().invoke(eardrum, ["--help"], terminal_width=80).stdout.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("raised", "status", "stderr"),
    [
        (Complaint("outlet x: is not open", 7), 7, "eardrum: outlet x: is not open\n"),
        (Complaint("\x1b[2J: odd"), 1, "eardrum: \N{REPLACEMENT CHARACTER}[2J: odd\n"),
        (KeyboardInterrupt(), 130, "\n"),
        (BrokenPipeError(32, "Broken pipe"), 1, ""),
    ],
)
def test_how_a_verb_fails(monkeypatch, raised, status, stderr):
    def fail(group: click.Group, ctx: click.Context, name: str) -> click.Command:
        raise raised

    monkeypatch.setattr(type(eardrum), "get_command", fail)
    said = CliRunner().invoke(eardrum, ["list"])
    assert (said.exit_code, said.stdout, said.stderr) == (status, "", stderr)


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [({"NO_COLOR": "", "TERM": "xterm"}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": "", "TERM": "dumb"}, False)],
)
def test_no_color_is_honoured(monkeypatch, environ, coloured):
    verb = click.Command("list", callback=lambda: click.echo(click.style("x", bold=True)))
    monkeypatch.setattr(type(eardrum), "get_command", lambda group, ctx, name: verb)
    said = CliRunner().invoke(eardrum, ["list"], env=environ, color=True)
    assert ("\x1b" in said.stdout) is coloured
