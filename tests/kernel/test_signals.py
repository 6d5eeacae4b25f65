"""Signals and orphans, as pid 1 of nothing: in a process of their own."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, select, signal, sys
from eardrum.kernel.signals import Signals
signals = Signals()
assert not signals.end_asked()
{happens}
select.select([signals.descriptor], [], [], 20)
print(signals.end_asked(), signals.end_asked())
"""


def told(happens: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(happens=happens)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_each_signal_that_ends_is_told_once():
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        assert told(f"os.kill(os.getpid(), signal.{name})") == "True False"


def test_a_child_that_ends_is_buried_and_ends_nothing():
    buried = """
if not (pid := os.fork()):
    os._exit(3)
select.select([signals.descriptor], [], [], 20)
assert not signals.end_asked()
try:
    os.waitpid(pid, 0)
except ChildProcessError:
    os.kill(os.getpid(), signal.SIGTERM)
"""
    assert told(buried) == "True False"


def test_what_was_ignored_stays_ignored():
    ignored = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signals.close()
signals = Signals()
os.kill(os.getpid(), signal.SIGHUP)
assert not signals.end_asked()
os.kill(os.getpid(), signal.SIGTERM)
"""
    assert told(ignored) == "True False"
