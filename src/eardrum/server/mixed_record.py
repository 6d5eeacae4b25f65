"""The mixed kind of record stream: a tap on a bus of this worker."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from eardrum.protocol.catalog import Ack, RecordBufferAttrSet, RecordLatency
from eardrum.server.buffers import Settled, settle_record
from eardrum.server.effects import SendSound
from eardrum.server.record import RecordStream
from eardrum.sound import convert, remap
from eardrum.sound.block import Block
from eardrum.sound.resample import resampler
from eardrum.sound.volume import Gains, gains
from eardrum.terms.audio import BufferAttr, ChannelMap, SampleSpec, Volume
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.mixed import Bus
    from eardrum.server.objects import Client, Source
    from eardrum.server.playback import Tag

MAX_PACKET = 65_472  # bytes of samples in one packet: the largest block PulseAudio itself sends
MIN_FRAGMENT = 5_000  # µs: blocks do not come more often, so smaller packets would only be more of them


class MixedRecord(RecordStream):
    """A tap on a bus of this worker. Raises Refused(NOTSUPPORTED) for what the mixer cannot convert."""

    def __init__(
        self, server: Server, client: Client, source: Source, spec: SampleSpec, channel_map: ChannelMap, volume: Volume
    ) -> None:
        assert source.bus is not None
        if not convert.supported(spec.format) or not remap.supported(spec.channels):
            raise Refused(PulseError.NOTSUPPORTED, f"{spec} cannot be mixed yet")
        super().__init__(server, client, source, spec, channel_map, volume)
        self.bus: Bus = source.bus
        self.gain: Gains | None = None
        self._waiting: deque[bytes] = deque()  # packets that a clogged client has not been sent
        self._made = 0  # bytes, as the write index
        self._sent = 0  # bytes, as the read index
        self._tune(spec.rate)

    def _tune(self, rate: int) -> None:
        self.resampler = resampler(self.bus.rate, rate, self.spec.channels)

    def settle(self, asked: BufferAttr, *, adjust_latency: bool, early_requests: bool) -> None:
        """Fix the buffer metrics before the stream is announced."""
        self._settle(asked, adjust_latency, early_requests)
        self.gain = self._gain()

    def start(self) -> None:
        """The client knows the stream: it may get sound."""
        if not self.corked:
            self.bus.tap(self)

    def _gain(self) -> Gains | None:
        return gains((0,) if self.muted else self.volume)

    def _settle(self, asked: BufferAttr, adjust_latency: bool, early_requests: bool) -> Settled:
        settled = settle_record(asked, self.spec, adjust_latency=adjust_latency, early_requests=early_requests)
        self.attr, self.latency = settled
        return settled

    @property
    def period(self) -> float:
        """How long the bus may let this stream wait for its next block, in seconds."""
        return self.spec.usec(self.attr.fragsize) / 1e6

    def give(self, block: Block) -> None:
        """One block from the bus, at its rate and channels; the block is shared and must not be changed."""
        if self.source.gain is not None:
            block = block * self.source.gain
        device_map = self.bus.channel_map
        if self.source.taken_as is not None:
            block, device_map = remap.remap(block, device_map, self.source.taken_as), self.source.channel_map
        block = remap.remap(block, device_map, self.channel_map)
        if self.resampler is not None:
            block = self.resampler.feed(block)
        if self.gain is not None:
            block = block * self.gain
        if not len(block):
            return
        data = convert.encode(block, self.spec)
        self._made += len(data)
        frame = self.spec.frame_bytes
        fragment = max(self.attr.fragsize, self.spec.bytes_for(MIN_FRAGMENT))
        step = max(frame, min(fragment, MAX_PACKET) // frame * frame)
        for start in range(0, len(data), step):
            self._waiting.append(data[start : start + step])
        while self._made - self._sent > self.attr.maxlength:
            self._made -= len(self._waiting.pop())  # nobody reads: the newest is lost, as in PulseAudio
        if not self.client.clogged:
            self.unclogged()

    def unclogged(self) -> None:
        while self._waiting:
            data = self._waiting.popleft()
            self._sent += len(data)
            self.server.effects.append(SendSound(self.client.number, self.channel, data))

    def cork(self, tag: Tag, corked: bool) -> None:
        if corked != self.corked:
            self.bus.advance(self.server.now)
            self.corked = corked
            if corked:
                self.bus.untap(self)
            else:
                self.bus.tap(self)
            self.server.stream_changed(self)
        self.server.answer(self.client, tag, Ack())

    def flush(self, tag: Tag) -> None:
        self.bus.advance(self.server.now)
        self._waiting.clear()
        self._sent = self._made
        self.server.answer(self.client, tag, Ack())

    def set_attr(self, tag: Tag, asked: BufferAttr, *, adjust_latency: bool, early_requests: bool) -> None:
        attr, latency = self._settle(asked, adjust_latency, early_requests)
        self.server.answer(
            self.client, tag, RecordBufferAttrSet(maxlength=attr.maxlength, fragsize=attr.fragsize, latency=latency)
        )

    def set_rate(self, tag: Tag, rate: int) -> None:
        self.bus.advance(self.server.now)
        self.spec = self.spec._replace(rate=rate)
        self._tune(rate)
        self.server.answer(self.client, tag, Ack())

    def tell_latency(self, tag: Tag, client_time: tuple[int, int]) -> None:
        due = self.bus.frames_due(self.server.now) * 1_000_000 // self.bus.rate if not self.corked else 0
        self.server.answer(
            self.client,
            tag,
            RecordLatency(
                monitor_latency=0,
                source_latency=due + (self.resampler.delay_usec if self.resampler else 0),
                playing=not self.corked,
                client_time=client_time,
                server_time=self.server.wall_time(),
                write_index=self._made,
                read_index=self._sent,
            ),
        )

    def level_changed(self) -> None:
        self.bus.advance(self.server.now)
        self.gain = self._gain()

    def end(self) -> None:
        self.bus.untap(self)
        self._waiting.clear()
