"""Which outlets have a gate, and what is led through it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from eardrum.protocol.catalog import AuthReply
from eardrum.protocol.codec import packet
from eardrum.protocol.packets import sound_head

AUTH_REPLY = packet(AuthReply(version=35), 0, 35)
NEXT = sound_head(1, 4) + bytes(4)  # silence: nothing else is heard by who plays


@pytest.fixture
def host(sound_server) -> str:
    return f"unix:{sound_server(AUTH_REPLY + NEXT)}"


def gate(desk, name: str) -> tuple[bool, int | None]:
    outlet = desk.outlet(name)
    return outlet["gate"], outlet["gate_process"]


def test_a_gate_begins_with_the_first_connection_and_ends_with_the_worker(start_desk, host, until):
    desk = start_desk(host)
    desk.open("radio", "host", gate=True)
    visitor = desk.visit("radio")
    visitor.about()
    assert gate(desk, "radio") == (True, None)
    assert visitor.tell("want 0").endswith(NEXT.decode())
    on, process = gate(desk, "radio")
    assert on
    assert process is not None
    visitor.tell("die")
    until(lambda: not Path(f"/proc/{process}").exists(), "the end of the gate")


def test_who_wants_none_has_the_connection_itself(start_desk, host):
    desk = start_desk(host)
    desk.open("radio", "host", gate=False)
    visitor = desk.visit("radio")
    visitor.about()
    assert visitor.tell("want 0").endswith(NEXT.decode())
    assert gate(desk, "radio") == (False, None)


def test_rooms_judge_for_themselves(desk):
    desk.open("radio", "room:hall", gate=True)
    visitor = desk.visit("radio")
    visitor.about()
    assert "room=hall" in visitor.tell("want 0")
    assert gate(desk, "radio") == (True, None)


def test_a_gate_that_is_killed_takes_the_connection_along_and_the_next_has_another(start_desk, host, until):
    desk = start_desk(host)
    desk.open("radio", "host", gate=True)
    visitor = desk.visit("radio")
    visitor.about()
    visitor.tell("want 0")
    visitor.line()
    _, first = gate(desk, "radio")
    os.kill(first, signal.SIGKILL)
    assert visitor.tell("cut") == "b''"
    visitor.line()
    until(lambda: gate(desk, "radio")[1] is None, "the end of the gate")
    assert visitor.tell("want 0").endswith(NEXT.decode())
    assert gate(desk, "radio")[1] not in (None, first)
    assert "gate of outlet radio: its worker broke off (SIGKILL)" in desk.said


def test_the_configuration_decides_for_those_who_do_not_say(start_desk, host, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text("[host]\ngate = true\n")
    desk = start_desk(host, environment={"EARDRUM_CONFIG": str(config)})
    desk.open("careful", "host")
    desk.open("swift", "host", gate=False)
    assert (gate(desk, "careful")[0], gate(desk, "swift")[0]) == (True, False)
