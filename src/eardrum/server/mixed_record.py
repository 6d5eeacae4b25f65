"""The mixed kind of record stream: a tap on a bus of this worker."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from eardrum.protocol.catalog import Ack, RecordBufferAttrSet, RecordLatency, RecordStreamMoved, RecordStreamSuspended
from eardrum.server.buffers import settle_record
from eardrum.server.effects import SendSound
from eardrum.server.mixed import MAX_PERIOD
from eardrum.server.record import RecordStream
from eardrum.server.stream import Agreed, Tag
from eardrum.sound import convert, remap
from eardrum.sound.block import Block
from eardrum.sound.peaks import Peaks
from eardrum.sound.resample import Resampler, resampler
from eardrum.terms.audio import BufferAttr, Samples, SampleSpec
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.mixed import Bus
    from eardrum.server.objects import Client, Source
    from eardrum.server.playback import SinkInput

MAX_PACKET = 65_472  # bytes of samples in one packet: the largest block PulseAudio itself sends
MIN_FRAGMENT = 5_000  # µs: blocks do not come more often, so smaller packets would only be more of them


def cycle_bytes(spec: SampleSpec) -> int:
    """What a stream of this spec gets in the longest cycle."""
    return spec.bytes_for(int(MAX_PERIOD * 1e6))


class MixedRecord(RecordStream):
    """A tap on a bus of this worker."""

    def __init__(
        self,
        server: Server,
        client: Client,
        source: Source,
        agreed: Agreed,
        bus: Bus,
        *,
        only: SinkInput | None = None,
    ) -> None:
        super().__init__(server, client, source, agreed, only)
        self.bus = bus
        self._waiting: deque[Samples] = deque()  # packets that a clogged client has not been sent
        self._made = 0  # bytes, as the write index
        self._sent = 0  # bytes, as the read index
        self.resampler: Resampler | Peaks | None = None
        self._settle()
        self.gain = self.factors
        self._tune()

    def _tune(self) -> None:
        """The rate of the stream or of its bus is another; what is on its way is kept."""
        if isinstance(self.resampler, Resampler):
            self._send(self.resampler.flush())
        make = Peaks if self.agreed.peaks and self.spec.rate < self.bus.rate else resampler
        self.resampler = make(self.bus.rate, self.spec.rate, self.spec.channels)

    def start(self) -> None:
        """Get sound if nothing is in the way. At first the client must have been told of the stream."""
        if not self.corked and not self.source.suspended:
            self.bus.tap(self)

    def _settle(self) -> None:
        """Fix the buffer metrics for what was asked."""
        asked = self.agreed
        self.attr, self.latency = settle_record(
            asked.attr, self.spec, adjust_latency=asked.adjust_latency, early_requests=asked.early_requests
        )

    @property
    def period(self) -> float:
        """How long the bus may let this stream wait for its next block, in seconds."""
        return self.spec.usec(self.attr.fragsize) / 1e6

    def give(self, block: Block) -> None:
        """One block from the bus, at its rate and channels; the block is shared and must not be changed."""
        block, device_map = self.source.hear(block, self.bus.channel_map)
        way = remap.matrix(device_map, self.channel_map, self.agreed.no_remap, self.agreed.no_remix)
        block = remap.mix(block, way)
        if self.resampler is not None:
            block = self.resampler.feed(block)
        self._send(block)

    def _send(self, block: Block) -> None:
        """Frames in the stream's own channels and rate go to the client."""
        if not len(block):
            return
        if self.gain is not None:
            block = block * self.gain
        self._hand_out(convert.encode(block, self.spec))

    def _hand_out(self, data: Samples) -> None:
        """Frames in the stream's own spec go to the client in packets."""
        self._made += len(data)
        frame = self.spec.frame_bytes
        fragment = max(self.attr.fragsize, self.spec.bytes_for(MIN_FRAGMENT))
        step = max(frame, min(fragment, MAX_PACKET) // frame * frame)
        for start in range(0, len(data), step):
            self._waiting.append(data[start : start + step])
        waiting = self._made - self._sent
        most = self.attr.maxlength if not self.client.clogged else self.client.view.ledger.unread_room(self, waiting)
        while self._made - self._sent > most:
            self._made -= len(self._waiting.pop())  # nobody reads: the newest is lost, as in PulseAudio
        if not self.client.clogged:
            self.unclogged()

    def unclogged(self) -> None:
        while self._waiting:
            data = self._waiting.popleft()
            self._sent += len(data)
            self.server.effects.append(SendSound(self.client.number, self.channel, data))
        self.lent = 0

    @property
    def claimed(self) -> int:
        return cycle_bytes(self.spec)

    def give_back(self) -> None:
        self.lent = min(self.lent, self._made - self._sent)

    def cork(self, tag: Tag, corked: bool) -> None:
        if corked != self.corked:
            self.bus.advance(self.server.now)
            self.corked = corked
            self.bus.untap(self)
            self.start()
            self.server.stream_changed(self)
        self.server.answer(self.client, tag, Ack())

    def flush(self, tag: Tag) -> None:
        self.bus.advance(self.server.now)
        self._waiting.clear()
        self._sent = self._made
        self.server.answer(self.client, tag, Ack())

    def set_attr(self, tag: Tag, asked: BufferAttr, *, adjust_latency: bool, early_requests: bool) -> None:
        self.agreed = replace(self.agreed, attr=asked, adjust_latency=adjust_latency, early_requests=early_requests)
        self._settle()
        self.server.answer(self.client, tag, RecordBufferAttrSet(**self._metrics))

    @property
    def _metrics(self) -> dict[str, int]:
        return {"maxlength": self.attr.maxlength, "fragsize": self.attr.fragsize, "latency": self.latency}

    def move(self, source: Source) -> None:
        if source.bus is None:
            raise Refused(PulseError.NOTSUPPORTED, "what is mixed here cannot be carried")
        self.bus.advance(self.server.now)
        self.bus.untap(self)
        before, self.source, self.bus = self.bus, source, source.bus
        if before.rate != self.bus.rate:
            self._tune()
        self._settle()
        self.tell(
            RecordStreamMoved(
                channel=self.channel,
                source_index=source.index,
                source_name=source.name,
                suspended=source.suspended,
                **self._metrics,
            )
        )
        self.start()

    def suspend(self) -> None:
        self.tell(RecordStreamSuspended(channel=self.channel, suspended=self.source.suspended))
        self.bus.untap(self)
        self.start()

    def set_rate(self, tag: Tag, rate: int) -> None:
        spec = self.spec._replace(rate=rate)
        self.client.view.ledger.claim(cycle_bytes(spec) - cycle_bytes(self.spec))
        self.bus.advance(self.server.now)
        self.spec = spec
        self._tune()
        self.server.answer(self.client, tag, Ack())

    def tell_latency(self, tag: Tag, client_time: tuple[int, int]) -> None:
        due = self.bus.frames_due(self.server.now) * 1_000_000 // self.bus.rate if not self.corked else 0
        self.server.answer(
            self.client,
            tag,
            RecordLatency(
                monitor_latency=0,
                source_latency=due + (self.resampler.delay_usec if self.resampler else 0),
                playing=not self.corked and not self.source.suspended,
                client_time=client_time,
                server_time=self.server.wall_time(),
                write_index=self._made,
                read_index=self._sent,
            ),
        )

    def level_changed(self) -> None:
        self.bus.advance(self.server.now)
        self.gain = self.factors

    def end(self) -> None:
        self.bus.untap(self)
        self._waiting.clear()
