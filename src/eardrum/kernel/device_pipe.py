"""The pipe between a worker and the process that has its device: float32, 48 kHz, stereo, at the pace of the bus.

Neither end ever waits for the other. A pipe of a microphone that is full tells that nobody listens.
"""

from __future__ import annotations

import numpy as np

from eardrum.kernel.fifo import FifoReader, FifoWriter
from eardrum.terms.audio import STEREO, SampleFormat, SampleSpec

SPEC = SampleSpec(SampleFormat.FLOAT32LE, len(STEREO), 48_000)
CYCLE = 0.02  # seconds between two cycles of a bus with such an end, at most
DELAY = 160_000  # µs from the pipe to the ear, on a card
LULL = 0.1  # seconds; a pause so short is played as one, after a longer one the device begins anew


class DeviceWriter(FifoWriter):
    """The worker's end of a device that plays."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd, SPEC)

    def silence(self, frames: int) -> None:
        """A pause between two sounds keeps its length, if the device has not run dry in it."""
        if frames <= LULL * SPEC.rate:
            self.write(np.zeros((frames, SPEC.channels), np.float32))


class DeviceReader(FifoReader):
    """The worker's end of a device that captures."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd, SPEC)

    def begin(self) -> None:
        """Throw away what came while nobody listened, whereby the device's process knows that somebody does."""
        self.clear()
