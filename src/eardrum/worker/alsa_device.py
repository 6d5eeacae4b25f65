"""The process of a device of ALSA at the end of a wire: sound goes between a pipe and the device.

It is hardly confined, for ALSA's library opens what it likes; so it hears nothing from containers but samples. When the
device is gone the sound that comes is lost, a microphone is silent, and the device is tried again every second. It is
open only while there is sound to play, or somebody listens.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import select
import socket
import termios
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from eardrum.kernel import alsa, seqpacket
from eardrum.kernel.alsa import Device
from eardrum.kernel.confinement import privileges
from eardrum.kernel.device_pipe import SPEC
from eardrum.sound.block import Block
from eardrum.sound.convert import decode, encode
from eardrum.sound.drift import Drift
from eardrum.worker.records import Kind, Record
from eardrum.worker.spec import AlsaSpec

STEP = 0.01  # seconds between two looks at a device that is open
RETRY = 1.0  # seconds between two tries to open one that is gone
IDLE = 5.0  # seconds after the last sound, or the last listener, until the device is left to others
SETTLE = 0.03  # seconds in which a device that begins gets silence: some take more than they hold
PAUSE = 0.05  # seconds without sound; what comes then is another
MOST_WAITING = 0.3  # seconds of sound; more than this is late, and what is too much is dropped
MICROPHONE = 0.05  # seconds of a microphone's sound that wait in the pipe, on average
LAST = 1.0  # seconds at most that the last sound is played when nobody has the pipe any more

RATE, FRAME = SPEC.rate, SPEC.frame_bytes
Tell = Callable[[int], None]  # 0: the device is there again; else the number of the error why it is not


def serve(spec: AlsaSpec, link: int, pipe: int | None) -> None:
    """Have the device until nobody has the other end of `pipe`; without a pipe only look whether it can be opened.

    What becomes of the device is told to the desk through `link`. Both descriptors become ours.
    """
    desk = socket.socket(fileno=link)

    def tell(number: int) -> None:
        try:
            seqpacket.send(desk, bytes(Record(Kind.DEVICE, number)))
        except OSError:
            pass  # the desk is gone; sound goes on

    for give_up in (privileges.gain_nothing, privileges.hide):
        with suppress(OSError):
            give_up()
    with desk:
        if pipe is None:
            tell(alsa.look(spec.name, captures=spec.captures))
        else:
            run(spec, pipe, tell)


def run(spec: AlsaSpec, pipe: int, tell: Tell) -> None:
    """Have the device until nobody has the other end of `pipe`, and close it."""
    (Microphone if spec.captures else Speaker)(spec.name, pipe, tell).run()
    os.close(pipe)


class _End:
    """What both directions share: the device, which comes and goes."""

    captures: bool

    def __init__(self, name: str, pipe: int, tell: Tell) -> None:
        self._name = name
        self._pipe = pipe
        self._tell = tell
        self._device: Device | None = None
        self._lost = 0  # why, if it is
        self._tried = 0.0  # when it was to be opened last
        self._used = 0.0  # when it was needed last
        self._poll = select.poll()

    def _have(self, now: float) -> Device | None:
        """The device, opened if it is time to try that."""
        if self._device is None and now >= self._tried + (RETRY if self._lost else 0):
            self._tried = now
            self._device = device = Device(self._name, captures=self.captures)
            self._used = now
            self._begin(device)
            if self._lost:
                self._lost = 0
                self._tell(0)
        return self._device

    def _begin(self, device: Device) -> None:
        """The device has just been opened. Raises OSError."""

    def _lose(self, error: OSError) -> None:
        self._leave()
        number = error.errno or errno.EIO
        if number != self._lost:
            self._lost = number
            self._tell(number)

    def _leave(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None

    def _patience(self) -> float | None:
        """Milliseconds until there is something to do, if nothing comes; None: for ever."""
        if self._device is not None:
            return STEP * 1000
        return RETRY * 1000 if self._lost else None


class Speaker(_End):
    """Plays what comes out of the pipe.

    A device that has run dry begins with silence, as much as it takes for a moment. What came meanwhile waits, and what
    the device holds; the cycles of the bus come and go in that, and `Drift` keeps it so. A device that takes everything
    at once has no clock of its own: it gets what comes as it comes.
    """

    captures = False

    def __init__(self, name: str, pipe: int, tell: Tell) -> None:
        super().__init__(name, pipe, tell)
        self._rest = b""  # of a frame of which more is to come
        self._queue = b""  # as the device wants it
        self._early = _silence(0)  # came while the device settles
        self._settled = 0.0  # when it will have
        self._clock = True  # the device has one
        self._heard = 0.0  # when sound came last
        self._steered = 0.0
        self._drift: Drift | None = None  # while there is sound

    def run(self) -> None:
        self._poll.register(self._pipe, select.POLLIN)
        while True:
            self._poll.poll(self._patience())
            block, more = self._hear()
            now = time.monotonic()
            try:
                if len(block) or self._lost or self._device:
                    self.play(block, now)
            except OSError as error:
                self._lose(error)
            if not more:
                break
        self._finish()

    def _hear(self) -> tuple[Block, bool]:
        """What has come, and whether more can come."""
        data, more = self._rest, True
        try:
            while True:
                new = os.read(self._pipe, 1 << 16)
                if not new:
                    more = False
                    break
                data += new
        except BlockingIOError:
            pass
        whole = len(data) // FRAME * FRAME
        self._rest = data[whole:]
        return decode(data[:whole], SPEC), more

    def _begin(self, device: Device) -> None:
        self._drift = None
        self._queue = b""
        self._early = _silence(0)
        self._clock = device.write(encode(_silence(device.frames), device.spec)) > 0 and device.held() > 0

    def play(self, block: Block, now: float) -> None:
        """Do what is to be done at this time, with what has come since the last. Raises OSError."""
        device = self._have(now)
        if device is None:
            return
        if len(block):
            if self._clock and not len(self._early) and (self._drift is None or not self._waits(device)):
                self._settled = now + SETTLE
                self._drift = None
            self._used = self._heard = now
        if not self._clock:
            self._queue += encode(block, device.spec)
        elif now < self._settled:
            self._early = np.concatenate([self._early, block])
            device.write(encode(_silence(device.frames), device.spec))
            return
        else:
            self._stretch(device, block, now)
        while self._queue and (taken := device.write(self._queue)):
            self._queue = self._queue[taken * device.spec.frame_bytes :]
        if self._drift is None and not self._queue and now > self._used + IDLE:
            self._leave()

    def _stretch(self, device: Device, block: Block, now: float) -> None:
        """Queue what came, in the device's time."""
        if self._drift is None and len(self._early):
            block, self._early = np.concatenate([self._early, block]), _silence(0)
            self._drift, self._steered = Drift(RATE, SPEC.channels), now
        if self._drift is None:
            return
        if now > self._heard + PAUSE and self._waits(device) <= alsa.PERIOD:  # the sound has ended
            self._queue += encode(self._drift.feed(_silence(2 * Drift.held)), device.spec)
            self._drift = None
            return
        if len(block):
            self._queue += encode(self._drift.feed(block), device.spec)
        late = self._waits(device) - device.frames
        if late > MOST_WAITING * RATE:
            self._queue = self._queue[late * device.spec.frame_bytes :]
        self._drift.steer(self._waits(device), now - self._steered)
        self._steered = now

    def _waits(self, device: Device) -> int:
        """Frames that have come and are not heard yet."""
        return device.held() + len(self._queue) // device.spec.frame_bytes

    def _finish(self) -> None:
        """Let what is there be heard, and leave the device."""
        deadline = time.monotonic() + LAST
        device = self._device
        try:
            while device and self._waits(device) + len(self._early) and (now := time.monotonic()) < deadline:
                self.play(_silence(0), now)
                time.sleep(STEP)
        except OSError:
            pass
        self._leave()


class Microphone(_End):
    """Puts what the device captures into the pipe, while somebody takes it out: a full pipe means that nobody does."""

    captures = True

    def __init__(self, name: str, pipe: int, tell: Tell) -> None:
        super().__init__(name, pipe, tell)
        self._queue = b""  # for the pipe
        self._began = False  # something came from the device
        self._left = 0  # frames that were in the pipe last
        self._late = False  # so many that no more come before they are heard
        self._clock = True
        self._drift: Drift | None = None
        self._steered = 0.0

    def run(self) -> None:
        self._fill()
        listened = False
        while True:
            self._poll.register(self._pipe, 0 if listened else select.POLLOUT)
            for _, events in self._poll.poll(self._patience() if listened else None):
                if events & select.POLLERR:
                    self._leave()
                    return
            listened = self.go_on(time.monotonic(), listened)

    def go_on(self, now: float, listened: bool) -> bool:
        """Do what is to be done at this time; whether somebody listens then."""
        if not listened:
            self._used = now
        try:
            if (device := self._have(now)) is not None:
                self._capture(device, now)
        except OSError as error:
            self._lose(error)
            return True
        if now > self._used + IDLE:
            self._leave()
            self._fill()
            return False
        return True

    def _begin(self, device: Device) -> None:
        self._queue = b""
        self._began = False
        self._drift = Drift(RATE, SPEC.channels, MICROPHONE * RATE)
        self._steered = time.monotonic()
        device.read()
        self._clock = not device.is_full()

    def _capture(self, device: Device, now: float) -> None:
        assert self._drift is not None
        while self._clock or self._waits() < MICROPHONE * RATE:
            data = device.read()
            if not data:
                break
            if not self._began:
                self._began = True
                self._queue = bytes(round(MICROPHONE * RATE) * FRAME)
            block = decode(data, device.spec)
            self._queue += encode(self._drift.feed(block) if self._clock else block, SPEC)
        self._give(now)
        if self._began:
            self._drift.steer(self._waits(), now - self._steered)
        self._steered = now

    def _give(self, now: float) -> None:
        there = self._in_pipe()
        if there < self._left:
            self._used = now
        self._late = there > MICROPHONE * RATE if self._late else self._waits() > MOST_WAITING * RATE
        if self._late:
            self._queue = b""
        try:
            self._queue = self._queue[os.write(self._pipe, self._queue) :]  # whole frames, as a page holds whole ones
        except (BlockingIOError, BrokenPipeError):  # the pipe tells that itself
            pass
        self._left = self._in_pipe()

    def _in_pipe(self) -> int:
        """Frames that nobody has taken out."""
        there = array.array("i", [0])
        fcntl.ioctl(self._pipe, termios.FIONREAD, there)
        return there[0] // FRAME

    def _waits(self) -> int:
        return self._in_pipe() + len(self._queue) // FRAME

    def _fill(self) -> None:
        """Nobody listens: whoever does will empty the pipe first."""
        try:
            while True:
                os.write(self._pipe, bytes(1 << 16))
        except (BlockingIOError, BrokenPipeError):
            pass


def _silence(frames: int) -> Block:
    return np.zeros((frames, SPEC.channels), np.float32)
