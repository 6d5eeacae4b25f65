"""A program tries all numbers: what is another outlet's is answered, byte by byte, as what is nobody's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol import codec
from eardrum.protocol.message import Message
from eardrum.server.core import Server
from eardrum.server.effects import Effect, Refuse
from eardrum.server.events import Asked
from eardrum.server.rights import Right
from eardrum.server.views import room_view
from eardrum.terms.errors import PulseError
from eardrum.testing.stage import PLAY_ONLY, Stage

ALL_NUMBERS = range(100_000)
OTHERS = 12  # programs in the other outlet, with a stream of each kind
OWN = 0  # the number of what the program itself has of each kind


@pytest.mark.parametrize(
    "ask",
    [
        lambda index: c.GetSinkInputInfo(index=index),
        lambda index: c.GetSourceOutputInfo(index=index),
        lambda index: c.GetClientInfo(index=index),
        lambda index: c.KillClient(index=index),
        lambda index: c.KillSinkInput(index=index),
        lambda index: c.SetSinkInputMute(index=index, muted=True),
        lambda index: c.MoveSourceOutput(index=index, source_name="output.monitor"),
    ],
    ids=lambda ask: type(ask(0)).__name__,
)
def test_of_all_numbers_only_the_own_is_answered_otherwise(ask: Callable[[int], Message]) -> None:
    stage = Stage(Server(room_view("studio")))
    for _ in range(OTHERS):
        other = stage.join(Right.CONNECT | Right.LOOK | Right.PLAY | Right.RECORD, view=1)
        other.play(), other.record(source_name="output.monitor")
    spy = stage.join(PLAY_ONLY, view=0)
    spy.play(), spy.record(source_name="output.monitor")
    refused = codec.encode(c.Error(code=PulseError.NOENTITY), 0, 35)
    handle = stage.server.handle
    odd = [
        number
        for number in ALL_NUMBERS
        if number != OWN and not _refused(handle(Asked(spy.number, 0, ask(number))), refused)
    ]
    assert odd == []


def _refused(effects: list[Effect], expected: bytes) -> bool:
    """Whether nothing else was wanted than this answer."""
    (effect,) = effects
    return isinstance(effect, Refuse) and codec.encode(c.Error(code=effect.error), effect.tag, 35) == expected
