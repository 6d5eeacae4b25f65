"""A play fails when something else happens than it tells, and says what."""

from dataclasses import dataclass
from unittest.mock import ANY

import pytest

from eardrum.testing.playbook import Play


@dataclass
class Rung:
    times: int


@dataclass
class Open:
    door: str
    wide: bool = False


class Doorman:
    """Opens the front door at the first ring, every door at more."""

    def handle(self, event: Rung) -> list[Open]:
        return [Open("front"), Open("back", wide=True)][: event.times]


def test_all_is_as_told() -> None:
    (
        Play(Doorman())
        >> Rung(0)
        >> Rung(1)
        << Open("front")
        >> Rung(2)
        << Open("front")
        << Open("back", wide=ANY)
    ).over()  # fmt: skip


def test_another_effect() -> None:
    with pytest.raises(AssertionError) as caught:
        Play(Doorman()) >> Rung(1) << Open("front") >> Rung(2) << Open("back")
    assert str(caught.value).splitlines() == [
        "the play went wrong here:",
        ">> Rung(times=1)",
        "<< Open(door='front', wide=False)",
        ">> Rung(times=2)",
        "   expected: Open(door='back', wide=False)",
        "   came:     Open(door='front', wide=False)",
        "   came:     Open(door='back', wide=True)",
    ]


def test_no_effect() -> None:
    with pytest.raises(AssertionError, match="came:     nothing"):
        Play(Doorman()) >> Rung(0) << Open("front")


def test_an_effect_is_left_before_the_next_event() -> None:
    with pytest.raises(AssertionError, match=r"expected: nothing more\n   came:     Open\(door='front'"):
        Play(Doorman()) >> Rung(1) >> Rung(1)


def test_an_effect_is_left_at_the_end() -> None:
    play = Play(Doorman()) >> Rung(2) << Open("front")
    with pytest.raises(AssertionError, match="nothing more"):
        play.over()
