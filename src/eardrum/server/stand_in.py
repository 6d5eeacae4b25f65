"""What stands in for a carried stream while it has no upstream: a stream on this worker's bus, of which the client is
told as if it were the real one. It begins where its client believes the stream to be, and runs in real time.

A playback stream has silence in place of what the upstream had and did not play. The monitor hears it. When there is an
upstream again, what it has not played yet goes there. A record stream gives silence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from eardrum.protocol.catalog import Request
from eardrum.protocol.message import Message
from eardrum.server.events import Sound
from eardrum.server.indexes import bounded
from eardrum.server.mixed import Bus
from eardrum.server.mixed_playback import MixedPlayback
from eardrum.server.mixed_record import MixedRecord
from eardrum.server.playback import SinkInput
from eardrum.server.stream import Tag
from eardrum.sound.block import Block
from eardrum.terms.audio import BufferAttr

if TYPE_CHECKING:
    from eardrum.server.carried_playback import CarriedPlayback
    from eardrum.server.carried_record import CarriedRecord

KEPT = 250_000  # µs; more silence in place of what was lost is not played upstream: it would only be a longer gap


class Rest(NamedTuple):
    """What a stand-in has left. Positions are those of the client."""

    read: int
    write: int
    data: bytes  # what is queued from the read index on
    playing: bool
    draining: list[Tag]


class StandIn(MixedPlayback):
    """The stand-in of one carried stream."""

    def __init__(self, of: CarriedPlayback, bus: Bus) -> None:
        agreed = replace(of.agreed, spec=of.spec, volume=of.volume, muted=of.muted, corked=of.corked)
        super().__init__(of.server, of.client, of.sink, agreed, bus)
        self._of = of
        self._lost_until = 0  # up to this position the queue has silence in place of what was lost
        self.proplist = of.proplist

    def inherit(self, mixed: MixedPlayback) -> None:
        """Be in all what this stream was, which has been mixed until now, and is over."""
        mixed.bus.advance(self.server.now)
        playing = mixed.bus.plays(mixed)
        mixed.bus.leave(mixed)
        vars(self).update(vars(mixed))
        if playing:
            self.bus.join(self)

    @property
    def outstanding(self) -> int:
        """Bytes that the client was asked for and has not written."""
        return self.attr.tlength + self._asked_ahead - (self.ring.w - self.ring.r) - self.missing

    def take_over(self, attr: BufferAttr, latency: int, *, read: int, write: int, missing: int, playing: bool) -> None:
        """Go on for an upstream that had granted `attr`, at these indexes; `missing` is for the next request."""
        self.grant(attr, latency)
        frame = self.frame_bytes
        read, write = bounded(read), bounded(write)
        self.ring.begin(read // frame * frame, write // frame * frame)  # an upstream may count in halves of frames
        self._lost_until = self.ring.w
        self.missing = missing
        self._asked_ahead = self._ahead
        self.prebuffering = bool(attr.prebuf)
        if playing and not self.corked:
            self.playing = True
            self.prebuffering = self._dry = False
            self._go_on()
            self.prebuffering = not self.playing and bool(attr.prebuf)
        self.request()

    def leave(self) -> Rest:
        """There is an upstream again: be over, and leave what was not played yet."""
        self.bus.advance(self.server.now)
        self.bus.leave(self)
        ring = self.ring
        lost = self._lost_until - ring.r
        if lost > self.spec.bytes_for(KEPT):
            ring.skip(lost)
        read = ring.r
        data = ring.take(min(max(ring.end, ring.w) - read, self.attr.maxlength))
        playing = not self.corked and not self.prebuffering
        return Rest(read, ring.w, data, playing, self.draining)

    def sound(self, event: Sound) -> None:
        super().sound(event)
        if event.first and (event.seek or event.offset):
            self._lost_until = min(self._lost_until, self.ring.w - len(event.data))

    @property
    def _group(self) -> list[MixedPlayback]:
        return [self, *(stand_in for each in self._of.others if (stand_in := each.stood_in) is not None)]

    @property
    def heard_as(self) -> SinkInput:
        return self._of

    def tell(self, message: Message) -> None:
        if isinstance(message, Request):
            self._of.was_asked(message.nbytes)
        super().tell(message)


class RecordStandIn(MixedRecord):
    """The stand-in of one carried record stream."""

    def __init__(self, of: CarriedRecord, bus: Bus) -> None:
        agreed = replace(of.agreed, spec=of.spec, muted=of.muted, corked=of.corked)
        super().__init__(of.server, of.client, of.source, agreed, bus)
        self._rest = 0  # what has passed and is no whole frame yet, in frames of the stream * rate of the bus

    def inherit(self, mixed: MixedRecord) -> None:
        """Be in all what this stream was, which has been mixed until now, and is over."""
        mixed.bus.advance(self.server.now)
        mixed.bus.untap(mixed)
        vars(self).update(vars(mixed))
        self.start()

    def take_over(self, attr: BufferAttr, latency: int, read: int) -> None:
        """Go on for an upstream that had granted `attr`, at this index."""
        self.attr, self.latency = attr, latency
        self._made = self._sent = read

    def leave(self) -> int:
        """There is an upstream again: be over; the read index of what was handed out."""
        self.bus.advance(self.server.now)
        self.end()
        return self._sent

    def give(self, block: Block) -> None:
        frames, self._rest = divmod(self._rest + len(block) * self.spec.rate, self.bus.rate)
        if frames:
            self._hand_out(bytes((self.spec.silence,)) * (frames * self.spec.frame_bytes))

    def _tune(self) -> None:
        """Silence needs no other rate."""
