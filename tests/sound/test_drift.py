"""Sound between two clocks: it stays what it was, and what waits stays as much as it was."""

from __future__ import annotations

import numpy as np
import pytest

from eardrum.sound.drift import LEARN, MOST, Drift
from eardrum.testing import heard

RATE = 48_000
BLOCK = 960  # frames


def tones(frames: int) -> np.ndarray:
    return heard.stereo_tones(440, 660, frames / RATE, RATE, 0.5).astype(np.float32)


def between(drift: Drift, speed: float, seconds: float, waits: float) -> tuple[np.ndarray, list[float]]:
    """Play through a card whose clock is so much faster, with so many frames waiting first: what comes, what waits."""
    sound, came, waiting = tones(round(seconds * RATE)), [], []
    for begin in range(0, len(sound), BLOCK):
        came.append(drift.feed(sound[begin : begin + BLOCK]))
        waits += len(came[-1]) - BLOCK * speed
        drift.steer(round(waits), BLOCK / RATE)
        waiting.append(waits)
    return np.concatenate(came), waiting


def test_sound_between_equal_clocks_is_what_it_was():
    drift = Drift(RATE, 2, 0)
    came = np.concatenate([drift.feed(block) for block in np.split(tones(RATE), 50)])
    assert len(came) == RATE - Drift.held
    heard.assert_tones(came, RATE, (440, 660), 0.5, within=0.001)
    heard.assert_no_gap(came, RATE)


@pytest.mark.parametrize("speed", [1.0003, 0.9997])
def test_what_waits_neither_grows_nor_runs_out(speed):
    drift = Drift(RATE, 2, 5000)
    came, waiting = between(drift, speed, 90, 5000 + Drift.held)
    assert abs(drift.factor * speed - 1) < 1e-5
    assert all(4500 < frames < 5500 for frames in waiting)
    heard.assert_no_gap(came[: 20 * RATE], RATE)


def test_too_much_becomes_less_without_being_heard():
    drift = Drift(RATE, 2, 5000)
    came, waiting = between(drift, 1.0, 60, 9000)
    assert waiting[-1] < 5500
    second = came[4 * RATE : 5 * RATE]  # it is as fast as may be
    heard.assert_tones(second, RATE, (440, 660), 0.5, within=2 * MOST)
    heard.assert_no_gap(second, RATE)


def test_it_is_never_steered_by_more_than_nobody_hears():
    for waits, factor in ((10_000_000, 1 + MOST), (-10_000_000, 1 - MOST)):
        drift = Drift(RATE, 2, 0)
        drift.steer(waits, 1.0)
        assert drift.factor == factor


def test_who_does_not_say_what_should_wait_gets_what_does_first():
    drift = Drift(RATE, 2)
    _, waiting = between(drift, 1.0, LEARN * 0.9, 7000)
    assert drift.factor == 1.0
    _, waiting = between(drift, 1.0002, 60, waiting[-1])
    assert abs(waiting[-1] - 6900) < 600
