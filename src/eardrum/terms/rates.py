"""Which rate a stream of the host's server may be given instead of the one that it was made with."""

from __future__ import annotations

STEP = 50  # Hz
MOST = 4  # the rate it was made with is changed by no more than this part of it


def near(made: int, rate: int) -> int | None:
    """The rate to ask for instead of `rate` (Hz) for a stream that was made at `made`; None: it is too far off.

    A resampler takes what it holds of the sound along to another rate. Those of servers bear that as long as the rate
    is not very different and has a common measure with those of devices.
    """
    stepped = (rate + STEP // 2) // STEP * STEP
    return stepped if is_near(made, stepped) else None


def is_near(made: int, rate: int) -> bool:
    """Whether `rate` is one that `near` returns."""
    return rate > 0 and rate % STEP == 0 and MOST * abs(rate - made) <= made
