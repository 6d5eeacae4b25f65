"""`make demo` ends well, and leaves what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "demo/first_sound.py"


def test_the_demo_ends_well_and_leaves_sound_and_picture(tmp_path, load):
    done = subprocess.run([sys.executable, DEMO], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    table = done.stdout.splitlines()
    assert any(line.startswith("record the default source") and "refused: No such entity" in line for line in table)
    assert len(load(tmp_path / "demo-out/heard.flac")) > 5 * 48_000
    assert (tmp_path / "demo-out/heard.png").read_bytes().startswith(b"\x89PNG")
