"""What the person has set."""

from __future__ import annotations

import msgspec
import pytest

from eardrum.desk.knobs import Knobs, Turning
from eardrum.server.events import INPUT, OUTPUT
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import Complaint
from eardrum.worker.records import MUTED, Kind, Record
from eardrum.worker.spec import Knob

HALF = VOLUME_NORM // 2


def test_each_wire_has_a_knob_of_its_own():
    knobs = Knobs()
    assert not knobs
    assert knobs.turn(OUTPUT, Turning(volume="50%")) == Record(Kind.KNOB, OUTPUT, HALF)
    assert knobs.turn(INPUT, Turning(mute="on")) == Record(Kind.KNOB, INPUT | MUTED, VOLUME_NORM)
    assert knobs == Knobs(Knob(HALF), Knob(muted=True))
    assert knobs
    assert knobs.as_json(OUTPUT) == {"volume": HALF, "percent": 50, "muted": False}
    assert knobs.as_json(INPUT) == {"volume": VOLUME_NORM, "percent": 100, "muted": True}


def test_a_mute_keeps_the_volume_and_the_volume_a_mute():
    knobs = Knobs(Knob(HALF))
    knobs.turn(OUTPUT, Turning(mute="toggle"))
    assert knobs.output == Knob(HALF, muted=True)
    knobs.turn(OUTPUT, Turning(volume="+50%"))
    assert knobs.output == Knob(VOLUME_NORM, muted=True)
    knobs.turn(OUTPUT, Turning(mute="toggle"))
    assert knobs.output == Knob(VOLUME_NORM)


@pytest.mark.parametrize("turning", [Turning(volume="loud"), Turning(mute="yes"), Turning(volume="5%", mute="")])
def test_what_cannot_be_set_changes_nothing(turning):
    knobs = Knobs(Knob(HALF))
    with pytest.raises(Complaint):
        knobs.turn(OUTPUT, turning)
    assert knobs == Knobs(Knob(HALF))


def test_what_was_set_once_is_said_for_ever():
    """The host's server may remember a mute for the next outlet of this name."""
    knobs = Knobs(Knob(HALF, muted=True))
    knobs.reset()
    assert knobs == Knobs(Knob())
    assert knobs
    knobs.reset({INPUT})
    assert knobs == Knobs(Knob(), Knob())


def test_what_is_remembered_is_checked():
    knobs = Knobs(Knob(HALF, muted=True))
    assert msgspec.json.decode(msgspec.json.encode(knobs), type=Knobs) == knobs
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(b'{"output": {"volume": 1000000}}', type=Knobs)
