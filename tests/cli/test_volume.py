from __future__ import annotations

import pytest


@pytest.fixture
def levels(desk):
    """What the desk says of every level; it keeps nothing."""
    desk.answers["GET"] = desk.answers["POST"] = 200, b'{"volume": 39322, "percent": 60, "muted": false}'
    return desk


def test_without_a_level_it_is_printed(levels, say):
    result = say("volume", "game")
    assert (result.exit_code, result.stdout) == (0, "60% / -13.31 dB\n")
    assert levels.heard == [("GET", "/v1/outlets/game/level")]


@pytest.mark.parametrize(
    ("place", "target"),
    [("game", "game/level"), ("game/out", "game/level"), ("game/in", "game/in/level")],
)
def test_each_wire_of_an_outlet_has_one(levels, say, place, target):
    assert say("volume", place, "60%").exit_code == 0
    assert levels.heard == [("POST", f"/v1/outlets/{target}")]


@pytest.mark.parametrize("level", ["60%", "+5%", "-5%", "-6dB"])
def test_steps_down_are_no_options(levels, say, level):
    assert say("volume", "game", level).stdout == "60% / -13.31 dB\n"
    assert levels.bodies == [{"volume": level}]


def test_a_place_that_has_none(desk, say):
    result = say("volume", "room:hall", "60%")
    assert (result.exit_code, result.stderr) == (
        2,
        "eardrum: 'room:hall': no such place; use OUTLET, OUTLET/out or OUTLET/in\n",
    )
    assert not desk.heard
