"""The client's side of a sink input that is really one of the upstream's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    CreatePlaybackStream,
    DeletePlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    GetPlaybackLatency,
    Overflow,
    PlaybackBufferAttrChanged,
    PlaybackBufferAttrSet,
    PlaybackLatency,
    PlaybackStreamKilled,
    PlaybackStreamMoved,
    PlaybackStreamSuspended,
    PrebufPlaybackStream,
    Request,
    SetPlaybackStreamBufferAttr,
    SetSinkInputMute,
    SetSinkInputVolume,
    Started,
    TriggerPlaybackStream,
    Underflow,
    UpdatePlaybackStreamSampleRate,
)
from eardrum.protocol.message import Message
from eardrum.server.carried import Carried, error_of, upstream_proplist
from eardrum.server.echo import Echo
from eardrum.server.effects import ReissueSound
from eardrum.server.events import OUTPUT, Sound
from eardrum.server.playback import PlaybackStream
from eardrum.server.stream import Agreed, Tag
from eardrum.terms.audio import INVALID, VOLUME_NORM, BufferAttr, Volume, multiply
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from eardrum.server.core import Server
    from eardrum.server.objects import Client, Sink

    Created = Callable[[Any], Message]  # the upstream's reply to ours


class _Level(NamedTuple):
    volume: Volume
    muted: bool


class CarriedPlayback(Carried, PlaybackStream):
    """A sink input that is really one of the upstream's."""

    wire = OUTPUT

    def __init__(self, server: Server, client: Client, sink: Sink, agreed: Agreed) -> None:
        super().__init__(server, client, sink, agreed)
        self.number = server.wires.carry(self)
        self.unanswered = []
        self.sync_number = -1
        self._said = self._level
        self._dropping = False  # the rest of a packet that is not a whole number of frames
        self._odd = b""  # the part of a frame that a piece of a long packet ended with
        self._wanted = 0  # bytes that the upstream has asked for and the client, which does not read, has not been told
        self._echo: Echo | None = None
        self._drain: Tag | None = None  # the newest one asked for
        self._drained = False  # all that was written has been heard upstream

    def clean(self, message: CreatePlaybackStream) -> CreatePlaybackStream:
        """What to ask the upstream for: built from what was understood, with properties that name the outlet."""
        self.sync_number = self.server.wires.sync_number(self.client, message.sync_id)
        self.sync_id = message.sync_id
        self._said = self._level
        return CreatePlaybackStream(
            sample_spec=self.spec,
            channel_map=self.channel_map,
            sink_name=self.sink.upstream_name or None,
            maxlength=message.maxlength,
            corked=message.corked,
            tlength=message.tlength,
            prebuf=message.prebuf,
            minreq=message.minreq,
            sync_id=self.sync_number,
            volume=self._level.volume,
            no_remap=message.no_remap,
            no_remix=message.no_remix,
            variable_rate=message.variable_rate,
            muted=self._level.muted,
            adjust_latency=message.adjust_latency,
            proplist=upstream_proplist(self.client.view, self.proplist),
            volume_set=self.levelled,
            early_requests=message.early_requests,
            muted_set=message.muted_set or self.muted or self.sink.set_here,
            dont_inhibit_auto_suspend=message.dont_inhibit_auto_suspend,
        )

    def announce(self) -> None:
        super().announce()
        if self._level != self._said:  # it was moved while the upstream made the stream
            self.level_changed()

    @property
    def _level(self) -> _Level:
        """What the upstream's slider for this stream must be: the stream's level and the sink's in series."""
        sink, volume = self.sink.level, self.sink.bounded(self.volume)
        volume = multiply(volume, sink if len(sink) == len(volume) else (max(sink),))
        return _Level(volume, self.muted or self.sink.silent)

    @property
    def levelled(self) -> bool:
        """True if a program or the person has moved a volume; the upstream's own choice holds until then."""
        return self.sink.set_here or any(level != VOLUME_NORM for level in self.volume)

    def sound(self, event: Sound) -> None:
        frame = self.spec.frame_bytes
        if event.first:
            self._dropping = bool(event.total % frame or event.offset % frame)
            self._odd = b""
        if self._dropping:
            return
        data: memoryview | bytes = event.data
        if self._odd or len(data) % frame:
            whole = self._odd + bytes(data)
            cut = len(whole) // frame * frame
            data, self._odd = whole[:cut], whole[cut:]
        if data:
            seek, offset = (event.seek, event.offset) if event.first else (0, 0)
            self.server.effects.append(ReissueSound(self.wire, self.number, seek, offset, data))
        self._drained = False
        if self._echo is not None:
            self._echo.sound(replace(event, seek=0, offset=0))  # the echo's positions are its own

    def listened(self, by_somebody: bool) -> None:
        """Somebody records the sink's monitor, or nobody does any more."""
        if self._echo is not None and not by_somebody:
            self._echo.end()
            self._echo = None
        elif self._echo is None and by_somebody:
            self._echo = Echo(self, self.server.buses.output)

    def cork(self, tag: Tag, corked: bool) -> None:
        if corked != self.corked:
            for member in self.group:
                if isinstance(member, CarriedPlayback):
                    member.hold(corked)
        self.ask(tag, CorkPlaybackStream(channel=self.number, cork=corked))

    def hold(self, corked: bool) -> None:
        """The upstream stops its group, or lets it go on."""
        self.corked = corked
        if self._echo is not None:
            self._echo.hold(corked)
            self._echo.start()
        self.server.stream_changed(self)

    def move(self, sink: Sink) -> None:
        raise Refused(PulseError.NOTSUPPORTED, "what is carried stays where it is")

    def suspend(self) -> None:
        self.tell(PlaybackStreamSuspended(channel=self.channel, suspended=self.sink.suspended))

    def flush(self, tag: Tag) -> None:
        if self._echo is not None:
            self._echo.throw_away()
        self.ask(tag, FlushPlaybackStream(channel=self.number))

    def drain(self, tag: Tag) -> None:
        self._drain = tag
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
        if self._echo is not None:
            self.listened(False)
            self.listened(True)
        self.ask(tag, UpdatePlaybackStreamSampleRate(channel=self.number, rate=rate))

    def tell_latency(self, tag: Tag, client_time: tuple[int, int]) -> None:
        self.ask(tag, GetPlaybackLatency(channel=self.number, client_time=client_time))

    def level_changed(self) -> None:
        if self._echo is not None:
            self._echo.volume, self._echo.muted = self.volume, self.muted
            self._echo.level_changed()
        self._said = self._level
        volume = SetSinkInputVolume(index=self.number, volume=self._said.volume)
        self.server.wires.ask(self.wire, self.number, volume)
        muted = SetSinkInputMute(index=self.number, muted=self._said.muted)
        self.server.wires.ask(self.wire, self.number, muted)

    def end(self) -> None:
        self.refuse_unanswered()
        if not self._drained:  # else the echo, whose clock is its own, plays what it still has and leaves the bus
            self.listened(False)
        self.server.wires.ask(self.wire, self.number, DeletePlaybackStream(channel=self.number))
        self.server.wires.drop(self.number)

    def unclogged(self) -> None:
        if self._wanted and not self.client.clogged:
            self.tell(Request(channel=self.channel, nbytes=self._wanted))
            self._wanted = 0

    def upstream_told(self, message: Message) -> None:
        """What the upstream says unasked, under our number; what is not listed here is not for the client."""
        match message:
            case Request():
                self._wanted = min(self._wanted + message.nbytes, INVALID - 1)
                self.unclogged()
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
                self.tell(PlaybackBufferAttrChanged(channel=self.channel, **self.metrics))
            case PlaybackStreamKilled():
                self.server.wires.drop(self.number)
                self.server.kill(self)

    def new_attr(self, message: Any) -> None:
        self.attr = BufferAttr(message.maxlength, message.tlength, message.prebuf, message.minreq)
        self.latency = message.latency

    def answered(self, tag: Tag, outcome: Message | PulseError) -> None:
        match outcome:
            case PlaybackBufferAttrSet():
                self.new_attr(outcome)
                self.server.answer(self.client, tag, PlaybackBufferAttrSet(**self.metrics))
            case PlaybackLatency():
                self.server.answer(self.client, tag, outcome)
            case Ack():
                self._drained |= tag == self._drain
                self.server.answer(self.client, tag, Ack())
            case _:
                self.server.refuse(self.client, tag, error_of(outcome))
