from __future__ import annotations

import math

import numpy as np
import pytest

from eardrum.sound.heard import QUIET, Ear, Heard, channel_names, decibels, listen
from eardrum.testing.heard import RATE, sine, stereo_tones

QUARTER = 20 * math.log10(0.25)  # dBFS


def heard(*sounds: np.ndarray, rate: int = RATE) -> Heard:
    return listen(np.concatenate(sounds).astype(np.float32), rate)


def silence(seconds: float, channels: int = 1) -> np.ndarray:
    return np.zeros((round(seconds * RATE), channels))


def tone(frequency: float, seconds: float, amplitude: float = 0.25) -> np.ndarray:
    return sine(frequency, round(seconds * RATE), amplitude=amplitude)


def frequencies(told: Heard, channel: int = 0) -> list[float]:
    return [round(tone.frequency) for tone in told.channels[channel].tones]


# -- length and level


def test_a_sound_between_silence():
    told = heard(silence(1), tone(440, 2), silence(0.5))
    assert (told.rate, told.frames, told.length) == (RATE, 168_000, 3.5)
    assert (told.begin, told.end) == pytest.approx((1, 3), abs=1e-4)
    assert told.sounding == pytest.approx(2, abs=1e-4)
    (mono,) = told.channels
    assert mono.name == "mono"
    assert decibels(mono.peak) == pytest.approx(QUARTER, abs=0.01)
    assert decibels(mono.level) == pytest.approx(QUARTER - 3.01, abs=0.01)
    assert not told.silent


@pytest.mark.parametrize("frames", [0, 1, 48_000])
def test_silence(frames):
    told = listen(np.full((frames, 2), QUIET, np.float32), RATE)
    assert told.silent
    assert all(channel.silent for channel in told.channels)
    assert (told.begin, told.end, told.sounding) == (0, 0, 0)


def test_what_is_no_number_is_silence():
    block = np.array([[np.nan], [np.inf], [-np.inf], [0.5]], np.float32)
    told = listen(block, RATE)
    assert told.channels[0].peak == 0.5
    assert told.begin == pytest.approx(3 / RATE)


def test_decibels():
    assert [decibels(1.0), decibels(0.1), decibels(0.0)] == [0, -20, -math.inf]


@pytest.mark.parametrize(
    ("count", "names"), [(1, ["mono"]), (2, ["left", "right"]), (3, ["channel 1", "channel 2", "channel 3"])]
)
def test_names_of_channels(count, names):
    assert channel_names(count) == names
    assert [channel.name for channel in listen(np.zeros((1, count), np.float32), RATE).channels] == names


# -- tones


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("frequency", [30, 97.3, 440, 1000.7, 3900])
def test_a_tone_is_known_to_a_thousandth(frequency, rate):
    told = heard(sine(frequency, rate, rate), rate=rate).channels[0]
    assert [tone.frequency for tone in told.tones] == pytest.approx([frequency], rel=1e-3)
    assert decibels(told.tones[0].amplitude) == pytest.approx(QUARTER, abs=0.05)
    assert (told.tones[0].begin, told.tones[0].end) == pytest.approx((0, 1), abs=0.1)


def test_each_channel_has_its_own():
    told = listen(stereo_tones(440, 660, seconds=1).astype(np.float32), RATE)
    assert (frequencies(told, 0), frequencies(told, 1)) == ([440], [660])


def test_a_melody():
    notes = (440, 494, 523, 587, 659)
    told = heard(*(tone(note, 0.3) for note in notes)).channels[0]
    in_time = sorted(told.tones, key=lambda tone: tone.begin)
    assert [round(note.frequency) for note in in_time] == list(notes)
    assert [note.begin for note in in_time] == pytest.approx([0, 0.3, 0.6, 0.9, 1.2], abs=0.1)


def test_a_chord_the_strongest_tone_first():
    told = heard(tone(440, 2) + tone(466, 2, 0.1) + tone(880, 2, 0.05))
    assert frequencies(told) == [440, 466, 880]


def test_a_short_beep():
    assert frequencies(heard(silence(1), tone(1000, 0.1), silence(1))) == [1000]


def test_a_tone_in_noise_and_no_tone_in_noise_alone():
    noise = np.random.default_rng(1).normal(0, 0.1, (5 * RATE, 1))
    assert frequencies(heard(noise)) == []
    assert frequencies(heard(noise + tone(440, 5, 0.05))) == [440]


def test_a_sweep_is_no_tone():
    time = np.arange(2 * RATE) / RATE
    assert frequencies(heard(0.25 * np.sin(2 * np.pi * (200 * time + 1000 * time**2))[:, np.newaxis])) == []


def test_what_is_far_softer_than_another_tone_is_not_told():
    assert frequencies(heard(tone(440, 1) + tone(880, 1, 0.007))) == [440]


def test_the_tone_that_is_asked_for():
    (told,) = heard(tone(440, 1) + tone(880, 1, 0.1)).channels
    assert told.tone(880) is told.tones[1]
    assert told.tone(444)
    assert told.tone(446) is None
    assert told.tone(460, within=0.1)


# -- gaps


def test_a_gap_is_silence_inside_the_sound():
    told = heard(silence(0.5), tone(440, 1), silence(0.01), tone(440, 1), silence(0.2)).channels[0]
    ((begin, end),) = [(gap.begin, gap.end) for gap in told.gaps]
    assert (begin, end) == pytest.approx((1.5, 1.51), abs=1e-4)


def test_what_is_shorter_than_five_milliseconds_is_no_gap():
    assert heard(tone(440, 1), silence(0.004), tone(440, 1), tone(25, 1, 0.01)).channels[0].gaps == ()


def test_each_channel_has_its_own_gaps():
    sound = stereo_tones(440, 660, seconds=1)
    sound[20_000:30_000, 1] = 0
    told = listen(sound.astype(np.float32), RATE)
    assert [len(channel.gaps) for channel in told.channels] == [0, 1]


# -- blocks


@pytest.mark.parametrize("length", [1000, 4800, 9600, 33_333])
def test_it_does_not_matter_in_which_blocks_it_comes(length):
    sound = np.concatenate((tone(440, 0.7), silence(0.3), tone(523, 0.5)))[:, :1].astype(np.float32)
    ear = Ear(RATE, 1)
    for start in range(0, len(sound), length):
        ear.hear(sound[start : start + length])
    told, whole = ear.heard(), listen(sound, RATE)
    assert (told.begin, told.end, told.channels[0].gaps) == (whole.begin, whole.end, whole.channels[0].gaps)
    assert told.channels[0].level == pytest.approx(whole.channels[0].level)
    assert frequencies(told) == frequencies(whole) == [440, 523]
