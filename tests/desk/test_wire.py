"""Where the wires of an open outlet lead, and what `PATCH` makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest


def rewire(desk, name: str, **ends: str) -> tuple[int, Any]:
    return desk.ask("PATCH", f"/v1/outlets/{name}", ends)


def wire(desk, name: str, which: str = "output") -> Any:
    return desk.outlet(name)["wires"][which]


def remembered(desk) -> dict[str, tuple[str, str | None]]:
    outlets = json.loads((desk.runtime / "outlets.json").read_text())["outlets"]
    return {outlet["name"]: (outlet["output"], outlet["input"]) for outlet in outlets}


@pytest.fixture
def playing(desk):
    """A visitor whose worker is connected to the room `hall`."""
    desk.open("radio", "room:hall", input="room:hall")
    visitor = desk.visit("radio")
    visitor.about()
    assert "room=hall" in visitor.tell("want 0")
    assert visitor.line() == "done"
    assert wire(desk, "radio")["state"] == "connected"
    return visitor


def test_a_live_wire_leads_elsewhere_at_once(desk, playing):
    status, outlet = rewire(desk, "radio", output="room:parlour")
    assert (status, outlet["output"], outlet["input"]) == (200, "room:parlour", "room:hall")
    assert playing.tell("hear") == "REWIRE 0 room:parlour"
    assert playing.line() == "done"
    assert playing.tell("cut") == "b''"
    assert playing.line() == "done"
    assert "room=parlour" in playing.tell("want 0")
    assert wire(desk, "radio")["leads_to"] == "room:parlour"
    assert wire(desk, "radio", "input")["leads_to"] == "room:hall"


def test_a_live_wire_may_lead_nowhere_and_back(desk, playing):
    assert rewire(desk, "radio", output="null", input="silence")[0] == 200
    assert playing.tell("hear") == "REWIRE 0 null"
    assert playing.line() == "done"
    assert playing.tell("hear") == "REWIRE 1 silence"
    assert playing.line() == "done"
    playing.tell("withdraw 0")  # or wants it, not having heard yet: neither is a fault
    assert {wire(desk, "radio", which)["state"] for which in ("output", "input")} == {"silent"}
    assert rewire(desk, "radio", output="host")[0] == 200
    assert playing.tell("hear") == "REWIRE 0 room:speakers"
    assert playing.line() == "done"
    assert "room=speakers" in playing.tell("want 0")


def test_a_wire_that_led_nowhere_may_lead_to_a_server(desk):
    desk.open("radio", "null", input="silence")
    visitor = desk.visit("radio")
    visitor.about()
    assert rewire(desk, "radio", output="room:hall", input="room:hall")[0] == 200
    assert visitor.tell("hear") == "REWIRE 0 room:hall"
    assert visitor.line() == "done"
    assert visitor.tell("hear") == "REWIRE 1 room:hall"
    assert visitor.line() == "done"
    assert "room=hall" in visitor.tell("want 0")


def test_emulated_modules_stay_on_what_is_mixed(desk):
    desk.open("radio", "null", modules=True)
    visitor = desk.visit("radio")
    visitor.about()
    assert rewire(desk, "radio", output="room:hall")[0] == 422
    assert visitor.tell("nothing") == "done"


def test_nobody_plays_into_a_microphone_that_its_worker_does_not_mix(desk, playing):
    assert rewire(desk, "radio", input="silence")[0] == 200
    status, answer = desk.ask("GET", "/v1/outlets/radio/in/play")
    assert status == 422
    assert "programs there came while its microphone was another; end them and try again" in answer["error"]


def test_a_want_that_stands_is_fulfilled_at_the_new_end(start_desk, tmp_path):
    desk = start_desk(f"unix:{tmp_path}/dead")
    desk.open("radio", "host")
    visitor = desk.visit("radio")
    visitor.about()
    assert visitor.tell("want 0") == "NO_UPSTREAM 0 6"
    assert visitor.line() == "done"
    rewire(desk, "radio", output="room:hall")
    assert visitor.tell("hear") == "REWIRE 0 room:hall"
    assert visitor.line() == "done"
    assert "room=hall" in visitor.tell("hear")
    assert desk.outlet("radio")["note"] == ""


def test_the_same_end_again_is_no_change(desk, playing):
    assert rewire(desk, "radio", output="room:hall")[0] == 200
    assert playing.tell("nothing") == "done"
    assert wire(desk, "radio")["state"] == "connected"


def test_it_is_remembered_unless_the_outlet_is_held(start_desk):
    desk = start_desk("none")
    desk.open("radio", "null", input="silence")
    assert rewire(desk, "radio", output="room:hall")[0] == 200
    assert remembered(desk) == {"radio": ("room:hall", "silence")}
    caller = desk.caller()
    assert caller.ask("POST", "/v1/outlets", {"name": "held", "output": "null", "held": True})[0] == 201
    assert rewire(desk, "held", output="room:hall")[1]["output"] == "room:hall"
    assert "held" not in remembered(desk)
    desk.stop()
    desk = start_desk("none")
    assert desk.outlet("radio")["output"] == "room:hall"
    assert desk.visit("radio").about()["spec"][1] == "room:hall"


def test_where_nobody_is_connected_the_next_worker_has_any_new_end(desk, tmp_path, until):
    desk.open("radio", f"file:{tmp_path}/tune.wav")
    visitor = desk.visit("radio")
    first = visitor.about()["pid"]
    visitor.tell("write tune")
    visitor.close()
    until(lambda: rewire(desk, "radio", output=f"file:{tmp_path}/other.wav", input="silence")[0] == 200, "its turn")
    assert (tmp_path / "tune.wav").read_text() == "tune"
    visitor = desk.visit("radio")
    about = visitor.about()
    assert about["pid"] != first
    assert about["spec"][1:] == [f"file:{tmp_path}/other.wav", "silence"]
    visitor.tell("write other")
    visitor.close()
    until(lambda: rewire(desk, "radio", output="room:hall")[0] == 200, "its turn")
    assert (tmp_path / "other.wav").read_text() == "other"
    assert desk.visit("radio").about()["spec"][1] == "room:hall"


def test_programs_that_cannot_go_along_are_not_cut_off(desk, tmp_path):
    desk.open("radio", "room:hall")
    visitor = desk.visit("radio")
    visitor.about()
    status, answer = rewire(desk, "radio", output=f"file:{tmp_path}/tune.wav")
    assert (status, answer["status"]) == (422, 1)
    assert answer["error"] == (
        "outlet radio: programs that are connected cannot go along from output room:hall"
        f" to file:{tmp_path}/tune.wav; end them and try again"
    )
    assert visitor.tell("nothing") == "done"
    assert desk.outlet("radio")["output"] == "room:hall"
    assert remembered(desk) == {"radio": ("room:hall", None)}
    assert not (tmp_path / "tune.wav").exists()


def test_an_end_that_is_not_fit_changes_nothing(desk, tmp_path):
    (tmp_path / "old.wav").write_text("old")
    desk.open("radio", f"fifo:{tmp_path}/pipe")
    for output, code in ((f"file:{tmp_path}/old.wav", 422), ("file:tune.wav", 400), ("speaker", 400)):
        assert rewire(desk, "radio", output=output)[0] == code
    assert rewire(desk, "radio", input=f"loop:{tmp_path}/missing.wav")[0] == 422
    assert remembered(desk) == {"radio": (f"fifo:{tmp_path}/pipe", None)}
    assert desk.visit("radio").about()["spec"][1:] == [f"fifo:{tmp_path}/pipe", ""]
    assert (tmp_path / "pipe").is_fifo()


def test_mistakes(quiet_desk):
    assert rewire(quiet_desk, "nobody", output="null")[0] == 404
    quiet_desk.open("radio")
    assert rewire(quiet_desk, "radio", mode="0600")[0] == 400
    assert rewire(quiet_desk, "radio", output="null:x")[0] == 400
    quiet_desk.close("radio")
