"""Levels of devices: what programs set, what the person sets behind it, and the ceiling over both."""

from __future__ import annotations

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    Change,
    Facility,
    GetSinkInfo,
    GetSinkInputInfo,
    GetSourceInfo,
    SetSinkInputVolume,
    SetSinkMute,
    SetSinkVolume,
    SetSourceMute,
    Subscribe,
    SubscribeEvent,
)
from eardrum.server.core import Server
from eardrum.server.effects import KeepLevel
from eardrum.server.events import INPUT, OUTPUT, Turned
from eardrum.server.knob import Knob
from eardrum.server.views import outlet_view
from eardrum.terms.audio import VOLUME_NORM, linear
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import FLOAT, Stage, sine

HALF = VOLUME_NORM // 2
EVERYTHING = 0x2FF
QUICK = {"tlength": 9600 * FLOAT.frame_bytes, "prebuf": FLOAT.frame_bytes}
SINK_CHANGED = SubscribeEvent(event=Facility.SINK | Change.CHANGED, index=0)
SOURCE_CHANGED = SubscribeEvent(event=Facility.SOURCE | Change.CHANGED, index=1)


@pytest.fixture
def stage() -> Stage:
    """An outlet that writes a file."""
    return made()


def made(ceiling: int | None = None) -> Stage:
    view = outlet_view("box", WireEnd("file", "/x.wav"), WireEnd("silence"), modules=True)
    return Stage(Server(view, writes_file=(0,), knobs=(Knob(ceiling=ceiling), Knob())))


def turn(stage: Stage, wire: int, volume: int = VOLUME_NORM, *, muted: bool = False) -> None:
    stage.happens(Turned(wire, volume, muted))


def heard(stage: Stage, samples: np.ndarray, **fields: object) -> np.ndarray:
    """What the file gets of these samples."""
    before = len(stage.written())
    program = stage.join()
    stream = program.play(**QUICK, **fields)
    program.write(stream.channel, samples.astype(np.float32).tobytes())
    stage.passes(1.0)
    program.leave()
    return stage.written()[before:][-len(samples) :]


TONE = sine(440, 4800)


def test_the_person_turns_it_down_at_once_and_in_the_middle_of_a_sound(stage):
    program = stage.join()
    stream = program.play(**QUICK)
    program.write(stream.channel, TONE.tobytes())
    stage.passes(0.05)
    turn(stage, OUTPUT, HALF)
    stage.passes(0.02)
    turn(stage, OUTPUT, muted=True)
    stage.passes(1.0)
    sound = stage.written()
    np.testing.assert_array_equal(sound[:2400], TONE[:2400])
    np.testing.assert_allclose(sound[2400:3360], TONE[2400:3360] * linear(HALF), atol=1e-6)
    assert not sound[3360:].any()


def test_what_programs_set_and_what_the_person_sets_is_in_series(stage):
    stage.join().ask(SetSinkVolume(index=0, volume=(HALF,)))
    turn(stage, OUTPUT, HALF)
    np.testing.assert_allclose(heard(stage, TONE), TONE * linear(HALF) ** 2, atol=1e-6)


def test_no_program_undoes_what_the_person_has_muted(stage):
    turn(stage, OUTPUT, muted=True)
    program = stage.join()
    program.ask(SetSinkMute(index=0, muted=False))
    program.ask(SetSinkVolume(index=0, volume=(2 * VOLUME_NORM,)))
    assert program.ask(GetSinkInfo(index=0)).muted
    assert not heard(stage, TONE).any()
    turn(stage, OUTPUT)
    program.ask(SetSinkVolume(index=0, volume=(VOLUME_NORM,)))
    assert not program.ask(GetSinkInfo(index=0)).muted
    np.testing.assert_array_equal(heard(stage, TONE), TONE)


def test_the_person_does_not_undo_what_a_program_has_muted(stage):
    program = stage.join()
    program.ask(SetSinkMute(index=0, muted=True))
    turn(stage, OUTPUT, muted=True)
    turn(stage, OUTPUT)
    assert program.ask(GetSinkInfo(index=0)).muted


def test_programs_see_that_a_device_is_silent_and_nothing_else_of_the_person(stage):
    program = stage.join()
    program.ask(Subscribe(mask=EVERYTHING))
    turn(stage, OUTPUT, HALF)
    assert program.told == []
    assert set(program.ask(GetSinkInfo(index=0)).volume) == {VOLUME_NORM}
    turn(stage, OUTPUT, HALF, muted=True)
    turn(stage, INPUT, muted=True)
    assert program.told == [SINK_CHANGED, SOURCE_CHANGED]
    assert program.ask(GetSourceInfo(index=1)).muted


def test_a_program_that_insists_is_told_of_no_change(stage):
    """One that undoes each mute that it hears of would else be busy for ever."""
    program = stage.join()
    program.ask(Subscribe(mask=EVERYTHING))
    turn(stage, INPUT, muted=True)
    program.ask(SetSourceMute(index=1, muted=False))
    assert program.told == [SOURCE_CHANGED]


def test_only_what_programs_have_set_is_kept_as_theirs(stage):
    turn(stage, OUTPUT, HALF, muted=True)
    assert stage.others == []
    stage.join().ask(SetSinkVolume(index=0, volume=(7,)))
    assert stage.others == [KeepLevel(OUTPUT, (7, 7), False)]


def test_a_knob_that_was_turned_before_anybody_came_counts(stage):
    turn(stage, OUTPUT, HALF)
    np.testing.assert_allclose(heard(stage, TONE), TONE * linear(HALF), atol=1e-6)


def test_guests_hear_a_microphone_as_programs_do(stage):
    turn(stage, INPUT, muted=True)
    guest = stage.attach(view=5)
    assert guest.ask(GetSourceInfo(name="input")).muted
    assert not guest.ask(GetSourceInfo(name="output")).muted


@pytest.mark.parametrize("volume", [VOLUME_NORM, 2 * VOLUME_NORM])
def test_no_level_is_above_the_ceiling(volume):
    stage = made(ceiling=HALF)
    np.testing.assert_allclose(heard(stage, TONE, volume=(volume,) * 2), TONE * linear(HALF), atol=1e-4)
    stage.join().ask(SetSinkVolume(index=0, volume=(volume,)))
    np.testing.assert_allclose(heard(stage, TONE, volume=(volume,) * 2), TONE * linear(HALF), atol=1e-4)
    turn(stage, OUTPUT, VOLUME_NORM * 3 // 2)
    np.testing.assert_allclose(heard(stage, TONE, volume=(volume,) * 2), TONE * linear(HALF), atol=1e-4)


def test_what_is_below_the_ceiling_sounds_as_without_one():
    stage = made(ceiling=HALF)
    turn(stage, OUTPUT, HALF // 2)
    np.testing.assert_allclose(heard(stage, TONE), TONE * linear(HALF // 2), atol=1e-6)


def test_the_level_of_a_stream_is_shown_as_it_was_set():
    stage = made(ceiling=HALF)
    program = stage.join()
    stream = program.play(**QUICK)
    program.ask(SetSinkInputVolume(index=stream.sink_input, volume=(2 * VOLUME_NORM,)))
    assert program.ask(GetSinkInputInfo(index=stream.sink_input)).volume == (2 * VOLUME_NORM,) * 2


def test_samples_beyond_full_scale_are_not_above_the_ceiling_either():
    assert np.abs(heard(made(ceiling=HALF), TONE * 50)).max() == pytest.approx(linear(HALF))


def test_a_stream_that_plays_follows_when_its_sink_is_turned_under_a_ceiling():
    stage = made(ceiling=HALF)
    program = stage.join()
    stream = program.play(**QUICK)
    program.write(stream.channel, TONE.tobytes())
    stage.passes(0.05)
    program.ask(SetSinkVolume(index=0, volume=(HALF,)))
    stage.passes(1.0)
    np.testing.assert_allclose(stage.written()[:4800], TONE * linear(HALF), atol=1e-6)
