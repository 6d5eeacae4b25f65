from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eardrum.cli.control import Control, NoDesk

UP = [sys.executable, "-m", "eardrum", "up", "--runtime-dir"]


def refused(*words: str) -> tuple[int, str]:
    """Exit status and last line of an `up` that does not come to serve."""
    ended = subprocess.run([*UP, *words], capture_output=True, text=True, timeout=60)
    assert ended.stdout == ""
    return ended.returncode, ended.stderr.splitlines()[-1]


def test_serves_until_a_signal(runtime):
    readable, writable = os.pipe()
    command = [*UP, str(runtime), "--upstream", "none", "--ready-fd", str(writable)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=[writable]) as desk:
        os.close(writable)
        with open(readable, "rb") as ready:
            assert ready.read() == b"\n"
        assert desk.stdout
        assert desk.stdout.readline() == f"serving in {runtime}, host is room:speakers\n"
        with Control(runtime) as control:
            assert control.outlets() == []
        status, line = refused(str(runtime))
        assert status == 1
        assert line.startswith("eardrum: ")
        assert str(runtime) in line
        desk.send_signal(signal.SIGTERM)
        assert desk.wait(20) == 0
    with pytest.raises(NoDesk):
        Control(runtime)


@pytest.mark.parametrize("words", [["/dev/null/x"], ["/proc/x"], ["{runtime}", "--upstream", "tcp:far"]])
def test_what_is_wrong_is_one_line(runtime: Path, words: list[str]):
    status, line = refused(*(word.format(runtime=runtime) for word in words))
    assert status in (1, 2)
    assert line.startswith("eardrum: ")
