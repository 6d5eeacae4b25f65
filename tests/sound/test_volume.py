from __future__ import annotations

import numpy as np
import pytest

from eardrum.sound.volume import HIGHEST, gains
from eardrum.terms.audio import VOLUME_MAX, VOLUME_MUTED, VOLUME_NORM


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_full_volume_needs_no_multiplication(channels):
    assert gains((VOLUME_NORM,) * channels) is None


def test_the_scale_is_cubic():
    assert gains((VOLUME_NORM // 2,)).tolist() == [0.125]
    assert gains((VOLUME_MUTED,)).tolist() == [0.0]


def test_equal_levels_are_one_factor():
    assert gains((VOLUME_NORM // 2,) * 2).tolist() == [0.125]


def test_different_levels_are_one_factor_per_channel():
    both = gains((VOLUME_NORM, VOLUME_NORM // 2))
    assert both.tolist() == [1.0, 0.125]
    assert both.dtype == np.float32


def test_factors_stay_within_reason():
    assert gains((VOLUME_MAX,)).tolist() == [HIGHEST]
