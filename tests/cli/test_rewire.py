from __future__ import annotations

import json


def test_what_is_named_is_asked_for_and_the_rest_stays(desk, say):
    say("open", "game", "--input", "silence")
    assert say("rewire", "game", "--output", "room:parlour").exit_code == 0
    assert (desk.outlets["game"]["output"], desk.outlets["game"]["input"]) == ("room:parlour", "silence")
    assert say("rewire", "game", "--output", "null", "--input", "room:parlour").output == ""
    assert (desk.outlets["game"]["output"], desk.outlets["game"]["input"]) == ("null", "room:parlour")


def test_a_path_is_the_callers(desk, say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    say("open", "game")
    say("rewire", "game", "--output", "file:tune.wav")
    assert desk.outlets["game"]["output"] == f"file:{tmp_path}/tune.wav"


def test_a_note_is_shown(desk, say):
    say("open", "game")
    desk.outlets["game"]["note"] = "nobody serves this socket"
    result = say("rewire", "game", "--output", "host:speakers")
    assert (result.exit_code, result.stderr) == (0, "eardrum: game: nobody serves this socket\n")


def test_one_of_the_configuration_is_so_until_the_next_desk(desk, say):
    say("open", "game")
    desk.outlets["game"]["configured"] = True
    result = say("rewire", "game", "--output", "null")
    assert (result.exit_code, result.stderr) == (
        0,
        "eardrum: game: the next desk has it as it is in the configuration\n",
    )


def test_the_desks_refusal_is_one_line(desk, say):
    say("open", "game")
    line = "outlet game: programs that are connected cannot go along; end them and try again"
    desk.answers["PATCH"] = (422, json.dumps({"error": line, "status": 1}).encode())
    result = say("rewire", "game", "--output", "null")
    assert (result.exit_code, result.stderr) == (1, f"eardrum: {line}\n")


def test_mistakes(desk, say):
    result = say("rewire", "game")
    assert result.exit_code == 2
    assert "say what is to change: --output END, --input END or both" in result.stderr
    assert say("rewire", "game", "--output", "speaker").exit_code == 2
    result = say("rewire", "game", "--output", "null")
    assert (result.exit_code, result.stderr) == (1, "eardrum: no such outlet is open\n")
