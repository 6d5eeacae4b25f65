from __future__ import annotations

import pytest


def test_prints_the_directory_to_mount(desk, say):
    result = say("open", "game")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{desk.runtime}/outlets/game\n"


def test_without_a_word_sound_goes_to_the_host_and_there_is_no_microphone(desk, say):
    say("open", "game")
    outlet = desk.outlets["game"]
    assert (outlet["output"], outlet["input"], outlet["mode"], outlet["group"], outlet["held"]) == (
        "host", None, "0666", None, False,
    )  # fmt: skip


def test_wires_and_access_are_passed_on(desk, say):
    say("open", "game", "--output", "null", "--input", "room:studio", "--mode", "0660", "--group", "audio")
    outlet = desk.outlets["game"]
    assert (outlet["output"], outlet["input"], outlet["mode"], outlet["group"]) == (
        "null", "room:studio", "0660", "audio",
    )  # fmt: skip


def test_a_ceiling_is_passed_on(desk, say):
    say("open", "game", "--ceiling", "-6dB")
    assert desk.outlets["game"]["ceiling"] == "-6dB"
    result = say("open", "other", "--ceiling", "+5%")
    assert (result.exit_code, result.stderr) == (
        2,
        "eardrum: level '+5%': say how much it is, not how much more or less\n",
    )
    assert "other" not in desk.outlets


def test_says_on_stderr_why_an_outlet_cannot_play(desk, say, monkeypatch):
    def opened(wanted, open_=desk.open):
        return open_(wanted) | {"note": "the host's server is away"}

    monkeypatch.setattr(desk, "open", opened)
    result = say("open", "game")
    assert (result.exit_code, result.stderr) == (0, "eardrum: game: the host's server is away\n")


@pytest.mark.parametrize("name", ["a/b", "..", ".", "", "x" * 65, "tööt", "-x"])
def test_a_bad_name_does_not_reach_the_desk(desk, say, name):
    result = say("open", "--", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"eardrum: outlet name {name!r}: use 1 to 64 of")
    assert not desk.heard


def test_a_name_that_is_taken(desk, say):
    say("open", "game")
    result = say("open", "game")
    assert (result.exit_code, result.stderr) == (1, "eardrum: outlet is open already\n")


def test_no_desk(say, runtime):
    result = say("open", "game")
    assert result.exit_code == 1
    assert result.stderr == f"eardrum: no desk is running in {runtime}; start one with `eardrum up`\n"


def test_a_gate_is_asked_for_or_not_or_left_to_the_desk(desk, say):
    for name, options in (("careful", ["--gate"]), ("swift", ["--no-gate"]), ("usual", [])):
        say("open", name, *options)
    assert [desk.outlets[name]["gate"] for name in ("careful", "swift", "usual")] == [True, False, None]
