"""The life of a desk."""

from __future__ import annotations

import grp
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

GROUP = "daemon" if os.geteuid() == 0 else grp.getgrgid(os.getgid()).gr_name  # one that we may give to


def test_it_imports_nothing_that_knows_sound(desk):
    assert json.loads(desk.hello) == {"imported": [], "threads": 1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_and_recordings_are_finished(desk, tmp_path, number):
    desk.open("radio", f"file:{tmp_path}/tune.wav")
    desk.open("idle", f"file:{tmp_path}/never.wav")
    visitor = desk.visit("radio")
    visitor.about()
    visitor.tell("write tune")
    assert desk.stop(number) == 0
    assert visitor.line() == ""
    assert (tmp_path / "tune.wav").read_text() == "tune"
    assert not (tmp_path / "never.wav").exists()
    assert not (desk.runtime / "control").exists()


def test_nothing_of_it_is_left(desk):
    desk.open("radio", "room:hall")
    visitor = desk.visit("radio")
    pid = visitor.about()["pid"]
    room = int(visitor.tell("want 0").rpartition("pid=")[2])
    nursery = _children(desk.process.pid)[0]
    assert desk.stop() == 0
    assert not [number for number in (pid, room, nursery) if _lives(number)]


def test_the_next_desk_serves_the_same_outlets_in_the_same_directories(start_desk):
    first = start_desk("none")
    directory = first.runtime / "outlets/radio"
    first.open("radio", "room:hall", input="silence", mode="0660", group=GROUP)
    first.open("gone")
    first.close("gone")
    before, outlet = directory.stat(), first.outlet("radio")
    first.stop()
    second = start_desk("none")
    assert second.outlet("radio") == outlet
    assert second.outlet("gone") is None
    assert directory.stat().st_ino == before.st_ino
    assert second.visit("radio").about()["spec"] == ["radio", "room:hall", "silence"]


def test_workers_survive_a_killed_desk_and_the_next_one_serves_beside_them(start_desk):
    first = start_desk("none")
    first.open("radio")
    directory = first.runtime / "outlets/radio"
    inode = directory.stat().st_ino
    old = first.visit("radio")
    pid = old.about()["pid"]
    first.stop(signal.SIGKILL)
    second = start_desk("none")
    assert directory.stat().st_ino == inode
    assert second.visit("radio").about()["pid"] != pid
    assert old.tell("nothing") == "done"


def test_what_a_killed_desk_held_is_tidied_up_when_nobody_serves_it(start_desk):
    first = start_desk("none")
    caller = first.caller()
    for name in ("idle", "used"):
        assert caller.ask("POST", "/v1/outlets", {"name": name, "output": "null", "held": True})[0] == 201
    visitor = first.visit("used")
    visitor.about()
    first.stop(signal.SIGKILL)
    start_desk("none")
    assert [path.name for path in (first.runtime / "outlets").iterdir()] == ["used"]


def test_a_recording_goes_on_under_a_killed_desk_and_the_next_one_writes_beside_it(start_desk, tmp_path):
    first = start_desk("none")
    first.open("radio", f"file:{tmp_path}/tune.wav")
    old = first.visit("radio")
    old.about()
    first.stop(signal.SIGKILL)
    second = start_desk("none")
    assert second.visit("radio").about()["spec"][1] == f"file:{tmp_path}/tune-2.wav"
    assert old.tell("write first") == "done"
    assert (tmp_path / "tune.wav").read_text() == "first"


def test_a_second_desk_in_the_same_directory_says_who_is_there(desk, start_desk):
    second = start_desk("none")
    assert second.hello == b""
    assert second.stop() != 0
    assert f"a desk is already running here, pid {desk.process.pid}" in second.said
    assert desk.ask("GET", "/v1/desk")[0] == 200


@pytest.mark.case("P66")
def test_of_desks_that_start_at_once_one_wins(start_desk):
    with ThreadPoolExecutor() as pool:
        desks = list(pool.map(lambda _: start_desk("none"), range(4)))
    assert [bool(desk.hello) for desk in desks].count(True) == 1
    for desk in desks:
        if not desk.hello:
            assert desk.process.wait(20) == 1
    assert desks[0].said.count("a desk is already running here, pid ") == 3  # they share the log
    assert desks[0].ask("GET", "/v1/desk")[0] == 200


def test_a_killed_nursery_is_replaced(desk, until):
    desk.open("radio")
    desk.open("other")
    visitor = desk.visit("radio")
    pid = visitor.about()["pid"]
    os.kill(_children(desk.process.pid)[0], signal.SIGKILL)
    assert desk.visit("other").about()
    assert visitor.tell("nothing") == "done"
    os.kill(pid, signal.SIGKILL)
    assert visitor.line() == ""
    assert desk.visit("radio").about()["pid"] != pid
    assert "the nursery was killed" in desk.said


def test_a_nursery_that_cannot_start_ends_the_desk(start_desk):
    desk = start_desk("none", environment={"FAKE_NURSERY": "broken"})
    assert desk.process.wait(20) == 1
    assert "ImportError: broken" in desk.said
    assert "the nursery cannot start" in desk.said


def test_a_damaged_list_of_outlets_is_complained_about(start_desk, tmp_path):
    (tmp_path / "runtime").mkdir(mode=0o700)
    (tmp_path / "runtime/outlets.json").write_text('{"outlets": [{"name": "../x"}]}')
    desk = start_desk("none")
    assert desk.hello == b""
    assert f"{tmp_path}/runtime/outlets.json: outlet name '../x'" in desk.said


def configured(tmp_path: Path, *outlets: str) -> dict[str, str]:
    """The environment of a desk in whose configuration these outlets are."""
    file = tmp_path / "config.toml"
    file.write_text("".join(f"[[outlet]]\n{outlet}\n" for outlet in outlets))
    return {"EARDRUM_CONFIG": str(file)}


def test_a_configured_outlet_is_open_from_the_beginning_and_in_the_same_directory(start_desk, tmp_path):
    environment = configured(tmp_path, 'name = "radio"\noutput = "room:hall"', 'name = "game"\noutput = "null"')
    first = start_desk("none", environment=environment)
    before = (first.runtime / "outlets/radio").stat()
    assert first.visit("radio").about()["spec"] == ["radio", "room:hall", ""]
    assert [outlet["configured"] for outlet in first.ask("GET", "/v1/outlets")[1]["outlets"]] == [True, True]
    first.stop()
    second = start_desk("none", environment=environment)
    assert (second.runtime / "outlets/radio").stat().st_ino == before.st_ino
    assert second.visit("radio").about()["spec"] == ["radio", "room:hall", ""]


def test_the_configuration_counts_again_at_the_next_start(start_desk, tmp_path):
    first = start_desk("none")
    first.open("radio", "room:hall")
    first.open("other")
    first.stop()
    environment = configured(tmp_path, 'name = "radio"\noutput = "null"', 'name = "closed"\noutput = "null"')
    second = start_desk("none", environment=environment)
    assert second.outlet("radio")["output"] == "null"
    assert second.ask("PATCH", "/v1/outlets/radio", {"output": "room:cellar"})[1]["output"] == "room:cellar"
    assert second.ask("DELETE", "/v1/outlets/closed") == (200, {"configured": True})
    assert second.outlet("closed") is None
    assert second.ask("DELETE", "/v1/outlets/other") == (200, {"configured": False})
    second.stop()
    third = start_desk("none", environment=environment)
    assert third.outlet("radio")["output"] == "null"
    assert third.outlet("closed")
    assert third.outlet("other") is None


def test_what_is_configured_no_more_is_gone(start_desk, tmp_path):
    first = start_desk("none", environment=configured(tmp_path, 'name = "radio"\noutput = "null"'))
    assert first.outlet("radio")
    first.open("other")  # which is remembered, and radio is not
    first.stop()
    second = start_desk("none", environment=configured(tmp_path))
    assert second.outlet("radio") is None
    assert second.outlet("other")
    assert not (second.runtime / "outlets/radio").exists()


def test_limits_of_the_configuration_are_everybodys_who_has_no_other(start_desk, tmp_path):
    environment = configured(tmp_path, 'name = "radio"\noutput = "null"\nbudget = { streams = 2 }')
    with open(tmp_path / "config.toml", "a") as file:
        file.write("[budget]\nconnections = 3\nstreams = 4\n")
    desk = start_desk("none", environment=environment)
    desk.open("other")
    limits = {name: desk.outlet(name)["budget"] for name in ("radio", "other")}
    assert {name: (limit["connections"], limit["streams"]) for name, limit in limits.items()} == {
        "radio": (3, 2),
        "other": (3, 4),
    }


def test_an_outlet_that_cannot_be_served_again_does_not_stop_the_others(start_desk):
    first = start_desk("none")
    first.open("one")
    first.open("two")
    first.stop()
    (first.runtime / "outlets/one").chmod(0o777)
    second = start_desk("none")
    assert "outlet one cannot be served" in second.said
    assert [second.outlet("one"), second.outlet("two")["name"]] == [None, "two"]


@pytest.mark.case("P65")
@pytest.mark.parametrize("mask", [0, 0o777], ids=oct)
def test_modes_are_exact_whatever_the_umask(start_desk, mask):
    desk = start_desk("none", mask=mask)
    desk.open("radio", mode="0660")
    desk.visit("radio").about()
    modes = {
        name: f"{(desk.runtime / name).stat().st_mode & 0o7777:04o}"
        for name in (".", "lock", "control", "outlets.json", "outlets", "outlets/radio", "outlets/radio/native")
    }
    assert modes == {
        ".": "0700",
        "lock": "0600",
        "control": "0600",
        "outlets.json": "0600",
        "outlets": "0700",
        "outlets/radio": "0755",
        "outlets/radio/native": "0660",
    }


@pytest.mark.case("P62")
def test_long_paths_are_served(start_desk, tmp_path):
    runtime = tmp_path / ("long" * 30) / "runtime"
    runtime.parent.mkdir()
    desk = start_desk("none", runtime=runtime)
    desk.open("radio")
    assert desk.visit("radio").about()["spec"][0] == "radio"


def test_a_thousand_outlets_may_be_connected_to_at_once(start_desk):
    desk = start_desk("none")
    caller = desk.caller()
    names = [f"outlet{number}" for number in range(1000)]
    for name in names:
        assert caller.ask("POST", "/v1/outlets", {"name": name, "output": "null", "held": True})[0] == 201
    visitors = [desk.visit(name) for name in names[:40]]
    assert len({visitor.about()["pid"] for visitor in visitors}) == 40


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
