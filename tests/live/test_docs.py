"""What the pages for people tell to type is typed here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from eardrum.testing import heard
from eardrum.testing.servers import EARDRUM

DOCS = Path(__file__).parents[2] / "docs"
RATES = {"meeting.wav": 44_100, "all.wav": 48_000}
PROGRAM = """#!/bin/sh
[ "$1" = --quiet ] || exec paplay {sound}
"""
RECORDER = """#!/bin/sh
timeout --signal=INT 5 parec --latency-msec=50 --file-format=wav "$1"
[ $? = 124 ]
"""


def blocks(page: str, language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no block of {language}"
    return found


@pytest.fixture
def typed(stage, tmp_path):
    """Runs a command line in a directory of its own, where `my-program` plays a tone and `my-recorder` records."""
    programs = stage.make_directory("programs")
    sound = heard.write_wav(programs / "tone.wav", heard.sine(440, 48_000, channels=2))
    for name, text in (("my-program", PROGRAM), ("my-recorder", RECORDER)):
        (programs / name).write_text(text.format(sound=sound) if name == "my-program" else text)
        (programs / name).chmod(0o755)
    path = f"{programs}:{Path(EARDRUM).parent}:{stage.environment['PATH']}"

    def run(command: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-ec", command],
            cwd=tmp_path,
            env={**stage.environment, "PATH": path, **extra},
            capture_output=True,
            text=True,
            timeout=100,
        )

    return run


def test_shell(typed):
    playing, recording = blocks("testing.md", "sh")
    done = typed(playing)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in (DOCS / "testing.md").read_text()
    done = typed(recording)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "440.0 Hz" in done.stdout


def test_rooms(typed, desk, tmp_path):
    heard.write_wav(tmp_path / "greeting.wav", heard.sine(440, 48_000))
    done = typed("\n".join(blocks("rooms.md", "sh")), **desk.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("meeting.flac", "what-the-bot-hears.wav", "bell.wav"):
        assert (tmp_path / name).exists()


@pytest.mark.parametrize(("number", "recorded"), [(0, "meeting.wav"), (1, "all.wav")])
def test_serve(typed, tmp_path, number, recorded):
    done = typed(blocks("serve.md", "sh")[number])
    assert done.returncode == 0, done.stderr
    heard.assert_tones(heard.trimmed(heard.load(tmp_path / recorded)[0])[500:-500], RATES[recorded], (440, 440), 0.25)


def test_scripts_that_start_pulseaudio(typed):
    done = typed(blocks("serve.md", "sh")[2])
    assert done.returncode == 0, done.stderr
    assert "\tname: <meeting>\n" in done.stdout


def test_pytest(typed, tmp_path):
    for number, tests in enumerate(blocks("testing.md", "python")):
        (tmp_path / f"test_{number}.py").write_text(tests)
    done = typed("python -m pytest -q -p no:cacheprovider .")
    assert done.returncode == 0, done.stdout
    assert "6 passed" in done.stdout


@pytest.mark.parametrize("block", blocks("testing.md", "yaml"), ids=["github", "gitlab"])
def test_ci(typed, tmp_path, block):
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_it.py").write_text(blocks("testing.md", "python")[0])
    commands = re.findall(r"^ +- (?:run: )?(.+)$", block, re.MULTILINE)
    assert len(commands) >= 2
    done = typed("\n".join(commands))
    assert done.returncode == 0, done.stdout + done.stderr
