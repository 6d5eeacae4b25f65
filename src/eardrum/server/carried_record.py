"""The client's side of a source output that is really one of the upstream's."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from eardrum.protocol.catalog import (
    Ack,
    CorkRecordStream,
    CreateRecordStream,
    DeleteRecordStream,
    FlushRecordStream,
    GetRecordLatency,
    RecordBufferAttrSet,
    RecordLatency,
    RecordStreamKilled,
    RecordStreamMoved,
    RecordStreamSuspended,
    SetRecordStreamBufferAttr,
    UpdateRecordStreamSampleRate,
)
from eardrum.protocol.message import Message
from eardrum.server.carried import Carried, error_of, upstream_proplist
from eardrum.server.effects import SendSound
from eardrum.server.events import INPUT
from eardrum.server.record import RecordStream
from eardrum.server.stream import Agreed, Tag
from eardrum.terms.audio import MAX_QUEUE, VOLUME_NORM, BufferAttr
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from eardrum.server.core import Server
    from eardrum.server.objects import Client, Source

    Created = Callable[[Any], Message]  # the upstream's reply to ours


class CarriedRecord(Carried, RecordStream):
    """A source output that is really one of the upstream's."""

    wire = INPUT

    def __init__(self, server: Server, client: Client, source: Source, agreed: Agreed) -> None:
        super().__init__(server, client, source, agreed)
        self.number = server.wires.carry(self)
        self.unanswered = []
        self._waiting: deque[bytes] = deque()  # packets that a clogged client has not been sent
        self._waiting_bytes = 0

    def clean(self, message: CreateRecordStream) -> CreateRecordStream:
        """What to ask the upstream for: built from what was understood, with properties that name the outlet."""
        return CreateRecordStream(
            sample_spec=self.spec,
            channel_map=self.channel_map,
            source_name=self.source.upstream_name or None,
            maxlength=message.maxlength,
            corked=message.corked,
            fragsize=message.fragsize,
            no_remap=message.no_remap,
            no_remix=message.no_remix,
            variable_rate=message.variable_rate,
            peak_detect=message.peak_detect,
            adjust_latency=message.adjust_latency,
            proplist=upstream_proplist(self.client.view, self.proplist),
            early_requests=message.early_requests,
            dont_inhibit_auto_suspend=message.dont_inhibit_auto_suspend,
            volume=self.volume,
            volume_set=any(level != VOLUME_NORM for level in self.volume),
        )

    def new_attr(self, message: Any) -> None:
        self.attr = BufferAttr(maxlength=min(message.maxlength, MAX_QUEUE), fragsize=message.fragsize)
        self.latency = message.latency

    def upstream_sound(self, data: memoryview) -> None:
        """Samples from the upstream; what a client does not read waits up to maxlength, then the newest is lost."""
        if self.muted or self.source.silent:
            data = memoryview(bytes((self.spec.silence,)) * len(data))
        if not self.client.clogged and not self._waiting:
            self.server.effects.append(SendSound(self.client.number, self.channel, data))
        elif self._waiting_bytes + len(data) <= self.attr.maxlength:
            self._waiting.append(bytes(data))
            self._waiting_bytes += len(data)

    def unclogged(self) -> None:
        while self._waiting:
            data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            self.server.effects.append(SendSound(self.client.number, self.channel, data))

    def cork(self, tag: Tag, corked: bool) -> None:
        if corked != self.corked:
            self.corked = corked
            self.server.stream_changed(self)
        self.ask(tag, CorkRecordStream(channel=self.number, cork=corked))

    def move(self, source: Source) -> None:
        raise Refused(PulseError.NOTSUPPORTED, "what is carried stays where it is")

    def suspend(self) -> None:
        self.tell(RecordStreamSuspended(channel=self.channel, suspended=self.source.suspended))

    def flush(self, tag: Tag) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        self.ask(tag, FlushRecordStream(channel=self.number))

    def set_attr(self, tag: Tag, asked: BufferAttr, *, adjust_latency: bool, early_requests: bool) -> None:
        self.ask(
            tag,
            SetRecordStreamBufferAttr(
                channel=self.number,
                maxlength=asked.maxlength,
                fragsize=asked.fragsize,
                adjust_latency=adjust_latency,
                early_requests=early_requests,
            ),
        )

    def set_rate(self, tag: Tag, rate: int) -> None:
        self.spec = self.spec._replace(rate=rate)
        self.ask(tag, UpdateRecordStreamSampleRate(channel=self.number, rate=rate))

    def tell_latency(self, tag: Tag, client_time: tuple[int, int]) -> None:
        self.ask(tag, GetRecordLatency(channel=self.number, client_time=client_time))

    def level_changed(self) -> None:
        """Mute is done here; a carried record stream has no volume of its own."""

    def end(self) -> None:
        self.refuse_unanswered()
        self.server.wires.ask(self.wire, self.number, DeleteRecordStream(channel=self.number))
        self.server.wires.drop(self.number)

    def upstream_told(self, message: Message) -> None:
        match message:
            case RecordStreamMoved():
                self.new_attr(message)
                self._tell_moved(message.suspended)
            case RecordStreamSuspended():
                self.tell(RecordStreamSuspended(channel=self.channel, suspended=message.suspended))
            case RecordStreamKilled():
                self.server.wires.drop(self.number)
                self.server.kill(self)

    def _tell_moved(self, suspended: bool) -> None:
        """Its client hears of other metrics by a move to where it is: no other event can tell of them."""
        self.tell(
            RecordStreamMoved(
                channel=self.channel,
                source_index=self.source.index,
                source_name=self.source.name,
                suspended=suspended,
                maxlength=self.attr.maxlength,
                fragsize=self.attr.fragsize,
                latency=self.latency,
            )
        )

    def answered(self, tag: Tag, outcome: Message | PulseError) -> None:
        match outcome:
            case RecordBufferAttrSet() | RecordLatency() | Ack():
                if isinstance(outcome, RecordBufferAttrSet):
                    self.new_attr(outcome)
                self.server.answer(self.client, tag, outcome)
            case _:
                self.server.refuse(self.client, tag, error_of(outcome))
