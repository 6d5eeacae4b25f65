"""Volumes become the factors that samples are multiplied with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eardrum.terms.audio import VOLUME_NORM, Volume, linear

Gains = NDArray[np.float32]  # shape (1,), one factor for all channels, or (channels,)
HIGHEST = 1024.0  # a factor is limited to this (60 dB), so that products stay finite


def gains(volume: Volume, muted: bool = False) -> Gains | None:
    """The factors of a volume, None if it changes nothing."""
    levels = (0,) if muted else volume if len(set(volume)) > 1 else volume[:1]
    if levels == (VOLUME_NORM,):
        return None
    return np.array([min(linear(level), HIGHEST) for level in levels], np.float32)
