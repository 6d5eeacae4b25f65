"""With the real desk, as `eardrum run` uses it."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from eardrum.cli.control import Control, NoDesk, Opening
from eardrum.cli.own_desk import desk_at_hand

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Start `eardrum run --output null WORDS…`."""
    monkeypatch.setenv("EARDRUM_RUNTIME_DIR", str(runtime))
    command = [sys.executable, "-m", "eardrum", "run", "--output", "null"]

    def started(*words: object) -> subprocess.Popen[str]:
        # no pipe for stderr: a desk that goes on would hold it
        with open(tmp_path / "stderr", "a") as stderr:
            return subprocess.Popen([*command, *map(str, words)], stdout=subprocess.PIPE, stderr=stderr, text=True)

    return started


@pytest.fixture
def stderr(tmp_path: Path) -> Callable[[], str]:
    """What was said on stderr."""
    return lambda: re.sub("eardrum: no sound server answers here; .*\n", "", (tmp_path / "stderr").read_text())


def result(process: subprocess.Popen[str]) -> tuple[int, str]:
    stdout, _ = process.communicate(timeout=60)
    return process.returncode, stdout


def end_desk(runtime: Path, pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    with open(runtime / "lock") as lock:  # the desk holds it until it ends
        fcntl.flock(lock, fcntl.LOCK_EX)


def served(runtime: Path) -> bool:
    try:
        Control(runtime).__exit__(None, None, None)
    except NoDesk:
        return False
    return True


def test_one_is_started_and_ended(start, stderr, runtime):
    lists = 'echo here; exec "$0" -m eardrum list >&2'
    assert result(start("sh", "-c", lists, sys.executable)) == (0, "here\n")
    assert re.fullmatch(r"sh\tnull\t-\t\S+ 0666\tidle\t-", stderr().splitlines()[1])
    assert not served(runtime)


def test_the_status_is_the_commands(start):
    assert result(start("sh", "-c", "exit 3")) == (3, "")


def test_one_that_runs_is_left_running(desk):
    with desk_at_hand(desk.runtime):
        pass
    assert served(desk.runtime)
    assert not desk.heard


def test_an_interrupt_ends_it_too(start, runtime):
    process = start("sh", "-c", "echo ready; exec sleep 60")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert result(process)[0] == 128 + signal.SIGINT
    assert not served(runtime)


def test_an_interrupt_while_it_starts_ends_it_too(start, runtime):
    process = start("true")
    deadline = time.monotonic() + 20
    while not (runtime / "lock").exists():
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    assert result(process)[0] == 128 + signal.SIGTERM
    with open(runtime / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    assert not served(runtime)


def test_it_goes_on_for_others(start, stderr, runtime):
    opens = 'exec "$0" -m eardrum open radio --output null'
    assert result(start("sh", "-c", opens, sys.executable)) == (0, f"{runtime}/outlets/radio\n")
    said = re.fullmatch(rf"eardrum: process (\d+) goes on as the desk in {runtime}, for radio\n", stderr())
    assert said, stderr()
    assert served(runtime)
    end_desk(runtime, int(said[1]))


def test_what_was_open_before_does_not_keep_it(start, runtime):
    """The desk remembers what the one before it had open, and nobody uses that."""
    with desk_at_hand(runtime), Control(runtime) as control:
        control.open(Opening("radio", "null", None))
        (runtime / "kept.json").write_bytes((runtime / "outlets.json").read_bytes())
        control.close("radio")
    (runtime / "kept.json").rename(runtime / "outlets.json")
    assert result(start("true")) == (0, "")
    assert not served(runtime)
    assert "radio" in (runtime / "outlets.json").read_text()


def test_two_at_once_share_one(start, stderr, runtime, tmp_path):
    """Each waits for the other, so both have a desk at the same time; only one of them has started it."""
    os.mkfifo(tmp_path / "fifo")
    both = [start("sh", "-c", script, tmp_path / "fifo") for script in ("echo met >$0", "read word <$0; echo $word")]
    assert [result(process) for process in both] == [(0, ""), (0, "met\n")]
    for pid in re.findall(r"process (\d+) goes on", stderr()):
        end_desk(runtime, int(pid))


def test_none_can_be_started(start, stderr, monkeypatch):
    monkeypatch.setenv("EARDRUM_RUNTIME_DIR", "/dev/null/x")
    assert result(start("true")) == (125, "")
    assert stderr().splitlines()[-1] == "eardrum: no desk could be started in /dev/null/x"
