"""A feed plays what one bus hears into another: how emulated modules join buses."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from eardrum.sound import remap
from eardrum.sound.block import Block
from eardrum.sound.convert import LOUDEST
from eardrum.sound.resample import resampler
from eardrum.terms.audio import ChannelMap

if TYPE_CHECKING:
    from eardrum.server.mixed import Bus
    from eardrum.server.objects import Sink

RESAMPLING_DELAY = 0.02  # seconds; a resampler gives its frames in uneven pieces
LONGEST = 4.0  # seconds that a feed may hold: what is older is lost


class Feed:
    """The sum of `origin`, played on the bus of `sink`.

    Without a delay it is in time to the frame: the origin's cycle goes before the other's. A feed whose origin hears
    its own sound again, by whatever way, must have a delay (seconds).
    """

    def __init__(self, origin: Bus, sink: Sink, channel_map: ChannelMap | None = None, delay: float = 0.0) -> None:
        """`channel_map` says what the origin's channels are taken for."""
        assert sink.bus is not None
        self.origin = origin
        self.sink = sink
        self.target: Bus = sink.bus
        self.delayed = delay > 0
        self._channel_map = channel_map or origin.channel_map
        self._resampler = resampler(origin.rate, self.target.rate, origin.channels)
        self._delay = int(max(delay, RESAMPLING_DELAY if self._resampler else 0.0) * self.target.rate)
        self._queue: deque[Block] = deque()
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

    def begin(self) -> None:
        """Play into the target from now on."""
        self.origin.onward.append(self)
        self.target.feeds.append(self)

    def end(self) -> None:
        self.origin.onward.remove(self)
        self.target.feeds.remove(self)

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
