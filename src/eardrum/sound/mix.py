"""Sound is summed as float32 and not clipped: what leaves as integers is clipped by `convert.encode`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eardrum.sound import convert
from eardrum.sound.block import Block
from eardrum.sound.volume import Gains
from eardrum.terms.audio import Samples, SampleSpec


def add(total: Block, block: Block, gains: Gains | None = None) -> None:
    """Add `block`, times `gains`, to the first frames of `total`. It must not be longer."""
    part = total[: len(block)]
    np.add(part, block if gains is None else block * gains, out=part)


def total(parts: Sequence[Samples], spec: SampleSpec) -> Block:
    """The sum of several blocks, given as bytes of one length in one spec: converted together, not one by one."""
    blocks = convert.decode(b"".join(parts) if len(parts) > 1 else parts[0], spec)
    if len(parts) == 1:
        return blocks
    summed: Block = np.add.reduce(blocks.reshape(len(parts), -1, spec.channels))
    return summed
