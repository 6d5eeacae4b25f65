"""Channels of one stream become the channels of another, by the rules of PulseAudio 16.1 with its usual settings.

A way from one channel map to another is a matrix, channels in by channels out, so that `block.dot(matrix)` is the
sound; None is the way that changes nothing. Nobody's low-frequency channel is made from other channels or added to
them. No channel becomes louder than full scale: where the parts of one sum up to more than 1, they are scaled to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eardrum.sound.block import Block
from eardrum.sound.volume import Gains
from eardrum.terms.audio import ChannelMap, Position

Matrix = NDArray[np.float32]  # shape (channels in, channels out)
Mixing = NDArray[np.float32]  # a Matrix, or Gains where channels stay what they are

_LEFT = frozenset((1, 5, 8, 10, 45, 48))
_RIGHT = frozenset((2, 6, 9, 11, 46, 49))
_CENTER = frozenset((3, 4, 44, 47, 50))
_FRONT = frozenset((1, 2, 3, 8, 9, 45, 46, 47))
_REAR = frozenset((4, 5, 6, 48, 49, 50))
_SIDE = frozenset((10, 11, 44))
_TWINS: dict[int, int] = {  # where one of two kinds of surround is missing, the other stands for it
    Position.REAR_LEFT: Position.SIDE_LEFT, Position.REAR_RIGHT: Position.SIDE_RIGHT,
    Position.SIDE_LEFT: Position.REAR_LEFT, Position.SIDE_RIGHT: Position.REAR_RIGHT,
}  # fmt: skip
_ASIDE = 1 / 9  # how much of left or right channels that have no place goes to the others of that side
_CENTERED = 1 / 2  # how much of center channels that have no place goes to both sides
_KNOWN = 512  # ways that are remembered


@lru_cache(_KNOWN)
def matrix(from_map: ChannelMap, to_map: ChannelMap, no_remap: bool = False, no_remix: bool = False) -> Matrix | None:
    """The way from one map to another, None if there is nothing to do. It is shared and read-only.

    With `no_remap` the channels keep their order, whatever they are called; with `no_remix` each goes only to its own
    position.
    """
    if from_map == to_map:
        return None
    if no_remap:
        found = np.eye(len(from_map), len(to_map), dtype=np.float32)
    elif no_remix:
        found = _same(from_map, to_map).astype(np.float32)
    else:
        found = _remixed(from_map, to_map)
    if np.array_equal(found, np.eye(*found.shape)) and len(from_map) == len(to_map):
        return None
    found.flags.writeable = False
    return found


def mixing(way: Matrix | None, gains: Gains | None) -> Mixing | None:
    """A way, and the factors of the channels in, as one: what `mix` applies, None if that changes nothing."""
    if way is None:
        return gains if gains is None or len(gains) == 1 else np.diag(gains)
    return way if gains is None else way * gains[:, np.newaxis]


def mix(block: Block, how: Mixing | None) -> Block:
    """`block` after what `mixing` has made; `block` itself if that is None."""
    if how is None:
        return block
    return block.dot(how) if how.ndim == 2 else block * how


def remap(block: Block, from_map: ChannelMap, to_map: ChannelMap) -> Block:
    """`block` with the channels of `to_map`; `block` itself if there is nothing to do."""
    return mix(block, matrix(from_map, to_map))


def _same(from_map: ChannelMap, to_map: ChannelMap) -> Any:
    return np.equal.outer(np.frombuffer(from_map, np.uint8), np.frombuffer(to_map, np.uint8))


def _remixed(from_map: ChannelMap, to_map: ChannelMap) -> Matrix:
    found = np.zeros((len(from_map), len(to_map)))
    used: set[int] = set()  # channels in that are heard somewhere
    for place, position in enumerate(to_map):
        sources = _sources(position, from_map, used)
        found[list(sources), place] = list(sources.values())
        used |= sources.keys()
    lost = {channel: position for channel, position in enumerate(from_map) if channel not in used}
    for side in (_LEFT, _RIGHT, _CENTER):
        homeless = [channel for channel, position in lost.items() if position in side]
        for place in _places(to_map, side.__contains__):
            found[homeless, place] = _ASIDE / max(1, len(homeless))
    if not any(position in _CENTER for position in to_map):
        _spread_centers(found, {c: p for c, p in lost.items() if p in _CENTER}, to_map)
    found /= np.maximum(found.sum(axis=0), 1)
    return found.astype(np.float32)


def _sources(position: int, from_map: ChannelMap, used: Set[int]) -> dict[int, float]:
    """The channels that one channel out is made of, and how much of each; `used` are those heard in earlier ones."""
    if position == Position.MONO:
        mono = _places(from_map, lambda other: other == Position.MONO)
        return _mean(range(len(from_map))) | dict.fromkeys(mono, 1.0)
    same = {position} if position == Position.LFE else {position, Position.MONO}
    if own := _places(from_map, same.__contains__):
        return dict.fromkeys(own, 1.0)
    if twins := set(_places(from_map, lambda other: other == _TWINS.get(position))) - used:
        return dict.fromkeys(twins, 1.0)
    for side in (_LEFT, _RIGHT):
        if position in side:
            return _mean(_places(from_map, side.__contains__))
    if position in _CENTER:
        centers = _places(from_map, _CENTER.__contains__)
        return _mean(centers or _places(from_map, (_LEFT | _RIGHT).__contains__))
    return {}


def _spread_centers(found: NDArray[np.float64], lost: dict[int, int], to_map: ChannelMap) -> None:
    """Center channels that have no place go to both sides: of their own row of speakers if it is there."""
    sides = _places(to_map, (_LEFT | _RIGHT).__contains__)
    rows = {_row(to_map[place]) for place in sides}
    for place in sides:
        row = _row(to_map[place])
        here = [channel for channel, position in lost.items() if _row(position) == row or _row(position) not in rows]
        found[here, place] = _CENTERED / max(1, len(here))


def _row(position: int) -> int:
    return next((row for row, positions in enumerate((_FRONT, _REAR, _SIDE)) if position in positions), -1)


def _places(channel_map: ChannelMap, wanted: Callable[[int], bool]) -> list[int]:
    return [place for place, position in enumerate(channel_map) if wanted(position)]


def _mean(channels: Iterable[int]) -> dict[int, float]:
    channels = list(channels)
    return dict.fromkeys(channels, 1 / max(1, len(channels)))
