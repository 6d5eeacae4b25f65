from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eardrum.cli import child
from eardrum.terms.errors import Complaint

RUNS_IT = "import os, sys; from eardrum.cli import child; sys.exit(child.run(sys.argv[1:], os.environ))"


def run(*argv: object, **how: Any) -> int:
    """The status of a process that runs `argv` with `child.run`."""
    return subprocess.run([sys.executable, "-c", RUNS_IT, *map(str, argv)], timeout=60, **how).returncode


def shell(script: str, *arguments: object, **how: Any) -> int:
    return run("sh", "-c", script, *arguments, **how)


@pytest.mark.parametrize("status", [0, 1, 125, 255])
def test_its_status_is_ours(status):
    assert shell(f"exit {status}") == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGPIPE])
def test_ended_by_a_signal(number):
    assert shell(f"kill -{int(number)} $$") == 128 + number


def test_its_environment_is_what_it_is_given():
    program = "from eardrum.cli import child; raise SystemExit(child.run(['env'], {'A': 'B'}))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60).stdout == b"A=B\n"


def test_descriptors_for_it_stay_open(tmp_path):
    (tmp_path / "in").write_text("word\n")
    with open(tmp_path / "in") as file:
        script = f"read x </proc/self/fd/{file.fileno()} && [ $x = word ]"
        assert shell(script, pass_fds=[file.fileno()]) == 0


def test_our_signal_mask_is_as_before(script):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(Complaint):
        child.run([str(script)], {})
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_it_blocks_and_ignores_no_signal(tmp_path):
    assert shell("grep -E 'Sig(Blk|Ign)' /proc/self/status >$0", tmp_path / "said") == 0
    masks = [int(line.split()[1], 16) for line in (tmp_path / "said").read_text().splitlines()]
    assert [mask & 0x7FFFFFFF for mask in masks] == [0, 0]  # from 32 on they are the C library's own


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "script").write_text("no interpreter is named here")
    return tmp_path / "script"


def test_there_is_no_such_command():
    for command in ("no-such-command", "/no/such/command"):
        with pytest.raises(Complaint, match=f"{command}: no such command; is it installed") as raised:
            child.located(command)
        assert raised.value.status == 127


def test_a_file_that_cannot_be_executed(script, tmp_path):
    for path in (script, tmp_path):
        with pytest.raises(Complaint, match="cannot be executed") as raised:
            child.located(str(path))
        assert raised.value.status == 126


def test_a_file_that_the_kernel_will_not_execute(script):
    script.chmod(0o755)
    with pytest.raises(Complaint, match="Exec format error") as raised:
        child.run([str(script)], {})
    assert raised.value.status == 126


WAITS_FOR_A_SIGNAL = """
import signal, sys
awaited = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP}
signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
print("ready", flush=True)
sys.exit(40 + signal.sigwait(awaited))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_passed_on(number):
    command = [sys.executable, "-c", RUNS_IT, sys.executable, "-c", WAITS_FOR_A_SIGNAL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(20) == 40 + number


COUNTS_INTERRUPTS = """
import signal, sys
came = []
signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
print("ready", flush=True)
while not came:
    signal.pause()
print("interrupted", flush=True)
sys.stdin.readline()
print(len(came), flush=True)
"""
ON_A_TERMINAL = f"import os; os.open(os.ttyname(0), os.O_RDWR); {RUNS_IT}"


def test_ctrl_c_reaches_it_once():
    master, slave = os.openpty()
    command = [sys.executable, "-c", ON_A_TERMINAL, sys.executable, "-c", COUNTS_INTERRUPTS]
    with subprocess.Popen(
        command, stdin=slave, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process, open(master, "wb", buffering=0) as terminal:  # fmt: skip
        os.close(slave)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        terminal.write(b"\x03")
        assert process.stdout.readline() == "interrupted\n"
        terminal.write(b"\n")
        assert process.stdout.read() == "1\n"
        assert process.wait(20) == 0
