"""The file at the end of a `file:` wire: blocks of sound become WAV or FLAC, 16 bits a sample."""

from __future__ import annotations

import contextlib
import os
from typing import NoReturn

import soundfile

from eardrum.sound.block import Block
from eardrum.sound.convert import encode
from eardrum.terms.audio import SampleFormat, SampleSpec

_WRITE_HEADER_NOW = 0x1060  # commands of libsndfile: SFC_UPDATE_HEADER_NOW
_KEEP_HEADER_RIGHT = 0x1061  # SFC_SET_UPDATE_HEADER_AUTO
_LONGEST_WAV = 2**32 - 1 - 36  # bytes of samples: the header counts in 32 bits, itself included
_LONGEST_FLAC = 2**36 - 1  # frames
_FLAC_BLOCK = 4096  # frames: libFLAC writes so many at once, when it has seen one more
_FLAC_LENGTH_AT = 21  # byte of a FLAC file: the low 4 bits of (bits a sample - 1), then its frames in 36 bits
_SILENCE_FRAMES = 65_536  # how much silence is written to a FLAC at once


class FileWriter:
    """Writes one recording to a descriptor of an empty file, which it owns and closes.

    The file is a valid recording at any time, even if the process is killed: a WAV is complete then, a FLAC lacks its
    last 4096 frames. Once made, a writer opens nothing. After an error the recording is over: the file keeps what
    was written before, and further sound is dropped.
    """

    def __init__(self, fd: int, name: str, rate: int, channels: int) -> None:
        """`name`, which is not opened, ends in .wav or .flac and decides the format. Raises OSError."""
        self._fd = fd
        self._name = name
        self._spec = SampleSpec(SampleFormat.S16LE, channels, rate)
        self._flac = name.lower().endswith(".flac")
        self._longest = _LONGEST_FLAC if self._flac else _LONGEST_WAV // self._spec.frame_bytes
        self._frames = 0  # written, all of them well
        try:
            self._file = soundfile.SoundFile(fd, "w", rate, channels, "PCM_16", format="FLAC" if self._flac else "WAV")
        except soundfile.SoundFileError as error:
            raise OSError(f"{name}: no sound file can be written here; choose another place") from error
        for command in (_WRITE_HEADER_NOW,) if self._flac else (_WRITE_HEADER_NOW, _KEEP_HEADER_RIGHT):
            soundfile._snd.sf_command(self._file._file, command, soundfile._ffi.NULL, True)
        self._size = os.fstat(fd).st_size  # bytes, after the last good write
        if not self._size:
            self._give_up("its disk is full")

    def write(self, block: Block) -> None:
        """Append a block of sound, clipped to full scale. Raises OSError, once."""
        self._append(encode(block, self._spec))

    def silence(self, frames: int) -> None:
        """Append silence: a hole in a WAV, however long; in a FLAC an hour takes seconds. Raises OSError, once."""
        if not frames:
            return
        if not self._flac:
            self._append(bytes(self._spec.frame_bytes), hole=frames - 1)
            return
        for start in range(0, frames, _SILENCE_FRAMES):
            self._append(bytes(min(_SILENCE_FRAMES, frames - start) * self._spec.frame_bytes))

    def finish(self) -> None:
        """Complete the file and close it. Raises OSError if not all of it could be written."""
        if not self._file.closed:
            try:
                self._file.close()
            except soundfile.SoundFileError as error:
                raise OSError(f"{self._name}: the end of the recording could not be written ({error})") from error

    def _append(self, data: bytes, hole: int = 0) -> None:
        """Write `data` after `hole` frames that are left out, which only a WAV can bear."""
        if self._file.closed:
            return
        frames = self._frames + hole + len(data) // self._spec.frame_bytes
        if frames > self._longest:
            self._give_up("a file of this format cannot be longer")
        try:
            if hole:
                self._file.seek(self._frames + hole)
            self._file.buffer_write(data, "int16")
        except soundfile.SoundFileError:
            self._give_up("the disk is full, or files may not be longer")
        self._frames = frames
        self._size = os.fstat(self._fd).st_size
        if self._flac:
            self._state_length()

    def _state_length(self) -> None:
        """Say in the header how many frames are in the file: libFLAC does so only at the end."""
        frames = max(0, self._frames - 1) // _FLAC_BLOCK * _FLAC_BLOCK
        os.pwrite(self._fd, (0xF << 36 | frames).to_bytes(5, "big"), _FLAC_LENGTH_AT)

    def _give_up(self, why: str) -> NoReturn:
        """Leave the file as it was after the last good write."""
        with contextlib.suppress(soundfile.SoundFileError, OSError):
            if self._flac:
                os.ftruncate(self._fd, self._size)
            else:
                self._file.truncate(self._frames)
        with contextlib.suppress(soundfile.SoundFileError, OSError):
            self._file.close()
        seconds = self._frames / self._spec.rate
        raise OSError(f"{self._name}: the recording ends here, after {seconds:.1f} s: {why}")
