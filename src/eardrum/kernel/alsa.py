"""A device of ALSA, opened for sound as it is inside: 48 kHz, stereo. It never waits for the device.

Opening one runs ALSA's plugins, and those read and run what they like: only a process that is made for it does so.
The library behind it is an optional extra, and is imported when a device is opened.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from eardrum.terms.audio import STEREO, SampleFormat, SampleSpec

RATE = 48_000  # Hz
PERIOD = 960  # frames, as far as the device has the choice
PERIODS = 6
_FORMATS = {"S32_LE": SampleFormat.S32LE, "S24_3LE": SampleFormat.S24LE, "S16_LE": SampleFormat.S16LE}  # the best first
_PIPE_BYTES = 256 * 1024  # two thirds of a second
_NUMBERS = {os.strerror(number): number for number in errno.errorcode}


class Device:
    """An open device. Its methods raise OSError when it is gone."""

    def __init__(self, name: str, *, captures: bool) -> None:
        """Raises OSError: ENOPKG without the library, EINVAL if the device has other rates or channels only."""
        try:
            import alsaaudio

            alsaaudio.PCM.avail  # noqa: B018  # older ones lack it
        except (ImportError, AttributeError):
            raise OSError(errno.ENOPKG, os.strerror(errno.ENOPKG)) from None
        self._alsa = alsaaudio
        for format_name in _FORMATS:
            self._pcm = self._open(name, captures, format_name)
            about = self._pcm.info()
            if about["format_name"] == format_name:
                break
            self._pcm.close()
        if (about["format_name"], about["channels"], about["rate"]) != (format_name, len(STEREO), RATE):
            self._pcm.close()
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.spec = SampleSpec(_FORMATS[format_name], len(STEREO), RATE)
        self.frames: int = about["buffer_size"]  # that it has room for

    def _open(self, name: str, captures: bool, format_name: str) -> Any:
        alsa = self._alsa
        with _hushed():
            return self._asked(
                alsa.PCM,
                type=alsa.PCM_CAPTURE if captures else alsa.PCM_PLAYBACK,
                mode=alsa.PCM_NONBLOCK,
                device=name,
                rate=RATE,
                channels=len(STEREO),
                format=getattr(alsa, f"PCM_FORMAT_{format_name}"),
                periodsize=PERIOD,
                periods=PERIODS,
            )

    def held(self) -> int:
        """Frames of a playback that wait in it; none if it has run dry."""
        room: int = self._asked(self._pcm.avail)
        return min(max(0, self.frames - room), self.frames) if room >= 0 else 0

    def is_full(self) -> bool:
        """A capture has as much as it can hold."""
        waiting: int = self._asked(self._pcm.avail)
        return waiting >= self.frames

    def write(self, data: bytes) -> int:
        """Have it play these whole frames as far as it has room; how many frames it took. Begins anew if it ran dry."""
        taken: int = self._asked(self._pcm.write, data)
        if taken < 0:  # it is prepared again
            taken = self._asked(self._pcm.write, data)
        return max(0, taken)

    def read(self) -> bytes:
        """At most a period of what it captured; nothing if that is not there. Begins anew if it ran over."""
        frames, data = self._asked(self._pcm.read)
        if frames < 0:
            frames, data = self._asked(self._pcm.read)
        return bytes(data) if frames > 0 else b""

    def close(self) -> None:
        self._pcm.close()

    def _asked(self, ask: Any, *values: Any, **named: Any) -> Any:
        try:
            return ask(*values, **named)
        except self._alsa.ALSAAudioError as error:
            text = str(error).rpartition(" [")[0]
            raise OSError(_NUMBERS.get(text, errno.EIO), text) from None


@contextmanager
def _hushed() -> Iterator[None]:
    """ALSA's library says on standard error what it also returns, at every try."""
    before = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nothing, 2)
    os.close(nothing)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def device_pipe() -> tuple[int, int]:
    """A pipe between a worker and the process that has its device: the end to read from, the end to write to.

    Neither end blocks. Raises OSError.
    """
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    with suppress(PermissionError):  # a user with very many pipes gets small ones
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return reader, writer


def look(name: str, *, captures: bool) -> int:
    """0 if the device can be opened now, else the number of the error."""
    try:
        Device(name, captures=captures).close()
    except OSError as error:
        return error.errno or errno.EIO
    return 0
