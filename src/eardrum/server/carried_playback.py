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
    PlaybackStreamCreated,
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
from eardrum.protocol.packets import PIECE
from eardrum.server.buffers import queue_bytes, upstream_minreq
from eardrum.server.carried import Carried, Question, error_of
from eardrum.server.echo import Echo
from eardrum.server.effects import CloseShortcut, OpenShortcut, ReissueSound
from eardrum.server.events import OUTPUT, Sound
from eardrum.server.indexes import Indexes, bounded
from eardrum.server.mixed_playback import MixedPlayback
from eardrum.server.playback import PlaybackStream
from eardrum.server.stand_in import Rest, StandIn
from eardrum.server.stream import Agreed, Tag
from eardrum.sound import convert
from eardrum.terms.audio import INVALID, MAX_QUEUE, VOLUME_NORM, BufferAttr, SampleFormat, Volume, multiply
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.properties import said_upstream

if TYPE_CHECKING:
    from collections.abc import Callable

    from eardrum.server.core import Server
    from eardrum.server.objects import Client, Sink


_UNBOUNDED = (SampleFormat.FLOAT32LE, SampleFormat.FLOAT32BE)


class _Level(NamedTuple):
    volume: Volume
    muted: bool


class CarriedPlayback(Carried, PlaybackStream):
    """A sink input that is really one of the upstream's."""

    wire = OUTPUT
    MADE = PlaybackStreamCreated

    def __init__(self, server: Server, client: Client, sink: Sink, agreed: Agreed) -> None:
        Carried.__init__(self, server)
        PlaybackStream.__init__(self, server, client, sink, agreed)
        self.sync_number = -1
        self._made_at = self.spec.rate  # Hz
        self._said = self._level
        self._dropping = False  # the rest of a packet that is not a whole number of frames
        self._odd = b""  # the part of a frame that a piece of a long packet ended with
        self._indexes = Indexes()
        self._queue_bytes = self._wanted_queue(agreed)
        self._echo: Echo | None = None
        self._stand_in: StandIn | None = None
        self._back: PlaybackStreamCreated | None = None  # the reply to what is stood in for until its group is there
        self._short = False  # sound passes without the core
        self._sleeps = False  # its client was told that the upstream's sink is suspended
        self._drain: Tag | None = None  # the newest one asked for
        self._drained = False  # all that was written has been heard upstream

    # -- making it, again and again

    def create(self, tag: Tag, sync_id: int, created: Callable[[int, bool], Message]) -> None:
        """Have the upstream make the stream; `created` makes the reply: what is missing, whether it is suspended."""
        self._tag, self._created = tag, created
        self.begin(sync_id)

    def begin(self, sync_id: int) -> None:
        """Have the upstream make the stream, in this sync group."""
        self.sync_number = self.server.wires.sync_number(self.client, sync_id)
        self.sync_id = sync_id
        self.server.wires.begin(self)

    def wish(self) -> CreatePlaybackStream:
        """A stream that is stood in for is made corked: its group begins when all of it is there."""
        self._said = level = self._level
        self._made_at = self.spec.rate
        asked = self.agreed
        return CreatePlaybackStream(
            sample_spec=self.spec,
            channel_map=self.channel_map,
            sink_name=self.sink.upstream_name or None,
            maxlength=asked.attr.maxlength,
            corked=self.corked or self._stand_in is not None,
            tlength=asked.attr.tlength,
            prebuf=asked.attr.prebuf,
            minreq=self._minreq,
            sync_id=self.sync_number,
            volume=level.volume,
            no_remap=asked.no_remap,
            no_remix=asked.no_remix,
            variable_rate=asked.variable_rate,
            muted=level.muted,
            adjust_latency=asked.adjust_latency,
            proplist=said_upstream(self.client.view.name, False, self.proplist),
            volume_set=self.levelled,
            early_requests=asked.early_requests,
            muted_set=asked.muted_set or self.muted or self.sink.set_here,
            dont_inhibit_auto_suspend=asked.dont_inhibit_auto_suspend,
        )

    @property
    def _minreq(self) -> int:
        """What to ask upstreams for."""
        adjust, early = self.agreed.adjust_latency, self.agreed.early_requests
        return upstream_minreq(self.agreed.attr, self.spec, adjust_latency=adjust, early_requests=early)

    def made(self, reply: PlaybackStreamCreated) -> None:
        if self._stand_in is not None:
            self._back = reply
            self.return_if_complete()
            return
        self._sleeps = reply.suspended
        self.new_attr(reply)
        self._indexes.told = reply.missing
        self.server.add(self)
        self.say_level()
        self._shorten()
        self.server.answer(self.client, self._tag, self._created(reply.missing, reply.suspended))

    def _shorten(self) -> None:
        """Let sound pass without the core as long as nothing here needs it."""
        short = not (self.ended or self._stand_in is not None or self._echo is not None or self._limits)
        if short != self._short:
            self._short, number, frame = short, self.number, self.spec.frame_bytes
            way = OpenShortcut(self.client.number, self.channel, self.wire, number, frame, self._indexes)
            self.server.effects.append(way if short else CloseShortcut(number))

    def say_level(self) -> None:
        """A stream was made. If its level matters it is said once more: pipewire-pulse takes none before."""
        if self.levelled or self._level != self._said:
            self.level_changed()

    def give_up(self, error: PulseError) -> None:
        super().give_up(error)
        if not self.gone:
            self.server.refuse(self.client, self._tag, error)

    def delete(self) -> None:
        self.server.wires.ask(self.wire, self.number, DeletePlaybackStream(channel=self.number))

    # -- standing in

    @property
    def stood_in(self) -> StandIn | None:
        return self._stand_in

    @property
    def written(self) -> int:
        return self._indexes.written

    @property
    def active(self) -> bool:
        return self._asked or (self._stand_in is None and not self.corked)

    @property
    def others(self) -> list[CarriedPlayback]:
        """The others of its sync group."""
        return [
            each for each in self.group if isinstance(each, CarriedPlayback) and each is not self and not each.ended
        ]

    def was_asked(self, nbytes: int) -> None:
        """The stand-in has asked the client for so much."""
        self._indexes.told += nbytes

    def stand_in_afresh(self) -> None:
        stand_in = StandIn(self, self.server.buses.output)
        self.attr, self.latency = stand_in.attr, stand_in.latency
        self._indexes.told = self.attr.tlength
        self.server.add(self)
        self._install(stand_in)
        peer = next((each.stood_in for each in self.others if each.stood_in), None)
        if peer is not None:
            stand_in.follow(peer.ring.r)
        self.server.answer(self.client, self._tag, self._created(self.attr.tlength, self.sink.suspended))
        stand_in.start()

    def go_on_for(self, mixed: MixedPlayback) -> None:
        """Be carried, having been mixed until now, and so stood in for."""
        stand_in = StandIn(self, mixed.bus)
        stand_in.inherit(mixed)
        self._stand_in = stand_in
        self._indexes.written = stand_in.ring.w
        self._indexes.told = stand_in.ring.w + stand_in.outstanding
        self.begin(mixed.sync_id or 0)

    def stand_in_for_upstream(self) -> None:
        self._back = None
        if self._stand_in is not None:
            return
        self.server.buses.output.advance(self.server.now)
        stand_in = StandIn(self, self.server.buses.output)
        self._install(stand_in)
        at = self._indexes
        heard = at.heard(self.server.now, self.attr, self.spec)
        if self._echo is not None and self._echo.playing:  # it plays on what it has; then the monitor has no seam
            heard = at.write - self._echo.voice.fill
        missing = at.missing(heard, self.attr)
        stand_in.take_over(self.attr, self.latency, read=heard, write=at.write, missing=missing, playing=at.playing)

    def _install(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in
        self._shorten()
        stand_in.channel, stand_in.index = self.channel, self.index

    def return_if_complete(self) -> None:
        """Go on upstream, together with its sync group, if all of it that is stood in for is there."""
        group = [each for each in (self, *self.others) if each._stand_in is not None]
        if not group or any(each._back is None for each in group):
            return
        rests = [each._return() for each in group]
        first = group[0].number
        self.server.wires.ask(self.wire, first, CorkPlaybackStream(channel=first, cork=group[0].corked))
        if any(rest.playing and rest.data for rest in rests):
            self.server.wires.ask(self.wire, first, TriggerPlaybackStream(channel=first))
        for each, rest in zip(group, rests, strict=True):
            for tag in rest.draining:
                each.drain(tag)
            each.unclogged()

    def _return(self) -> Rest:
        """What the stand-in has not played yet goes upstream."""
        reply, stand_in = self._back, self._stand_in
        assert reply is not None
        assert stand_in is not None
        rest = stand_in.leave()
        self._back = self._stand_in = None
        self.new_attr(reply)
        if self.metrics != stand_in.metrics:
            self.tell(PlaybackBufferAttrChanged(channel=self.channel, **self.metrics))
        self._forward(rest)
        self._indexes.go_on(rest.read, rest.write, reply.missing, playing=rest.playing)
        self._shorten()
        self.say_level()
        return rest

    def _forward(self, rest: Rest) -> None:
        data, effects = memoryview(rest.data), self.server.effects
        for start in range(0, len(data), PIECE):
            effects.append(ReissueSound(self.wire, self.number, 0, 0, data[start : start + PIECE]))
        if self._echo is not None and data:
            self._echo.sound(Sound(self.client.number, self.channel, 0, 0, data, True, len(data)))
        frame, write = self.spec.frame_bytes, rest.write - rest.read
        if write != len(data):  # the upstream's write index is set by writing the frame before it once more
            last = data[max(0, write - frame) : max(0, write)] or bytes((self.spec.silence,)) * frame
            effects.append(ReissueSound(self.wire, self.number, 1, write - frame, last))

    # -- what its client does

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
            unasked = self._indexes.unasked(event.total)
            if unasked > 0 and self._stand_in is None and not self._borrow(unasked):
                self._dropping = True
                self.tell(Overflow(channel=self.channel))
            self._odd = b""
        if self._dropping:
            return
        data: memoryview | bytes = event.data
        if self._odd or len(data) % frame:
            whole = self._odd + bytes(data)
            cut = len(whole) // frame * frame
            data, self._odd = whole[:cut], whole[cut:]
        if data:
            data = self._limited(data)
            seek, offset = (event.seek, event.offset) if event.first else (0, 0)
            if seek or offset:
                offset = self._indexes.jump(seek, offset, self.attr)
            self._indexes.written += len(data)
            if self._stand_in is not None:
                self._stand_in.sound(replace(event, data=memoryview(data)))
                return
            self.server.effects.append(ReissueSound(self.wire, self.number, seek, offset, data))
        self._drained = False
        if self._echo is not None:
            self._echo.sound(replace(event, seek=0, offset=0))  # the echo's positions are its own

    def _borrow(self, nbytes: int) -> bool:
        """Have room upstream for bytes that were not asked for; whether there is. Beyond maxlength it drops them."""
        most = max(0, min(self.attr.maxlength, MAX_QUEUE) - self.lent)
        lent = self.client.view.ledger.borrow(self, min(nbytes, most), most)
        self._indexes.lent = self.lent
        return lent

    @staticmethod
    def _wanted_queue(agreed: Agreed) -> int:
        how = {"adjust_latency": agreed.adjust_latency, "early_requests": agreed.early_requests}
        return queue_bytes(agreed.attr, agreed.spec, **how)

    @property
    def _here(self) -> list[MixedPlayback]:
        """What plays it here as well, or instead."""
        return [each for each in (self._echo, self._stand_in) if each is not None]

    @property
    def claimed(self) -> int:
        return self._queue_bytes + sum(each.claimed for each in self._here)

    @property
    def borrowed(self) -> int:
        return self.lent + sum(each.lent for each in self._here)

    def give_back(self) -> None:
        self.lent = self._indexes.lent = min(self.lent, max(0, self._indexes.written - self._indexes.told))
        for each in self._here:
            each.give_back()

    def _limited(self, data: memoryview | bytes) -> memoryview | bytes:
        """Under a ceiling no sample is beyond full scale, where its level would not bound it."""
        return convert.encode(convert.decode(data, self.spec).clip(-1, 1), self.spec) if self._limits else data

    @property
    def _limits(self) -> bool:
        return self.sink.knob.ceiling is not None and self.spec.format in _UNBOUNDED

    def listened(self, by_somebody: bool) -> None:
        """Somebody records the sink's monitor, or nobody does any more."""
        if self._echo is not None and not by_somebody:
            self._echo.end()
            self._echo = None
            self._shorten()
        elif self._echo is None and by_somebody:
            self._echo = Echo(self, self.server.buses.output)
            self._drained = False
            self._shorten()

    def cork(self, tag: Tag, corked: bool) -> None:
        if corked != self.corked:
            for member in (self, *self.others):
                member.hold(corked)
        message = CorkPlaybackStream(channel=self.number, cork=corked)
        self.put(tag, message, lambda stand_in: stand_in.cork(tag, corked))

    def hold(self, corked: bool) -> None:
        """The upstream stops its group, or lets it go on."""
        self.corked = corked
        self._indexes.stop()
        if self._echo is not None:
            self._echo.hold(corked)
            self._echo.start()
        self.server.stream_changed(self)

    def move(self, sink: Sink) -> None:
        raise Refused(PulseError.NOTSUPPORTED, "what is carried stays where it is")

    def suspend(self) -> None:
        if self._stand_in is not None:
            self._stand_in.suspend()
        else:
            self.tell(PlaybackStreamSuspended(channel=self.channel, suspended=self.sink.suspended))

    def flush(self, tag: Tag) -> None:
        if self._echo is not None:
            self._echo.throw_away()
        self._indexes.flush(self.attr)
        self.put(tag, FlushPlaybackStream(channel=self.number), lambda stand_in: stand_in.flush(tag))

    def drain(self, tag: Tag) -> None:
        self._drain = tag
        self.put(tag, DrainPlaybackStream(channel=self.number), lambda stand_in: stand_in.drain(tag))

    def trigger(self, tag: Tag) -> None:
        self.put(tag, TriggerPlaybackStream(channel=self.number), lambda stand_in: stand_in.trigger(tag))

    def prebuf(self, tag: Tag) -> None:
        self.put(tag, PrebufPlaybackStream(channel=self.number), lambda stand_in: stand_in.prebuf(tag))

    def set_attr(self, tag: Tag, asked: BufferAttr, *, adjust_latency: bool, early_requests: bool) -> None:
        how: dict[str, Any] = {"adjust_latency": adjust_latency, "early_requests": early_requests}
        agreed = replace(self.agreed, attr=asked, **how)
        queue = self._wanted_queue(agreed)
        self.client.view.ledger.claim(queue - self._queue_bytes)
        self.agreed, self._queue_bytes = agreed, queue
        said: dict[str, Any] = {
            "maxlength": asked.maxlength,
            "tlength": asked.tlength,
            "prebuf": asked.prebuf,
            "minreq": self._minreq,
        }
        message = SetPlaybackStreamBufferAttr(channel=self.number, **said, **how)
        self.put(tag, message, lambda stand_in: stand_in.set_attr(tag, asked, **how))

    def set_rate(self, tag: Tag, rate: int) -> None:
        rate = self.other_rate(self._made_at, rate)
        message = UpdatePlaybackStreamSampleRate(channel=self.number, rate=rate)
        self.put(tag, message, lambda stand_in: stand_in.set_rate(tag, rate))
        self._indexes.stop()
        self.spec = self.spec._replace(rate=rate)
        if self._echo is not None:
            self.listened(False)
            self.listened(True)

    def tell_latency(self, tag: Tag, client_time: tuple[int, int]) -> None:
        message = GetPlaybackLatency(channel=self.number, client_time=client_time)
        self.put(tag, message, lambda stand_in: stand_in.tell_latency(tag, client_time))

    def level_changed(self) -> None:
        for here in self._here:
            here.volume, here.muted = self.volume, self.muted
            here.level_changed()
        if self._stand_in is None:
            self._said = self._level
            volume = SetSinkInputVolume(index=self.number, volume=self._said.volume)
            self.server.wires.ask(self.wire, self.number, volume)
            muted = SetSinkInputMute(index=self.number, muted=self._said.muted)
            self.server.wires.ask(self.wire, self.number, muted)

    def end(self) -> None:
        self.ended = True
        self._shorten()
        self.refuse_unanswered()
        if not self._drained:  # else the echo, whose clock is its own, plays what it still has and leaves the bus
            self.listened(False)
        if self._stand_in is not None:
            self._stand_in.end()
        if self._stand_in is None or self._back is not None:
            self.delete()
        self.server.wires.drop(self.number)
        for other in self.others[:1]:
            other.return_if_complete()

    def unclogged(self) -> None:
        if self._stand_in is not None:
            self._stand_in.unclogged()
        elif self._indexes.wanted > 0 and not self.client.clogged:
            wanted = min(self._indexes.wanted, INVALID - 1)
            self.tell(Request(channel=self.channel, nbytes=wanted))
            self._indexes.told += wanted
            self._indexes.wanted = 0

    # -- what the upstream says

    def upstream_told(self, message: Message) -> None:
        """What the upstream says unasked, under our number; what is not listed here is not for the client."""
        if self._stand_in is not None:
            self._told_early(message)
            return
        match message:
            case Request():
                self._indexes.wanted += message.nbytes
                self.unclogged()
            case Started():
                self._indexes.playing = True
                self.tell(Started(channel=self.channel))
            case Underflow():
                self._indexes.stop()
                self.tell(Underflow(channel=self.channel, read_index=bounded(message.read_index + self._indexes.base)))
            case Overflow():
                self.tell(Overflow(channel=self.channel))
            case PlaybackStreamSuspended():
                self._sleeps = message.suspended
                self.tell(PlaybackStreamSuspended(channel=self.channel, suspended=message.suspended))
            case PlaybackBufferAttrChanged() | PlaybackStreamMoved():
                self.new_attr(message)
                self.tell(PlaybackBufferAttrChanged(channel=self.channel, **self.metrics))
                if isinstance(message, PlaybackStreamMoved) and message.suspended != self._sleeps:
                    self._sleeps = message.suspended
                    self.tell(PlaybackStreamSuspended(channel=self.channel, suspended=message.suspended))
            case PlaybackStreamKilled():
                self.killed()

    def _told_early(self, message: Message) -> None:
        """The upstream has it again, but not all of its group."""
        if self._back is None:
            return
        match message:
            case Request():
                self._back = replace(self._back, missing=self._back.missing + message.nbytes)
            case PlaybackStreamKilled():
                self.killed()

    def new_attr(self, message: Any) -> None:
        """Take over the buffer metrics that the upstream names."""
        self.attr = BufferAttr(message.maxlength, message.tlength, message.prebuf, message.minreq)
        self.latency = message.latency

    def answered(self, question: Question, outcome: Message | PulseError) -> None:
        tag = question.tag
        match outcome:
            case PlaybackBufferAttrSet():
                self.new_attr(outcome)
                self.server.answer(self.client, tag, PlaybackBufferAttrSet(**self.metrics))
            case PlaybackLatency():
                base = self._indexes.base
                self._indexes.learn(self.server.now, outcome, question.written, self.spec)
                outcome.write_index = bounded(outcome.write_index + base)
                outcome.read_index = bounded(outcome.read_index + base)
                self.server.answer(self.client, tag, outcome)
            case Ack():
                self._drained |= tag == self._drain
                self.server.answer(self.client, tag, Ack())
            case _:
                self.server.refuse(self.client, tag, error_of(outcome))
