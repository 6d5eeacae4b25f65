from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.terms import audio
from eardrum.terms.audio import (
    INVALID,
    MAX_CHANNELS,
    MAX_QUEUE,
    MAX_RATE,
    MONO,
    STEREO,
    VOLUME_MAX,
    VOLUME_MUTED,
    VOLUME_NORM,
    BufferAttr,
    SampleFormat,
    SampleSpec,
    level,
    linear,
    multiply,
    valid_map,
    valid_volume,
)

specs = st.builds(SampleSpec, st.sampled_from(SampleFormat), st.integers(1, MAX_CHANNELS), st.integers(1, MAX_RATE))
levels = st.integers(VOLUME_MUTED, VOLUME_MAX)
volumes = st.lists(levels, min_size=1, max_size=MAX_CHANNELS).map(tuple)
CD = SampleSpec(SampleFormat.S16LE, 2, 44_100)


# -- sample specs


@pytest.mark.parametrize(
    ("format", "name", "nbytes", "silence"),
    [
        (SampleFormat.U8, "u8", 1, 0x80),
        (SampleFormat.ALAW, "alaw", 1, 0xD5),
        (SampleFormat.ULAW, "ulaw", 1, 0xFF),
        (SampleFormat.S16LE, "s16le", 2, 0),
        (SampleFormat.S16BE, "s16be", 2, 0),
        (SampleFormat.FLOAT32LE, "float32le", 4, 0),
        (SampleFormat.FLOAT32BE, "float32be", 4, 0),
        (SampleFormat.S32LE, "s32le", 4, 0),
        (SampleFormat.S32BE, "s32be", 4, 0),
        (SampleFormat.S24LE, "s24le", 3, 0),
        (SampleFormat.S24BE, "s24be", 3, 0),
        (SampleFormat.S24_32LE, "s24-32le", 4, 0),
        (SampleFormat.S24_32BE, "s24-32be", 4, 0),
    ],
)
def test_formats(format, name, nbytes, silence):
    spec = SampleSpec(format, 3, 8000)
    assert str(spec) == f"{name}/3/8000"
    assert spec.frame_bytes == 3 * nbytes
    assert spec.silence == silence


def test_every_format_is_in_the_tables():
    tables = audio.SAMPLE_BYTES, audio.SILENCE_BYTE, audio.FORMAT_NAMES
    assert {len(table) for table in tables} == {len(SampleFormat)}
    assert [format.value for format in SampleFormat] == list(range(len(SampleFormat)))


@given(specs)
def test_every_sane_spec_is_valid(spec):
    assert spec.valid


@pytest.mark.parametrize(
    "change",
    [
        {"format": 13}, {"format": 255}, {"channels": 0}, {"channels": 33}, {"channels": 255},
        {"rate": 0}, {"rate": MAX_RATE + 1}, {"rate": INVALID},
    ],
    ids=str,
)  # fmt: skip
def test_an_invalid_spec_says_so_and_can_be_printed(change):
    spec = CD._replace(**change)
    assert not spec.valid
    assert str(spec)


def test_a_second_is_a_second():
    assert CD.usec(176_400) == 1_000_000
    assert CD.bytes_for(1_000_000) == 176_400
    assert CD.usec(3) == 0
    assert CD.bytes_for(22) == 0
    assert CD.bytes_for(23) == 4
    assert CD.bytes_for_up(1) == 4
    assert CD.bytes_for_up(0) == 0


@given(spec=specs, nbytes=st.integers(0, audio.MAX_QUEUE))
def test_bytes_to_time_and_back_never_rounds_up(spec, nbytes):
    assert spec.usec(nbytes) * spec.rate * spec.frame_bytes <= nbytes * 1_000_000
    assert spec.bytes_for(spec.usec(nbytes)) <= nbytes


@given(spec=specs, usec=st.integers(0, 10_000_000))
def test_time_to_bytes_and_back_never_rounds_up(spec, usec):
    assert spec.usec(spec.bytes_for(usec)) <= usec
    assert spec.bytes_for(usec) % spec.frame_bytes == 0


@given(spec=specs, usec=st.integers(0, 10_000_000))
def test_rounding_up_is_at_most_one_frame_more(spec, usec):
    more = spec.bytes_for_up(usec) - spec.bytes_for(usec)
    assert more in (0, spec.frame_bytes)
    assert (more == 0) == (usec * spec.rate % 1_000_000 == 0)


def test_buffer_metrics_are_chosen_by_the_server_unless_said():
    assert set(BufferAttr()) == {INVALID}
    assert BufferAttr._fields == ("maxlength", "tlength", "prebuf", "minreq", "fragsize")


# -- channels


def test_channel_maps():
    assert valid_map(MONO, 1)
    assert valid_map(STEREO, 2)
    assert valid_map(bytes([50]), 1)
    assert not valid_map(STEREO, 1)
    assert not valid_map(MONO, 2)
    assert not valid_map(b"", 1)
    assert not valid_map(bytes([51]), 1)


# -- volumes


@given(volumes)
def test_every_sane_volume_is_valid(volume):
    assert valid_volume(volume)


@pytest.mark.parametrize("volume", [(), (0,) * 33, (VOLUME_MAX + 1,), (VOLUME_NORM, INVALID)], ids=str)
def test_other_volumes_are_not(volume):
    assert not valid_volume(volume)


def test_the_volume_scale():
    assert linear(VOLUME_NORM) == 1.0
    assert linear(VOLUME_MUTED) == 0.0
    assert linear(VOLUME_NORM // 2) == 0.125
    assert level(1.0) == VOLUME_NORM
    assert level(0.0) == VOLUME_MUTED
    assert level(0.125) == VOLUME_NORM // 2
    assert level(1e30) == VOLUME_MAX


@given(levels)
def test_a_level_survives_the_way_through_its_factor(one):
    assert level(linear(one)) == one


@given(volumes)
def test_full_volume_changes_nothing(volume):
    assert multiply(volume, (VOLUME_NORM,)) == volume
    assert multiply((VOLUME_NORM,) * len(volume), volume) == volume


@given(volumes)
def test_muted_stays_muted(volume):
    assert multiply(volume, (VOLUME_MUTED,)) == (VOLUME_MUTED,) * len(volume)


@given(st.lists(st.tuples(levels, levels), min_size=1, max_size=MAX_CHANNELS))
def test_the_order_of_volumes_does_not_matter(pairs):
    one, other = (tuple(side) for side in zip(*pairs, strict=True))
    product = multiply(one, other)
    assert product == multiply(other, one)
    assert valid_volume(product)


def test_two_halves_are_a_quarter():
    half = VOLUME_NORM // 2
    assert multiply((half, VOLUME_NORM), (half,)) == (half // 2, half)


def test_volumes_of_different_channels_do_not_multiply():
    with pytest.raises(ValueError):
        multiply((1, 2), (1, 2, 3))


def test_no_buffer_metric_is_longer_than_a_queue_may_be():
    asked = BufferAttr(maxlength=INVALID, tlength=MAX_QUEUE + 1, prebuf=0, minreq=INVALID - 1, fragsize=MAX_QUEUE)
    assert asked.bounded() == BufferAttr(INVALID, MAX_QUEUE, 0, MAX_QUEUE, MAX_QUEUE)
