"""Other rates for streams of the host's server."""

import pytest

from eardrum.terms.rates import is_near, near


@pytest.mark.parametrize(
    ("made", "wanted", "asked"),
    [
        (48_000, 48_000, 48_000), (48_000, 48_024, 48_000), (48_000, 48_025, 48_050), (48_000, 36_000, 36_000),
        (48_000, 60_024, 60_000), (44_101, 44_101, 44_100), (44_101, 55_126, None), (48_000, 35_974, None),
        (48_000, 60_025, None), (192_000, 2, None), (1, 1, None), (24, 25, None), (50, 50, 50),
    ],
)  # fmt: skip
def test_a_rate_is_asked_for_in_steps_and_never_far_from_the_first(made, wanted, asked):
    assert near(made, wanted) == asked


@pytest.mark.parametrize("rate", [-50, 0, 1, 47_999, 60_050])
def test_what_is_never_asked_for(rate):
    assert not is_near(48_000, rate)
