"""What can be asked on the control socket, and how it refuses."""

from __future__ import annotations

import json
import os
import stat

import msgspec
import pytest

from eardrum import __version__
from eardrum.kernel import outlet_directory
from eardrum.kernel.peer import group_name, user_name
from eardrum.terms.budget import Budget


def test_the_desk_says_who_it_is(quiet_desk):
    status, answer = quiet_desk.ask("GET", "/v1/desk")
    assert status == 200
    assert answer == {
        "version": __version__,
        "pid": quiet_desk.process.pid,
        "runtime": str(quiet_desk.runtime),
        "upstream": "none",
    }


@pytest.mark.case("P61")
@pytest.mark.parametrize("name", ["", "a/b", "..", "../x", "-rf", ".x", "a\0", "a\n", "a" * 65, "\u202ex"])
def test_a_name_that_is_no_name_makes_nothing(quiet_desk, name):
    status, answer = quiet_desk.ask("POST", "/v1/outlets", {"name": name, "output": "null"})
    assert (status, answer["status"]) == (400, 2)
    assert answer["error"].startswith("outlet name ")
    assert answer["error"].isprintable()
    assert not list((quiet_desk.runtime / "outlets").iterdir())


USUAL = {"volume": 65536, "percent": 100, "muted": False}


def test_an_outlet_is_opened_listed_and_closed(desk):
    directory = desk.runtime / "outlets/radio"
    expected = {
        "name": "radio",
        "output": "null",
        "input": "silence",
        "directory": str(directory),
        "socket": str(directory / "native"),
        "mode": "0666",
        "group": None,
        "permissions": {"owner": user_name(os.geteuid()), "group": group_name(os.getegid()), "mode": "0666"},
        "modules": False,
        "hear": False,
        "ceiling": None,
        "gate": False,
        "gate_process": None,
        "budget": msgspec.to_builtins(Budget()),
        "levels": {"output": USUAL, "input": USUAL},
        "configured": False,
        "worker": None,
        "confinement": None,
        "connections": 0,
        "playing": 0,
        "recording": 0,
        "wires": {
            "output": {"leads_to": "null", "state": "silent", "since": None, "why": ""},
            "input": {"leads_to": "silence", "state": "silent", "since": None, "why": ""},
        },
        "note": "",
    }
    assert desk.ask("POST", "/v1/outlets", {"name": "radio", "output": "null", "input": "silence"}) == (201, expected)
    assert desk.ask("GET", "/v1/outlets") == (200, {"outlets": [expected]})
    assert desk.ask("DELETE", "/v1/outlets/radio") == (200, {"configured": False})
    assert desk.ask("GET", "/v1/outlets") == (200, {"outlets": []})
    assert not directory.exists()


@pytest.mark.parametrize("there", ["nothing", "a link", "a directory"])
def test_a_socket_that_was_put_away_is_told(desk, there):
    desk.open("radio")
    native = desk.runtime / "outlets/radio/native"
    native.unlink()
    if there == "a link":
        native.symlink_to("/dev/null")
    elif there == "a directory":
        native.mkdir()
    outlet = desk.outlet("radio")
    assert (outlet["permissions"], outlet["note"][:18]) == (None, "its socket is gone")


def test_levels_are_set_and_told(desk):
    desk.open("radio", input="silence")
    assert desk.ask("GET", "/v1/outlets/radio/level") == (200, USUAL)
    set_level = {"volume": 39322, "percent": 60, "muted": True}
    assert desk.ask("POST", "/v1/outlets/radio/level", {"volume": "60%", "mute": "toggle"}) == (200, set_level)
    assert desk.ask("POST", "/v1/outlets/radio/in/level", {"mute": "on"}) == (200, USUAL | {"muted": True})
    assert desk.outlet("radio")["levels"] == {"output": set_level, "input": USUAL | {"muted": True}}


def test_levels_that_there_are_not(desk):
    desk.open("radio")
    assert desk.ask("POST", "/v1/outlets/radio/level", {"volume": "loud"})[0] == 400
    assert desk.ask("POST", "/v1/outlets/radio/level", {"loudness": "60%"})[0] == 400
    assert desk.ask("GET", "/v1/outlets/tv/level")[0] == 404
    status, answer = desk.ask("GET", "/v1/outlets/radio/in/level")
    assert (status, answer["error"][:36]) == (422, "outlet radio: has no microphone; open"[:36])


@pytest.mark.case("P74")
def test_the_control_socket_is_ours_alone(quiet_desk):
    assert stat.S_IMODE((quiet_desk.runtime / "control").stat().st_mode) == 0o600


def test_one_connection_carries_many_requests(quiet_desk):
    caller = quiet_desk.caller()
    for _ in range(3):
        assert caller.ask("GET", "/v1/outlets") == (200, {"outlets": []})
    assert caller.ask("GET", "/v1/nothing")[0] == 404
    assert caller.ask("GET", "/v1/desk")[0] == 200


def test_a_held_outlet_lives_as_long_as_the_connection_that_opened_it(desk, until):
    caller = desk.caller()
    assert caller.ask("POST", "/v1/outlets", {"name": "held", "output": "null", "held": True})[0] == 201
    desk.open("kept")
    assert "held" not in (desk.runtime / "outlets.json").read_text()
    caller.close()
    until(lambda: desk.outlet("held") is None, "the held outlet is closed")
    assert not (desk.runtime / "outlets/held").exists()
    assert desk.outlet("kept")


def test_a_held_outlet_may_be_closed_by_somebody_else(desk):
    caller = desk.caller()
    assert caller.ask("POST", "/v1/outlets", {"name": "held", "output": "null", "held": True})[0] == 201
    desk.close("held")
    caller.close()
    assert desk.outlet("held") is None


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"name": "a", "colour": "red"}, "unknown field `colour`"),
        ({"output": "null"}, "missing required field `name`"),
        ({"name": 7}, "Expected `str`"),
        ({"name": "../a", "output": "null"}, "outlet name '../a'"),
        ({"name": "-a", "output": "null"}, "outlet name '-a'"),
        ({"name": "a" * 65, "output": "null"}, "outlet name"),
        ({"name": "a", "output": "loud"}, "no such wire end"),
        ({"name": "a", "input": "host:5"}, "is a number"),
        ({"name": "a", "input": "host:speakers.monitor"}, "hears everything that plays into speakers"),
        ({"name": "a", "output": "file:tune.wav"}, "must be absolute"),
        ({"name": "a", "output": "null", "mode": "0777"}, "mode '0777'"),
        ({"name": "a", "output": "null", "group": "no-such-group"}, "no such group"),
    ],
)
def test_nonsense_is_refused_in_one_line(quiet_desk, body, part):
    status, answer = quiet_desk.ask("POST", "/v1/outlets", body)
    assert (status, answer["status"]) == (400, 2)
    assert part in answer["error"]
    assert "\n" not in answer["error"]
    assert not list((quiet_desk.runtime / "outlets").iterdir())


def test_a_name_is_given_once(desk):
    desk.open("radio")
    for output, how in (("null", "like this"), ("room:hall", "with output null")):
        status, answer = desk.ask("POST", "/v1/outlets", {"name": "radio", "output": output})
        assert (status, answer["status"]) == (409, 1)
        assert f"is open already, {how}" in answer["error"]
    assert desk.outlet("radio")["output"] == "null"


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("DELETE", "/v1/outlets/nobody", 404),
        ("GET", "/v1/outlets/", 404),
        ("GET", "/", 404),
        ("PUT", "/v1/outlets", 405),
        ("POST", "/v1/desk", 405),
    ],
)
def test_what_is_not_there_is_refused(quiet_desk, method, target, status):
    assert quiet_desk.ask(method, target)[0] == status


def test_a_long_body_is_refused_and_the_connection_ends(quiet_desk):
    caller = quiet_desk.caller()
    status, answer = caller.ask("POST", "/v1/outlets", {"name": "a" * 66_000})
    assert status == 413
    assert "65536 bytes" in answer["error"]
    assert caller.sock.recv(1) == b""


@pytest.mark.parametrize("request_", [b"\x16\x03\x01 hello\r\n\r\n", b"GET /v1/desk\r\n\r\n", b"A" * 20_000])
def test_what_is_no_http_is_refused_and_the_connection_ends(quiet_desk, request_):
    with outlet_directory.connect(quiet_desk.runtime / "control") as connection:
        connection.settimeout(20)
        connection.sendall(request_)
        with connection.makefile("rb") as said:
            answer = said.read()
    assert answer.split(b" ")[1] in (b"400", b"431")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 2


@pytest.mark.parametrize(
    ("target", "record"),
    [("/v1/rooms/hall/play", "rights=4"), ("/v1/rooms/hall/record", "rights=8")],
)
def test_the_owner_is_connected_to_a_room_with_one_right(desk, target, record):
    desk.open("one", "room:hall")
    visitor = desk.visit("one")
    visitor.about()
    outlet = visitor.tell("want 0").split()[5]
    seen = {outlet}
    for _ in range(2):
        status, connection = desk.upgrade(target)
        assert status == b"HTTP/1.1 101 "
        room, view, rights, _ = connection.recv(100).decode().split()
        assert (room, rights) == ("room=hall", record)
        assert view not in seen  # a view of its own
        seen.add(view)


@pytest.mark.parametrize(
    ("output", "input", "target", "rights"),
    [
        ("null", None, "record", 8),
        ("room:hall", None, "record", 8),
        ("null", "silence", "in/record", 8),
        ("null", "room:hall", "in/record", 8),
        ("null", "silence", "in/play", 4),
    ],
)
def test_the_owner_is_connected_to_an_outlet_with_one_right(desk, output, input, target, rights):
    desk.open("one", output, input=input)
    status, connection = desk.upgrade(f"/v1/outlets/one/{target}")
    assert status == b"HTTP/1.1 101 "
    attached, view, right = connection.recv(100).decode().split()
    assert (attached, right) == ("ATTACH", str(rights))
    assert view != "0"


def test_who_plays_into_a_microphone_that_is_a_room_plays_into_the_room(desk):
    desk.open("one", input="room:hall")
    _, connection = desk.upgrade("/v1/outlets/one/in/play")
    assert connection.recv(100).startswith(b"room=hall")


@pytest.mark.parametrize("target", ["in/play", "in/record"])
def test_without_a_microphone_none_can_be_played_into_or_recorded(desk, target):
    desk.open("one")
    status, answer = desk.ask("GET", f"/v1/outlets/one/{target}")
    assert (status, answer["error"]) == (
        422, "outlet one: has no microphone; open it with --input silence or room:NAME"
    )  # fmt: skip
    assert desk.ask("GET", f"/v1/outlets/two/{target}")[0] == 404


def test_a_caller_that_asks_for_no_other_protocol_is_told_to(desk):
    desk.open("one")
    caller = desk.caller()
    caller.request("GET", "/v1/outlets/one/record")
    assert caller.getresponse().status == 426


def test_what_is_said_after_101_is_for_the_worker(desk):
    desk.open("one")
    for _ in range(20):
        _, connection = desk.upgrade("/v1/outlets/one/record")
        connection.sendall(b"nothing\n")
        said = b""
        while b"done\n" not in said:
            said += connection.recv(100)


def test_only_an_outlet_that_was_opened_so_takes_modules(desk):
    _, outlet = desk.ask("POST", "/v1/outlets", {"name": "bot", "output": "null", "modules": True})
    assert outlet["modules"]
