"""A room has one worker as long as somebody is connected to it; a kept room is there until it is closed."""

from __future__ import annotations

import os
import signal

import pytest


def room_pid(visitor) -> int:
    said = visitor.tell("want 0")
    assert visitor.line() == "done"
    return int(said.rpartition("pid=")[2])


def visit(desk, name, output):
    desk.open(name, output)
    visitor = desk.visit(name)
    visitor.about()
    return visitor


def test_one_worker_serves_all_who_are_wired_to_a_room(desk):
    one, two = visit(desk, "one", "room:hall"), visit(desk, "two", "room:hall")
    elsewhere = visit(desk, "three", "room:attic")
    assert room_pid(one) == room_pid(two) != room_pid(elsewhere)


def test_a_room_that_asks_for_a_wire_is_ended(desk, until):
    visitor = visit(desk, "one", "room:meddler")
    assert visitor.tell("want 0").startswith("UPSTREAM 0 35")
    until(lambda: "room meddler: its worker is killed: it speaks of wires and files" in desk.said, "a line about it")


def test_a_room_whose_worker_died_gets_another(desk, until):
    visitor = visit(desk, "one", "room:hall")
    first = room_pid(visitor)
    os.kill(first, signal.SIGKILL)
    until(lambda: "room hall: its worker broke off (SIGKILL)" in desk.said, "a line about it")
    assert room_pid(visitor) != first


def listed(desk):
    return {room["name"]: room for room in desk.ask("GET", "/v1/rooms")[1]["rooms"]}


def test_rooms_are_listed_with_who_is_wired_to_them(desk, until):
    desk.open("singer", "room:hall")
    desk.open("bot", "room:hall", input="room:hall")
    desk.open("game", "host")
    desk.ask("POST", "/v1/rooms/attic")
    singer = desk.visit("singer")
    singer.about()
    pid = room_pid(singer)
    until(lambda: listed(desk)["hall"]["worker"] == pid, "the desk knows its pid")
    rooms = listed(desk)
    nothing = {"connections": 0, "playing": 0, "recording": 0}
    hall = {
        "name": "hall",
        "kept": False,
        "worker": pid,
        "confinement": [],
        "players": ["bot", "singer"],
        "hearers": ["bot"],
    }
    assert rooms["hall"] == hall | nothing
    assert (
        rooms["attic"]
        == {"name": "attic", "kept": True, "worker": None, "confinement": None, "players": [], "hearers": []} | nothing
    )
    assert rooms["speakers"]["players"] == ["game"]  # `host` on this machine
    assert list(rooms) == ["attic", "hall", "speakers"]


def test_a_kept_room_survives_the_desk_until_it_is_closed(start_desk):
    desk = start_desk("none")
    for _ in range(2):
        assert desk.ask("POST", "/v1/rooms/hall")[0] == 200
    desk.stop()
    desk = start_desk("none")
    assert listed(desk)["hall"]["kept"]
    assert desk.ask("DELETE", "/v1/rooms/hall")[0] == 200
    assert not listed(desk)
    desk.stop()
    assert not listed(start_desk("none"))


def test_closing_a_room_ends_what_is_connected_to_it(desk):
    desk.ask("POST", "/v1/rooms/hall")
    _, connection = desk.upgrade("/v1/rooms/hall/record")
    assert connection.recv(100).startswith(b"room=hall")
    desk.ask("DELETE", "/v1/rooms/hall")
    assert connection.recv(100) == b""


def test_a_room_that_outlets_are_wired_to_goes_on(desk):
    visitor = visit(desk, "one", "room:hall")
    pid = room_pid(visitor)
    desk.ask("POST", "/v1/rooms/hall")
    status, room = desk.ask("DELETE", "/v1/rooms/hall")
    assert (status, room["kept"], room["players"]) == (200, False, ["one"])
    assert room_pid(visitor) == pid
    status, answer = desk.ask("DELETE", "/v1/rooms/hall")
    assert status == 422
    assert "room hall: is there as long as outlets are wired to it: one" in answer["error"]


@pytest.mark.parametrize(("name", "status"), [("nowhere", 404), ("-x", 404)])
def test_a_room_that_is_not_there_cannot_be_closed(quiet_desk, name, status):
    assert quiet_desk.ask("DELETE", f"/v1/rooms/{name}")[0] == status


@pytest.mark.parametrize("method", ["POST /v1/rooms/-x", "GET /v1/rooms/-x/play"])
def test_a_room_has_a_decent_name(quiet_desk, method):
    status, answer = quiet_desk.ask(*method.split())
    assert (status, answer["status"]) == (400, 2)
    assert "room name '-x'" in answer["error"]
    assert not listed(quiet_desk)


def test_rooms_cannot_be_remembered_on_a_full_disk(desk):
    (desk.runtime / "outlets.json.new").mkdir()
    assert desk.ask("POST", "/v1/rooms/hall")[0] == 422
    assert not listed(desk)
