"""What is gathered of each interval."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eardrum.sound.intervals import Intervals


@given(
    rates=st.sampled_from([(48_000, 25), (7, 3), (5, 4), (44_100, 1)]),
    cuts=st.lists(st.integers(0, 60), max_size=20),
)
def test_however_it_is_cut_each_interval_has_all_its_frames(rates, cuts):
    rate_in, rate_out = rates
    whole = Intervals(rate_in, rate_out, 1, np.add)
    parts = [whole.feed(np.ones((cut, 1), np.float32)) for cut in cuts]
    begins = [-(-n * rate_in // rate_out) for n in range(sum(cuts) * rate_out // rate_in + 1)]
    wanted = [after - before for before, after in pairwise(begins)]
    assert [int(frames) for _, counts in parts for frames in counts] == wanted
    assert [float(gathered) for sums, _ in parts for gathered in sums[:, 0]] == wanted
    assert whole.begun == whole.held[0] == sum(cuts) - begins[-1]
