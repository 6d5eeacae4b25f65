"""The mixed kind of playback stream: it has a queue of its own, and a bus of this worker plays it.

A mixed stream in the words of the protocol: it is *corked* or not; it is *prebuffering* until its queue holds `prebuf`
bytes; when it is neither, the bus plays it. When its queue runs empty it says UNDERFLOW and, with prebuf > 0, is
prebuffering again. `missing` are the bytes it will ask the client for, `ring.r` and `ring.w` the read and write index.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from eardrum.protocol.catalog import (
    Ack,
    Overflow,
    PlaybackBufferAttrSet,
    PlaybackLatency,
    PlaybackStreamMoved,
    PlaybackStreamSuspended,
    Request,
    Started,
    Underflow,
)
from eardrum.server.buffers import queue_bytes, settle_playback
from eardrum.server.events import Sound
from eardrum.server.playback import PlaybackStream
from eardrum.server.player import Player
from eardrum.server.stream import Agreed, Tag
from eardrum.server.voice import held_back
from eardrum.sound.block import Block
from eardrum.sound.ring import Ring
from eardrum.terms.audio import MAX_QUEUE, BufferAttr, Samples
from eardrum.terms.errors import PulseError

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.mixed import Bus
    from eardrum.server.objects import Client, Sink

NEVER = 2**64 - 1  # bytes since an underrun, before the first start
FARTHEST = 2**30  # bytes; a jump ends no further from the read index, so that no sum of jumps leaves the wire's numbers


class MixedPlayback(Player, PlaybackStream):
    """A stream on a bus of this worker. Raises Refused(NOTSUPPORTED) for what the mixer cannot convert."""

    def __init__(self, server: Server, client: Client, sink: Sink, agreed: Agreed, bus: Bus) -> None:
        super().__init__(server, client, sink, agreed)
        self.ring = Ring(agreed.spec.silence, 0)
        self.sing(bus, self.ring)
        self.frame_bytes = agreed.spec.frame_bytes
        self.prebuffering = True
        self.playing = False
        self.draining: list[Tag] = []
        self.missing = 0
        self._asked_ahead = 0  # bytes beyond tlength that the client was asked for when it began to play
        self.playing_for = 0  # bytes
        self._dry = True  # nothing was taken since the queue ran empty, and that has been told
        self._starved_at: float | None = None  # when it stopped playing, in seconds; None before the first start
        self._dropping = False  # the rest of a packet that is not a whole number of frames
        self._lost = False  # the rest of a packet that does not fit
        self._settle()
        self.prebuffering = self.attr.prebuf > 0

    def _settle(self) -> None:
        """Fix the buffer metrics for what was asked."""
        asked = self.agreed
        settled = settle_playback(
            asked.attr, self.spec, adjust_latency=asked.adjust_latency, early_requests=asked.early_requests
        )
        self.grant(*settled)

    def grant(self, attr: BufferAttr, latency: int) -> None:
        """Go by these buffer metrics."""
        asked = self.agreed
        self.attr, self.latency = attr, latency
        ahead = self.spec.bytes_for(latency) if asked.adjust_latency and not asked.early_requests else 0
        self._ahead = max(0, min(ahead, self._most - attr.tlength))
        self._limit()
        whole = self.spec.usec(self.attr.tlength + self._ahead)
        self._period = (self.latency if asked.early_requests else whole // 2) / 1e6

    @property
    def _most(self) -> int:
        """Bytes that may be queued at the very most."""
        return min(self.attr.maxlength, MAX_QUEUE)

    @property
    def _asked_for(self) -> int:
        """Bytes that the client is asked to have queued."""
        return min(self.attr.tlength + self._ahead, self._most)

    @property
    def claimed(self) -> int:
        return self.held_back + self._asked_for

    def _limit(self) -> None:
        self.ring.limit = min(self._asked_for + self.lent, self._most)

    def _borrow(self, end: int) -> bool:
        """Have room for what ends there and was not asked for; whether there is."""
        room = self.ring.limit
        lent = self.client.view.ledger.borrow(self, end - self.ring.r - room, self._most - room)
        self._limit()
        return lent

    def give_back(self) -> None:
        ring = self.ring
        self.lent = min(self.lent, max(0, max(ring.end, ring.w) - ring.r - self._asked_for))
        self._limit()
        ring.shrink()

    def follow(self, position: int) -> None:
        """Begin where the read index of its group is."""
        self.ring.begin(position, position)

    # -- what the client does

    def sound(self, event: Sound) -> None:
        if event.first:
            self._begin(event)
        if self._dropping:
            return
        ring = self.ring
        after = ring.w + len(event.data)
        if not self._lost:
            ring.write(ring.w, event.data)
        ring.w = after
        if event.first and event.seek:
            self.request()
        self.start()

    def _begin(self, event: Sound) -> None:
        """A packet begins: where it goes, and whether all of it fits."""
        self._dropping = bool(event.total % self.frame_bytes or event.offset % self.frame_bytes)
        if self._dropping:
            return
        ring, before = self.ring, self.ring.w
        if event.seek or event.offset:
            ring.w = self._target(event.seek, event.offset)
        if event.seek:
            self.missing -= ring.w - before  # a jump was not asked for, so it is made up for in what is asked next
        end = ring.w + event.total
        self._lost = not (ring.fits(end) or self._borrow(end))
        if self._lost:
            self.tell(Overflow(channel=self.channel))

    def _target(self, seek: int, offset: int) -> int:
        """The position that a jump leads to."""
        ring = self.ring
        start = (ring.w, 0, ring.r, ring.end)[seek]
        far = FARTHEST // self.frame_bytes * self.frame_bytes
        return max(ring.r - far, min(start + offset, ring.r + far))

    def cork(self, tag: Tag, corked: bool) -> None:
        if corked != self.corked:
            for member in self._group:
                member.hold(corked)
            if not corked:
                self._force_prebuffering()
            for member in self._group:
                member.start()
                self.server.stream_changed(member)
        self.server.answer(self.client, tag, Ack())

    def hold(self, corked: bool) -> None:
        """Stop where it is, or, with the next `start`, go on from there."""
        self.bus.advance(self.server.now)
        self.corked = corked
        if corked:
            self._dry = True
            self._stop()
            self.bus.leave(self)

    def flush(self, tag: Tag) -> None:
        for member in self._group:
            member.throw_away()
        self.server.answer(self.client, tag, Ack())
        for member in self._group:
            member.finish_drains()
            member.request()

    def throw_away(self) -> None:
        """Forget what is queued."""
        self.bus.advance(self.server.now)
        self.missing += self.ring.w - self.ring.r
        self.ring.clear()
        self.voice.hush()
        self._force_prebuffering()
        self._go_on()

    def drain(self, tag: Tag) -> None:
        self.bus.advance(self.server.now)
        self.draining.append(tag)
        for member in self._group:
            member.prebuffering = False
        for member in self._group:
            member.start()

    def trigger(self, tag: Tag) -> None:
        for member in self._group:
            member.prebuffering = False
        for member in self._group:
            member.start()
        self.server.answer(self.client, tag, Ack())

    def prebuf(self, tag: Tag) -> None:
        for member in self._group:
            member.wait_for_more()
        self.server.answer(self.client, tag, Ack())

    def wait_for_more(self) -> None:
        """Prebuffer anew."""
        self.bus.advance(self.server.now)
        self._force_prebuffering()
        self._go_on()
        self.request()

    @property
    def _group(self) -> list[MixedPlayback]:
        return [member for member in self.group if isinstance(member, MixedPlayback)]

    def move(self, sink: Sink) -> None:
        before = self.attr.tlength
        sounds = self.go_to(sink)
        self._settle()
        self.missing += self.attr.tlength - before
        self.tell(
            PlaybackStreamMoved(
                channel=self.channel,
                sink_index=sink.index,
                sink_name=sink.name,
                suspended=sink.suspended,
                **self.metrics,
            )
        )
        if sounds and not sink.suspended:
            self.bus.join(self)
        self.start()
        self.request()

    def suspend(self) -> None:
        self.tell(PlaybackStreamSuspended(channel=self.channel, suspended=self.sink.suspended))
        if self.sink.suspended:
            self.bus.leave(self)
        else:
            self.start()

    def set_attr(self, tag: Tag, asked: BufferAttr, *, adjust_latency: bool, early_requests: bool) -> None:
        before = self.attr.tlength
        how: dict[str, Any] = {"adjust_latency": adjust_latency, "early_requests": early_requests}
        self.client.view.ledger.claim(queue_bytes(asked, self.spec, **how) - self._asked_for)
        self.agreed = replace(self.agreed, attr=asked, **how)
        self._settle()
        self.missing += self.attr.tlength - before
        self.server.answer(self.client, tag, PlaybackBufferAttrSet(**self.metrics))
        self.start()
        self.request()

    def set_rate(self, tag: Tag, rate: int) -> None:
        spec = self.spec._replace(rate=rate)
        self.client.view.ledger.claim(held_back(spec, self.bus) - self.held_back)
        self.bus.advance(self.server.now)
        self.voice.tune(spec)
        self.spec = spec
        self.server.answer(self.client, tag, Ack())

    def tell_latency(self, tag: Tag, client_time: tuple[int, int]) -> None:
        elapsed = 0
        if self.bus.plays(self):
            frames = int(self.bus.frames_due(self.server.now) * self.spec.rate / self.bus.rate)
            elapsed = frames * self.frame_bytes
            if self.attr.prebuf:
                elapsed = min(elapsed, self.voice.fill)
        self.server.answer(
            self.client,
            tag,
            PlaybackLatency(
                sink_latency=self.voice.ahead_usec + self.bus.delay,
                unused=0,
                playing=self.playing and not self.sink.suspended,
                client_time=client_time,
                server_time=self.server.wall_time(),
                write_index=self.ring.w,
                read_index=self.ring.r + elapsed,
                underrun_for=self.underrun_for,
                playing_for=self.playing_for + (elapsed if self.playing else 0),
            ),
        )

    def unclogged(self) -> None:
        self.request()

    def end(self) -> None:
        self.bus.advance(self.server.now)
        self.bus.leave(self)
        for tag in self.draining:
            self.server.refuse(self.client, tag, PulseError.NOENTITY)
        self.draining.clear()

    # -- what the bus does

    @property
    def underrun_for(self) -> int:
        """Bytes that would have been played since it stopped playing."""
        if self.playing:
            return 0
        if self._starved_at is None:
            return NEVER
        return self.spec.bytes_for(int((self.server.now - self._starved_at) * 1e6))

    @property
    def period(self) -> float:
        """Half of what the client wants to be queued on the whole way, unless it wants to be asked early."""
        return self._period

    @property
    def rest(self) -> float | None:
        """Seconds until a stream that drains has played all it has; None while it does not drain."""
        return self.voice.rest if self.draining else None

    def take(self, frames: int) -> Block:
        """The next `frames` frames at the bus's rate and channels, fewer if the queue runs empty.

        With prebuf 0 the stream goes on over an empty queue: the rest is silence, which counts as played.
        """
        block, consumed = self.voice.take(frames, last=bool(self.draining))
        self._goes_on(frames, len(block), consumed)
        return block

    def take_bytes(self, frames: int) -> Samples:
        data = self.voice.take_bytes(frames)
        self._goes_on(frames, len(data) // self.frame_bytes, len(data))
        return data

    def skip(self, frames: int) -> None:
        self._goes_on(frames, *self.voice.skip(frames))

    def _goes_on(self, frames: int, taken: int, consumed: int) -> None:
        """Of `frames` frames that were to be played it had `taken`, for which `consumed` bytes left the queue."""
        if taken:
            self._dry = False
            self._took(consumed)
        else:
            self.missing += consumed
        self.request()
        if taken < frames or (self.draining and self.voice.spent):
            self._ran_dry(frames - taken)

    def _took(self, consumed: int) -> None:
        self.missing += consumed + self._ahead - self._asked_ahead
        self._asked_ahead = self._ahead
        if not self.playing:
            self.playing = True
            self.tell(Started(channel=self.channel))
        self.playing_for += consumed

    def _ran_dry(self, frames: int) -> None:
        self._tell_underflow()
        if self.draining:
            self.finish_drains()
        if self.attr.prebuf:
            self._stop()
            self.prebuffering = True
            self.bus.leave(self)
        else:
            nbytes = frames * self.spec.rate // self.bus.rate * self.frame_bytes
            self.ring.skip(nbytes)
            self._took(nbytes)
        self.request()

    def _tell_underflow(self) -> None:
        if not self._dry:
            self._dry = True
            self.tell(Underflow(channel=self.channel, read_index=self.ring.r))

    def _stop(self) -> None:
        if self.playing:
            self.playing = False
            self.playing_for = 0
            self._starved_at = self.server.now

    # -- inside

    def start(self) -> None:
        """Play if nothing is in the way."""
        if self.draining and self.voice.spent:  # nothing was there, or a jump back has taken it away
            self.finish_drains()
        if self.corked or self.sink.suspended or self.bus.plays(self):
            return
        if self.prebuffering and self.voice.fill >= self.attr.prebuf:
            self.prebuffering = False
        if not self.prebuffering and (not self.voice.spent or not self.attr.prebuf):
            self.bus.join(self)

    def _go_on(self) -> None:
        """Play if enough is queued; else it is an underrun."""
        self.start()
        if not self.bus.plays(self):
            self._tell_underflow()
            self._stop()

    def _force_prebuffering(self) -> None:
        if self.attr.prebuf and not self.draining:
            self.prebuffering = True
            self.bus.leave(self)

    def request(self) -> None:
        """Ask the client for what is missing, if it is enough to be worth a packet."""
        if self.missing > 0 and (self.missing >= self.attr.minreq or self._starved) and not self.client.clogged:
            nbytes = min(self.missing, MAX_QUEUE)
            self.tell(Request(channel=self.channel, nbytes=nbytes))
            self.missing -= nbytes

    @property
    def _starved(self) -> bool:
        """There is too little in the queue to start or to go on."""
        if self.prebuffering:
            return self.voice.fill < self.attr.prebuf
        return bool(self.attr.prebuf) and not self.voice.fill

    def finish_drains(self) -> None:
        """All that was to be played has been."""
        tags, self.draining = self.draining, []
        for tag in tags:
            self.server.answer(self.client, tag, Ack())
        if tags and self.attr.prebuf:
            self.prebuffering = True
