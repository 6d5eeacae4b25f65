"""Sound is summed as float32 and not clipped: what leaves as integers is clipped by `convert.encode`."""

from __future__ import annotations

import numpy as np

from eardrum.sound.block import Block
from eardrum.sound.volume import Gains


def add(total: Block, block: Block, gains: Gains | None = None, offset: int = 0) -> None:
    """Add `block`, times `gains`, to the frames of `total` from `offset` on. It must end within `total`."""
    part = total[offset : offset + len(block)]
    np.add(part, block if gains is None else block * gains, out=part)
