from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from eardrum.cli.control import Level, Levels, Outlet, Wire
from eardrum.cli.list import state, table
from eardrum.terms.audio import VOLUME_NORM

CLOCK = time.strftime("%H:%M:%S", time.localtime(1e9))


@pytest.mark.parametrize(
    ("connections", "playing", "recording", "words"),
    [
        (0, 0, 0, "idle"),
        (1, 0, 0, "1 connection"),
        (2, 1, 0, "2 connections, 1 playing"),
        (3, 0, 2, "3 connections, 2 recording"),
        (3, 3, 1, "3 connections, 3 playing, 1 recording"),
    ],
)
def test_the_state_in_words(connections, playing, recording, words):
    assert state(Outlet("x", "host", None, "", "", connections, playing, recording)) == words


@pytest.mark.parametrize(
    ("wires", "words"),
    [
        ({"output": Wire("host", "idle"), "input": None}, "1 connection"),
        ({"output": Wire("null", "silent"), "input": Wire("file:/x.wav", "here")}, "1 connection"),
        ({"output": Wire("host", "connected", 1e9), "input": None}, "1 connection; output connected to host"),
        (
            {"output": Wire("room:speakers", "connected", 1e9), "input": Wire("host", "waiting", 1e9)},
            f"1 connection; output connected to room:speakers; input silent, waits for host since {CLOCK}",
        ),
        (
            {"output": Wire("host", "refused", 1e9), "input": None},
            f"1 connection; output silent, refused by host since {CLOCK}",
        ),
    ],
)
def test_what_each_wire_does(wires, words):
    assert state(Outlet("x", "host", None, "", "", 1, wires=wires)) == words


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (Levels(), "idle"),
        (Levels(input=Level()), "idle"),
        (Levels(Level(VOLUME_NORM // 2)), "idle, output at 50%"),
        (Levels(Level(VOLUME_NORM // 2, muted=True), Level(muted=True)), "idle, output muted, microphone muted"),
        (Levels(input=Level(VOLUME_NORM * 6 // 5)), "idle, microphone at 120%"),
    ],
)
def test_levels_are_told_when_they_are_not_the_usual_ones(levels, words):
    assert state(Outlet("x", "host", None, "", "", levels=levels)) == words


def test_columns_stand_below_each_other():
    header, *lines = table([("NAME", "NOTE"), ("a", "-"), ("longer", "why not")])
    assert lines == ["a       -", "longer  why not"]
    assert header == "\x1b[1mNAME    NOTE\x1b[0m"


def test_piped_it_has_tabs_between_columns_and_no_colour(desk, say):
    say("open", "game", "--input", "silence")
    say("open", "bot", "--output", "null")
    result = say("list")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split("\t") for line in result.stdout.splitlines()] == [
        ["NAME", "OUTPUT", "INPUT", "SOCKET", "STATE", "NOTE"],
        ["game", "host", "silence", "me:audio 0660", "idle", "-"],
        ["bot", "null", "-", "me:audio 0660", "idle", "-"],
    ]


def test_json_is_what_the_control_socket_says(desk, say):
    say("open", "game")
    assert json.loads(say("list", "--json").stdout) == {"outlets": list(desk.outlets.values())}


def test_no_desk(say, runtime):
    result = say("list")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"eardrum: no desk is running in {runtime}; start one with `eardrum up`\n"


def test_it_is_quick_because_it_imports_nothing_heavy(desk, runtime):
    program = """
import sys
from eardrum.cli import eardrum
try:
    eardrum.main(["list"])
except SystemExit as end:
    print(end.code, *sys.modules)
"""
    environ = {**os.environ, "EARDRUM_RUNTIME_DIR": str(runtime)}
    ran = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    status, *modules = ran.stdout.splitlines()[-1].split()
    assert status == "None"
    heavy = {"numpy", "soxr", "soundfile", "asyncio", "subprocess", "eardrum.desk", "eardrum.worker", "eardrum.sound"}
    assert not heavy & set(modules)
