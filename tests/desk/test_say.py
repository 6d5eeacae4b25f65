"""How the desk speaks to the person who started it."""

from __future__ import annotations

import io
import sys

from eardrum.desk.say import say


def test_a_line_is_said_on_standard_error(capsys):
    say("the sky is blue")
    assert capsys.readouterr().err == "eardrum: the sky is blue\n"


def test_it_is_no_fault_if_nobody_listens(monkeypatch):
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr(sys, "stderr", gone)
    say("into the void")
