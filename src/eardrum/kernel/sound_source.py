"""The file at the end of a `file:` or `loop:` input: any sound file becomes blocks of sound at our rate."""

from __future__ import annotations

import numpy as np
import soundfile

from eardrum.sound.block import Block
from eardrum.sound.convert import decode
from eardrum.sound.remap import remap
from eardrum.sound.resample import Resampler, resampler
from eardrum.terms.audio import STEREO, ChannelMap, Position, SampleFormat, SampleSpec
from eardrum.terms.errors import Refused

_AT_ONCE = 0.1  # seconds of the file that are decoded at once
_RATES = range(1000, 768_001)  # Hz
_LFE, _FC = Position.LFE, Position.FRONT_CENTER
_FRONT, _REAR, _SIDE = STEREO, bytes((Position.REAR_LEFT, Position.REAR_RIGHT)), bytes((10, 11))
_MAPS: dict[int, ChannelMap] = {  # by number of channels, as WAV and FLAC order them
    1: bytes((Position.MONO,)),
    2: _FRONT,
    3: _FRONT + bytes((_FC,)),
    4: _FRONT + _REAR,
    5: _FRONT + bytes((_FC,)) + _REAR,
    6: _FRONT + bytes((_FC, _LFE)) + _REAR,
    8: _FRONT + bytes((_FC, _LFE)) + _REAR + _SIDE,
}


class FileReader:
    """Reads a sound file from a descriptor, which it owns, as stereo; once made it opens nothing.

    With `loop` the file begins again where it ends, without a gap.
    """

    def __init__(self, fd: int, name: str, rate: int, *, loop: bool = False) -> None:
        """`rate` (Hz) is that of the blocks, `name` is for people. Raises OSError if it cannot be played."""
        self._name = name
        self._loop = loop
        self._rate = rate
        try:
            self._file = soundfile.SoundFile(fd, "r")
        except soundfile.SoundFileError:
            raise OSError(f"{name}: no sound file, or of no format that is known here") from None
        self._spec = SampleSpec(SampleFormat.FLOAT32LE, self._file.channels, self._file.samplerate)
        if self._spec.rate not in _RATES or self._spec.channels not in _MAPS:
            raise OSError(f"{name}: a file of {self._spec.channels} channels at {self._spec.rate} Hz cannot be played")
        if not self._file.frames:
            raise OSError(f"{name}: there is no sound in this file")
        self._map = _MAPS[self._spec.channels]
        self._resampler: Resampler | None = None
        self._ready: list[Block] = []
        self._held = 0  # frames in them
        self._over = True
        self._broken = False
        self.begin()

    def begin(self) -> None:
        """Read from the first frame on. Raises OSError."""
        self._ready, self._held = [], 0
        self._resampler = resampler(self._spec.rate, self._rate, len(STEREO))
        self._over = self._broken = False
        self._rewind()

    def read(self, frames: int) -> Block:
        """The next `frames` frames; fewer at the end, then none. Raises OSError where the file is broken."""
        while self._held < frames and not self._over:
            self._decode()
        if self._broken and not self._held:
            raise OSError(f"{self._name}: the file is broken here")
        sound = np.concatenate(self._ready) if self._ready else np.zeros((0, len(STEREO)), np.float32)
        self._ready, self._held = [sound[frames:]], max(0, self._held - frames)
        return sound[:frames]

    def close(self) -> None:
        self._file.close()

    def _decode(self) -> None:
        wanted = int(self._spec.rate * _AT_ONCE)
        try:
            sound = self._next(wanted)
            if not len(sound) and self._loop:
                self._rewind()
                sound = self._next(wanted)
        except (OSError, Refused):
            self._broken = self._over = True
            return
        self._over = not len(sound)
        if self._resampler is not None:
            sound = self._resampler.flush() if self._over else self._resampler.feed(sound)
        self._ready.append(sound)
        self._held += len(sound)

    def _next(self, frames: int) -> Block:
        """Up to so many frames of the file, finite and stereo; none at its end. Raises OSError, Refused."""
        try:
            data = bytes(self._file.buffer_read(frames, "float32"))
        except (soundfile.SoundFileError, AssertionError) as error:  # soundfile asserts that files do not shrink
            raise OSError(str(error)) from None
        return remap(decode(data, self._spec), self._map, STEREO)

    def _rewind(self) -> None:
        try:
            self._file.seek(0)
        except soundfile.SoundFileError as error:
            raise OSError(f"{self._name}: {error}") from None
