from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from eardrum.terms.errors import Complaint
from eardrum.testing.card import PrivateDesk
from eardrum.testing.servers import accepts, wait_until

HOLDING = """
import sys
from eardrum.testing.card import PrivateDesk
with PrivateDesk():
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def scratch():
    directory = Path(tempfile.mkdtemp(prefix="eardrum-"))
    yield directory
    shutil.rmtree(directory)


def test_the_desk_ends_with_its_tests_even_if_they_are_killed(scratch):
    environ = {**os.environ, "TMPDIR": str(scratch)}
    command = [sys.executable, "-c", HOLDING]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tests:
        assert tests.stdout.readline() == b"ready\n"
        (control,) = scratch.glob("eardrum-*/run/control")
        assert accepts(control)
        tests.send_signal(signal.SIGKILL)
    wait_until(lambda: not control.exists(), "the end of the desk", deadline=30)


def test_what_is_in_the_way_of_a_desk_is_told(monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(Complaint, match="no sound for this test: no desk could be started"):
        PrivateDesk()
