from __future__ import annotations

import numpy as np
import pytest

from eardrum.sound import remap
from eardrum.terms.audio import MONO, STEREO, Position
from eardrum.terms.errors import PulseError, Refused

SWAPPED = bytes((Position.FRONT_RIGHT, Position.FRONT_LEFT))
REAR = bytes((Position.REAR_LEFT, Position.REAR_RIGHT))
SOUND = np.array([[1, 3], [-1, 0]], np.float32)


def test_equal_maps_cost_nothing():
    assert remap.remap(SOUND, STEREO, STEREO) is SOUND


def test_mono_is_heard_on_both_sides():
    assert remap.remap(SOUND[:, :1], MONO, STEREO).tolist() == [[1, 1], [-1, -1]]


def test_stereo_becomes_the_mean_of_both():
    assert remap.remap(SOUND, STEREO, MONO).tolist() == [[2], [-0.5]]


def test_swapped_sides_are_put_right():
    assert remap.remap(SOUND, SWAPPED, STEREO).tolist() == [[3, 1], [0, -1]]
    assert remap.remap(SOUND, STEREO, SWAPPED).tolist() == [[3, 1], [0, -1]]


@pytest.mark.parametrize("other", [REAR, bytes((1, 1)), bytes((0, 1))])
def test_unknown_mixes_keep_their_order(other):
    assert remap.remap(SOUND, other, STEREO).tolist() == SOUND.tolist()
    assert remap.remap(SOUND, STEREO, other).tolist() == SOUND.tolist()


@pytest.mark.parametrize(("from_map", "to_map"), [(MONO, STEREO), (STEREO, MONO), (SWAPPED, STEREO)])
def test_an_empty_block_stays_empty(from_map, to_map):
    empty = np.zeros((0, len(from_map)), np.float32)
    assert remap.remap(empty, from_map, to_map).shape == (0, len(to_map))
    assert remap.remap(empty, from_map, to_map).dtype == np.float32


def test_more_channels_are_refused():
    assert [channels for channels in range(33) if remap.supported(channels)] == [1, 2]
    with pytest.raises(Refused) as refused:
        remap.remap(np.zeros((1, 6), np.float32), bytes(range(1, 7)), STEREO)
    assert refused.value.error is PulseError.NOTSUPPORTED
