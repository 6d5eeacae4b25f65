"""Where the host's sound server is: found at the start, waited for, found again."""

from __future__ import annotations

import socket
import struct

import pytest

from eardrum.desk.host import PATIENCE
from eardrum.worker.records import Kind, Record

WANT = bytes(Record(Kind.WANT, 0, 1))
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
    assert visitor.tell("hear").startswith("UPSTREAM 0 35")
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


def test_a_server_that_has_appeared_is_the_host_for_who_is_opened_next(start_desk, sound_server, tmp_path):
    desk = start_desk(environment={"PULSE_SERVER": f"unix:{tmp_path}/late"})
    sound_server(AUTH_REPLY, "late")
    desk.open("bell", "null")
    assert upstream(desk) == "none"  # nobody needs it
    desk.open("radio", "host")
    assert upstream(desk) == f"unix:{tmp_path}/late"


def test_a_server_that_appears_is_the_host_for_those_who_play_already(start_desk, sound_server, tmp_path):
    desk = start_desk(environment={"PULSE_SERVER": f"unix:{tmp_path}/late"})
    desk.open("radio", "host:some_sink")
    desk.open("other", "room:hall")
    visitor, other = desk.visit("radio"), desk.visit("other")
    assert visitor.about()["spec"][1] == "room:speakers"
    assert "room=speakers" in visitor.tell("want 0")
    assert visitor.line() == "done"
    other.about()
    sound_server(AUTH_REPLY + b"next", "late")
    assert visitor.tell("hear") == "REWIRE 0 host:some_sink"
    assert visitor.line() == "done"
    assert visitor.tell("cut") == "b''"
    assert visitor.line() == "done"
    assert visitor.tell("want 0") == "UPSTREAM 0 35 blocking=False next"
    assert upstream(desk) == f"unix:{tmp_path}/late"
    assert desk.outlet("other")["wires"]["output"]["leads_to"] == "room:hall"


def test_a_want_that_stands_is_fulfilled_by_a_server_that_appears(start_desk, sound_server, tmp_path, until):
    desk = start_desk(f"unix:{tmp_path}/late unix:{tmp_path}/later")
    desk.open("radio", "host")
    visitor = desk.visit("radio")
    visitor.about()
    assert visitor.tell("want 0") == "NO_UPSTREAM 0 6"
    assert visitor.line() == "done"
    waiting = desk.outlet("radio")["wires"]["output"]
    assert (waiting["leads_to"], waiting["state"]) == ("host", "waiting")
    assert "late: no such socket" in waiting["why"]
    sound_server(AUTH_REPLY + b"next", "later")
    assert visitor.tell("hear") == "UPSTREAM 0 35 blocking=False next"
    connected = desk.outlet("radio")["wires"]["output"]
    assert (connected["state"], connected["why"]) == ("connected", "")
    assert connected["since"] >= waiting["since"]
    assert "the sound server answers again" in desk.said


def test_what_is_wanted_no_more_is_not_tried_any_more(start_desk, tmp_path, until):
    desk = start_desk(f"unix:{tmp_path}/late")
    desk.open("radio", "host")
    visitor = desk.visit("radio")
    visitor.about()
    visitor.tell("want 0")
    assert visitor.line() == "done"
    visitor.tell("withdraw 0")
    until(lambda: desk.outlet("radio")["wires"]["output"]["state"] == "idle", "peace")
    assert desk.outlet("radio")["note"] == ""
    with socket.socket(socket.AF_UNIX) as late:
        late.bind(str(tmp_path / "late"))
        late.listen()
        late.settimeout(0.5)
        with pytest.raises(TimeoutError):
            late.accept()


@pytest.fixture
def hung(start_desk, tmp_path):
    """A desk, and the socket of its host's server, which takes connections and says nothing."""
    desk = start_desk(f"unix:{tmp_path}/server")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "server"))
        listening.listen()
        yield desk, listening


def wanting(desk, name: str):
    """A visitor of a new outlet whose worker wants to be connected to the host."""
    desk.open(name, "host")
    visitor = desk.visit(name)
    visitor.about()
    assert visitor.tell(f"say {WANT.hex()}") == "done"
    return visitor


def test_a_server_that_hangs_gets_one_connection(hung, until):
    desk, listening = hung
    names = ("one", "two", "three")
    for name in names:
        wanting(desk, name)
    connections = [listening.accept()[0]]
    listening.settimeout(PATIENCE + 0.5)  # however long it takes
    with pytest.raises(TimeoutError):
        listening.accept()
    connections[0].sendall(AUTH_REPLY + b"next")
    for _ in range(2):
        connections.append(listening.accept()[0])
        connections[-1].sendall(AUTH_REPLY + b"next")
    until(lambda: {desk.outlet(name)["wires"]["output"]["state"] for name in names} == {"connected"}, "all of them")
    for connection in connections:
        connection.close()


def test_a_server_that_takes_the_place_of_one_that_hangs_is_found(hung, sound_server, tmp_path):
    desk, listening = hung
    visitor = wanting(desk, "radio")
    with listening.accept()[0] as ours:
        (tmp_path / "server").unlink()
        sound_server(AUTH_REPLY + b"next")
        while (said := visitor.tell("hear")).startswith("NO_UPSTREAM"):
            assert visitor.line() == "done"
        assert said == "UPSTREAM 0 35 blocking=False next"
        ours.recv(1000)
        assert ours.recv(1) == b""


def test_when_nobody_wants_a_server_that_hangs_it_is_left(hung):
    desk, listening = hung
    visitor = wanting(desk, "radio")
    with listening.accept()[0] as ours:
        assert ours.recv(1000)
        visitor.tell("withdraw 0")
        assert ours.recv(1) == b""


def test_who_wants_one_more_again_and_again_gets_one(start_desk, sound_server):
    desk = start_desk(f"unix:{sound_server(AUTH_REPLY + b'next')}")
    visitor = wanting(desk, "radio")
    assert visitor.tell("hear") == "UPSTREAM 0 35 blocking=False next"
    assert visitor.line() == "done"
    for _ in range(20):
        assert visitor.tell(f"say {bytes(Record(Kind.WANT, 0, 1, 1)).hex()}") == "done"
    assert visitor.tell("hear") == "UPSTREAM 0 35 number=1 blocking=False next"
    assert visitor.line() == "done"
    assert visitor.tell("want 0 2") == "UPSTREAM 0 35 number=2 blocking=False next"


def test_a_server_that_was_there_stays_the_host(start_desk, tmp_path, sound_server, until):
    path = sound_server(AUTH_REPLY + b"next")
    desk = start_desk(environment={"PULSE_SERVER": f"unix:{path}"})
    path.unlink()
    desk.open("radio", "host")
    visitor = desk.visit("radio")
    assert visitor.about()["spec"][1] == "host"
    assert visitor.tell("want 0") == "NO_UPSTREAM 0 6"
    assert "no such socket" in desk.outlet("radio")["note"]
