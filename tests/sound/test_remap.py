from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.sound import remap
from eardrum.terms.audio import MONO, POSITIONS, STEREO, Position

FL, FR, FC, RC, RL, RR, LFE, SL, SR, AUX0 = 1, 2, 3, 4, 5, 6, 7, 10, 11, 12
SURROUND = bytes((FL, FR, RL, RR, FC, LFE))  # 5.1
SWAPPED = bytes((FR, FL))
SOUND = np.array([[1, 3], [-1, 0]], np.float32)
maps = st.lists(st.integers(0, POSITIONS - 1), min_size=1, max_size=32).map(bytes)


def test_equal_maps_cost_nothing():
    assert remap.matrix(STEREO, STEREO) is None
    assert remap.remap(SOUND, STEREO, STEREO) is SOUND


def test_a_way_is_made_once_and_cannot_be_changed():
    way = remap.matrix(MONO, STEREO)
    assert remap.matrix(MONO, STEREO) is way
    assert not way.flags.writeable


def test_mono_is_heard_on_both_sides():
    assert remap.remap(SOUND[:, :1], MONO, STEREO).tolist() == [[1, 1], [-1, -1]]


def test_stereo_becomes_the_mean_of_both():
    assert remap.remap(SOUND, STEREO, MONO).tolist() == [[2], [-0.5]]


def test_swapped_sides_are_put_right():
    assert remap.remap(SOUND, SWAPPED, STEREO).tolist() == [[3, 1], [0, -1]]


def sources(from_map: bytes, to_map: bytes) -> list[dict[int, float]]:
    """What each channel out is made of: position in and how much of it, rounded."""
    way = remap.matrix(from_map, to_map)
    return [
        {from_map[channel]: round(float(part), 3) for channel, part in enumerate(column) if part} for column in way.T
    ]


def test_stereo_fills_all_speakers_but_the_lowest():
    left, right, middle = {FL: 1}, {FR: 1}, {FL: 0.5, FR: 0.5}
    assert sources(STEREO, SURROUND) == [left, right, left, right, middle, {}]


def test_mono_fills_all_speakers_but_the_lowest():
    assert sources(MONO, SURROUND) == [{0: 1}] * 5 + [{}]


def test_surround_becomes_stereo_with_the_center_halved_and_the_rear_behind_it():
    whole = 1 + 1 / 2 + 1 / 9
    parts = [round(part / whole, 3) for part in (1, 1 / 9, 1 / 2)]
    assert sources(SURROUND, STEREO) == [
        dict(zip((FL, RL, FC), parts, strict=True)),
        dict(zip((FR, RR, FC), parts, strict=True)),
    ]


def test_mono_is_the_mean_of_all():
    assert sources(SURROUND, MONO) == [dict.fromkeys(SURROUND, 0.167)]


def test_side_speakers_stand_for_rear_ones_where_these_lack():
    assert sources(SURROUND, bytes((SL, SR, FL, FR)))[:2] == [{RL: 1}, {RR: 1}]


def test_a_rear_center_goes_to_the_rear_if_there_is_one():
    assert sources(bytes((FL, FR, RC)), bytes((FL, FR, RL, RR))) == [
        {FL: 1}, {FR: 1}, {FL: 0.667, RC: 0.333}, {FR: 0.667, RC: 0.333},
    ]  # fmt: skip


@pytest.mark.parametrize("lost", [Position.LFE, AUX0])
def test_what_is_on_no_side_is_not_heard_elsewhere(lost):
    assert sources(bytes((FL, FR, lost)), STEREO) == [{FL: 1}, {FR: 1}]


@given(maps, maps)
def test_no_channel_becomes_louder_than_full_scale(from_map, to_map):
    way = remap.matrix(from_map, to_map)
    assert way is None or (way.shape == (len(from_map), len(to_map)) and way.min() >= 0)
    assert way is None or (from_map != to_map and way.sum(axis=0).max() <= 1.00001)


def test_without_remapping_channels_keep_their_order():
    assert remap.matrix(SURROUND, STEREO, no_remap=True).tolist() == np.eye(6, 2).tolist()
    assert remap.matrix(SWAPPED, STEREO, no_remap=True) is None


def test_without_remixing_only_equal_positions_are_heard():
    assert remap.matrix(SURROUND, STEREO, no_remix=True).tolist() == np.eye(6, 2).tolist()
    assert not remap.matrix(MONO, STEREO, no_remix=True).any()


BOTH = np.array([0.5, 0.25], np.float32)
ONE = np.array([0.5], np.float32)


@pytest.mark.parametrize("gains", [None, ONE, BOTH])
@pytest.mark.parametrize("to_map", [STEREO, SWAPPED, bytes((RL, RR))])
def test_gains_and_way_are_one_operation(gains, to_map):
    way = remap.matrix(STEREO, to_map)
    wanted = remap.remap(SOUND * (1 if gains is None else gains), STEREO, to_map)
    np.testing.assert_allclose(remap.mix(SOUND, remap.mixing(way, gains)), wanted, rtol=1e-6)


def test_nothing_to_do_is_nothing():
    assert remap.mixing(None, None) is None
    assert remap.mix(SOUND, None) is SOUND


@pytest.mark.parametrize(("from_map", "to_map"), [(MONO, STEREO), (STEREO, MONO), (SURROUND, STEREO)])
def test_an_empty_block_stays_empty(from_map, to_map):
    empty = remap.remap(np.zeros((0, len(from_map)), np.float32), from_map, to_map)
    assert (empty.shape, empty.dtype) == ((0, len(to_map)), np.float32)
