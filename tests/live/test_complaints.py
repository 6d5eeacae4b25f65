"""Bad input gets one line that says what, where and what to do, and an exit status."""

from __future__ import annotations

import pytest

USAGE, FAILED = 2, 125
RUN_TRUE = ("--", "true")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("open", "game", "--output", "hots"), USAGE, "hots"),
        (("open", "game", "--output", "file:song.doc"), USAGE, "song.doc"),
        (("open", "game", "--input", "rom:x"), USAGE, "rom:x"),
        (("open", "game", "--output", "room:../x"), USAGE, "../x"),
        (("open", "a/b"), USAGE, "a/b"),
        (("open", ".."), USAGE, ".."),
        (("open", "x" * 65), USAGE, "x" * 65),
        (("open", "--", "-x"), USAGE, "-x"),
        (("open", "game", "--group", "no-such-group"), USAGE, "no-such-group"),
        (("open", "game", "--output", "file:/proc/song.wav"), 1, "/proc/song.wav"),
        (("open", "game", "--output", "file:/no/such/directory/song.wav"), 1, "/no/such/directory"),
        (("close", "game"), 1, "game"),
        (("run", "--output", "hots", *RUN_TRUE), FAILED, "hots"),
        (("run", "--name", "a/b", *RUN_TRUE), FAILED, "a/b"),
        (("run", "--output", "file:/no/such/directory/song.wav", *RUN_TRUE), FAILED, "/no/such/directory"),
        (("run", "--", "/etc/passwd"), 126, "/etc/passwd"),
        (("run", "--", "no-such-engine", "run", "image"), 127, "no-such-engine"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else None,
)
def test_a_mistake_gets_one_line(desk, words, status, said):
    done = desk.command(*words)
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert done.stderr.startswith("eardrum: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert desk.list() == {}


def test_an_open_name_is_taken(desk):
    desk.open("game", output="null")
    done = desk.command("open", "game", "--output", "room:parlour")
    assert done.returncode == 1
    assert "game" in done.stderr
    assert desk.list()["game"]["output"] == "null"


def test_a_runtime_directory_has_one_desk(desk):
    done = desk.command("up", "--upstream", "none")
    assert done.returncode == 1
    assert str(desk.runtime) in done.stderr
    assert done.stderr.count("\n") == 1
    assert desk.list() == {}


def test_without_a_desk_the_line_says_how_to_start_one(desk, tmp_path):
    done = desk.command("open", "--runtime-dir", str(tmp_path), "game")
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr
    assert "eardrum up" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_dead_upstream_is_told_while_programs_play_in_silence(open_desk, endless, until, tmp_path):
    desk = open_desk(upstream=f"unix:{tmp_path}/nobody")
    player = endless(desk.open("player").address)
    until(lambda: f"{tmp_path}/nobody" in desk.list()["player"]["note"], "the note")
    assert desk.list()["player"]["wires"]["output"]["state"] == "waiting"
    assert player.poll() is None


@pytest.mark.parametrize("status", [0, 1, 7, 125])
def test_run_ends_as_its_command_does(desk, status):
    assert desk.command("run", "--output", "null", "--", "sh", "-c", f"exit {status}").returncode == status
