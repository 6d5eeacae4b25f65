from __future__ import annotations

import pytest

from eardrum.containers.configuration import TEXTS


@pytest.fixture(autouse=True)
def radio(desk, say):
    say("open", "other")
    say("open", "radio")
    return f"{desk.runtime}/outlets/radio"


@pytest.mark.parametrize("engine", TEXTS)
def test_what_the_engine_has_to_be_told(say, radio, engine):
    result = say("flags", engine, "radio")
    assert (result.exit_code, result.stdout) == (0, TEXTS[engine]("radio", radio) + "\n")


def test_what_an_engine_shares_besides_is_said(say):
    assert say("flags", "toolbox", "radio").stderr.startswith("eardrum: toolbox: the container also sees")
    assert not say("flags", "podman", "radio").stderr


def test_an_outlet_that_is_not_open(say):
    result = say("flags", "podman", "tv")
    assert (result.exit_code, result.output) == (
        1, "eardrum: tv: no such outlet is open; `eardrum list` names those that are\n",
    )  # fmt: skip


def test_an_engine_that_is_not_known(say):
    result = say("flags", "chroot", "radio")
    assert result.exit_code == 2
    assert "'podman'" in result.output
