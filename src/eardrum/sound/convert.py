"""Bytes in a sample spec become blocks of float32, and blocks become bytes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eardrum.sound.block import Block
from eardrum.terms.audio import SampleFormat, Samples, SampleSpec
from eardrum.terms.errors import PulseError, Refused

LOUDEST = 1024.0  # a float sample is limited to this (60 dB above full scale), so that sums stay finite


class _Integers(NamedTuple):
    """How an integer format writes samples: `zero` is silence, `full` steps above it would be 1.0."""

    dtype: np.dtype[np.integer]
    full: float
    zero: int
    exact: type[np.floating]  # a float type in which single steps can be told apart


_INTEGERS: dict[int, _Integers] = {
    SampleFormat.U8: _Integers(np.dtype("u1"), 2.0**7, 128, np.float32),
    SampleFormat.S16LE: _Integers(np.dtype("<i2"), 2.0**15, 0, np.float32),
    SampleFormat.S16BE: _Integers(np.dtype(">i2"), 2.0**15, 0, np.float32),
    SampleFormat.S32LE: _Integers(np.dtype("<i4"), 2.0**31, 0, np.float64),
    SampleFormat.S32BE: _Integers(np.dtype(">i4"), 2.0**31, 0, np.float64),
}
_FLOATS: dict[int, np.dtype[np.float32]] = {
    SampleFormat.FLOAT32LE: np.dtype("<f4"),
    SampleFormat.FLOAT32BE: np.dtype(">f4"),
}


def supported(format: int) -> bool:
    """True if `decode` and `encode` know this sample format."""
    return format in _INTEGERS or format in _FLOATS


def decode(data: Samples, spec: SampleSpec) -> Block:
    """The block that `data`, whole frames in `spec`, stands for.

    Always finite: NaN becomes 0, and floats are limited to ±LOUDEST. It may be a read-only view of `data`.
    Raises Refused(NOTSUPPORTED).
    """
    integers = _INTEGERS.get(spec.format)
    if integers is None:
        return _decode_floats(data, spec)
    block = np.frombuffer(data, integers.dtype).reshape(-1, spec.channels).astype(np.float32)
    if integers.zero:
        block -= np.float32(integers.zero)
    block *= np.float32(1 / integers.full)
    return block


def encode(block: Block, spec: SampleSpec) -> bytes:
    """`block` as bytes in `spec`.

    Integers are rounded to the nearest (even) step and clipped to full scale, NaN becomes 0; floats stay as they are.
    Raises Refused(NOTSUPPORTED).
    """
    integers = _INTEGERS.get(spec.format)
    if integers is None:
        return block.astype(_float_type(spec.format), copy=False).tobytes()
    steps = np.multiply(block, integers.full, dtype=integers.exact)
    np.rint(steps, out=steps)
    top = integers.full - 1
    if not float(np.abs(steps).max(initial=0)) <= top:  # NaN fails the comparison as well
        np.copyto(steps, 0, where=np.isnan(steps))
        np.clip(steps, -integers.full, top, out=steps)
    if integers.zero:
        steps += integers.zero
    return steps.astype(integers.dtype).tobytes()


def _decode_floats(data: Samples, spec: SampleSpec) -> Block:
    dtype = _float_type(spec.format)
    block = np.frombuffer(data, dtype).reshape(-1, spec.channels).astype(np.float32, copy=False)
    if not np.abs(block).max(initial=0) <= LOUDEST:  # NaN fails the comparison as well
        block = np.clip(np.where(np.isnan(block), np.float32(0), block), -LOUDEST, LOUDEST)
    return block


def _float_type(format: int) -> np.dtype[np.float32]:
    dtype = _FLOATS.get(format)
    if dtype is None:
        raise Refused(PulseError.NOTSUPPORTED, f"sample format {format}")
    return dtype
