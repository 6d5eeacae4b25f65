from __future__ import annotations


def test_closes_and_says_nothing(desk, say):
    say("open", "game")
    result = say("close", "game")
    assert (result.exit_code, result.output) == (0, "")
    assert not desk.outlets


def test_one_of_the_configuration_comes_back(desk, say):
    say("open", "game")
    desk.outlets["game"]["configured"] = True
    result = say("close", "game")
    assert result.exit_code == 0
    assert result.output == "eardrum: game: the next desk opens it again, because it is in the configuration\n"


def test_an_outlet_that_is_not_open(desk, say):
    result = say("close", "game")
    assert (result.exit_code, result.output) == (1, "eardrum: no such outlet is open\n")


def test_a_bad_name_does_not_reach_the_desk(desk, say):
    assert say("close", "../control").exit_code == 2
    assert not desk.heard
