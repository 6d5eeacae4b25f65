"""What a level meter hears of an upstream: its peaks are taken here, and no server is asked for them."""

from __future__ import annotations

from eardrum.sound import convert
from eardrum.sound.peaks import Peaks
from eardrum.terms.audio import INVALID, MAX_QUEUE, Samples, SampleSpec

HEARD_AT = 48_000  # Hz, at most: what a meter hears


class Meter:
    """A whole number of frames from the upstream is one of the client's; so it is with bytes.

    Servers have taken peaks wrongly (PipeWire before 0.3.73, by its history of resample-peaks.c).
    """

    def __init__(self, spec: SampleSpec) -> None:
        """`spec` is that of its client."""
        self._factor = HEARD_AT // spec.rate
        self._spec = spec
        self._peaks = Peaks(self.rate, spec.rate, spec.channels)
        self._odd = b""  # the part of a frame that a piece of sound ended with

    @staticmethod
    def serves(spec: SampleSpec) -> bool:
        """Whether the rate is so low that there are peaks to take."""
        return 2 * spec.rate <= HEARD_AT

    @property
    def rate(self) -> int:
        """That of the upstream's stream, in Hz."""
        return self._factor * self._spec.rate

    def more(self, nbytes: int) -> int:
        """What to ask the upstream for where its client asks for so many bytes."""
        return nbytes if nbytes == INVALID else min(nbytes * self._factor, MAX_QUEUE)

    def fewer(self, nbytes: int) -> int:
        """What so many bytes of the upstream are for its client, in whole frames."""
        frame = self._spec.frame_bytes
        return nbytes // self._factor // frame * frame

    def hear(self, data: memoryview) -> Samples:
        """Take samples from the upstream, in any pieces; return the peaks that are due by them."""
        heard = self._odd + bytes(data)
        cut = len(heard) // self._spec.frame_bytes * self._spec.frame_bytes
        self._odd = heard[cut:]
        return convert.encode(self._peaks.feed(convert.decode(heard[:cut], self._spec)), self._spec)
