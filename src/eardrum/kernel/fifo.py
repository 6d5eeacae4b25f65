"""The FIFO at the end of a `fifo:` wire: raw samples, 16 bits little endian, 48 kHz, stereo."""

from __future__ import annotations

import contextlib
import os

from eardrum.sound.block import Block
from eardrum.sound.convert import decode, encode
from eardrum.terms.audio import STEREO, SampleFormat, SampleSpec

SPEC = SampleSpec(SampleFormat.S16LE, len(STEREO), 48_000)
_FRAME = SPEC.frame_bytes
_CUSHION = SPEC.rate // 25  # frames


class FifoReader:
    """The reader's end, which this owns: what others write waits in the kernel's 64 KiB until it is read here.

    Who writes at the pace of the clock, but not quite evenly, gets a cushion of 40 ms when sound begins.
    """

    def __init__(self, fd: int) -> None:
        """`fd` does not block."""
        self._fd = fd
        self._data = b""
        self._dry = True  # nothing was heard last
        self._waited = 0  # frames since then that something waits

    def begin(self) -> None:
        """Nothing is thrown away: who writes is heard from the first frame on."""

    def read(self, frames: int) -> Block:
        """What was written and not read yet, up to `frames` frames; none if that is nothing."""
        self._listen((frames + _CUSHION) * _FRAME)
        held = len(self._data) // _FRAME
        if self._dry:
            self._waited = self._waited + frames if held else 0
            if held < _CUSHION and self._waited <= _CUSHION:
                return decode(b"", SPEC)
        given = min(held, frames) * _FRAME
        sound, self._data = self._data[:given], self._data[given:]
        self._dry = held < frames
        self._waited = 0
        return decode(sound, SPEC)

    def close(self) -> None:
        os.close(self._fd)

    def _listen(self, most: int) -> None:
        """Have up to `most` bytes."""
        with contextlib.suppress(BlockingIOError):
            while len(self._data) < most:
                data = os.read(self._fd, most - len(self._data))
                if not data:  # the last writer has gone; the next one begins with a whole frame
                    self._data = self._data[: len(self._data) // _FRAME * _FRAME]
                    return
                self._data += data


class FifoWriter:
    """The writer's end, which this owns. Nobody is waited for: what is not read in time is lost, in whole frames."""

    behind = False  # never is anything late

    def __init__(self, fd: int) -> None:
        """`fd` does not block."""
        self._fd = fd
        self._rest = b""  # of a frame of which the reader has got the first part only

    def silence(self, frames: int) -> None:
        """Silence that is past is not told any more: it was written when it was present."""

    def write(self, block: Block) -> None:
        """Write a block of sound, clipped to full scale, as far as there is room for it."""
        data = self._rest + encode(block, SPEC)
        try:
            done = os.write(self._fd, data)
        except BrokenPipeError:  # nobody reads; the next one begins with a whole frame
            self._rest = b""
            return
        except BlockingIOError:
            done = 0
        begun = (done - len(self._rest)) % _FRAME if done >= len(self._rest) else 0
        if done < len(self._rest):
            self._rest = self._rest[done:]
        elif begun:
            self._rest = data[done : done + _FRAME - begun]
        else:
            self._rest = b""

    def catch_up(self) -> None:
        pass

    def finish(self) -> None:
        os.close(self._fd)
