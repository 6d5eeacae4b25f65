"""A short hunt with fixed seeds finds nothing, and what a hunt finds can be seen again."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"
PLANTED = """
import contextlib, run

def target(play):
    play.feeds("program 1: ", b"\\1\\2" + bytes(100))
    if play.seed == 7:
        raise ValueError("planted")

run.TARGETS["server"] = lambda: contextlib.nullcontext(target)
run.main()
"""


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=FUZZ, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize(("target", "episodes"), [("conversation", 1500), ("server", 60)])
def test_nothing_escapes(target: str, episodes: int) -> None:
    done = python("run.py", "--seed", "1", "--episodes", str(episodes), target)
    assert done.returncode == 0, done.stdout
    assert re.search(
        rf"^{target}: [\d,]+ messages in {episodes:,} episodes, [\d,]+ a second", done.stdout, re.MULTILINE
    )


def test_what_is_found_is_shown_with_its_seed() -> None:
    done = python("-c", PLANTED, "--seed", "5", "--episodes", "9", "server")
    assert done.returncode == 1
    said = done.stdout.splitlines()
    assert said[1] == "program 1: 0102 and 100 null bytes"
    assert "ValueError: planted" in said
    assert said[-1] == "found after 1 messages; again: fuzz/run.py --seed 7 --episodes 1 server"
    assert python("-c", PLANTED, "--seed", "7", "--episodes", "1", "server").stdout.splitlines()[1:] == said[1:]
