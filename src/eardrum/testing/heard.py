"""Sounds for tests to play, and ears: what a recording holds, said in hertz, amplitudes and milliseconds.

Samples are arrays of frames by channels, or of one channel; full scale is 1.0 (integers are scaled to it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from eardrum.sound import convert
from eardrum.sound.heard import QUIET, channel_names
from eardrum.terms.audio import SampleFormat, Samples, SampleSpec

Floats = NDArray[np.float64]
RATE = 48_000  # Hz
QUIET_FRAMES = 4  # a tone may be quiet for so long where it crosses zero
PURE = 0.05  # a tone is not heard as one if the rest of the channel is more than this part of it (rms)


# -- sounds to play


def sine(frequency: float, frames: int, rate: int = RATE, amplitude: float = 0.25, channels: int = 1) -> Floats:
    """A tone that begins at a zero, the same in all channels."""
    wave = amplitude * np.sin(2 * np.pi * frequency / rate * np.arange(frames))
    return np.repeat(wave[:, np.newaxis], channels, axis=1)


def stereo_tones(left: float, right: float, seconds: float, rate: int = RATE, amplitude: float = 0.25) -> Floats:
    """A tone on the left and another on the right (Hz)."""
    frames = round(seconds * rate)
    return np.hstack((sine(left, frames, rate, amplitude), sine(right, frames, rate, amplitude)))


def write_wav(path: Path, samples: NDArray[Any], rate: int = RATE) -> Path:
    """Write samples as 16 bit WAV; returns the path."""
    sound = _floats(samples)
    spec = SampleSpec(SampleFormat.S16LE, sound.shape[1], rate)
    soundfile.write(
        path, np.frombuffer(convert.encode(sound.astype(np.float32), spec), "<i2").reshape(sound.shape), rate
    )
    return path


# -- what was recorded


def load(path: Path) -> tuple[Floats, int]:
    """The samples of a sound file (frames by channels) and its rate in Hz."""
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    return samples, rate


def read_pcm(data: Samples, spec: SampleSpec) -> Floats:
    """The samples that bytes in `spec` stand for; a frame that is cut short is left out."""
    return convert.decode(data[: len(data) // spec.frame_bytes * spec.frame_bytes], spec).astype(np.float64)


def trimmed(samples: NDArray[Any]) -> Floats:
    """Samples without the silence before and after; the zero that a tone begins with goes as well."""
    sound = _floats(samples)
    loud = np.flatnonzero((np.abs(sound) > QUIET).any(axis=1))
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound[:0]


# -- tones


@dataclass(frozen=True)
class Tone:
    """The strongest tone of a channel: Hz, amplitude, and the rms of what is not this tone."""

    frequency: float
    amplitude: float
    residual: float

    def __str__(self) -> str:
        if not self.amplitude:
            return "silence"
        rest = f" among other sound ({self.residual:.3f} rms)" if not self.pure else ""
        return f"{self.frequency:.1f} Hz at {self.amplitude:.3f}{rest}"

    @property
    def pure(self) -> bool:
        return self.residual <= PURE * self.amplitude / 2**0.5


def tone(channel: NDArray[Any], rate: int) -> Tone:
    """The strongest tone of one channel, its frequency exact to far below 0.1 %, fitted by least squares."""
    wave = _one(channel)
    if len(wave) < 4 or np.abs(wave).max() == 0:
        return Tone(0.0, 0.0, 0.0)
    step = _strongest(wave)
    time = np.arange(len(wave)) - len(wave) / 2
    for _ in range(8):
        across, along = np.cos(step * time), np.sin(step * time)
        a, b = _solve((across, along), wave)
        turning = time * (b * across - a * along)
        step += _solve((across, along, turning), wave)[2]
    return _fitted(wave, step, rate)


def amplitude_at(channel: NDArray[Any], rate: int, frequency: float) -> float:
    """How loud a tone of known frequency is in one channel, whatever else is heard."""
    return _fitted(_one(channel), 2 * np.pi * frequency / rate, rate).amplitude


def assert_tone(
    channel: NDArray[Any],
    rate: int,
    frequency: float,
    amplitude: float | None = None,
    within: float = 0.01,
    name: str = "heard",
) -> None:
    """One channel holds this tone and hardly anything else; `within` is a ratio, for frequency and amplitude."""
    heard = tone(channel, rate)
    wanted = f"{name}: {heard}, wanted {frequency:g} Hz" + (f" at {amplitude:.3f}" if amplitude is not None else "")
    assert heard.amplitude > QUIET, wanted
    assert abs(heard.frequency - frequency) <= within * frequency, wanted
    assert amplitude is None or abs(heard.amplitude - amplitude) <= within * amplitude, wanted
    assert heard.pure, wanted


def assert_tones(
    samples: NDArray[Any], rate: int, frequencies: Sequence[float], amplitude: float | None = None, within: float = 0.01
) -> None:
    """Each channel holds its tone: `assert_tones(samples, rate, (440, 660))` is left 440 Hz, right 660 Hz."""
    channels = list(_named(samples))
    assert len(channels) == len(frequencies), f"{len(channels)} channels, wanted {len(frequencies)}"
    for (name, channel), frequency in zip(channels, frequencies, strict=True):
        assert_tone(channel, rate, frequency, amplitude, within, name)


def assert_silence(samples: NDArray[Any]) -> None:
    """Nothing louder than `QUIET` is in any channel."""
    for name, channel in _named(samples):
        loudest = np.abs(channel).max(initial=0)
        assert loudest <= QUIET, (
            f"{name}: up to {loudest:.4f} from frame {np.argmax(np.abs(channel) > QUIET)}, wanted silence"
        )


# -- gaps


@dataclass(frozen=True)
class Gap:
    """A place where a steady tone is not steady; seconds from the beginning of the samples."""

    begin: float
    end: float
    what: str

    def __str__(self) -> str:
        return f"{self.what} between {self.begin:.4f} s and {self.end:.4f} s"


def gaps(channel: NDArray[Any], rate: int, within: float = 0.02) -> list[Gap]:
    """Holes, jumps and repeats in one channel that should be a steady tone, with no silence before or after it.

    A sine is fitted to short pieces, each half over the next. What no sine explains, and how far its amplitude is from
    the usual one, may be `within` of that; from piece to piece its phase may be off by a quarter of a frame. A repeat
    of whole periods cannot be heard.
    """
    wave = _one(channel)
    whole = tone(wave, rate)
    nothing = [Gap(0.0, len(wave) / rate, "no tone, or too little of it,")]
    if whole.amplitude <= QUIET:
        return nothing
    step = 2 * np.pi * whole.frequency / rate
    length = max(round(0.005 * rate), round(2 * 2 * np.pi / step)) // 2 * 2
    if len(wave) < 4 * length:
        return nothing
    phasors, rests = _pieces(wave, step, length)
    levels = np.abs(phasors)
    usual = float(np.median(levels))
    turns = np.angle(phasors[1:] * phasors[:-1].conj())
    turns = np.append(turns - np.median(turns), 0.0)
    odd = (np.abs(levels - usual) > within * usual) | (rests > within * usual) | (np.abs(turns) > step / 4)
    found = np.flatnonzero(odd)
    if not len(found):
        return []
    return [
        _gap(wave, run[0] * length // 2, (run[-1] + 3) * length // 2, rate, levels[run] / usual, turns[run])
        for run in np.split(found, np.flatnonzero(np.diff(found) > 1) + 1)
    ]


def assert_no_gap(samples: NDArray[Any], rate: int, within: float = 0.02) -> None:
    """Each channel is a steady tone without hole, jump or repeat; silence before and after it does not count."""
    for name, channel in _named(trimmed(samples)):
        found = gaps(channel, rate, within)
        assert not found, f"{name}: {len(found)} gaps in {len(channel) / rate:.3f} s: " + "; ".join(map(str, found[:5]))


def _pieces(wave: Floats, step: float, length: int) -> tuple[NDArray[np.complex128], Floats]:
    """What a sine of `step` radians a frame is in each piece (amplitude and phase), and the rms of the rest."""
    starts = np.arange(0, len(wave) - length + 1, length // 2)
    pieces = np.lib.stride_tricks.sliding_window_view(wave, length)[starts].T
    time = np.arange(length)
    basis = np.column_stack((np.cos(step * time), np.sin(step * time)))
    fits = np.linalg.lstsq(basis, pieces, rcond=None)[0]
    rests = np.sqrt(np.mean((pieces - basis @ fits) ** 2, axis=0))
    return (fits[0] - 1j * fits[1]) * np.exp(-1j * step * starts), rests


def _gap(wave: Floats, begin: int, end: int, rate: int, levels: Floats, turns: Floats) -> Gap:
    """A gap between two frames, told in words."""
    loud = np.flatnonzero(np.abs(wave[begin:end]) > QUIET)
    quiet = int(np.diff(loud, prepend=-1, append=min(end, len(wave)) - begin).max()) - 1
    if quiet > QUIET_FRAMES:
        what = f"{quiet / rate * 1000:.1f} ms of silence"
    else:
        level = levels[np.abs(levels - 1).argmax()]
        what = f"a jump by {abs(turns.sum()) / (2 * np.pi) % 1:.3f} of a period, at {level:.0%} of the level,"
    return Gap(begin / rate, min(end, len(wave)) / rate, what)


# -- inside


def _floats(samples: NDArray[Any]) -> Floats:
    """Frames by channels, full scale 1.0."""
    sound = samples[:, np.newaxis] if samples.ndim == 1 else samples
    scale = -float(np.iinfo(sound.dtype).min) if sound.dtype.kind == "i" else 1.0
    return sound.astype(np.float64) / scale


def _one(channel: NDArray[Any]) -> Floats:
    sound = _floats(channel)
    assert sound.shape[1] == 1, f"{sound.shape[1]} channels where one is listened to"
    return sound[:, 0]


def _named(samples: NDArray[Any]) -> Iterator[tuple[str, Floats]]:
    channels = _floats(samples).T
    return zip(channel_names(len(channels)), channels, strict=True)


def _strongest(wave: Floats) -> float:
    """The strongest frequency of a spectrum, in radians a frame, between its lines by a parabola."""
    spectrum = np.abs(np.fft.rfft((wave - wave.mean()) * np.hanning(len(wave)))) + 1e-12
    line = int(spectrum[1:-1].argmax()) + 1
    left, peak, right = np.log(spectrum[line - 1 : line + 2])
    return float(2 * np.pi * (line + (left - right) / 2 / (left - 2 * peak + right)) / len(wave))


def _solve(columns: Sequence[Floats], wave: Floats) -> NDArray[np.floating[Any]]:
    """The least-squares factors by which the columns add up to `wave`."""
    basis = np.column_stack(columns)
    return np.linalg.solve(basis.T @ basis, basis.T @ wave)


def _fitted(wave: Floats, step: float, rate: int) -> Tone:
    time = np.arange(len(wave)) - len(wave) / 2
    across, along = np.cos(step * time), np.sin(step * time)
    a, b = _solve((across, along), wave)
    residual = float(np.sqrt(np.mean((wave - a * across - b * along) ** 2)))
    return Tone(step * rate / (2 * np.pi), float(np.hypot(a, b)), residual)
