"""The one shape that sound has inside: float32, frames by channels, full scale is 1.0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]  # shape (frames, channels)
SAMPLE_BYTES = 4  # of one number in it
