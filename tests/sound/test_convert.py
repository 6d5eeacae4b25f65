from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from eardrum.sound import convert
from eardrum.terms.audio import SampleFormat, SampleSpec

S16 = SampleSpec(SampleFormat.S16LE, 1, 48_000)
FLOAT = SampleSpec(SampleFormat.FLOAT32LE, 2, 48_000)


def spec(format: int, channels: int = 1) -> SampleSpec:
    return SampleSpec(format, channels, 48_000)


def block(*samples: float) -> np.ndarray:
    return np.array(samples, np.float32).reshape(-1, 1)


HALF = {  # what +0.5, -0.5 and 0 look like
    SampleFormat.U8: "c0 40 80",
    SampleFormat.S16LE: "0040 00c0 0000",
    SampleFormat.S24LE: "000040 0000c0 000000",
    SampleFormat.S24BE: "400000 c00000 000000",
    SampleFormat.S24_32LE: "00004000 0000c0ff 00000000",
    SampleFormat.S24_32BE: "00400000 ffc00000 00000000",
    SampleFormat.S16BE: "4000 c000 0000",
    SampleFormat.S32LE: "00000040 000000c0 00000000",
    SampleFormat.S32BE: "40000000 c0000000 00000000",
    SampleFormat.FLOAT32LE: "0000003f 000000bf 00000000",
    SampleFormat.FLOAT32BE: "3f000000 bf000000 00000000",
}


@pytest.mark.parametrize("format", HALF, ids=str)
def test_half_of_full_scale_in_every_format(format):
    data = bytes.fromhex(HALF[format])
    sound = convert.decode(data, spec(format))
    assert sound.tolist() == [[0.5], [-0.5], [0.0]]
    assert sound.dtype == np.float32
    assert convert.encode(sound, spec(format)) == data


@pytest.mark.parametrize("format", SampleFormat, ids=str)
def test_silence_is_the_silence_byte(format):
    silence = bytes([spec(format).silence]) * spec(format, 2).frame_bytes * 3
    assert convert.encode(np.zeros((3, 2), np.float32), spec(format, 2)) == silence
    if format != SampleFormat.ALAW:  # which has no zero, only a smallest step on either side
        assert not convert.decode(silence, spec(format, 2)).any()


@pytest.mark.parametrize("format", [SampleFormat.U8, SampleFormat.S16LE, SampleFormat.S16BE], ids=str)
def test_every_8_and_16_bit_sample_survives_bit_by_bit(format):
    data = np.arange(65_536, dtype=np.uint16).tobytes()
    assert convert.encode(convert.decode(data, spec(format)), spec(format)) == data


@given(arrays(np.int32, 8, elements=st.integers(-(2**23), 2**23 - 1)))
def test_24_bits_of_s32_survive(steps):
    data = (steps << 8).astype("<i4").tobytes()
    assert convert.encode(convert.decode(data, spec(SampleFormat.S32LE)), spec(SampleFormat.S32LE)) == data


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_alternate(channels):
    steps = np.arange(channels * 4, dtype="<i2") * 1024
    sound = convert.decode(steps.tobytes(), spec(SampleFormat.S16LE, channels))
    assert sound.shape == (4, channels)
    assert (sound * 32).ravel().tolist() == list(range(channels * 4))


def test_any_bytes_object_will_do():
    data = bytes.fromhex("0040")
    for kind in (bytes, bytearray, memoryview):
        assert convert.decode(kind(data), S16).tolist() == [[0.5]]


def test_rounds_to_the_nearest_even_step():
    steps = block(0.5, 1.5, 2.5, -0.5, -1.5, 1.4, 1.6) / 32_768
    assert np.frombuffer(convert.encode(steps, S16), "<i2").tolist() == [0, 2, 2, 0, -2, 1, 2]


def test_clips_and_does_not_wrap():
    loud = block(1.0, 0.99999, 1.5, -1.0, -1.5, np.inf, -np.inf)
    assert np.frombuffer(convert.encode(loud, S16), "<i2").tolist() == [
        32_767, 32_767, 32_767, -32_768, -32_768, 32_767, -32_768,
    ]  # fmt: skip
    top, bottom = 2**31 - 1, -(2**31)
    assert np.frombuffer(convert.encode(loud, spec(SampleFormat.S32LE)), "<i4").tolist() == [
        top, 2_147_462_144, top, bottom, bottom, top, bottom,
    ]  # fmt: skip
    assert list(convert.encode(loud, spec(SampleFormat.U8))) == [255, 255, 255, 0, 0, 255, 0]


def test_nan_is_written_as_silence_and_its_neighbours_as_they_are():
    assert np.frombuffer(convert.encode(block(0.5, np.nan, -0.5), S16), "<i2").tolist() == [16_384, 0, -16_384]


def test_floats_leave_unclipped():
    assert np.frombuffer(convert.encode(block(2.5), spec(SampleFormat.FLOAT32BE)), ">f4").tolist() == [2.5]


PACKED = [SampleFormat.S24LE, SampleFormat.S24BE]


@pytest.mark.parametrize("format", PACKED, ids=str)
@given(data=st.binary(max_size=60).map(lambda data: data[: len(data) // 6 * 6]))
def test_packed_24_bits_survive(format, data):
    assert convert.encode(convert.decode(data, spec(format, 2)), spec(format, 2)) == data


@pytest.mark.parametrize("format", [SampleFormat.S24_32LE, SampleFormat.S24_32BE], ids=str)
@given(steps=arrays(np.int32, 8, elements=st.integers(-(2**23), 2**23 - 1)), above=st.integers(0, 255))
def test_of_24_bits_in_32_the_upper_byte_does_not_matter(format, steps, above):
    dtype = "<u4" if format == SampleFormat.S24_32LE else ">u4"
    data = ((steps.astype(np.int64) & 0xFFFFFF) | above << 24).astype(dtype).tobytes()
    sound = convert.decode(data, spec(format))
    assert np.array_equal(sound.ravel() * 2**23, steps)
    assert convert.encode(sound, spec(format)) == steps.astype(dtype.replace("u", "i")).tobytes()


LAWS = {  # some codes and the 16 bit steps they stand for, as ffmpeg and sox have them
    SampleFormat.ALAW: {
        0x00: -5504,
        0x2A: -32_256,
        0x55: -8,
        0x80: 5504,
        0xAA: 32_256,
        0xD5: 8,
    },
    SampleFormat.ULAW: {0x00: -32_124, 0x7F: 0, 0x80: 32_124, 0xFF: 0, 0xFE: 8, 0x7E: -8},
}


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_laws_stand_for_these_steps(law):
    codes = LAWS[law]
    assert (convert.decode(bytes(codes), spec(law)).ravel() * 32_768).tolist() == list(codes.values())


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_every_code_of_a_law_survives(law):
    codes = bytes(code for code in range(256) if (law, code) != (SampleFormat.ULAW, 0x7F))  # a second zero
    assert convert.encode(convert.decode(codes, spec(law)), spec(law)) == codes


@pytest.mark.parametrize("law", LAWS, ids=str)
@given(sample=st.floats(-1, 1, width=32))
def test_a_law_is_as_near_as_its_steps_are(law, sample):
    heard = float(convert.decode(convert.encode(block(sample), spec(law)), spec(law))[0, 0])
    assert abs(heard - sample) <= abs(sample) / 31 + 9 / 32_768


FRAME_24 = 24  # bytes; frames of two channels of every format divide it


@given(data=st.binary(max_size=96).map(lambda data: data[: len(data) // FRAME_24 * FRAME_24]))
@pytest.mark.parametrize("format", SampleFormat, ids=str)
def test_whatever_bytes_say_the_block_is_finite(format, data):
    sound = convert.decode(data, spec(format, 2))
    assert (np.abs(sound) <= convert.LOUDEST).all()


@given(arrays(np.float32, (5, 2), elements=st.floats(-convert.LOUDEST, convert.LOUDEST, width=32)))
def test_floats_survive_bit_by_bit(sound):
    assert convert.decode(convert.encode(sound, FLOAT), FLOAT).tobytes() == sound.tobytes()


def test_one_bad_float_leaves_its_neighbours_alone():
    bad = np.array([0.25, np.nan, np.inf, -np.inf, 1e30, 3.0], "<f4")
    sound = convert.decode(bad.tobytes(), spec(SampleFormat.FLOAT32LE))
    assert sound.ravel().tolist() == [0.25, 0, convert.LOUDEST, -convert.LOUDEST, convert.LOUDEST, 3.0]
    assert sound.dtype == np.float32


def test_the_callers_block_stays_as_it_was():
    loud = block(2.0, np.nan)
    before = loud.tobytes()
    convert.encode(loud, S16)
    convert.encode(loud, spec(SampleFormat.U8))
    assert loud.tobytes() == before
