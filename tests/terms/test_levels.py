"""Levels as they are typed and shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import Complaint
from eardrum.terms.levels import HIGHEST, absolute, adjusted, as_text, percent

levels = st.integers(0, HIGHEST)


@pytest.mark.parametrize(
    ("text", "before", "shown"),
    [
        ("60%", 0, "60% / -13.31 dB"),
        ("100%", 7, "100% / 0.00 dB"),
        ("0dB", 0, "100% / 0.00 dB"),
        ("6dB", 0, "126% / 6.00 dB"),
        ("0%", VOLUME_NORM, "0% / -inf dB"),
        ("+5%", VOLUME_NORM // 2, "55% / -15.58 dB"),
        ("-5%", VOLUME_NORM // 2, "45% / -20.81 dB"),
        ("-6dB", VOLUME_NORM, "79% / -6.00 dB"),
        ("+3dB", VOLUME_NORM, "112% / 3.00 dB"),
        ("-200%", VOLUME_NORM, "0% / -inf dB"),
        ("+900%", VOLUME_NORM, "150% / 10.57 dB"),
        ("+9999999999dB", VOLUME_NORM, "150% / 10.57 dB"),
        ("-6dB", 0, "0% / -inf dB"),
    ],
)
def test_what_is_typed_and_what_is_shown(text, before, shown):
    assert as_text(adjusted(text, before)) == shown


@pytest.mark.parametrize("text", ["", "60", "loud", "60 %", "%", "--5%", "5db", "nan%", "1e3%", "٣%"])
def test_what_is_no_level(text):
    with pytest.raises(Complaint, match=r"is none; use 60%, \+5%, -5% or -6dB") as complaint:
        adjusted(text, VOLUME_NORM)
    assert complaint.value.status == 2


@pytest.mark.parametrize("text", ["151%", "12dB", "99999999999999999999%"])
def test_what_is_too_loud(text):
    with pytest.raises(Complaint, match=r"is too loud; the most is 150% / 10.57 dB"):
        absolute(text)


def test_a_ceiling_is_no_step():
    assert absolute("-6dB") == adjusted("-6dB", VOLUME_NORM)
    with pytest.raises(Complaint, match="say how much it is"):
        absolute("+5%")


@given(st.integers(0, 150))
def test_percents_read_back(number):
    assert percent(absolute(f"{number}%")) == number


@given(levels, st.floats(0, 1000))
def test_steps_stay_on_the_scale(before, step):
    for sign in "+-":
        for unit in ("%", "dB"):
            assert 0 <= adjusted(f"{sign}{step:.3f}{unit}", before) <= HIGHEST
