"""The file at the end of a `file:` output: blocks of sound become WAV, FLAC (16 bits a sample) or Ogg Opus."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from pathlib import PurePath
from typing import NoReturn

import soundfile

from eardrum.sound.block import Block
from eardrum.sound.convert import encode
from eardrum.terms.audio import SampleFormat, SampleSpec

_WRITE_HEADER_NOW = 0x1060  # commands of libsndfile: SFC_UPDATE_HEADER_NOW
_KEEP_HEADER_RIGHT = 0x1061  # SFC_SET_UPDATE_HEADER_AUTO
_PAGE_LATENCY = 0x1302  # SFC_SET_OGG_PAGE_LATENCY_MS
_OGG_PAGE = 200.0  # ms of sound in one page of Ogg; what is not yet a whole page is lost when the process is killed
_LONGEST_WAV = 2**32 - 1 - 36  # bytes of samples: the header counts in 32 bits, itself included
_LONGEST_FLAC = 2**36 - 1  # frames
_FLAC_BLOCK = 4096  # frames: libFLAC writes so many at once, when it has seen one more
_FLAC_LENGTH_AT = 21  # byte of a FLAC file: the low 4 bits of (bits a sample - 1), then its frames in 36 bits
_SILENCE_FRAMES = 48_000  # of silence that are encoded at once: 1 ms of work as FLAC, 6 ms as Opus


_FORMATS = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".opus": ("OGG", "OPUS")}  # libsndfile's words


class FileWriter:
    """Writes one recording to a descriptor of an empty file, which it owns and closes.

    The file is a valid recording at any time, even if the process is killed: a WAV is complete then, a FLAC lacks its
    last 4096 frames, an Opus file less than half a second. Once made, a writer opens nothing. After an error the
    recording is over: the file keeps what was written before, and further sound is dropped.

    Long silence in a FLAC or an Opus file takes the encoder seconds (an hour: 2 s, 25 s), so it is encoded in pieces:
    while the writer is `behind`, somebody must call `catch_up` now and then.
    """

    def __init__(self, fd: int, name: str, rate: int, channels: int) -> None:
        """`name`, which is not opened, ends in .wav, .flac or .opus and decides the format. Raises OSError.

        Opus knows only rates of 8, 12, 16, 24 and 48 kHz.
        """
        self._fd = fd
        self._name = name
        self._spec = SampleSpec(SampleFormat.S16LE, channels, rate)
        self._format, subtype = _FORMATS[PurePath(name).suffix.lower()]
        self._longest = _LONGEST_WAV // self._spec.frame_bytes if self._format == "WAV" else _LONGEST_FLAC
        self._frames = 0  # written, all of them well
        self._late: deque[int | bytes] = deque()  # frames of silence, and samples, to be written before anything else
        try:
            self._file = soundfile.SoundFile(fd, "w", rate, channels, subtype, format=self._format)
        except soundfile.SoundFileError as error:
            raise OSError(f"{name}: no sound file can be written here; choose another place") from error
        self._command(_PAGE_LATENCY, soundfile._ffi.new("double *", _OGG_PAGE), 8)
        self._command(_WRITE_HEADER_NOW)
        if self._format == "WAV":
            self._command(_KEEP_HEADER_RIGHT)
        self._size = os.fstat(fd).st_size  # bytes, after the last good write
        if not self._size:
            self._give_up("its disk is full")

    @property
    def behind(self) -> bool:
        """Something is still to be encoded."""
        return bool(self._late)

    def write(self, block: Block) -> None:
        """Append a block of sound, clipped to full scale. Raises OSError, once."""
        data = encode(block, self._spec)
        if self._late:
            self._late.append(data)
        else:
            self._append(data)

    def silence(self, frames: int) -> None:
        """Append silence, however long: in a WAV it is a hole. Raises OSError, once."""
        if not frames or self._file.closed:
            return
        if self._format == "WAV":
            self._append(bytes(self._spec.frame_bytes), hole=frames - 1)
            return
        self._late.append(frames)
        self.catch_up()

    def catch_up(self) -> None:
        """Encode a piece of what is late, if anything is: some milliseconds of work. Raises OSError, once."""
        if not self._late:
            return
        next_one = self._late.popleft()
        if isinstance(next_one, bytes):
            self._append(next_one)
            return
        if next_one > _SILENCE_FRAMES:
            self._late.appendleft(next_one - _SILENCE_FRAMES)
        self._append(bytes(min(next_one, _SILENCE_FRAMES) * self._spec.frame_bytes))

    def finish(self) -> None:
        """Complete the file, however long that takes, and close it. Raises OSError if not all could be written."""
        while self._late:
            self.catch_up()
        if self._file.closed:
            return
        if self._format == "OGG" and not self._frames:
            self._append(bytes(self._spec.frame_bytes))  # an Ogg file without sound is none
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
        if self._format == "FLAC":
            self._state_length()

    def _command(self, number: int, data: object = soundfile._ffi.NULL, size: int = 1) -> None:
        """Say a command of libsndfile, which formats that do not know it ignore."""
        soundfile._snd.sf_command(self._file._file, number, data, size)

    def _state_length(self) -> None:
        """Say in the header how many frames are in the file: libFLAC does so only at the end."""
        frames = max(0, self._frames - 1) // _FLAC_BLOCK * _FLAC_BLOCK
        os.pwrite(self._fd, (0xF << 36 | frames).to_bytes(5, "big"), _FLAC_LENGTH_AT)

    def _give_up(self, why: str) -> NoReturn:
        """Leave the file as it was after the last good write."""
        self._late.clear()
        with contextlib.suppress(soundfile.SoundFileError, OSError):
            if self._format == "WAV":
                self._file.truncate(self._frames)
            else:
                os.ftruncate(self._fd, self._size)
        with contextlib.suppress(soundfile.SoundFileError, OSError):
            self._file.close()
        seconds = self._frames / self._spec.rate
        raise OSError(f"{self._name}: the recording ends here, after {seconds:.1f} s: {why}")
