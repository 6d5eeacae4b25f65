"""The loudest sample of each interval."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eardrum.sound.peaks import Peaks


@given(
    rates=st.sampled_from([(48000, 25), (44100, 25), (48000, 7), (8000, 25)]),
    cuts=st.lists(st.integers(0, 5000), max_size=20),
)
def test_however_it_is_cut_each_interval_has_its_loudest_sample(rates, cuts):
    rate_in, rate_out = rates
    sound = np.random.default_rng(1).uniform(-1, 1, (sum(cuts), 2)).astype(np.float32)
    meter, parts, at = Peaks(rate_in, rate_out, 2), [np.zeros((0, 2), np.float32)], 0
    for cut in cuts:
        parts.append(meter.feed(sound[at : at + cut]))
        at += cut
    begins = [-(-n * rate_in // rate_out) for n in range(at * rate_out // rate_in + 1)]
    intervals = [sound[a : max(b, a + 1)] for a, b in pairwise(begins)]
    wanted = np.array([np.abs(part).max(axis=0) for part in intervals if len(part)], np.float32).reshape(-1, 2)
    assert np.array_equal(np.concatenate(parts)[: len(wanted)], wanted)


def test_a_peak_is_positive_whichever_side_it_is_on():
    sound = np.zeros((1920, 1), np.float32)
    sound[100] = -0.75
    assert np.array_equal(Peaks(48000, 25, 1).feed(sound), [[0.75]])


def test_it_waits_for_the_end_of_the_interval():
    meter = Peaks(48000, 25, 1)
    assert len(meter.feed(np.ones((1919, 1), np.float32))) == 0
    assert meter.delay_usec > 39_000
    assert len(meter.feed(np.zeros((1, 1), np.float32))) == 1
    assert meter.delay_usec == 0
