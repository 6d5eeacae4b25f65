"""A few conversations of `make fuzz` with outlets of a desk, and that what goes wrong there is found and kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"
PLANTED = """
import attacks, run

attacks.TRIALS = 1
attacks.ALARMS = ("",)  # whatever the desk says is taken for a fault
run.main()
"""


def python(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(FUZZ)}
    return subprocess.run(
        [sys.executable, *words], cwd=directory, env=environment, capture_output=True, text=True, timeout=110
    )


@pytest.mark.parametrize("target", ["mixed", "carried", "piped"])
def test_whole_conversations_do_no_harm(tmp_path, target):
    done = python(tmp_path, str(FUZZ / "run.py"), "--seed", "1", "--episodes", "30", target)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "messages in 30 episodes" in done.stdout


def test_what_is_found_is_kept_and_can_be_said_again(tmp_path):
    done = python(tmp_path, "-c", PLANTED, "--seed", "1", "--episodes", "3", "mixed")
    assert done.returncode == 1, done.stdout + done.stderr
    kept = json.loads((tmp_path / "build/fuzz/mixed-1.json").read_text())
    assert kept["fault"].startswith("the desk says")
    again = python(tmp_path, "-c", PLANTED, "--replay", "build/fuzz/mixed-1.json")
    assert again.returncode == 1
    assert again.stderr.startswith("the desk says")
