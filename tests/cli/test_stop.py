from __future__ import annotations

import os
import signal
import socket

import pytest

from eardrum.cli.stop import Stop


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + 15), (signal.SIGHUP, 128 + 1)]
)
def test_a_signal_is_waited_for_and_told(number, status):
    before = signal.getsignal(number)
    with Stop() as stop:
        assert not stop.wait(timeout=0)
        os.kill(os.getpid(), number)
        assert stop.wait(timeout=20)
    assert stop.status == status
    assert signal.getsignal(number) is before


def test_something_else_may_come_first():
    ours, theirs = socket.socketpair()
    with ours, theirs, Stop() as stop:
        theirs.send(b"x")
        assert not stop.wait(ours, 20)
        assert stop.status == 0


def test_who_ignores_a_signal_goes_on_ignoring_it():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stop() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.wait(timeout=0)
    finally:
        signal.signal(signal.SIGHUP, before)
