"""A feed plays what one bus hears into another: how emulated modules join buses."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from eardrum.server.mixed import MAX_PERIOD
from eardrum.sound import remap
from eardrum.sound.block import SAMPLE_BYTES, Block
from eardrum.sound.convert import LOUDEST
from eardrum.sound.resample import resampler
from eardrum.sound.volume import Gains
from eardrum.terms.audio import ChannelMap
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.mixed import Bus
    from eardrum.server.objects import Sink, Source
    from eardrum.server.playback import SinkInput

RESAMPLING_DELAY = 0.02  # seconds; a resampler gives its frames in uneven pieces
LONGEST = 4.0  # seconds that a feed may hold: what is older is lost


class Feed:
    """The sum of `origin`, played on the bus of `sink`.

    Without a delay it is in time to the frame: the origin's cycle goes before the other's. A feed whose origin hears
    its own sound again, by whatever way, must have a delay (seconds).
    """

    def __init__(self, source: Source, sink: Sink, channel_map: ChannelMap | None = None, delay: float = 0.0) -> None:
        """`source` is heard; `channel_map` says what its channels are taken for. Both have a bus."""
        self.delayed = delay > 0
        self.gains: list[Gains | None] = [None, None]  # of its ends: where it plays, where it hears
        self._channel_map = channel_map or source.channel_map
        self._asked = delay
        self.heard_as: SinkInput | None = None  # where it plays, as clients see it
        self._runs = False
        self._queue: deque[Block] = deque()
        self._aim(source, sink)

    def _aim(self, source: Source, sink: Sink) -> None:
        assert source.bus is not None
        assert sink.bus is not None
        self.source, self.sink = source, sink
        self.origin: Bus = source.bus
        self.target: Bus = sink.bus
        self._resampler = resampler(self.origin.rate, self.target.rate, len(self._channel_map))
        self._delay = int(max(self._asked, RESAMPLING_DELAY if self._resampler else 0.0) * self.target.rate)
        self._queue.clear()
        self.held = 0  # frames in the queue
        self._quiet = 0  # frames of silence that came last

    @property
    def period(self) -> float:
        """How long its buses may wait for their next cycle, in seconds."""
        return self._delay / self.target.rate / 2 if self._delay else LONGEST

    @property
    def active(self) -> bool:
        """There is something to be played, or there may be soon."""
        return self.held > 0 or self.origin.sounding()

    def would_hold_back(self, bus: Bus) -> int:
        """Bytes in its queue at most, if it played into this bus and every cycle came in time."""
        return int(max(self._asked, MAX_PERIOD) * bus.rate) * bus.channels * SAMPLE_BYTES

    def let(self, runs: bool) -> None:
        """Play into the target from now on, or no longer."""
        if runs and not self._runs:
            self.origin.onward.append(self)
            self.target.feeds.append(self)
        elif self._runs and not runs:
            self.origin.onward.remove(self)
            self.target.feeds.remove(self)
        self._runs = runs

    def move(self, source: Source, sink: Sink) -> None:
        """Go on between these; what was on its way is lost. Raises Refused where the sound would go in a circle."""
        if source.bus is None or sink.bus is None:
            raise Refused(PulseError.NOTSUPPORTED, "what is another server's cannot be mixed here")
        if source.monitor_of is sink or (not self.delayed and source.bus.hears(sink.bus)):
            raise Refused(PulseError.INVALID, "it would hear itself")
        runs = self._runs
        self.let(False)
        self._aim(source, sink)
        self.let(runs)

    def give(self, block: Block, begins: int) -> None:
        """One block of the origin's sum, which begins at frame `begins` of its clock and must not be changed.

        It is limited as what programs play is, so that sound which grows in a circle of feeds stays finite.
        Silence for longer than the delay is not passed on, so that a circle of feeds in which nothing sounds rests.
        """
        self._quiet = 0 if block.any() else self._quiet + len(block)
        if self.delayed and self._quiet > self.held + self._delay:
            self._queue.clear()
            self.held = 0
            return
        if not self.held and self._delay:
            missing = self._delay + self.target.ahead(begins, self.origin.rate)  # the two have cycles of their own
            self._push(np.zeros((max(0, missing), self.target.channels), np.float32))
        if np.abs(block).max(initial=0) > LOUDEST:
            block = np.clip(block, -LOUDEST, LOUDEST)
        if self.delayed:  # a filter plays on what is played into it, however loud its monitor is
            block = remap.remap(*self.source.hear(block, self.origin.channel_map), self._channel_map)
        for gain in self.gains:
            if gain is not None:
                block = block * gain
        if self._resampler is not None:
            block = self._resampler.feed(block)
        self._push(remap.remap(block, self._channel_map, self.target.channel_map))
        while self.held > LONGEST * self.target.rate:
            self.held -= len(self._queue.popleft())

    def rest(self, frames: int) -> None:
        """The origin was silent for so long: what the target has not taken yet came before that."""
        if self.held and not self._delay:
            self._push(np.zeros((frames, self.target.channels), np.float32))

    def take(self, frames: int) -> Block:
        """What the target plays in its next `frames` frames.

        What is missing is silence: at the end if it has come to its end, else at the start, as it has just begun.
        """
        parts: list[Block] = []
        missing = frames
        while missing and self._queue:
            block = self._queue.popleft()
            if len(block) > missing:
                self._queue.appendleft(block[missing:])
                block = block[:missing]
            parts.append(block)
            missing -= len(block)
        self.held -= frames - missing
        silence = np.zeros((missing, self.target.channels), np.float32)
        return np.concatenate([*parts, silence] if self._delay else [silence, *parts])

    def _push(self, block: Block) -> None:
        if len(block):
            self._queue.append(block)
            self.held += len(block)
