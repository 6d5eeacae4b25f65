"""Peaks of what an upstream records."""

import numpy as np
import pytest

from eardrum.server.meter import Meter
from eardrum.terms.audio import INVALID, MAX_QUEUE, SampleFormat, SampleSpec

FLOATS = SampleSpec(SampleFormat.FLOAT32LE, 2, 25)


def test_every_interval_becomes_one_frame_of_its_peaks_wherever_its_sound_is_cut():
    meter = Meter(FLOATS)
    assert meter.rate == 48_000
    sound = np.zeros((3 * 1920, 2), np.float32)
    sound[5], sound[1920], sound[3839], sound[-1] = (0.5, -0.25), (0.125, 0), (-1, 0), (0, 0.75)
    data = memoryview(sound.tobytes())
    heard = b"".join(bytes(meter.hear(data[start : start + 1001])) for start in range(0, len(data), 1001))
    assert np.frombuffer(heard, "<f4").reshape(-1, 2).tolist() == [[0.5, 0.25], [1, 0], [0, 0.75]]


def test_silence_is_no_level_in_any_format():
    spec = SampleSpec(SampleFormat.U8, 1, 100)
    assert Meter(spec).hear(memoryview(b"\x80" * 480)) == b"\x80"


def test_a_meter_of_a_rate_near_that_of_sound_hears_the_sound():
    assert Meter.serves(FLOATS._replace(rate=24_000))
    assert not Meter.serves(FLOATS._replace(rate=24_001))


@pytest.mark.parametrize(
    ("nbytes", "asked"), [(8, 8 * 1920), (0, 0), (INVALID, INVALID), (INVALID - 1, MAX_QUEUE), (MAX_QUEUE, MAX_QUEUE)]
)
def test_as_many_frames_more_are_asked_for(nbytes, asked):
    assert Meter(FLOATS).more(nbytes) == asked


def test_what_an_upstream_counts_is_counted_in_whole_frames():
    meter = Meter(FLOATS)
    assert [meter.fewer(nbytes) for nbytes in (0, 8 * 1920 - 1, 8 * 1920, 15 * 1920, 16 * 1920)] == [0, 0, 8, 8, 16]
