from __future__ import annotations

import numpy as np
import pytest

from eardrum.terms.audio import SampleFormat, SampleSpec
from eardrum.testing import heard
from eardrum.testing.heard import (
    RATE,
    amplitude_at,
    assert_no_gap,
    assert_silence,
    assert_tone,
    assert_tones,
    gaps,
    sine,
    stereo_tones,
    tone,
    trimmed,
)

MS = RATE // 1000  # frames
STEREO = stereo_tones(440, 660, seconds=1)
LEFT = STEREO[:, 0]


def with_hole(sound: np.ndarray, at: int, frames: int) -> np.ndarray:
    return np.concatenate((sound[:at], np.zeros_like(sound[:frames]), sound[at + frames :]))


def with_repeat(sound: np.ndarray, at: int, frames: int) -> np.ndarray:
    return np.concatenate((sound[:at], sound[at - frames : at], sound[at:]))


def with_frames_missing(sound: np.ndarray, at: int, frames: int) -> np.ndarray:
    return np.concatenate((sound[:at], sound[at + frames :]))


def between_silence(sound: np.ndarray) -> np.ndarray:
    silence = np.zeros((1000, *sound.shape[1:]))
    return np.concatenate((silence, sound, silence))


# -- tones


@pytest.mark.parametrize("frequency", [50, 97.3, 440, 1000.7, 5000, 15_000, 23_000])
@pytest.mark.parametrize("frames", [2400, 48_000])
def test_a_tone_is_known_to_a_ten_thousandth(frequency, frames):
    wave = np.rint(sine(frequency, frames)[:, 0] * 32_768) / 32_768
    told = tone(wave, RATE)
    assert told.frequency == pytest.approx(frequency, rel=1e-4)
    assert told.amplitude == pytest.approx(0.25, rel=1e-3)
    assert told.residual < 1e-4


def test_noise_and_a_constant_are_not_the_tone():
    noise = np.random.default_rng(1).normal(scale=0.1, size=RATE)
    told = tone(LEFT + noise + 0.3, RATE)
    assert told.frequency == pytest.approx(440, rel=1e-3)
    assert told.amplitude == pytest.approx(0.25, rel=0.02)
    assert told.residual == pytest.approx(np.hypot(0.1, 0.3), rel=0.02)
    assert not told.pure


def test_silence_has_no_tone():
    assert str(tone(np.zeros(1000), RATE)) == "silence"
    assert str(tone(np.zeros(0), RATE)) == "silence"


def test_a_tone_is_heard_among_others():
    mixed = LEFT + STEREO[:, 1] * 0.5
    assert amplitude_at(mixed, RATE, 440) == pytest.approx(0.25, rel=0.01)
    assert amplitude_at(mixed, RATE, 660) == pytest.approx(0.125, rel=0.01)
    assert amplitude_at(mixed, RATE, 550) < 0.001


def test_the_right_tones_pass():
    assert_tone(LEFT, RATE, 440, 0.25)
    assert_tones(STEREO, RATE, (440, 660), 0.25)
    assert_tones((STEREO * 32_768).astype(np.int16), RATE, (440, 660), 0.25)


def test_swapped_channels_are_noticed():
    with pytest.raises(AssertionError, match=r"left: 660\.0 Hz at 0\.250, wanted 440 Hz"):
        assert_tones(STEREO[:, ::-1], RATE, (440, 660))


def test_two_percent_quieter_is_noticed():
    with pytest.raises(AssertionError, match=r"heard: 440\.0 Hz at 0\.245, wanted 440 Hz at 0\.250"):
        assert_tone(LEFT * 0.98, RATE, 440, 0.25)
    assert_tone(LEFT * 0.98, RATE, 440)
    assert_tone(LEFT * 0.98, RATE, 440, 0.25, within=0.03)


def test_two_percent_higher_is_noticed():
    with pytest.raises(AssertionError, match=r"448\.8 Hz"):
        assert_tone(sine(440 * 1.02, RATE)[:, 0], RATE, 440)


def test_the_wrong_rate_is_noticed():
    with pytest.raises(AssertionError, match=r"404\.\d Hz"):
        assert_tone(LEFT, 44_100, 440)


def test_another_tone_below_it_is_noticed():
    with pytest.raises(AssertionError, match="among other sound"):
        assert_tone(LEFT + STEREO[:, 1] * 0.1, RATE, 440, 0.25)


def test_silence_instead_of_a_tone_is_noticed():
    with pytest.raises(AssertionError, match="left: silence, wanted 440 Hz"):
        assert_tones(np.zeros((RATE, 2)), RATE, (440, 660))


def test_a_missing_channel_is_noticed():
    with pytest.raises(AssertionError, match="1 channels, wanted 2"):
        assert_tones(LEFT, RATE, (440, 660))


def test_two_channels_are_not_taken_for_one():
    with pytest.raises(AssertionError, match="2 channels"):
        tone(STEREO, RATE)


# -- gaps


def test_a_steady_tone_has_no_gap():
    assert gaps(LEFT, RATE) == []
    assert_no_gap(STEREO, RATE)
    assert_no_gap(between_silence(STEREO), RATE)
    assert_no_gap((STEREO * 32_768).astype(np.int16), RATE)


@pytest.mark.parametrize("frames", [1, 5, 48, 5 * MS, 100 * MS])
def test_a_hole_is_a_gap(frames):
    (gap,) = gaps(with_hole(LEFT, 20_045, frames), RATE)
    assert gap.begin <= 20_045 / RATE < (20_045 + frames) / RATE <= gap.end
    assert gap.begin > 20_045 / RATE - 0.01
    assert gap.end < (20_045 + frames) / RATE + 0.01


@pytest.mark.parametrize("frames", [1, 2, 7, 48, 960, 1024])
@pytest.mark.parametrize("damaged", [with_repeat, with_frames_missing])
def test_a_jump_is_a_gap(damaged, frames):
    (gap,) = gaps(damaged(LEFT, 20_000, frames), RATE)
    assert gap.begin <= 20_000 / RATE <= gap.end
    assert gap.end - gap.begin < 0.02


def test_one_louder_piece_is_a_gap():
    louder = LEFT.copy()
    louder[20_000:22_400] *= 1.03
    assert gaps(louder, RATE)


def test_each_gap_is_counted():
    twice = with_hole(with_repeat(LEFT, 10_000, 960), 30_000, 5 * MS)
    with pytest.raises(
        AssertionError, match=r"mono: 2 gaps in 1\.0\d\d s: a jump .* 5\.\d ms of silence between 0\.62"
    ):
        assert_no_gap(twice, RATE)


def test_the_channel_with_the_gap_is_named():
    one_sided = STEREO.copy()
    one_sided[:, 1] = with_hole(STEREO[:, 1], 20_000, 5 * MS)
    with pytest.raises(AssertionError, match="right: 1 gaps"):
        assert_no_gap(one_sided, RATE)


@pytest.mark.parametrize("sound", [np.zeros((RATE, 1)), np.zeros((0, 1)), STEREO[:100], STEREO * (1, 0)])
def test_no_tone_at_all_is_not_a_steady_tone(sound):
    with pytest.raises(AssertionError, match="no tone"):
        assert_no_gap(sound, RATE)


# -- silence


def test_silence_is_trimmed_on_both_sides_and_kept_within():
    holed = with_hole(STEREO, 20_000, 500)
    assert abs(len(trimmed(between_silence(holed))) - len(STEREO)) <= 2
    assert trimmed(np.zeros((5, 2))).shape == (0, 2)


def test_sound_in_one_channel_is_no_silence():
    assert_silence(np.zeros((100, 2)))
    assert_silence(np.zeros((0, 2)))
    assert_silence(np.full((100, 2), 0.0005))
    click = np.zeros((100, 2))
    click[70, 1] = -0.01
    with pytest.raises(AssertionError, match=r"right: up to 0\.0100 from frame 70"):
        assert_silence(click)


# -- files and bytes


@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_what_is_written_is_what_is_loaded(tmp_path, rate):
    path = heard.write_wav(tmp_path / "tones.wav", STEREO, rate)
    samples, told = heard.load(path)
    assert told == rate
    np.testing.assert_allclose(samples, STEREO, atol=0.5 / 32_768)


def test_mono_files_have_one_channel(tmp_path):
    samples, _ = heard.load(heard.write_wav(tmp_path / "tone.wav", LEFT))
    assert samples.shape == (RATE, 1)


def test_bytes_are_read_in_whole_frames():
    spec = SampleSpec(SampleFormat.S16BE, 2, RATE)
    assert heard.read_pcm(bytes.fromhex("4000 c000 2000"), spec).tolist() == [[0.5, -0.5]]
