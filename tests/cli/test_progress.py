from __future__ import annotations

import pytest

from eardrum.cli.progress import Progress, clock, size


@pytest.mark.parametrize(("seconds", "text"), [(0.9, "0:00"), (7, "0:07"), (754.2, "12:34"), (3600, "1:00:00")])
def test_times(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(("nbytes", "text"), [(44, "0 kB"), (1500, "2 kB"), (999_499, "999 kB"), (1_250_000, "1.2 MB")])
def test_sizes(nbytes, text):
    assert size(nbytes) == text


def test_on_a_terminal_the_line_is_renewed_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress()
    assert progress.due
    progress.show("0:01")
    assert not progress.due
    progress.over()
    assert capsys.readouterr().err == "\r0:01\x1b[K\r\x1b[K"


def test_elsewhere_there_is_none(capsys):
    progress = Progress()
    assert not progress.due
    progress.over()
    assert capsys.readouterr().err == ""
