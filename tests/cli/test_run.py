from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from eardrum.cli.run import valid_name
from eardrum.containers import bubblewrap, oci


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("game", "game"),
        ("My Game (2)", "My-Game-2"),
        ("[", "outlet"),
        ("", "outlet"),
        (".hidden", "hidden"),
        ("--x", "x"),
        ("_x-.y", "_x-.y"),
        ("é" * 3 + "a", "a"),
        ("x" * 80, "x" * 56),
    ],
)
def test_any_text_becomes_a_name(text, name):
    assert valid_name(text) == name


class Ran(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def say(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run `eardrum WORDS…` in a process of its own: `run` waits for signals, which threads of the tests could take."""
    monkeypatch.setenv("EARDRUM_RUNTIME_DIR", str(runtime))

    def ran(*words: str) -> Ran:
        ended = subprocess.run(
            [sys.executable, "-m", "eardrum", *words], capture_output=True, text=True, timeout=60
        )  # fmt: skip
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    return ran


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/the/raw/one")
    monkeypatch.setenv("PULSE_COOKIE", "/cookie")


def test_the_command_finds_its_outlet_and_the_rest_is_as_it_was(desk, say, environ, tmp_path):
    script = 'echo "$PULSE_SERVER $PULSE_COOKIE" >$0'
    result = say("run", "--name", "game", "sh", "-c", script, str(tmp_path / "said"))
    assert result == (0, "", "")
    assert (tmp_path / "said").read_text() == f"unix:{desk.runtime}/outlets/game/native /cookie\n"


def test_the_outlet_is_open_as_long_as_the_command_runs(desk, say, tmp_path):
    lists = 'exec "$0" -m eardrum list >$1'
    result = say("run", "--output", "null", "--", "sh", "-c", lists, sys.executable, str(tmp_path / "said"))
    assert result.exit_code == 0
    assert "sh\tnull\t-\tme:audio 0660\tidle\t-\n" in (tmp_path / "said").read_text()
    assert desk.heard == [("POST", "/v1/outlets"), ("GET", "/v1/outlets"), ("DELETE", "/v1/outlets/sh")]
    assert desk.hung_up.wait(10)


def test_a_name_that_is_taken_gets_a_number(desk, say):
    for name in ("true", "true-2"):
        desk.open({"name": name, "output": "null", "input": None})
    assert say("run", "true").exit_code == 0
    assert ("DELETE", "/v1/outlets/true-3") in desk.heard
    assert set(desk.outlets) == {"true", "true-2"}


def test_a_name_that_was_asked_for_gets_none(desk, say):
    desk.open({"name": "game", "output": "null", "input": None})
    result = say("run", "--name", "game", "true")
    assert result == (125, "", "eardrum: outlet is open already\n")


@pytest.mark.parametrize("script", ["exit 3", "kill -9 $$"])
def test_the_status_is_the_commands(desk, say, script):
    assert say("run", "sh", "-c", script).exit_code == (3 if "3" in script else 137)
    assert not desk.outlets


def test_options_behind_the_command_are_the_commands(desk, say, tmp_path):
    script = 'echo "$@" >$0'
    say("run", "sh", "-c", script, str(tmp_path / "said"), "--name", "x", "--", "--output")
    assert (tmp_path / "said").read_text() == "--name x -- --output\n"


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["--loud", "true"], 125, "Error: No such option"),
        ([], 125, "Error: Missing argument"),
        (["--name", "../x", "true"], 125, "eardrum: outlet name '../x'"),
        (["--output", "loud", "true"], 125, "eardrum: output 'loud': no such wire end"),
        (["no-such-command"], 127, "eardrum: no-such-command: no such command"),
        (["/etc"], 126, "eardrum: /etc: cannot be executed"),
        (["podman", "ps"], 125, "eardrum: podman ps: makes no container"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_opened(desk, say, words, status, line):
    result = say("run", *words)
    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr.splitlines()[-1].startswith(line)
    assert not desk.heard


@pytest.mark.parametrize("engine", ["podman", "bwrap"])
def test_an_engine_that_is_not_installed(desk, say, monkeypatch, engine):
    monkeypatch.setenv("PATH", "/nowhere")
    result = say("run", engine, "run", "img")
    assert result == (127, "", f"eardrum: {engine}: no such command; is it installed?\n")


def test_a_desk_that_refuses(desk, say):
    desk.answers["POST"] = (409, b'{"error": "tune.wav: Permission denied", "status": 1}')
    result = say("run", "true")
    assert result == (125, "", "eardrum: tune.wav: Permission denied\n")


@pytest.mark.parametrize(("script", "status"), [("exit 0", 125), ("exit 3", 3)])
def test_a_recording_that_may_lack_its_end(desk, say, script, status):
    desk.answers["DELETE"] = (500, b'{"error": "disk full", "status": 1}')
    result = say("run", "sh", "-c", script)
    assert (result.exit_code, result.stderr) == (status, "eardrum: disk full\n")


def test_an_outlet_that_somebody_closed_meanwhile(desk, say):
    result = say("run", "--name", "game", "sh", "-c", '"$0" -m eardrum close game', sys.executable)
    assert result == (0, "", "")


def test_alsa_reads_one_more_file(desk, say, monkeypatch, tmp_path):
    monkeypatch.setenv("ALSA_CONFIG_PATH", "/mine")
    say("run", "--name", "game", "sh", "-c", 'echo "$ALSA_CONFIG_PATH" >$0', str(tmp_path / "said"))
    assert (tmp_path / "said").read_text() == f"/mine:{desk.runtime}/outlets/game/asound.conf\n"


@pytest.mark.parametrize("name", [[], ["--name", "radio"]])
def test_a_dry_run_prints_what_would_be_typed(say, runtime, name):
    """There is neither a desk nor that engine."""
    command = ["/opt/nerdctl", "run", "--env", "A=b c", "player"]
    result = say("run", "--dry-run", *name, *command)
    argv = oci.spliced(command, f"{runtime}/outlets/{name[-1] if name else 'player'}")
    assert result == (0, shlex.join(argv) + "\n", "")
    assert not list(runtime.iterdir())


def test_a_dry_run_of_a_program(say, runtime, monkeypatch):
    monkeypatch.delenv("ALSA_CONFIG_PATH", raising=False)
    outlet = f"{runtime}/outlets/game"
    alsa = f"ALSA_CONFIG_PATH=/usr/share/alsa/alsa.conf:{outlet}/asound.conf"
    assert say("run", "--dry-run", "game", "a b") == (0, f"PULSE_SERVER=unix:{outlet}/native {alsa} game 'a b'\n", "")


def test_what_an_engine_shares_besides_is_said(say):
    result = say("run", "--dry-run", "distrobox", "enter", "player", "--", "paplay")
    assert result.stderr.startswith("eardrum: distrobox: the container also sees your home and all of /run/user")
    assert result.stdout.endswith(" distrobox enter player -- paplay\n")


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A podman and a bwrap that write down their arguments; the file they write to."""
    for name in ("podman", "bwrap"):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\n[ "$1" = --help ] && exec /usr/bin/bwrap --help\necho "$0 $*" >{tmp_path}/said\n'
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "said"


def test_podman_gets_a_mount(desk, say, engines):
    command = ["podman", "run", "--rm", "docker.io/library/alpine:3", "sh"]
    assert say("run", "--", *command).exit_code == 0
    directory = f"{desk.runtime}/outlets/alpine"
    assert engines.read_text().split() == [str(engines.parent / "podman"), *oci.spliced(command, directory)[1:]]


@pytest.mark.live
def test_bwrap_gets_a_mount(desk, say, engines):
    command = ["bwrap", "--ro-bind", "/usr", "/usr", "/usr/bin/firefox"]
    assert say("run", *command).exit_code == 0
    known = bubblewrap.operands(bubblewrap.read_help("bwrap"))
    spliced = bubblewrap.spliced(command, f"{desk.runtime}/outlets/firefox", known)
    assert engines.read_text().split() == [str(engines.parent / "bwrap"), *spliced[1:]]


@pytest.mark.parametrize("words", ["run -d", "create"])
def test_a_container_that_stays_keeps_its_outlet(desk, say, engines, words):
    result = say("run", "podman", *words.split(), "--name", "radio", "img")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "eardrum: outlet radio stays open; `eardrum close radio` closes it\n"
    assert not desk.outlets["radio"]["held"]


def test_a_container_that_stays_needs_a_desk_that_stays(say, engines, runtime):
    result = say("run", "podman", "run", "-d", "img")
    assert result == (
        125, "", f"eardrum: no desk is running in {runtime}; start one with `eardrum up`\n",
    )  # fmt: skip


def test_a_container_that_did_not_start_keeps_nothing(desk, say, engines):
    (engines.parent / "podman").write_text("#!/bin/sh\nexit 125\n")
    assert say("run", "podman", "run", "-d", "img").exit_code == 125
    assert not desk.outlets


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_outlet_is_opened(desk, runtime, monkeypatch, number):
    """Nothing runs yet that it could be passed on to."""

    def open_(wanted, open_=desk.open):
        process.send_signal(number)
        process.wait(20)
        return open_(wanted)

    monkeypatch.setattr(desk, "open", open_)
    command = [sys.executable, "-m", "eardrum", "run", "--runtime-dir", str(runtime), "true"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said.strip()) == (128 + number, "")
