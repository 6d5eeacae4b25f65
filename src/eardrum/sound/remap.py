"""Channels of one stream become the channels of another."""

from __future__ import annotations

import numpy as np

from eardrum.sound.block import Block
from eardrum.terms.audio import ChannelMap
from eardrum.terms.errors import PulseError, Refused

_HALVES = np.full((2, 1), 0.5, np.float32)


def supported(channels: int) -> bool:
    """True if a stream of so many channels can be brought to mono or stereo."""
    return channels in (1, 2)


def remap(block: Block, from_map: ChannelMap, to_map: ChannelMap) -> Block:
    """`block` with the channels of `to_map`; `block` itself if there is nothing to do.

    With equal counts each channel goes to its own position, or keeps its place if the two maps name different
    positions. Mono goes to both channels of stereo; stereo becomes the mean of both. Raises Refused(NOTSUPPORTED).
    """
    if from_map == to_map:
        return block
    match len(from_map), len(to_map):
        case (1, 2):
            return np.repeat(block, 2, axis=1)
        case (2, 1):
            return block @ _HALVES
        case (one, other) if one == other:
            return _by_position(block, from_map, to_map)
    raise Refused(PulseError.NOTSUPPORTED, f"{len(from_map)} channels to {len(to_map)}")


def _by_position(block: Block, from_map: ChannelMap, to_map: ChannelMap) -> Block:
    if sorted(from_map) != sorted(to_map) or len(set(to_map)) != len(to_map):
        return block
    return block.take([from_map.index(position) for position in to_map], axis=1)
