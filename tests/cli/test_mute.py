from __future__ import annotations

import pytest


@pytest.mark.parametrize(("words", "state"), [([], "on"), (["on"], "on"), (["off"], "off"), (["toggle"], "toggle")])
def test_it_says_what_holds_then(desk, say, words, state):
    desk.answers["POST"] = 200, b'{"volume": 65536, "percent": 100, "muted": true}'
    result = say("mute", "game/in", *words)
    assert (result.exit_code, result.stdout) == (0, "100% / 0.00 dB, muted\n")
    assert desk.heard == [("POST", "/v1/outlets/game/in/level")]
    assert desk.bodies == [{"mute": state}]


def test_what_is_neither_on_nor_off(desk, say):
    assert say("mute", "game", "maybe").exit_code == 2
    assert not desk.heard
