"""The client's side of a source output that is really one of the upstream's."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
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
    RecordStreamCreated,
    RecordStreamKilled,
    RecordStreamMoved,
    RecordStreamSuspended,
    SetRecordStreamBufferAttr,
    UpdateRecordStreamSampleRate,
)
from eardrum.protocol.message import Message
from eardrum.server.carried import Carried, Question, error_of
from eardrum.server.effects import SendSound
from eardrum.server.events import INPUT
from eardrum.server.indexes import bounded
from eardrum.server.meter import Meter
from eardrum.server.mixed_record import MixedRecord
from eardrum.server.record import RecordStream
from eardrum.server.stand_in import RecordStandIn
from eardrum.server.stream import Agreed, Tag
from eardrum.terms.audio import MAX_QUEUE, VOLUME_NORM, BufferAttr
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import said_upstream

if TYPE_CHECKING:
    from collections.abc import Callable

    from eardrum.server.core import Server
    from eardrum.server.objects import Client, Source


class CarriedRecord(Carried, RecordStream):
    """A source output that is really one of the upstream's.

    Its client knows one read index, whichever upstream it records: that is `_base` more than that of the present one.
    While it is muted, by whomever, no upstream records for it: it is hushed, and stood in for.
    """

    wire = INPUT
    MADE = RecordStreamCreated

    def __init__(self, server: Server, client: Client, source: Source, agreed: Agreed) -> None:
        Carried.__init__(self, server)
        RecordStream.__init__(self, server, client, source, agreed)
        self._base = 0  # bytes
        self._read = 0  # bytes that have come from the present upstream
        self._said_corked = False
        self._made_at = self.spec.rate  # Hz
        self._hushed = self._silent
        self._stand_in: RecordStandIn | None = None
        self._meter: Meter | None = None
        self._waiting: deque[bytes] = deque()  # packets that a clogged client has not been sent
        self._waiting_bytes = 0

    # -- making it, again and again

    def create(self, tag: Tag, created: Callable[[bool], Message]) -> None:
        """Have the upstream make the stream; `created` makes the reply, given if it is suspended."""
        self._tag, self._created = tag, created
        self._begin()
        if self._hushed:
            self.stand_in_afresh()

    def _begin(self) -> None:
        self._hushed = self._silent
        if self._hushed:
            self._leave_upstream()
        else:
            self.server.wires.begin(self)

    def make(self) -> None:
        if self._hushed:
            self._leave_upstream()
        else:
            super().make()

    def lost(self, error: PulseError) -> None:
        super().lost(error)
        if self._hushed:
            self._leave_upstream()

    def wish(self) -> CreateRecordStream:
        self._said_corked = self.corked
        self._measure()
        self._made_at = self.spec.rate
        asked = self.agreed
        attr = self._attr_upstream
        return CreateRecordStream(
            sample_spec=self.spec if self._meter is None else self.spec._replace(rate=self._meter.rate),
            channel_map=self.channel_map,
            source_name=self.source.upstream_name or None,
            maxlength=attr.maxlength,
            corked=self.corked,
            fragsize=attr.fragsize,
            no_remap=asked.no_remap,
            no_remix=asked.no_remix,
            variable_rate=asked.variable_rate,
            adjust_latency=asked.adjust_latency,
            proplist=said_upstream(self.client.view.name, True, self.proplist),
            early_requests=asked.early_requests,
            dont_inhibit_auto_suspend=asked.dont_inhibit_auto_suspend,
            volume=self.volume,
            volume_set=any(level != VOLUME_NORM for level in self.volume),
        )

    def made(self, reply: RecordStreamCreated) -> None:
        self._hushed = self._silent
        if self._hushed:
            self.delete()
            self._leave_upstream()
            if self._stand_in is None:
                self.stand_in_afresh()
            return
        if self._stand_in is not None:
            self._return(self._stand_in, reply)
            return
        self.new_attr(reply)
        self.server.add(self)
        self.server.answer(self.client, self._tag, self._created(reply.suspended))

    def _return(self, stand_in: RecordStandIn, reply: RecordStreamCreated) -> None:
        self._base, self._read = stand_in.leave(), 0
        self._stand_in = None
        self.new_attr(reply)
        if (self.attr, self.latency) != (stand_in.attr, stand_in.latency):
            self._tell_moved(reply.suspended)
        if self.corked != self._said_corked:
            message = CorkRecordStream(channel=self.number, cork=self.corked)
            self.server.wires.ask(self.wire, self.number, message)

    def give_up(self, error: PulseError) -> None:
        super().give_up(error)
        if not self.gone:
            self.server.refuse(self.client, self._tag, error)

    def delete(self) -> None:
        self.server.wires.ask(self.wire, self.number, DeleteRecordStream(channel=self.number))

    # -- standing in

    @property
    def stood_in(self) -> RecordStandIn | None:
        return self._stand_in

    @property
    def written(self) -> int:
        return self._read

    @property
    def active(self) -> bool:
        return self._asked or (self._stand_in is None and not self.corked)

    def stand_in_afresh(self) -> None:
        stand_in = RecordStandIn(self, self.server.buses.input)
        self.attr, self.latency = stand_in.attr, stand_in.latency
        self.server.add(self)
        self._install(stand_in)
        self.server.answer(self.client, self._tag, self._created(self.source.suspended))
        stand_in.start()
        self.level_changed()  # since it was asked for

    def go_on_for(self, mixed: MixedRecord) -> None:
        """Be carried, having been mixed until now, and so stood in for."""
        self._stand_in = RecordStandIn(self, mixed.bus)
        self._stand_in.inherit(mixed)
        self._begin()

    def stand_in_for_upstream(self) -> None:
        if self._stand_in is None:
            stand_in = RecordStandIn(self, self.server.buses.input)
            self._install(stand_in)
            stand_in.take_over(self.attr, self.latency, self._base + self._read)
            stand_in.start()

    def _install(self, stand_in: RecordStandIn) -> None:
        self._stand_in = stand_in
        stand_in.channel, stand_in.index = self.channel, self.index

    # -- its sound, of which a meter hears the peaks

    def _measure(self) -> None:
        """Begin to measure, if it is for a meter."""
        self._meter = Meter(self.spec) if self.agreed.peaks and Meter.serves(self.spec) else None

    @property
    def _attr_upstream(self) -> BufferAttr:
        """What to ask upstreams for."""
        asked, meter = self.agreed.attr, self._meter
        if meter is None:
            return asked
        return BufferAttr(maxlength=meter.more(asked.maxlength), fragsize=meter.more(asked.fragsize))

    def _here(self, nbytes: int) -> int:
        """What so many bytes of the upstream are for the client."""
        return nbytes if self._meter is None else self._meter.fewer(nbytes)

    def new_attr(self, message: Any) -> None:
        maxlength, fragsize = self._here(message.maxlength), self._here(message.fragsize)
        if self._meter is not None:
            fragsize = max(fragsize, self.spec.frame_bytes)
            maxlength = max(maxlength, fragsize)
        self.attr = BufferAttr(maxlength=min(maxlength, MAX_QUEUE), fragsize=fragsize)
        self.latency = message.latency

    def upstream_sound(self, data: memoryview) -> None:
        """Samples from the upstream; what a client does not read waits up to maxlength, then the newest is lost."""
        if self._meter is not None:
            data = memoryview(self._meter.hear(data))
            if not data:
                return
        self._read += len(data)
        if not self.client.clogged and not self._waiting:
            self.server.effects.append(SendSound(self.client.number, self.channel, data))
        elif (waiting := self._waiting_bytes + len(data)) <= self.client.view.ledger.unread_room(self, waiting):
            self._waiting.append(bytes(data))
            self._waiting_bytes += len(data)

    def unclogged(self) -> None:
        while self._waiting:
            data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            self.server.effects.append(SendSound(self.client.number, self.channel, data))
        self.lent = 0
        if self._stand_in is not None:
            self._stand_in.unclogged()

    @property
    def claimed(self) -> int:
        return 0 if self._stand_in is None else self._stand_in.claimed

    @property
    def borrowed(self) -> int:
        return self.lent if self._stand_in is None else self.lent + self._stand_in.lent

    def give_back(self) -> None:
        self.lent = min(self.lent, self._waiting_bytes)
        if self._stand_in is not None:
            self._stand_in.give_back()

    # -- what its client does

    def cork(self, tag: Tag, corked: bool) -> None:
        if corked != self.corked:
            self.corked = corked
            self.server.stream_changed(self)
        message = CorkRecordStream(channel=self.number, cork=corked)
        self.put(tag, message, lambda stand_in: stand_in.cork(tag, corked))

    def move(self, source: Source) -> None:
        raise Refused(PulseError.NOTSUPPORTED, "what is carried stays where it is")

    def suspend(self) -> None:
        if self._stand_in is not None:
            self._stand_in.suspend()
        else:
            self.tell(RecordStreamSuspended(channel=self.channel, suspended=self.source.suspended))

    def flush(self, tag: Tag) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        if self._meter is not None:
            self._measure()
        self.put(tag, FlushRecordStream(channel=self.number), lambda stand_in: stand_in.flush(tag))

    def set_attr(self, tag: Tag, asked: BufferAttr, *, adjust_latency: bool, early_requests: bool) -> None:
        how: dict[str, Any] = {"adjust_latency": adjust_latency, "early_requests": early_requests}
        self.agreed = replace(self.agreed, attr=asked, **how)
        attr = self._attr_upstream
        said: dict[str, Any] = {"maxlength": attr.maxlength, "fragsize": attr.fragsize}
        message = SetRecordStreamBufferAttr(channel=self.number, **said, **how)
        self.put(tag, message, lambda stand_in: stand_in.set_attr(tag, asked, **how))

    def set_rate(self, tag: Tag, rate: int) -> None:
        if self._meter is not None and self.stood_in is None:
            raise Refused(PulseError.NOTSUPPORTED, "what measures peaks upstream keeps its rate")
        rate = self.other_rate(self._made_at, rate)
        self.spec = self.spec._replace(rate=rate)
        message = UpdateRecordStreamSampleRate(channel=self.number, rate=rate)
        self.put(tag, message, lambda stand_in: stand_in.set_rate(tag, rate))

    def tell_latency(self, tag: Tag, client_time: tuple[int, int]) -> None:
        message = GetRecordLatency(channel=self.number, client_time=client_time)
        self.put(tag, message, lambda stand_in: stand_in.tell_latency(tag, client_time))

    def level_changed(self) -> None:
        """A carried record stream has no volume of its own."""
        if self._silent == self._hushed:
            return
        self._hushed = self._silent
        if self._asked:
            return  # when the upstream answers it is seen what holds then
        if not self._hushed:
            self.number = self.server.wires.carry(self)
            self.server.wires.begin(self)
            return
        if self._stand_in is None:
            self.stand_in_for_upstream()
            self.put_again()
            self.delete()
        self._leave_upstream()

    @property
    def _silent(self) -> bool:
        return self.muted or self.source.silent

    def _leave_upstream(self) -> None:
        """No upstream is asked for it, nor heard, until it sounds again under another number."""
        self.due = None
        self.server.wires.drop(self.number)

    def end(self) -> None:
        self.ended = True
        self.refuse_unanswered()
        if self._stand_in is not None:
            self._stand_in.end()
        else:
            self.delete()
        self.server.wires.drop(self.number)

    # -- what the upstream says

    def upstream_told(self, message: Message) -> None:
        match message:
            case RecordStreamMoved():
                self.new_attr(message)
                self._tell_moved(message.suspended)
            case RecordStreamSuspended():
                self.tell(RecordStreamSuspended(channel=self.channel, suspended=message.suspended))
            case RecordStreamKilled():
                self.killed()

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

    def answered(self, question: Question, outcome: Message | PulseError) -> None:
        tag = question.tag
        match outcome:
            case RecordBufferAttrSet() | RecordLatency() | Ack():
                if isinstance(outcome, RecordBufferAttrSet):
                    self.new_attr(outcome)
                    outcome.maxlength, outcome.fragsize = self.attr.maxlength, self.attr.fragsize
                if isinstance(outcome, RecordLatency):
                    self._read = self._here(outcome.read_index)
                    outcome.write_index = bounded(self._here(outcome.write_index) + self._base)
                    outcome.read_index = bounded(self._read + self._base)
                self.server.answer(self.client, tag, outcome)
            case _:
                self.server.refuse(self.client, tag, error_of(outcome))
