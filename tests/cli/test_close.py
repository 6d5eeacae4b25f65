from __future__ import annotations


def test_closes_and_says_nothing(desk, say):
    say("open", "game")
    result = say("close", "game")
    assert (result.exit_code, result.output) == (0, "")
    assert not desk.outlets


def test_an_outlet_that_is_not_open(desk, say):
    result = say("close", "game")
    assert (result.exit_code, result.output) == (1, "eardrum: no such outlet is open\n")


def test_a_bad_name_does_not_reach_the_desk(desk, say):
    assert say("close", "../control").exit_code == 2
    assert not desk.heard
