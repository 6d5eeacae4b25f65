"""Bytes in a sample spec become blocks of float32, and blocks become bytes: all 13 sample formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eardrum.sound.block import Block
from eardrum.terms.audio import SampleFormat, Samples, SampleSpec

LOUDEST = 1024.0  # a float sample is limited to this (60 dB above full scale), so that sums stay finite

Flat = NDArray[np.float32]  # the samples of a block, one after the other


class _Format(NamedTuple):
    decode: Callable[[Samples], Flat]
    encode: Callable[[Block], bytes]


def decode(data: Samples, spec: SampleSpec) -> Block:
    """The block that `data`, whole frames in a valid `spec`, stands for.

    Always finite: NaN becomes 0, and floats are limited to ±LOUDEST. It may be a read-only view of `data`.
    """
    return _FORMATS[spec.format].decode(data).reshape(-1, spec.channels)


def encode(block: Block, spec: SampleSpec) -> bytes:
    """`block` as bytes in a valid `spec`.

    Integers are rounded to the nearest (even) step and clipped to full scale, NaN becomes 0; floats stay as they are.
    """
    return _FORMATS[spec.format].encode(block)


def _steps(block: Block, bits: int) -> NDArray[np.floating]:
    """Whole steps of an integer of so many bits, within its range."""
    full = float(1 << bits - 1)
    steps: NDArray[np.floating] = np.multiply(block, full, dtype=np.float32)
    np.rint(steps, out=steps)
    top = full - 1 if bits <= 24 else full - 256  # as float32 tells them apart
    if not np.abs(steps).max(initial=0) <= top:  # NaN fails the comparison as well
        steps = np.rint(np.multiply(block, full, dtype=np.float64))
        steps[np.isnan(steps)] = 0
        np.clip(steps, -full, full - 1, out=steps)
    return steps


def _integers(code: str, bits: int) -> _Format:
    dtype = np.dtype(code)
    scale = np.array(2.0 ** (1 - bits), np.float32)

    def decode(data: Samples) -> Flat:
        samples = np.frombuffer(data, dtype).astype(np.float32)
        samples *= scale
        return samples

    return _Format(decode, lambda block: _steps(block, bits).astype(dtype).tobytes())


def _floats(code: str) -> _Format:
    dtype = np.dtype(code)

    def decode(data: Samples) -> Flat:
        samples = np.frombuffer(data, dtype).astype(np.float32, copy=False)
        if not np.abs(samples).max(initial=0) <= LOUDEST:  # NaN fails the comparison as well
            samples = np.clip(np.where(np.isnan(samples), np.float32(0), samples), -LOUDEST, LOUDEST)
        return samples

    return _Format(decode, lambda block: block.astype(dtype, copy=False).tobytes())


def _packed(order: str) -> _Format:
    """24 bits in three bytes; they are worked on as the upper bytes of 32."""
    dtype = np.dtype(order + "i4")
    little = order == "<"
    scale = np.array(2.0**-31, np.float32)

    def decode(data: Samples) -> Flat:
        count = len(data) // 3
        if little:
            wide = np.ndarray((count,), dtype, b"\0" + bytes(data), 0, (3,)) & np.int32(-256)
        else:
            wide = np.ndarray((count,), dtype, bytes(data) + b"\0", 0, (3,)) & np.int32(-256)
        samples = wide.astype(np.float32)
        samples *= scale
        return samples

    def encode(block: Block) -> bytes:
        wide = _steps(block, 24).astype(dtype).reshape(-1, 1).view(np.uint8)
        packed = np.empty((len(wide), 3), np.uint8)
        for place in range(3):
            packed[:, place] = wide[:, place if little else place + 1]
        return packed.tobytes()

    return _Format(decode, encode)


def _low_24(code: str) -> _Format:
    """24 bits in the lower bytes of 32; the upper one may hold anything, and gets the sign."""
    dtype = np.dtype(code)
    scale = np.array(2.0**-31, np.float32)

    def decode(data: Samples) -> Flat:
        samples: Flat = np.left_shift(np.frombuffer(data, dtype), 8, dtype=np.int32).astype(np.float32)
        samples *= scale
        return samples

    return _Format(decode, lambda block: _steps(block, 24).astype(dtype).tobytes())


def _unsigned_8() -> _Format:
    table = ((np.arange(256) - 128) / 128).astype(np.float32)

    def encode(block: Block) -> bytes:
        steps = _steps(block, 8)
        steps += 128
        return steps.astype(np.uint8).tobytes()

    return _Format(lambda data: table.take(np.frombuffer(data, np.uint8)), encode)


def _companded(levels: NDArray[np.int32], codes: NDArray[np.uint8]) -> _Format:
    """A law of ITU-T G.711: `levels` are the 16 bit steps of each code, `codes` the code of each 16 bit step."""
    table = (levels / 32_768).astype(np.float32)

    def encode(block: Block) -> bytes:
        steps = _steps(block, 16).astype(np.int16)
        return codes.take(steps.view(np.uint16)).tobytes()

    return _Format(lambda data: table.take(np.frombuffer(data, np.uint8)), encode)


_STEPS_16 = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)  # by their bits
_CODES = np.arange(256, dtype=np.int32)


def _a_law() -> _Format:
    """13 bits: even bits of a code are inverted; segment 0 and 1 have the same step."""
    plain = _CODES ^ 0x55
    segment, mantissa = plain >> 4 & 7, plain & 15
    magnitude = np.where(segment > 0, (2 * mantissa + 33) << np.maximum(segment - 1, 0), 2 * mantissa + 1) * 8
    levels = np.where(plain & 0x80, magnitude, -magnitude)
    positive = _STEPS_16 >= 0
    size = np.where(positive, _STEPS_16, ~_STEPS_16) >> 4
    segment = np.maximum(_bit_length(size) - 4, 0)
    mantissa = size >> np.maximum(segment - 1, 0) & 15
    codes = (segment << 4 | mantissa | np.where(positive, 0x80, 0)) ^ 0x55
    return _companded(levels, codes.astype(np.uint8))


def _mu_law() -> _Format:
    """14 bits: all bits of a code are inverted; a bias of 33 makes the segments whole powers of two."""
    plain = _CODES ^ 0xFF
    magnitude = (((2 * (plain & 15) + 33) << (plain >> 4 & 7)) - 33) * 4
    levels = np.where(plain & 0x80, -magnitude, magnitude)
    positive = _STEPS_16 >= 0
    size = np.minimum((np.where(positive, _STEPS_16, -_STEPS_16) >> 2) + 33, 8191)
    segment = _bit_length(size) - 6
    mantissa = size >> segment + 1 & 15
    codes = (segment << 4 | mantissa | np.where(positive, 0, 0x80)) ^ 0xFF
    return _companded(levels, codes.astype(np.uint8))


def _bit_length(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.frexp(numbers)[1]


_FORMATS: dict[int, _Format] = {
    SampleFormat.U8: _unsigned_8(),
    SampleFormat.ALAW: _a_law(),
    SampleFormat.ULAW: _mu_law(),
    SampleFormat.S16LE: _integers("<i2", 16),
    SampleFormat.S16BE: _integers(">i2", 16),
    SampleFormat.FLOAT32LE: _floats("<f4"),
    SampleFormat.FLOAT32BE: _floats(">f4"),
    SampleFormat.S32LE: _integers("<i4", 32),
    SampleFormat.S32BE: _integers(">i4", 32),
    SampleFormat.S24LE: _packed("<"),
    SampleFormat.S24BE: _packed(">"),
    SampleFormat.S24_32LE: _low_24("<i4"),
    SampleFormat.S24_32BE: _low_24(">i4"),
}
