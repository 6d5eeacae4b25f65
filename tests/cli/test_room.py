from __future__ import annotations

import json

import pytest

from eardrum.cli.control import Room
from eardrum.cli.room import state


@pytest.mark.parametrize(
    ("playing", "recording", "words"),
    [(0, 0, "silent"), (2, 0, "2 playing"), (0, 1, "1 recording"), (1, 3, "1 playing, 3 recording")],
)
def test_the_state_in_words(playing, recording, words):
    assert state(Room("hall", playing=playing, recording=recording)) == words


def test_a_room_is_kept_listed_and_closed(desk, say):
    assert say("room", "hall").output == ""
    assert say("room", "room:attic").output == ""
    desk.rooms["hall"] |= {"players": ["bot", "game"], "hearers": ["bot"], "playing": 1}
    assert [line.split("\t") for line in say("room").stdout.splitlines()] == [
        ["NAME", "KEPT", "PLAYED BY", "HEARD BY", "STATE"],
        ["hall", "yes", "bot, game", "bot", "1 playing"],
        ["attic", "yes", "-", "-", "silent"],
    ]
    assert json.loads(say("room", "--json").stdout) == {"rooms": list(desk.rooms.values())}
    assert say("room", "--close", "attic").output == ""
    result = say("room", "--close", "hall")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "eardrum: room hall goes on while outlets are wired to it: bot, game\n"


@pytest.mark.parametrize(("words", "status"), [(("--close",), 2), (("--json", "hall"), 2), (("../hall",), 2)])
def test_misuse(desk, say, words, status):
    assert say("room", *words).exit_code == status
    assert not desk.heard


def test_a_room_that_is_not_there(desk, say):
    result = say("room", "--close", "hall")
    assert (result.exit_code, result.output) == (1, "eardrum: no such room\n")
