from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eardrum.sound import resample
from eardrum.sound.resample import Resampler, resampler

RATES = [(44_100, 48_000), (48_000, 44_100), (8_000, 48_000), (48_000, 8_000), (96_000, 48_000), (44_101, 48_000)]
LOW = [(999, 48_000), (10, 48_000), (1, 48_000), (48_000, 999), (48_000, 7), (20_000, 1)]


def rounded(frames: int, rate_in: int, rate_out: int) -> int:
    return floor(Fraction(frames * rate_out, rate_in) + Fraction(1, 2))


def whole(stream: Resampler, sound: np.ndarray, *cuts: int) -> np.ndarray:
    """All that comes out for `sound`, fed in pieces."""
    pieces = np.split(sound, sorted(cuts))
    return np.concatenate([*(stream.feed(piece) for piece in pieces), stream.flush()])


def sine(frequency: float, frames: int, rate: int) -> np.ndarray:
    wave = np.sin(2 * np.pi * frequency * np.arange(frames) / rate)
    return np.column_stack((wave, -wave)).astype(np.float32)


def test_equal_rates_need_nothing():
    assert resampler(48_000, 48_000, 2) is None
    assert isinstance(resampler(44_100, 48_000, 2), Resampler)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES + LOW[:2] + LOW[3:])
@given(frames=st.integers(0, 20_000), cuts=st.lists(st.integers(0, 20_000), max_size=5))
@settings(max_examples=30, deadline=None)
def test_no_frame_is_lost_or_added(rate_in, rate_out, frames, cuts):
    frames = min(frames, 10 * rate_in)
    stream = Resampler(rate_in, rate_out, 1)
    out = whole(stream, np.zeros((frames, 1), np.float32), *cuts)
    assert out.shape == (rounded(frames, rate_in, rate_out), 1)
    assert out.dtype == np.float32


def test_half_a_frame_counts_as_one():
    out = whole(Resampler(48_000, 44_100, 1), np.zeros((400, 1), np.float32))
    assert len(out) == 368  # of 367.5; soxr alone gives 367


def test_what_is_pending_is_what_the_tail_will_be():
    stream = Resampler(44_100, 48_000, 2)
    assert stream.pending == stream.delay_usec == 0
    given_out = len(stream.feed(sine(440, 4410, 44_100)))
    assert stream.pending == 4800 - given_out > 0
    assert stream.delay_usec == stream.pending * 1_000_000 // 48_000
    assert len(stream.flush()) == 4800 - given_out
    assert stream.pending == 0


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_a_tone_stays_a_tone(rate_in, rate_out):
    out = whole(Resampler(rate_in, rate_out, 2), sine(1000, rate_in, rate_in), 10, 5000)
    middle = slice(rate_out // 4, 3 * rate_out // 4)  # a tone that begins at once is not band-limited
    np.testing.assert_allclose(out[middle], sine(1000, rate_out, rate_out)[middle], atol=1e-4)


def test_how_it_is_cut_does_not_matter():
    sound = np.random.default_rng(1).normal(size=(5000, 2)).astype(np.float32)
    stream = Resampler(44_100, 48_000, 2)
    assert np.array_equal(whole(stream, sound), whole(stream, sound, 1, 2, 1000, 1000, 4999))


def test_after_a_flush_it_is_as_new():
    sound = sine(440, 5000, 44_100)
    used = Resampler(44_100, 48_000, 2)
    whole(used, np.ones((777, 2), np.float32))
    assert np.array_equal(whole(used, sound), whole(Resampler(44_100, 48_000, 2), sound))


def test_a_flush_of_nothing_is_nothing():
    stream = Resampler(44_100, 48_000, 2)
    assert stream.flush().shape == (0, 2)
    assert stream.flush().shape == (0, 2)


def test_views_and_read_only_blocks_will_do():
    sound = sine(440, 2000, 44_100)
    still = sound.copy()
    still.flags.writeable = False
    stream = Resampler(44_100, 48_000, 2)
    assert np.array_equal(whole(stream, still), whole(stream, sound[:, ::-1].copy()[:, ::-1]))


def test_a_slow_stream_is_drawn_as_lines():
    stream = Resampler(10, 40, 1)
    assert len(stream.feed(np.array([[0.0]], np.float32))) == 0  # where the line goes is not known yet
    assert stream.feed(np.array([[1.0], [0.0]], np.float32)).ravel().tolist() == [
        0,
        0.25,
        0.5,
        0.75,
        1,
        0.75,
        0.5,
        0.25,
    ]
    assert stream.flush().ravel().tolist() == [0] * 4


def test_a_slow_listener_gets_means():
    stream = Resampler(1000, 250, 1)
    out = stream.feed(np.array([[1], [2], [3], [4], [8], [8]], np.float32))
    assert out.ravel().tolist() == [2.5]
    assert stream.flush().ravel().tolist() == [8]


@pytest.mark.parametrize("rate", [1, 25, 999])
def test_a_slow_stream_is_held_back_no_longer_than_a_frame(rate):
    stream = Resampler(rate, 48_000, 1)
    stream.feed(np.zeros((5, 1), np.float32))
    assert stream.delay_usec <= 1_000_000 // rate + 1


def test_a_sweep_is_distorted_by_less_than_100_db():
    seconds, low, high = 2, 20, 20_000

    def sweep(rate: int) -> np.ndarray:
        time = np.arange(seconds * rate) / rate
        turns = low * seconds / np.log(high / low) * ((high / low) ** (time / seconds) - 1)
        return (0.5 * np.sin(2 * np.pi * turns))[:, np.newaxis]

    out = whole(Resampler(44_100, 48_000, 1), sweep(44_100).astype(np.float32), 5000, 40_000)
    middle = slice(4800, -4800)  # it begins and ends at once, which no band limit allows
    rest = (out - sweep(48_000))[middle]
    assert 20 * np.log10(np.sqrt(np.mean(rest**2)) / np.sqrt(np.mean(out[middle] ** 2))) < -100


@pytest.mark.parametrize("rate", [1000, 1777, 8000, 11_025, 22_050, 37_800, 44_100, 192_000, 999, 10])
@pytest.mark.parametrize("frames", [1, 37])
def test_it_never_holds_back_more_than_its_lead(rate, frames):
    stream = Resampler(rate, 48_000, 1)
    for _ in range(min(rate, 20_000) // frames):
        stream.feed(np.zeros((frames, 1), np.float32))
        assert stream.pending <= stream.lead


def test_the_lead_is_found_once_however_many_rates_there_are(monkeypatch):
    stream = Resampler(44_100, 48_000, 1)
    known = stream.lead
    monkeypatch.setattr(resample, "lead", None)
    assert stream.lead == known
