from __future__ import annotations

import numpy as np
import pytest

from eardrum.sound.mix import add, total
from eardrum.sound.volume import gains
from eardrum.terms.audio import VOLUME_NORM, SampleFormat, SampleSpec

HALF = round(VOLUME_NORM * 0.5 ** (1 / 3))


def ones(frames: int) -> np.ndarray:
    return np.ones((frames, 2), np.float32)


def test_sounds_are_added_in_place():
    whole = ones(3)
    add(whole, ones(3) * 2)
    assert whole.tolist() == [[3, 3]] * 3


def test_each_channel_has_its_gain():
    whole = ones(2)
    add(whole, ones(2), gains((VOLUME_NORM, HALF)))
    np.testing.assert_allclose(whole, [[2, 1.5]] * 2, rtol=1e-4)


def test_one_gain_counts_for_all_channels():
    whole = ones(2)
    add(whole, ones(2), gains((HALF, HALF)))
    np.testing.assert_allclose(whole, [[1.5, 1.5]] * 2, rtol=1e-4)


def test_nothing_is_clipped():
    whole = ones(1)
    for _ in range(9):
        add(whole, ones(1))
    assert whole.tolist() == [[10, 10]]


def test_the_stream_itself_stays_as_it_was():
    block = ones(1)
    block.flags.writeable = False
    add(ones(1), block, gains((HALF,)))
    assert block.tolist() == [[1, 1]]


def test_a_block_that_is_too_long_is_a_bug():
    with pytest.raises(ValueError, match="broadcast"):
        add(ones(2), ones(3))


def test_bytes_of_one_spec_are_summed_as_blocks_are():
    parts = [np.array(frames, "<i2").tobytes() for frames in ([[1, 2], [3, 4]], [[10, 20], [30, 40]], [[5, 6], [7, 8]])]
    spec = SampleSpec(SampleFormat.S16LE, 2, 48_000)
    assert (total(parts, spec) * 32_768).tolist() == [[16, 28], [40, 52]]
    assert (total(parts[:1], spec) * 32_768).tolist() == [[1, 2], [3, 4]]
