"""A bystander of attacks: plays a sound that never repeats, records it, and notices every frame that is not right."""

from __future__ import annotations

import select
import socket
import threading

import numpy as np

from eardrum.protocol.catalog import Underflow
from eardrum.terms.audio import VOLUME_NORM
from eardrum.testing.workers import S16, Caller, until

FRAME = S16.frame_bytes
BUFFER = 48000 * FRAME  # a second: on a busy machine the bystander itself may come late
MINREQ = 2400 * FRAME
FRAGMENT = 960 * FRAME
MORE = 960  # frames that it must have heard to go on


def pattern(start: int, frames: int) -> bytes:
    """Frames of a sound that does not repeat within hours and has no silent frame: s16, stereo."""
    n = np.arange(start, start + frames)
    return np.stack([(n * 31 + 7) % 32749 + 1, n // 32749 + 1], axis=1).astype("<i2").tobytes()


class Bystander(threading.Thread):
    """Plays the pattern and records it; notes the first thing that is wrong."""

    def __init__(self, player: Caller, listener: Caller, source: str) -> None:
        """`listener` records `source`, in which nobody else may be heard."""
        super().__init__(daemon=True)
        self.frames = 0  # heard, and right
        self.wrong = ""
        self._player, self._listener = player, listener
        self._ear, self._word = socket.socketpair()
        self._heard = listener.record(
            source_name=source,
            fragsize=FRAGMENT,
            adjust_latency=True,
            volume=(VOLUME_NORM,) * 2,
            proplist={"media.name": b"ear\0"},
        ).channel
        self._stream = player.play(tlength=BUFFER, prebuf=BUFFER // 2, minreq=MINREQ)
        self._played = 0

    def run(self) -> None:
        try:
            while not self.wrong:
                self._feed()
                callers = [self._player, self._listener]
                ready, _, _ = select.select([self._ear, *(caller.socket for caller in callers)], [], [])
                if self._ear in ready:
                    return
                for caller in callers:
                    if caller.socket in ready:
                        caller.hear()
                self._check()
        except Exception as error:
            self.wrong = repr(error)

    def _feed(self) -> None:
        more = self._stream.missing + self._player.requested(self._stream.channel) - self._played * FRAME
        if more > 0:
            self._player.write(self._stream.channel, pattern(self._played, more // FRAME))
            self._played += more // FRAME

    def _check(self) -> None:
        heard = self._listener.sound.pop(self._heard, bytearray())
        if not self.frames:
            heard = heard[len(heard) - len(heard.lstrip(b"\0")) :]
        if heard != pattern(self.frames, len(heard) // FRAME):
            self.wrong = f"other sound than was played after {self.frames} frames: {_difference(heard, self.frames)}"
        self.frames += len(heard) // FRAME
        if self._player.tell_all(Underflow):
            self.wrong = "an underrun"
        if self._player.ended:
            self.wrong = "its outlet hung up"
        if self._listener.ended:
            self.wrong = "the server that it listens to hung up"

    def goes_on(self) -> None:
        """It still hears what it plays, and since it began no frame was lost, doubled or changed."""
        before = self.frames
        until(lambda: bool(self.wrong) or self.frames >= before + MORE, "the bystander to hear more")
        assert not self.wrong, f"the bystander noticed: {self.wrong}"

    def hears_all(self) -> None:
        """Return when it has heard all that it has played until now."""
        played = self._played
        until(lambda: bool(self.wrong) or self.frames >= played, "the bystander to hear what it has played")
        assert not self.wrong, f"the bystander noticed: {self.wrong}"

    def close(self) -> None:
        """Play no more. Its connections are for others to close."""
        self._word.close()
        self.join()
        self._ear.close()


def _difference(heard: bytearray, start: int) -> str:
    """What is heard instead of the pattern from frame `start` on, at the first frame that differs."""
    frames = len(heard) // FRAME
    sound = np.frombuffer(bytes(heard[: frames * FRAME]), "<i2").reshape(-1, 2)
    wanted = np.frombuffer(pattern(start, frames), "<i2").reshape(-1, 2)
    first = int((sound != wanted).any(axis=1).argmax())
    return f"{sound[first].tolist()} and not {wanted[first].tolist()} at frame {start + first}"
