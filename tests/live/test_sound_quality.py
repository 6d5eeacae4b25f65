"""What many programs play at once comes out as the exact sum of what they played."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from eardrum.protocol.catalog import Ack, CorkPlaybackStream
from eardrum.sound import convert
from eardrum.terms.audio import VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.testing.conformance.client import Talk
from eardrum.testing.heard import RATE

SECONDS = 1
AMPLITUDE = 0.03
QUIETEST = 10 ** (-90 / 20)  # of full scale, rms
RATES = (48_000, 44_100, 8_000, 96_000, 22_050, 192_000, 11_025, 32_000)  # Hz
MAPS = (bytes((1, 2)), bytes((0,)), bytes((2, 1)), bytes((1, 2, 7)))
COARSE = (SampleFormat.U8, SampleFormat.ALAW, SampleFormat.ULAW)  # what they make of a tone is far from it
SIXTEEN = (SampleFormat.S16LE, SampleFormat.S16BE)
LEVELS = (0x10000, 0xC000, 0x8000)  # volumes


def specs() -> list[SampleSpec]:
    """32 streams: every format, rate and number of channels; coarse formats at the rate of the sink."""
    fine = [format for format in SampleFormat if format not in COARSE + SIXTEEN]
    formats = [*COARSE, *SIXTEEN, *(fine * 4)][:32]
    return [
        SampleSpec(format, len(MAPS[n % len(MAPS)]), RATE if format in COARSE else RATES[n % len(RATES)])
        for n, format in enumerate(formats)
    ]


def tone(frequency: float, rate: int) -> np.ndarray:
    """A tone that swells and fades, so that it has a band."""
    time = np.arange(SECONDS * rate) / rate
    return AMPLITUDE * np.sin(np.pi * time / SECONDS) ** 2 * np.sin(2 * np.pi * frequency * time)


@pytest.fixture(scope="module")
def server(stage):
    return stage.serve("quality")


@pytest.fixture
def talk(server):
    talk = Talk(server.address.removeprefix("unix:")).introduced()
    yield talk
    talk.close()


def test_32_streams_are_their_exact_sum(talk):
    float_stereo = SampleSpec(SampleFormat.FLOAT32LE, 2, RATE)
    ears = talk.record(float_stereo, source_name="@DEFAULT_MONITOR@", fragsize=960 * 8).channel
    wanted = np.zeros((SECONDS * RATE, 2))
    channels = []
    for n, spec in enumerate(specs()):
        channel_map, volume, frequencies = MAPS[n % len(MAPS)], LEVELS[n % len(LEVELS)], (200 + 70 * n, 300 + 70 * n)
        sound = np.zeros((SECONDS * spec.rate, spec.channels), np.float32)
        heard = []
        for channel in range(min(2, spec.channels)):
            sound[:, channel] = tone(frequencies[channel], spec.rate)
            heard.append(tone(frequencies[channel], RATE))
        data = convert.encode(sound, spec)
        if spec.format in COARSE:
            heard = list(convert.decode(data, spec).T.astype(np.float64))[:2]
        gain = (volume / VOLUME_NORM) ** 3
        sides = {0: (0, 0), 1: (0, 1), 2: (1, 0)}[channel_map[0]]
        for side in (0, 1):
            wanted[:, side] += gain * heard[sides[side]]
        fields = {"channel_map": channel_map, "volume": (volume,) * spec.channels, "sync_id": 7, "prebuf": 0}
        channels.append(talk.play(spec, corked=True, tlength=len(data), **fields).channel)
        talk.write(channels[-1], data)
    talk.must(Ack, CorkPlaybackStream(channel=channels[0], cork=False))

    def recorded() -> np.ndarray:
        return np.frombuffer(bytes(talk.sound.get(ears, b"")), np.float32).reshape(-1, 2).astype(np.float64)

    def whole() -> bool:
        loud = np.flatnonzero(np.abs(recorded()).max(axis=1, initial=0) > QUIETEST)
        return len(loud) > 0 and len(recorded()) > loud[0] + (SECONDS + 0.5) * RATE

    talk.until(whole, "all that was played")
    heard = recorded()
    size = 2 * len(heard)
    match = np.fft.irfft(np.conj(np.fft.rfft(wanted[:, 0], size)) * np.fft.rfft(heard[:, 0], size), size)
    begin = int(match.argmax())
    rest = heard[begin : begin + len(wanted)] - wanted
    assert len(rest) == len(wanted)
    assert np.sqrt(np.mean(rest**2)) < QUIETEST


def test_the_volume_is_cubic_to_a_tenth_of_a_decibel(talk):
    spec = SampleSpec(SampleFormat.FLOAT32LE, 1, RATE)
    ears = talk.record(spec, source_name="@DEFAULT_MONITOR@", fragsize=480 * 4).channel
    levels = [round(VOLUME_NORM * part) for part in (0.1, 0.25, 0.5, 0.8, 1.0, 1.25)]
    made = [talk.play(spec, volume=(level,), prebuf=0, corked=True, sync_id=3) for level in levels]
    piece, spacing = RATE // 50, RATE // 25
    for n, stream in enumerate(made):  # each is heard after the one before
        sound = np.zeros(len(levels) * spacing, np.float32)
        sound[n * spacing : n * spacing + piece] = 0.5
        talk.write(stream.channel, sound.tobytes())
    talk.must(Ack, CorkPlaybackStream(channel=made[0].channel, cork=False))

    def recorded() -> np.ndarray:
        return np.frombuffer(bytes(talk.sound.get(ears, b"")), np.float32)

    def steps() -> list[tuple[int, int]]:
        edges = np.flatnonzero(np.diff((recorded() > 0).astype(int), prepend=0, append=0))
        return [(int(a), int(b)) for a, b in pairwise(edges)][::2]

    talk.until(lambda: len(steps()) == len(levels) and not recorded()[-1:].any(), "every volume")
    assert [b - a for a, b in steps()] == [piece] * len(levels)
    for (a, b), level in zip(steps(), levels, strict=True):
        decibels = 20 * np.log10(recorded()[a:b] / 0.5)
        assert np.abs(decibels - 60 * np.log10(level / VOLUME_NORM)).max() < 0.1
