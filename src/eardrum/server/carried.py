"""The carried backend: a stream that is played or recorded upstream. Here is the client's side of it; what is said to
the upstream is built anew from what was understood, and only samples pass as they are.

A carried stream has no queue and no clock: requests, underruns and latency are the upstream's, under our numbers.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    CorkRecordStream,
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    FlushRecordStream,
    GetPlaybackLatency,
    GetRecordLatency,
    Overflow,
    PlaybackBufferAttrChanged,
    PlaybackBufferAttrSet,
    PlaybackLatency,
    PlaybackStreamKilled,
    PlaybackStreamMoved,
    PlaybackStreamSuspended,
    PrebufPlaybackStream,
    RecordBufferAttrSet,
    RecordLatency,
    RecordStreamKilled,
    RecordStreamSuspended,
    Request,
    SetPlaybackStreamBufferAttr,
    SetRecordStreamBufferAttr,
    SetSinkInputMute,
    SetSinkInputVolume,
    Started,
    TriggerPlaybackStream,
    Underflow,
    UpdatePlaybackStreamSampleRate,
    UpdateRecordStreamSampleRate,
)
from eardrum.protocol.message import Message
from eardrum.server.echo import Echo
from eardrum.server.effects import ReissueSound, SendSound
from eardrum.server.events import INPUT, OUTPUT, Sound
from eardrum.server.playback import PlaybackStream, Tag
from eardrum.server.record import RecordStream
from eardrum.terms.audio import VOLUME_NORM, BufferAttr, ChannelMap, SampleSpec, Volume, multiply
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import value

if TYPE_CHECKING:
    from collections.abc import Callable

    from eardrum.server.core import Server
    from eardrum.server.objects import Client, Sink, Source, View

    Created = Callable[[Any], Message]  # the upstream's reply to ours


SAID_UPSTREAM = ("media.name", "media.role", "media.title", "media.artist")


class Carried(ABC):
    """What carried streams of both directions share: a number between this core and the upstream's, and questions."""

    server: Server
    client: Client
    wire: int
    number: int

    def create(self, tag: Tag, message: Message, created: Created) -> None:
        """Ask the upstream for the stream; `created` turns its reply into ours once the stream has its numbers."""
        self.server.ask_upstream(self.wire, self.number, message, partial(self._created, tag, message, created))

    def _created(self, tag: Tag, asked: Message, created: Created, outcome: Message | PulseError) -> None:
        gone = self.client.number not in self.server.clients
        if not isinstance(outcome, asked.ANSWER or Ack):
            self.server.drop(self.number)
            if not gone:
                self.server.refuse(self.client, tag, error_of(outcome))
        elif gone:
            self.end()
        else:
            self.new_attr(outcome)
            self.server.add(self)  # type: ignore[arg-type]
            self.server.answer(self.client, tag, created(outcome))

    def ask(self, tag: Tag, message: Message) -> None:
        """Ask the upstream what the client asked; its answer is the answer."""
        self.server.ask_upstream(self.wire, self.number, message, partial(self.answered, tag))

    @abstractmethod
    def answered(self, tag: Tag, outcome: Message | PulseError) -> None: ...

    @abstractmethod
    def new_attr(self, message: Any) -> None:
        """Take over the buffer metrics that the upstream names."""

    @abstractmethod
    def end(self) -> None: ...


class CarriedPlayback(Carried, PlaybackStream):
    """A sink input that is really one of the upstream's."""

    wire = OUTPUT

    def __init__(
        self, server: Server, client: Client, sink: Sink, spec: SampleSpec, channel_map: ChannelMap, volume: Volume
    ) -> None:
        super().__init__(server, client, sink, spec, channel_map, volume)
        self.number = server.carry(self)
        self._draining: set[Tag] = set()
        self._dropping = False  # the rest of a packet that is not a whole number of frames
        self._odd = b""  # the part of a frame that a piece of a long packet ended with
        self._echo: Echo | None = None

    def clean(self, message: CreatePlaybackStream) -> CreatePlaybackStream:
        """What to ask the upstream for: built from what was understood, with properties that name the outlet."""
        return CreatePlaybackStream(
            sample_spec=self.spec,
            channel_map=self.channel_map,
            sink_name=self.sink.upstream_name or None,
            maxlength=message.maxlength,
            corked=message.corked,
            tlength=message.tlength,
            prebuf=message.prebuf,
            minreq=message.minreq,
            sync_id=self.server.sync_number(self.client, message.sync_id),
            volume=self.upstream_volume,
            no_remap=message.no_remap,
            no_remix=message.no_remix,
            variable_rate=message.variable_rate,
            muted=self.muted or self.sink.muted,
            adjust_latency=message.adjust_latency,
            proplist=upstream_proplist(self.client.view, self.proplist),
            volume_set=self.levelled,
            early_requests=message.early_requests,
            muted_set=self.muted or self.sink.muted,
            dont_inhibit_auto_suspend=message.dont_inhibit_auto_suspend,
        )

    @property
    def upstream_volume(self) -> Volume:
        """What the upstream's slider for this stream must be: the stream's volume and the sink's in series."""
        sink = self.sink.volume
        return multiply(self.volume, sink if len(sink) == len(self.volume) else (max(sink),))

    @property
    def levelled(self) -> bool:
        """True if someone inside the outlet has moved a volume; the upstream's own choice holds until then."""
        return any(level != VOLUME_NORM for level in (*self.volume, *self.sink.volume))

    def sound(self, event: Sound) -> None:
        frame = self.spec.frame_bytes
        if event.first:
            self._dropping = event.total % frame != 0
            self._odd = b""
        if self._dropping:
            return
        data: memoryview | bytes = event.data
        if self._odd or len(data) % frame:
            whole = self._odd + bytes(data)
            cut = len(whole) // frame * frame
            data, self._odd = whole[:cut], whole[cut:]
        if data:
            self.server.effects.append(ReissueSound(self.wire, self.number, event.seek, event.offset, data))
        if self._echo is not None:
            self._echo.sound(event)

    def listened(self, by_somebody: bool) -> None:
        """Somebody records the sink's monitor, or nobody does any more."""
        if self._echo is not None and not by_somebody:
            self._echo.end()
            self._echo = None
        elif self._echo is None and by_somebody:
            with contextlib.suppress(Refused):  # what the mixer cannot convert the monitor does not have
                self._echo = Echo(self, self.server.bus)

    def cork(self, tag: Tag, corked: bool) -> None:
        if corked != self.corked:
            self.corked = corked
            if self._echo is not None:
                self._echo.hold(corked)
            self.server.stream_changed(self)
        self.ask(tag, CorkPlaybackStream(channel=self.number, cork=corked))

    def flush(self, tag: Tag) -> None:
        if self._echo is not None:
            self._echo.throw_away()
        self.ask(tag, FlushPlaybackStream(channel=self.number))

    def drain(self, tag: Tag) -> None:
        self._draining.add(tag)
        self.ask(tag, DrainPlaybackStream(channel=self.number))

    def trigger(self, tag: Tag) -> None:
        self.ask(tag, TriggerPlaybackStream(channel=self.number))

    def prebuf(self, tag: Tag) -> None:
        self.ask(tag, PrebufPlaybackStream(channel=self.number))

    def set_attr(self, tag: Tag, asked: BufferAttr, *, adjust_latency: bool, early_requests: bool) -> None:
        self.ask(
            tag,
            SetPlaybackStreamBufferAttr(
                channel=self.number,
                maxlength=asked.maxlength,
                tlength=asked.tlength,
                prebuf=asked.prebuf,
                minreq=asked.minreq,
                adjust_latency=adjust_latency,
                early_requests=early_requests,
            ),
        )

    def set_rate(self, tag: Tag, rate: int) -> None:
        self.spec = self.spec._replace(rate=rate)
        self.ask(tag, UpdatePlaybackStreamSampleRate(channel=self.number, rate=rate))

    def tell_latency(self, tag: Tag, client_time: tuple[int, int]) -> None:
        self.ask(tag, GetPlaybackLatency(channel=self.number, client_time=client_time))

    def level_changed(self) -> None:
        if self._echo is not None:
            self._echo.volume, self._echo.muted = self.volume, self.muted
            self._echo.level_changed()
        volume = SetSinkInputVolume(index=self.number, volume=self.upstream_volume)
        self.server.ask_upstream(self.wire, self.number, volume)
        muted = SetSinkInputMute(index=self.number, muted=self.muted or self.sink.muted)
        self.server.ask_upstream(self.wire, self.number, muted)

    def end(self) -> None:
        for tag in self._draining:
            self.server.refuse(self.client, tag, PulseError.NOENTITY)
        self._draining.clear()
        self.listened(False)
        self.server.ask_upstream(self.wire, self.number, DeletePlaybackStream(channel=self.number))
        self.server.drop(self.number)

    def upstream_told(self, message: Message) -> None:
        """What the upstream says unasked, under our number; what is not listed here is not for the client."""
        match message:
            case Request():
                self.tell(Request(channel=self.channel, nbytes=message.nbytes))
            case Started():
                self.tell(Started(channel=self.channel))
            case Underflow():
                self.tell(Underflow(channel=self.channel, read_index=message.read_index))
            case Overflow():
                self.tell(Overflow(channel=self.channel))
            case PlaybackStreamSuspended():
                self.tell(PlaybackStreamSuspended(channel=self.channel, suspended=message.suspended))
            case PlaybackBufferAttrChanged() | PlaybackStreamMoved():
                self.new_attr(message)
                self.tell(PlaybackBufferAttrChanged(channel=self.channel, **self._metrics()))
            case PlaybackStreamKilled():
                self.server.drop(self.number)
                self.server.kill(self)

    def new_attr(self, message: Any) -> None:
        self.attr = BufferAttr(message.maxlength, message.tlength, message.prebuf, message.minreq)
        self.latency = message.latency

    def _metrics(self) -> dict[str, int]:
        maxlength, tlength, prebuf, minreq, _ = self.attr
        return {
            "maxlength": maxlength, "tlength": tlength, "prebuf": prebuf, "minreq": minreq, "latency": self.latency,
        }  # fmt: skip

    def answered(self, tag: Tag, outcome: Message | PulseError) -> None:
        if tag in self._draining:
            self._draining.discard(tag)
        elif self.client.playback.get(self.channel) is not self:
            return  # deleted meanwhile: the client has had its answers
        match outcome:
            case PlaybackBufferAttrSet():
                self.new_attr(outcome)
                self.server.answer(self.client, tag, PlaybackBufferAttrSet(**self._metrics()))
            case PlaybackLatency():
                self.server.answer(self.client, tag, replace(outcome))
            case Ack():
                self.server.answer(self.client, tag, Ack())
            case _:
                self.server.refuse(self.client, tag, error_of(outcome))


class CarriedRecord(Carried, RecordStream):
    """A source output that is really one of the upstream's."""

    wire = INPUT

    def __init__(
        self, server: Server, client: Client, source: Source, spec: SampleSpec, channel_map: ChannelMap, volume: Volume
    ) -> None:
        super().__init__(server, client, source, spec, channel_map, volume)
        self.number = server.carry(self)
        self._waiting: deque[bytes] = deque()  # packets that a clogged client has not been sent
        self._waiting_bytes = 0

    def clean(self, message: CreateRecordStream) -> CreateRecordStream:
        """What to ask the upstream for: built from what was understood, with properties that name the outlet."""
        return CreateRecordStream(
            sample_spec=self.spec,
            channel_map=self.channel_map,
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
        self.attr = BufferAttr(maxlength=message.maxlength, fragsize=message.fragsize)
        self.latency = message.latency

    def upstream_sound(self, data: memoryview) -> None:
        """Samples from the upstream; what a client does not read waits up to maxlength, then the newest is lost."""
        if self.muted or self.source.muted:
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
        self.server.ask_upstream(self.wire, self.number, DeleteRecordStream(channel=self.number))
        self.server.drop(self.number)

    def upstream_told(self, message: Message) -> None:
        match message:
            case RecordStreamSuspended():
                self.tell(RecordStreamSuspended(channel=self.channel, suspended=message.suspended))
            case RecordStreamKilled():
                self.server.drop(self.number)
                self.server.kill(self)

    def answered(self, tag: Tag, outcome: Message | PulseError) -> None:
        if self.client.record.get(self.channel) is not self:
            return  # deleted meanwhile
        match outcome:
            case RecordBufferAttrSet() | RecordLatency() | Ack():
                if isinstance(outcome, RecordBufferAttrSet):
                    self.new_attr(outcome)
                self.server.answer(self.client, tag, replace(outcome))
            case _:
                self.server.refuse(self.client, tag, error_of(outcome))


def upstream_proplist(view: View, proplist: dict[str, bytes]) -> dict[str, bytes]:
    """What the upstream is told of a stream: the outlet's name, and of the client's words only what the sound is.

    The restore id is the outlet's, so that a program in a container neither takes over nor moves the levels that the
    upstream remembers for a program of the same name outside.
    """
    told = {key: proplist[key] for key in SAID_UPSTREAM if key in proplist}
    return {
        **told,
        "application.name": value(view.name),
        "application.id": value(f"eardrum.{view.name}"),
        "module-stream-restore.id": value(f"eardrum-{view.name}"),
    }


def error_of(outcome: Message | PulseError) -> PulseError:
    """The error to pass on; a reply of the wrong kind is the upstream's fault."""
    return outcome if isinstance(outcome, PulseError) else PulseError.PROTOCOL
