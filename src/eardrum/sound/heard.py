"""What a recording holds, as a listener would tell it: how long, how loud, which tones, where it has gaps.

`Ear` hears a recording of any length block by block. Times are seconds from its first frame, amplitudes and levels are
parts of full scale (1.0); `decibels` has them in dBFS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eardrum.sound.block import Block

QUIET = 2**-10  # amplitude; what is not above it counts as silence: -60 dBFS, 32 steps of 16 bits
GAP = 0.005  # seconds; a shorter silence inside the sound is none, for every low tone crosses zero slowly
LOWEST = 25.0  # Hz; of a lower tone no frequency is told
CLOSE = 0.01  # what is off by this part of a frequency is still that tone

_PIECE = 0.2  # seconds that are looked at as one spectrum; pieces overlap by half
_AT_ONCE = 64  # spectra
_PEAKS = 32  # of one spectrum, the highest
_BESIDE = 10 ** (-30 / 20)  # a tone is not told if another at the same time is louder by more than 30 dB
_PROMINENT = 10.0  # times louder than what is around it in the spectrum
_AROUND = np.concatenate((np.arange(-14, -5), np.arange(6, 15)))  # lines
_SOUNDING = 0.4  # a tone sounds while it has this part of its greatest amplitude
_MOST_TONES = 100
_BLACKMAN_HARRIS = (0.35875, -0.48829, 0.14128, -0.01168)  # a window without side lobes above -92 dB

Floats = NDArray[np.float32]
Peaks = NDArray[np.float64]  # rows of (time, frequency, amplitude)


@dataclass(frozen=True)
class Tone:
    """A tone that is heard from `begin` to `end`, to a tenth of a second, for `seconds` of that time.

    One that is shorter than two tenths is told softer than it is, one shorter than a tenth may not be told.
    """

    frequency: float  # Hz
    amplitude: float
    begin: float
    end: float
    seconds: float


@dataclass(frozen=True)
class Gap:
    """Silence between two sounds of a channel."""

    begin: float
    end: float


@dataclass(frozen=True)
class Channel:
    """One channel of a recording."""

    name: str
    level: float  # rms, of the time in which any channel sounds
    peak: float
    tones: tuple[Tone, ...]  # the strongest first
    gaps: tuple[Gap, ...]

    @property
    def silent(self) -> bool:
        return self.peak <= QUIET

    def tone(self, frequency: float, within: float = CLOSE) -> Tone | None:
        """The strongest tone of about this frequency (Hz), if there is one."""
        near = (tone for tone in self.tones if abs(tone.frequency - frequency) <= within * frequency)
        return next(near, None)


@dataclass(frozen=True)
class Heard:
    """A recording. It sounds from `begin` to `end`; both are 0 if it is silent."""

    rate: int  # Hz
    frames: int
    begin: float
    end: float
    channels: tuple[Channel, ...]

    @property
    def length(self) -> float:
        """Seconds, with the silence before and after."""
        return self.frames / self.rate

    @property
    def sounding(self) -> float:
        """Seconds from the first sound to the last."""
        return self.end - self.begin

    @property
    def silent(self) -> bool:
        return all(channel.silent for channel in self.channels)


def decibels(amplitude: float) -> float:
    """An amplitude or level in dBFS; minus infinity for 0."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def channel_names(channels: int) -> list[str]:
    """How the channels of a recording are called."""
    return {1: ["mono"], 2: ["left", "right"]}.get(channels) or [f"channel {n + 1}" for n in range(channels)]


def listen(samples: Block, rate: int) -> Heard:
    """What is heard in all these samples."""
    ear = Ear(rate, samples.shape[1])
    ear.hear(samples)
    return ear.heard()


class Ear:
    """Hears one recording. What is not finite is heard as silence."""

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._frames = 0
        self._channels = [_Listener(name, rate) for name in channel_names(channels)]

    def hear(self, block: Block) -> None:
        """The next block, in the channels that were announced."""
        if not np.isfinite(block).all():
            block = np.nan_to_num(block, posinf=0, neginf=0)
        for listener, wave in zip(self._channels, block.T, strict=True):
            listener.hear(wave, self._frames)
        self._frames += len(block)

    def heard(self) -> Heard:
        """What the recording holds; nothing can be heard afterwards."""
        spans = [listener.span for listener in self._channels if listener.span]
        begin = min((first for first, _ in spans), default=0)
        end = max((last + 1 for _, last in spans), default=0)
        channels = tuple(listener.heard(self._frames, end - begin) for listener in self._channels)
        return Heard(self._rate, self._frames, begin / self._rate, end / self._rate, channels)


class _Listener:
    """Hears one channel."""

    def __init__(self, name: str, rate: int) -> None:
        self.span: tuple[int, int] | None = None  # the first and the last frame that sounds
        self._name = name
        self._rate = rate
        self._energy = 0.0
        self._peak = 0.0
        self._gaps: list[Gap] = []
        self._tones = _Tones(rate)

    def hear(self, wave: Floats, at: int) -> None:
        """`at` is the number of the first of these frames."""
        self._energy += float(np.square(wave, dtype=np.float64).sum())
        loudness = np.abs(wave)
        self._peak = max(self._peak, float(loudness.max(initial=0)))
        self._note_gaps(np.flatnonzero(loudness > QUIET) + at)
        self._tones.hear(wave)

    def _note_gaps(self, loud: NDArray[np.intp]) -> None:
        if not len(loud):
            return
        begins = np.concatenate(([self.span[1] if self.span else loud[0]], loud[:-1])) + 1
        long = loud - begins >= GAP * self._rate
        for begin, end in zip(begins[long], loud[long], strict=True):
            self._gaps.append(Gap(float(begin) / self._rate, float(end) / self._rate))
        self.span = (self.span[0] if self.span else int(loud[0]), int(loud[-1]))

    def heard(self, frames: int, sounding: int) -> Channel:
        """`frames` is how many there were, `sounding` in how many of them any channel sounds."""
        level = math.sqrt(self._energy / sounding) if sounding else 0.0
        tones = self._tones.heard(frames / self._rate)
        return Channel(self._name, level, self._peak, tones, tuple(self._gaps))


class _Tones:
    """Finds tones in one channel: lines that stand out in the spectra of short pieces."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._length = max(64, round(_PIECE * rate) // 2 * 2)  # frames of a piece
        turns = 2 * np.pi * np.arange(self._length) / self._length
        window = np.sum([factor * np.cos(n * turns) for n, factor in enumerate(_BLACKMAN_HARRIS)], axis=0)
        self._window = (2 * window / window.sum()).astype(np.float32)
        self._rest: list[Floats] = [
            np.zeros(self._length // 2, np.float32)
        ]  # so that piece n has its middle at n * hop
        self._peaks: list[Peaks] = []
        self._pieces = 0

    @property
    def _hop(self) -> int:
        return self._length // 2

    def hear(self, wave: Floats) -> None:
        self._rest.append(wave)
        if sum(map(len, self._rest)) < self._length:
            return
        waiting = np.concatenate(self._rest)
        pieces = np.lib.stride_tricks.sliding_window_view(waiting, self._length)[:: self._hop]
        for start in range(0, len(pieces), _AT_ONCE):
            self._look_at(pieces[start : start + _AT_ONCE])
        self._rest = [waiting[len(pieces) * self._hop :].copy()]

    def _look_at(self, pieces: Floats) -> None:
        spectra = np.abs(np.fft.rfft(pieces * self._window))
        for spectrum in spectra:
            peaks = self._prominent(spectrum)
            time = self._pieces * self._hop / self._rate
            self._pieces += 1
            if len(peaks):
                self._peaks.append(np.column_stack((np.full(len(peaks), time), peaks)))

    def _prominent(self, spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows of (frequency, amplitude)."""
        floor = max(QUIET, _BESIDE * float(spectrum.max()))
        first = max(1, math.ceil(LOWEST * self._length / self._rate))
        middle = spectrum[first:-1]
        found = (middle > floor) & (middle >= spectrum[first - 1 : -2]) & (middle > spectrum[first + 1 :])
        lines = np.flatnonzero(found) + first
        if len(lines) > _PEAKS:
            lines = lines[np.argpartition(spectrum[lines], -_PEAKS)[-_PEAKS:]]
        around = np.minimum(np.abs(lines[:, np.newaxis] + _AROUND), len(spectrum) - 1)
        lines = lines[spectrum[lines] > _PROMINENT * np.median(spectrum[around], axis=1)]
        left, peak, right = (np.log(spectrum[lines + side] + 1e-12) for side in (-1, 0, 1))
        aside = (left - right) / 2 / (left - 2 * peak + right)  # the top of a parabola through three lines
        amplitudes = np.exp(peak - (left - right) * aside / 4)
        return np.column_stack(((lines + aside) * self._rate / self._length, amplitudes))

    def heard(self, seconds: float) -> tuple[Tone, ...]:
        """The tones, when `seconds` of sound have been heard."""
        self.hear(np.zeros(self._length, np.float32))
        peaks = np.concatenate(self._peaks) if self._peaks else np.empty((0, 3))
        tones: list[Tone] = []
        while len(peaks) and len(tones) < _MOST_TONES:
            strongest = peaks[peaks[:, 2].argmax(), 1]
            same = np.abs(peaks[:, 1] - strongest) <= max(CLOSE / 2 * strongest, self._rate / self._length / 2)
            tones.append(self._tone(peaks[same], seconds))
            peaks = peaks[~same]
        return tuple(sorted(tones, key=lambda tone: -(tone.amplitude**2) * tone.seconds))

    def _tone(self, peaks: Peaks, seconds: float) -> Tone:
        sounding = peaks[peaks[:, 2] >= _SOUNDING * peaks[:, 2].max()]
        times, frequencies, amplitudes = sounding.T
        hop = self._hop / self._rate
        begin, end = max(0.0, times[0] - hop / 2), min(seconds, times[-1] + hop / 2)
        return Tone(
            float(np.average(frequencies, weights=amplitudes)),
            float(amplitudes.max()),
            float(begin),
            float(end),
            float(min(end - begin, len(np.unique(times)) * hop)),
        )
