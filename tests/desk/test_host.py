"""Which sound server is the host's is decided at the start, and said."""

from __future__ import annotations

import struct

AUTH_REPLY = struct.pack(">5I", 15, 0xFFFFFFFF, 0, 0, 0) + b"L\0\0\0\2L\0\0\0\0L" + struct.pack(">I", 35)


def upstream(desk) -> str:
    return desk.ask("GET", "/v1/desk")[1]["upstream"]


def test_none_is_none_and_nothing_is_said(start_desk):
    desk = start_desk("none")
    assert (upstream(desk), desk.said) == ("none", "")


def test_a_server_is_found_by_the_environment(start_desk, sound_server):
    path = sound_server(AUTH_REPLY)
    desk = start_desk(environment={"PULSE_SERVER": f"unix:/nobody/here unix:{path}"})
    assert (upstream(desk), desk.said) == (f"unix:{path}", "")


def test_a_server_is_found_where_it_usually_is(start_desk, sound_server, tmp_path):
    (tmp_path / "run/pulse").mkdir(parents=True)
    sound_server(AUTH_REPLY, "run/pulse/native")
    desk = start_desk(environment={"XDG_RUNTIME_DIR": str(tmp_path / "run")})
    assert upstream(desk) == f"unix:{tmp_path}/run/pulse/native"


def test_where_nobody_answers_it_is_the_speakers(start_desk):
    desk = start_desk(environment={"PULSE_SERVER": "unix:/nobody/here"})
    assert upstream(desk) == "none"
    assert "no sound server answers here; `host` is the room `speakers`" in desk.said


def test_a_named_server_that_is_dead_is_kept_and_warned_of(start_desk, tmp_path):
    desk = start_desk(f"unix:{tmp_path}/dead")
    assert upstream(desk) == f"unix:{tmp_path}/dead"
    assert f"unix:{tmp_path}/dead: no such socket; is the sound server running?" in desk.said
    assert desk.said.count("\n") == 1


def test_a_named_server_may_come_later(start_desk, sound_server, tmp_path):
    desk = start_desk(f"unix:{tmp_path}/late")
    desk.open("radio", "host")
    visitor = desk.visit("radio")
    visitor.about()
    assert visitor.tell("want 0") == "NO_UPSTREAM 0 6"
    assert visitor.line() == "done"
    assert "no such socket" in desk.outlet("radio")["note"]
    sound_server(AUTH_REPLY + b"next", "late")
    assert visitor.tell("want 0").startswith("UPSTREAM 0 35")
    assert desk.outlet("radio")["note"] == ""


def test_an_address_that_is_no_socket_is_a_mistake(start_desk):
    desk = start_desk("tcp:localhost:4713")
    assert desk.hello == b""
    assert "tcp:localhost:4713: is a network address" in desk.said
    assert "--upstream tcp:localhost:4713: names no UNIX socket" in desk.said


def test_an_outlet_of_this_desk_is_never_its_upstream(start_desk, tmp_path):
    desk = start_desk(environment={"PULSE_SERVER": f"unix:{tmp_path}/runtime/outlets/radio/native"})
    assert upstream(desk) == "none"
    assert "is an outlet of this desk" in desk.said
