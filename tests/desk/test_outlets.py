"""Outlets and the workers behind them."""

from __future__ import annotations

import grp
import json
import os
import signal
import struct
from pathlib import Path

import pytest

from eardrum.worker.records import Kind, Record

AUTH_REPLY = struct.pack(">5I", 15, 0xFFFFFFFF, 0, 0, 0) + b"L\0\0\0\2L\0\0\0\0L" + struct.pack(">I", 35)
AUTH_ERROR = struct.pack(">5I", 15, 0xFFFFFFFF, 0, 0, 0) + b"L\0\0\0\0L\0\0\0\0L" + struct.pack(">I", 1)

GROUP = "daemon" if os.geteuid() == 0 else grp.getgrgid(os.getgid()).gr_name  # one that we may give to


def test_an_outlet_has_a_worker_once_somebody_connects(desk, until):
    desk.open("radio", input="room:hall")
    assert desk.outlet("radio")["worker"] is None
    about = desk.visit("radio").about()
    assert about["spec"] == ["radio", "null", "room:hall"]
    assert about["comm"] == "eardrum:radio"
    until(lambda: desk.outlet("radio")["worker"] == about["pid"], "the desk knows its pid")
    assert desk.visit("radio").about()["pid"] == about["pid"]


@pytest.mark.parametrize(
    ("wires", "budget", "streams"),
    [
        ({"output": "null"}, {}, 256),
        ({"output": "host"}, {}, 128),
        ({"output": "null", "input": "host:desk"}, {}, 128),
        ({"output": "host"}, {"streams": 256}, 256),
        ({"output": "host"}, {"connections": 4}, 128),
    ],
)
def test_no_outlet_has_all_the_streams_of_the_host_unless_the_person_says_so(desk, wires, budget, streams):
    desk.open("radio", **wires, budget=budget)
    assert desk.outlet("radio")["budget"]["streams"] == streams


def test_a_worker_has_no_descriptor_that_is_not_its_own(desk):
    desk.open("other")
    desk.visit("other").about()
    desk.open("radio")
    visitor = desk.visit("radio")
    # standard input, output, error; link, listening socket, the visitor
    assert visitor.about()["descriptors"] == 6


def test_what_a_worker_counts_is_listed(desk, until):
    desk.open("radio")
    visitor = desk.visit("radio")
    visitor.about()
    visitor.tell("counts 3 2 1")
    until(lambda: desk.outlet("radio")["connections"] == 3, "counts")
    assert (desk.outlet("radio")["playing"], desk.outlet("radio")["recording"]) == (2, 1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
def test_when_a_worker_dies_the_next_connection_starts_another(desk, until, number):
    desk.open("radio")
    desk.open("other")
    visitor, bystander = desk.visit("radio"), desk.visit("other")
    first = visitor.about()["pid"]
    bystander.about()
    os.kill(first, number)
    assert visitor.line() == ""
    assert desk.visit("radio").about()["pid"] != first
    until(lambda: f"outlet radio: its worker broke off ({number.name})" in desk.said, "a line about it")
    assert bystander.tell("nothing") == "done"


def test_a_worker_that_cannot_start_is_not_started_in_a_hurry(desk, until):
    desk.open("stillborn")
    desk.visit("stillborn")
    until(lambda: "RuntimeError: stillborn" in desk.said, "the worker's traceback")
    until(lambda: "exit status 70" in desk.said, "a line about it")
    until(lambda: desk.said.count("exit status 70") == 2, "the second try")
    assert desk.ask("GET", "/v1/desk")[0] == 200


def test_what_the_person_has_set_is_kept(desk, start_desk, until):
    desk.open("radio")
    assert desk.ask("POST", "/v1/outlets/radio/level", {"volume": "50%"})[0] == 200
    visitor = desk.visit("radio")
    visitor.about()
    assert desk.ask("POST", "/v1/outlets/radio/level", {"mute": "on"})[0] == 200

    def knobs():
        told = json.loads(visitor.tell("knobs"))
        assert visitor.line() == "done"
        return told

    until(lambda: knobs() == [[[32768, False], None], [256, 32768, 0]], "the worker to be told")
    desk.stop()
    again = start_desk("none")
    assert again.outlet("radio")["levels"]["output"] == {"volume": 32768, "percent": 50, "muted": True}
    again.close("radio")
    again.open("radio")
    assert again.outlet("radio")["levels"]["output"]["muted"] is False


def test_close_ends_the_connections(desk):
    desk.open("radio")
    visitor = desk.visit("radio")
    visitor.about()
    desk.close("radio")
    assert visitor.line() == ""
    with pytest.raises(FileNotFoundError):
        desk.visit("radio")
    desk.open("radio")
    assert desk.visit("radio").about()


def test_a_wire_to_a_room_leads_to_the_rooms_worker(desk):
    desk.open("one", "room:hall")
    desk.open("two", "null", input="room:hall")
    one, two = desk.visit("one"), desk.visit("two")
    one.about(), two.about()
    kind, wire, version, blocking, room, outlet_one, play, pid_one = one.tell("want 0").split()
    assert (kind, wire, version, blocking, room) == ("UPSTREAM", "0", "35", "blocking=False", "room=hall")
    assert play == "rights=7"  # connect, look, play
    *_, room, outlet_two, record, pid_two = two.tell("want 1").split()
    assert room == "room=hall"
    assert record == "rights=11"  # connect, look, record
    assert pid_one == pid_two
    assert outlet_one != outlet_two


def test_without_a_host_its_wire_leads_to_the_speakers(desk):
    desk.open("radio", "host:some_sink")
    visitor = desk.visit("radio")
    assert visitor.about()["spec"][1] == "room:speakers"
    assert "room=speakers" in visitor.tell("want 0")
    assert desk.outlet("radio")["output"] == "host:some_sink"


def test_a_second_upstream_cuts_the_first(desk):
    desk.open("radio", "room:hall")
    visitor = desk.visit("radio")
    visitor.about()
    assert visitor.tell("want 0").startswith("UPSTREAM")
    assert visitor.line() == "done"
    assert visitor.tell("want 0").startswith("UPSTREAM")
    assert visitor.line() == "done"
    assert visitor.tell("cut") == "b''"


def test_the_hosts_server_is_connected_to_and_handed_over(start_desk, sound_server):
    path = sound_server(AUTH_REPLY + b"next")
    desk = start_desk(f"unix:{path}")
    assert desk.ask("GET", "/v1/desk")[1]["upstream"] == f"unix:{path}"
    desk.open("radio", "host")
    visitor = desk.visit("radio")
    assert visitor.about()["spec"][1] == "host"
    assert visitor.tell("want 0") == "UPSTREAM 0 35 blocking=False next"
    assert desk.outlet("radio")["note"] == ""


def test_a_worker_gets_more_connections_beside_the_first_but_not_too_many(start_desk, sound_server):
    desk = start_desk(f"unix:{sound_server(AUTH_REPLY + b'next')}")
    desk.open("radio", "host")
    visitor = desk.visit("radio")
    visitor.about()
    for more in ("", " number=1", " number=2", " number=3"):
        assert visitor.tell(f"want 0{more.replace(' number=', ' ')}") == f"UPSTREAM 0 35{more} blocking=False next"
        assert visitor.line() == "done"
    assert visitor.tell("want 0") == "UPSTREAM 0 35 blocking=False next"
    assert visitor.line() == "done"
    for which in range(4):
        assert visitor.tell(f"cut {which}") == "b''"
        assert visitor.line() == "done"
    visitor.socket.sendall(b"want 0 4")
    assert visitor.line() == ""
    assert "wants wire 0" in desk.said


@pytest.mark.parametrize(
    ("answer", "code", "note"),
    [(AUTH_ERROR, 1, "refused us"), (b"\xff" * 40, 6, "what answers there is not")],
    ids=["access", "nonsense"],
)
def test_a_host_that_does_not_take_us_is_noted(start_desk, sound_server, answer, code, note):
    path = sound_server(answer)
    desk = start_desk(f"unix:{path}")
    desk.open("radio", "host")
    visitor = desk.visit("radio")
    visitor.about()
    assert visitor.tell("want 0") == f"NO_UPSTREAM 0 {code}"
    assert f"unix:{path}: {note}" in desk.outlet("radio")["note"]
    assert f"unix:{path}: {note}" in desk.said


def test_a_file_is_made_at_once_and_written_by_the_worker(desk, tmp_path):
    file = tmp_path / "tune.wav"
    desk.open("radio", f"file:{file}")
    assert file.stat().st_size == 0
    visitor = desk.visit("radio")
    assert visitor.about()["spec"][1] == f"file:{file}"
    visitor.tell("write first")
    desk.close("radio")
    assert file.read_text() == "first"


def test_after_a_crash_the_next_worker_writes_beside_the_first(desk, tmp_path):
    desk.open("radio", f"file:{tmp_path}/tune.wav")
    for text in ("first", "second", "third"):
        visitor = desk.visit("radio")
        visitor.about()
        visitor.tell(f"write {text}")
        visitor.tell("die")
        assert visitor.line() == ""
    desk.close("radio")
    written = {path.name: path.read_text() for path in tmp_path.glob("tune*")}
    assert written == {"tune.wav": "first", "tune-2.wav": "second", "tune-3.wav": "third"}


def test_an_outlet_whose_file_cannot_be_written_is_not_opened(desk, tmp_path):
    (tmp_path / "old.wav").write_text("old")
    for file, part in (("old.wav", "is there already"), ("no/such.wav", "No such file or directory")):
        status, answer = desk.ask("POST", "/v1/outlets", {"name": "radio", "output": f"file:{tmp_path / file}"})
        assert (status, answer["status"]) == (422, 1)
        assert str(tmp_path / file) in answer["error"]
        assert part in answer["error"]
    assert desk.ask("GET", "/v1/outlets") == (200, {"outlets": []})
    assert not (desk.runtime / "outlets/radio").exists()
    assert (tmp_path / "old.wav").read_text() == "old"
    assert "radio" not in (desk.runtime / "outlets.json").read_text()


def test_a_next_file_that_cannot_be_made_is_noted_and_tried_again(desk, tmp_path, until):
    folder = tmp_path / "records"
    folder.mkdir()
    desk.open("radio", f"file:{folder}/tune.wav")
    visitor = desk.visit("radio")
    visitor.about()
    visitor.tell("write first")
    folder.rename(tmp_path / "away")
    visitor.tell("die")
    waiting = desk.visit("radio")
    until(lambda: f"{folder}/tune.wav: No such file" in desk.outlet("radio")["note"], "the note")
    folder.mkdir()
    assert waiting.about()["spec"][1] == f"file:{folder}/tune.wav"
    assert desk.outlet("radio")["note"] == ""


def test_a_file_that_cannot_be_written_on_is_noted(desk, tmp_path, until):
    desk.open("radio", f"file:{tmp_path}/tune.wav")
    visitor = desk.visit("radio")
    visitor.about()
    visitor.tell(f"say {bytes(Record(Kind.FILE_FAILED)).hex()}")
    note = f"{tmp_path}/tune.wav: nothing more can be written; what is in it is complete"
    until(lambda: desk.outlet("radio")["note"] == note, "the note")
    assert note in desk.said


def test_two_outlets_never_share_a_file(desk, tmp_path):
    desk.open("one", f"file:{tmp_path}/tune.wav")
    status, answer = desk.ask("POST", "/v1/outlets", {"name": "two", "output": f"file:{tmp_path}/tune.wav"})
    assert status == 422
    assert "is there already" in answer["error"]


def test_the_socket_has_the_mode_and_group_that_were_asked_for(desk):
    outlet = desk.open("radio", mode="0660", group=GROUP)
    there = Path(outlet["socket"]).stat()
    assert (there.st_mode & 0o7777, there.st_gid) == (0o660, grp.getgrnam(GROUP).gr_gid)
    assert (outlet["mode"], outlet["group"]) == ("0660", GROUP)
