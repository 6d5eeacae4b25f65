"""A room has one worker as long as somebody is connected to it."""

from __future__ import annotations

import os
import signal


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
