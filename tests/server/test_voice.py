"""Bytes of a stream become sound for a bus."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.server.mixed import Buses
from eardrum.server.samples import Tape
from eardrum.server.voice import Voice
from eardrum.sound.volume import gains
from eardrum.terms.audio import MONO, STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.testing.stage import FLOAT, sine


def voice(spec: SampleSpec = FLOAT, tune: np.ndarray | None = None) -> Voice:
    """A voice on a bus of 48 kHz stereo, with this in its queue."""
    data = b"" if tune is None else tune.tobytes()
    return Voice(Tape(data), spec, STEREO if spec.channels == 2 else MONO, Buses([]).output)


def test_what_is_queued_is_what_sounds_and_where_it_ends_so_does_the_sound():
    tune = sine(440, 480)
    singer = voice(tune=tune)
    first, consumed = singer.take(300)
    rest, _ = singer.take(300)
    assert consumed == 300 * FLOAT.frame_bytes
    assert np.array_equal(np.concatenate([first, rest]), tune)
    assert singer.spent


def test_the_sound_has_the_channels_and_the_level_that_the_bus_wants():
    singer = voice(SampleSpec(SampleFormat.FLOAT32LE, 1, 48000), np.ones((4, 1), np.float32))
    singer.set_gain(gains((VOLUME_NORM // 2,)))
    assert np.array_equal(singer.take(4)[0], np.full((4, 2), 0.125, np.float32))


@pytest.mark.parametrize("rate", [8000, 44100, 96000])
def test_a_second_at_any_rate_is_a_second(rate):
    singer = voice(SampleSpec(SampleFormat.FLOAT32LE, 2, rate), sine(440, rate, rate=rate))
    assert singer.rest == 1.0
    frames = 0
    while len(block := singer.take(480)[0]):
        frames += len(block)
    assert (frames, singer.spent, singer.ahead_usec) == (48000, True, 0)


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 96000])
def test_what_nobody_hears_takes_as_long(rate):
    singer = voice(SampleSpec(SampleFormat.FLOAT32LE, 2, rate), sine(440, rate, rate=rate))
    frames = consumed = 0
    while found := singer.skip(480):
        frames += found[0]
        consumed += found[1]
        if singer.spent:
            break
    assert (frames, consumed) == (48000, rate * 8)


@given(
    rate=st.sampled_from([8000, 44100, 48000, 96000]),
    turns=st.lists(st.tuples(st.booleans(), st.integers(1, 2000)), max_size=12),
)
def test_nothing_is_lost_when_somebody_listens_now_and_then(rate, turns):
    singer = voice(SampleSpec(SampleFormat.FLOAT32LE, 2, rate), np.full((rate // 2, 2), 0.5, np.float32))
    frames = sum(len(singer.take(count)[0]) if heard else singer.skip(count)[0] for heard, count in turns)
    lost = len(turns) * -(-48_000 // rate)  # a frame of the stream for each change, no more
    assert abs(frames - min(24_000, sum(count for _, count in turns))) <= lost
    while len(block := singer.take(480)[0]):
        frames += len(block)
    assert abs(frames - 24_000) <= lost
    assert singer.spent


def test_what_was_resampled_and_not_played_can_be_forgotten():
    singer = voice(SampleSpec(SampleFormat.FLOAT32LE, 2, 44100), sine(440, 4410, rate=44100))
    singer.take(480)
    assert singer.ahead_usec > 0
    singer.hush()
    assert singer.ahead_usec == 0
    assert not singer.spent


@pytest.mark.parametrize(("before", "after"), [(44100, 48000), (48000, 32000), (32000, 44100)])
def test_a_change_of_the_rate_loses_nothing(before, after):
    singer = voice(FLOAT._replace(rate=before), np.ones((40_000, 2), np.float32))
    first, consumed = singer.take(10_000)
    taken = consumed // FLOAT.frame_bytes
    singer.tune(FLOAT._replace(rate=after))
    parts = [first]
    while len(block := singer.take(480)[0]):
        parts.append(block)
    heard = np.concatenate(parts)
    assert abs(len(heard) - (taken / before + (40_000 - taken) / after) * 48000) <= 2
    assert np.count_nonzero(heard < 0.4) <= 100  # where two resamplers meet, no more
    assert singer.spent


def test_on_another_bus_nothing_is_lost():
    buses = Buses([])
    slow = buses.add(44100)
    singer = Voice(Tape(sine(440, 48000).tobytes()), FLOAT, STEREO, slow)
    first = singer.take(22050)[0]
    singer.move(buses.output)
    parts = []
    while len(block := singer.take(480)[0]):
        parts.append(block)
    assert abs(len(first) / 44100 + sum(map(len, parts)) / 48000 - 1.0) < 0.001
    assert singer.spent


def test_the_lowest_rate_is_heard_too():
    singer = voice(SampleSpec(SampleFormat.FLOAT32LE, 1, 1), np.full((2, 1), 0.5, np.float32))
    assert np.array_equal(singer.take(48_000)[0], np.full((48_000, 2), 0.5, np.float32))


def test_channels_may_keep_their_order_whatever_they_are_called():
    quad = SampleSpec(SampleFormat.FLOAT32LE, 4, 48000)
    tune = np.array([[0.1, 0.2, 0.3, 0.4]], np.float32)
    rear_first = bytes((5, 6, 1, 2))
    bus = Buses([]).output
    heard = {
        flag: Voice(Tape(tune.tobytes()), quad, rear_first, bus, **{flag: True}).take(1)[0].tolist()
        for flag in ("no_remap", "no_remix")
    }
    assert heard == {"no_remap": [tune[0, :2].tolist()], "no_remix": [tune[0, 2:].tolist()]}
