from __future__ import annotations

import pytest

from eardrum.cli.place import Place, place_of_level, place_to_play, place_to_record
from eardrum.terms.errors import Complaint


@pytest.mark.parametrize(
    ("text", "place", "target", "source"),
    [
        ("room:hall", Place("room", "hall"), "/v1/rooms/hall/record", None),
        ("game", Place("output", "game"), "/v1/outlets/game/record", "output"),
        ("game/in", Place("input", "game"), "/v1/outlets/game/in/record", "input"),
    ],
)
def test_places(text, place, target, source):
    assert place_to_record(text) == place
    assert str(place) == text
    assert (place.target("record"), place.source) == (target, source)


@pytest.mark.parametrize(
    "text", ["", "room:", "room:../x", "file:x.wav", "game/out", "game/", "/in", "a b", "host:x/in"]
)
def test_what_is_no_place(text):
    with pytest.raises(Complaint) as complaint:
        place_to_record(text)
    assert complaint.value.status == 2


def test_nothing_is_played_into_an_output():
    assert place_to_play("game/in").target("play") == "/v1/outlets/game/in/play"
    assert place_to_play("room:hall").target("play") == "/v1/rooms/hall/play"
    with pytest.raises(Complaint, match="use game/in, its microphone, or room:NAME"):
        place_to_play("game")


@pytest.mark.parametrize(
    ("text", "place"),
    [("game", Place("output", "game")), ("game/out", Place("output", "game")), ("game/in", Place("input", "game"))],
)
def test_a_level_is_that_of_a_wire(text, place):
    assert place_of_level(text) == place


@pytest.mark.parametrize("text", ["", "room:hall", "game/", "game/left", "/in", "a b", "../x"])
def test_what_has_no_level(text):
    with pytest.raises(Complaint) as complaint:
        place_of_level(text)
    assert complaint.value.status == 2
