"""How a report is told to people."""

from __future__ import annotations

import json
from dataclasses import replace

import click
import pytest

from eardrum.cli.paths import lines
from eardrum.kernel.places import Cookie, Lying, Report, Spot
from eardrum.kernel.probe import Answer
from eardrum.upstream.client_conf import ConfFile, Setting

PULSE = Spot(
    "/run/user/1000/pulse/native", "XDG_RUNTIME_DIR", 1, "", "/run/user/1000/pulse/native",
    Lying("socket", "ann", "ann", "0777"), Lying("directory", "ann", "ann", "0700"),
    Answer(True, "", "pulseaudio", "16.1", 35),
)  # fmt: skip
GONE = Spot(
    "/gone", "always", 1, "", "/gone", Lying(problem="nothing there"), Lying("directory", "root", "root", "0755"),
    Answer(False, "no such socket; is the sound server running?"),
)  # fmt: skip
REPORT = Report(
    1000, "ann", "/home/ann", "abc", PULSE, "it is the first", "", False, (PULSE,), (), (),
    {"HOME": "/home/ann", "PULSE_SERVER": None, "PULSE_COOKIE": ""},
    (ConfFile("/etc/pulse/client.conf", "read"),), {"autospawn": Setting("no", "/etc/pulse/client.conf:3")},
    (Cookie("/home/ann/.config/pulse/cookie", "always", "ann:ann 0600, 256 bytes", True),), (),
)  # fmt: skip


def text(report, width=80):
    return click.unstyle("\n".join(lines(report, width)))


def test_the_whole_of_it():
    assert (
        text(REPORT)
        == """\
A client of ann (uid 1000) connects to /run/user/1000/pulse/native, pulseaudio
  16.1, protocol 35: it is the first.

Where a client looks, in this order
  1. /run/user/1000/pulse/native  (XDG_RUNTIME_DIR)
     socket ann:ann 0777, in directory ann:ann 0700
     answers: pulseaudio 16.1, protocol 35

Where it does not look

What it reads
  HOME = /home/ann
  PULSE_COOKIE = (set, and empty)
  not set: PULSE_SERVER
  machine-id: abc
  /etc/pulse/client.conf: read
    autospawn = no (/etc/pulse/client.conf:3)
  cookie /home/ann/.config/pulse/cookie: ann:ann 0600, 256 bytes (this is sent)"""
    )


def test_nobody_answers():
    nobody = replace(REPORT, winner=None, why="none of them takes a connection", places=(GONE,))
    verdict = text(nobody).partition("\n\n")[0].split("\n  ")
    assert " ".join(verdict) == (
        "A client of ann (uid 1000) finds no server: none of them takes a connection; it says `Connection refused`."
    )
    assert "  1. /gone  (always)\n     nothing there, in directory root:root 0755\n\n" in text(nobody)
    starts = " ".join(text(replace(nobody, autospawn="/bin/pa", autospawns=True)).split())
    assert starts.count("it starts /bin/pa (autospawn)") == 2
    assert "it may start /bin/pa" in " ".join(text(replace(nobody, autospawn="/bin/pa", autospawns=None)).split())


def test_the_winner_refuses():
    refusing = replace(PULSE, answer=Answer(True, "refuses us"))
    said = " ".join(text(replace(REPORT, winner=refusing, places=(refusing,), user="1000")).split())
    assert said.startswith("A client of uid 1000 connects to /run/user/1000/pulse/native and gets nowhere: refuses us.")


def test_no_path_is_broken_and_no_escape_reaches_the_terminal():
    path = "/" + "long" * 30
    odd = replace(PULSE, address=path + "\x1b[2J", because="a reason")
    said = text(replace(REPORT, places=(odd,), winner=None), 40)
    assert f"  1. {path}\N{REPLACEMENT CHARACTER}[2J\n     (a reason)\n" in said
    clear = "\x1b]2;title\x07"
    odd = replace(PULSE, address="/a", because=f"default-server in /{clear}:1", answer=Answer(True, clear))
    report = replace(REPORT, user=clear, places=(odd,), others=(odd,), winner=odd, why=clear, machine_id=clear)
    assert "\x1b" not in text(report, 200)


@pytest.mark.parametrize(("there", "status"), [(True, 0), (False, 1)])
def test_as_json_and_with_an_exit_status(say, monkeypatch, there, status):
    report = replace(REPORT, winner=PULSE if there else None, complaints=("a: b",))
    monkeypatch.setattr("eardrum.cli.paths.look_around", lambda patience: report if patience == 1.5 else None)
    said = say("paths", "--json", "--patience", "1500ms")
    assert said.exit_code == status
    assert said.stderr == "eardrum: a: b\n"
    told = json.loads(said.stdout)
    assert (told["winner"] and told["winner"]["answer"]["server"]) == ("pulseaudio" if there else None)
    assert told["settings"]["autospawn"] == {"value": "no", "where": "/etc/pulse/client.conf:3"}
