"""The upstream side of carried streams: one connection on which we are a client among others.

Bytes in, outcomes out; commands in, bytes out. The worker's core knows a stream by a number of its own; only here is
it known which channel and index the upstream gave it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from eardrum.protocol.catalog import (
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    DrainPlaybackStream,
    GetPlaybackLatency,
    PlaybackStreamCreated,
    PlaybackStreamKilled,
    RecordBufferAttrChanged,
    RecordStreamCreated,
    RecordStreamEvent,
    RecordStreamKilled,
    RecordStreamMoved,
    RecordStreamSuspended,
    SetClientName,
    SetSinkInputMute,
    SetSinkInputVolume,
    SubscribeEvent,
)
from eardrum.protocol.conversation import Asking, ErrorReply, Reply, Told
from eardrum.protocol.message import Message
from eardrum.protocol.packets import CONTROL, SoundPacket, sound_head
from eardrum.terms.audio import SampleSpec
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.terms.properties import introduction
from eardrum.upstream.devices import Devices, Shape, behind

_ABOUT_RECORD_STREAMS = (
    RecordBufferAttrChanged, RecordStreamEvent, RecordStreamKilled, RecordStreamMoved, RecordStreamSuspended,
)  # fmt: skip
_BY_INDEX = (SetSinkInputVolume, SetSinkInputMute)
MOST_QUESTIONS = 256  # about devices, that wait for an answer


@dataclass(slots=True)
class Answered:
    """The upstream's reply to what was said with this token."""

    token: int
    message: Message


@dataclass(slots=True)
class RefusedThat:
    token: int
    error: PulseError


@dataclass(slots=True)
class Said:
    """Something unasked about this stream."""

    stream: int
    message: Message


@dataclass(slots=True)
class Recorded:
    """Samples of this record stream, or silence in their place; they may be overwritten at the next receive."""

    stream: int
    data: memoryview


@dataclass(slots=True)
class Shaped:
    """How the device at the end of the wire is made: known for the first time, or another now."""

    shape: Shape


@dataclass(slots=True)
class Found:
    """The device at the end of the wire is there, or not."""

    there: bool


@dataclass(slots=True)
class Asks:
    """Send this: a question of our own."""

    packet: bytes


Outcome = Answered | RefusedThat | Said | Recorded | Shaped | Found | Asks


@dataclass(slots=True)
class _Asked:
    token: int | None
    stream: int


class Streams:
    """All carried streams of one wire, on one upstream connection that is already authenticated at `version`.

    What a record stream brings is silence as long as it is not known that its source is one to which the wire may lead:
    see `Devices`, also for `records`, `device` and `may_hear`.
    """

    def __init__(self, version: int, *, records: bool = False, device: str = "", may_hear: bool = False) -> None:
        self._asking = Asking(version)
        self._devices = Devices(
            records,
            device,
            may_hear,
            self._ask,
            lambda shape: self._news.append(Shaped(shape)),
            lambda there: self._news.append(Found(there)),
        )
        self._questions: dict[int, Callable[[Message | None], None]] = {}  # about devices, by tag
        self._news: list[Outcome] = []  # of devices
        self._specs: dict[int, SampleSpec] = {}  # of record streams
        self._asked: dict[int, _Asked] = {}  # by tag
        self._channels: dict[int, int] = {}  # by stream
        self._indexes: dict[int, int] = {}  # by stream
        self._playing: dict[int, int] = {}  # stream by channel; playback and record streams count apart
        self._recording: dict[int, int] = {}

    def hello(self, name: str) -> bytes:
        """Who we are: the outlet. What we want to know is asked once that is answered: pipewire-pulse knows no device
        for a client before.
        """
        tag, packet = self._asking.ask(SetClientName(name=name, proplist=introduction(name)))
        self._questions[tag] = lambda answer: self._devices.begin()
        return packet

    def _ask(self, question: Message, learn: Callable[[Message | None], None]) -> None:
        if len(self._questions) >= MOST_QUESTIONS:
            raise RemoteProtocolError(f"{MOST_QUESTIONS} questions without an answer")
        tag, packet = self._asking.ask(question)
        self._questions[tag] = learn
        self._news.append(Asks(packet))

    def say(self, stream: int, token: int | None, message: Any) -> bytes:
        """The bytes that say `message` about `stream`; none if the upstream does not know the stream (any more).

        Without a stream (0) it is said as it is.
        `channel` and `index` in the message are replaced by the upstream's numbers.
        """
        creates = isinstance(message, CreatePlaybackStream | CreateRecordStream)
        if not creates and stream:
            if stream not in self._channels:
                return b""
            if isinstance(message, _BY_INDEX):
                message = replace(message, index=self._indexes[stream])
            else:
                message = replace(message, channel=self._channels[stream])
        tag, packet = self._asking.ask(message)
        if creates or token is not None:
            self._asked[tag] = _Asked(token, stream)
        if isinstance(message, CreateRecordStream):
            self._specs[stream] = message.sample_spec
        if isinstance(message, DeletePlaybackStream | DeleteRecordStream):
            self._forget(stream)
        if isinstance(message, DrainPlaybackStream):
            # A drain is begun later than it is read, and goes through the stream's sync group, which must not grow
            # meanwhile. What is said behind this question is read when it was begun.
            packet += self._asking.ask(GetPlaybackLatency(channel=message.channel, client_time=(0, 0)))[1]
        return packet

    def sound_head(self, stream: int, length: int, seek: int, offset: int) -> bytes:
        """The descriptor to send before `length` bytes of samples; none if the upstream does not know the stream."""
        channel = self._channels.get(stream)
        return b"" if channel is None else sound_head(channel, length, seek, offset)

    @property
    def whole(self) -> bool:
        """No packet has only begun."""
        return not self._asking.reader.begun

    def channel(self, stream: int) -> int | None:
        """The upstream's number of this stream; None: it has none."""
        return self._channels.get(stream)

    def _forget(self, stream: int) -> None:
        channel = self._channels.pop(stream, None)
        self._indexes.pop(stream, None)
        self._specs.pop(stream, None)
        self._devices.forget(stream)
        for streams in (self._playing, self._recording):
            if channel is not None and streams.get(channel) == stream:
                del streams[channel]

    def receive(self, data: memoryview) -> list[Outcome]:
        """What the upstream said. Raises RemoteProtocolError."""
        outcomes: list[Outcome] = []
        for heard in self._asking.receive(data):
            match heard:
                case SoundPacket():
                    stream = self._recording.get(heard.channel)
                    if stream is not None:
                        outcomes.append(Recorded(stream, self._heard(stream, heard.data)))
                case Told():
                    self._told(heard.message, outcomes)
                case Reply():
                    asked = self._asked.pop(heard.tag, None)
                    if asked is not None:
                        self._learn(asked.stream, heard.message)
                        if asked.token is not None:
                            outcomes.append(Answered(asked.token, heard.message))
                    elif learn := self._questions.pop(heard.tag, None):
                        learn(heard.message)
                case ErrorReply():
                    asked = self._asked.pop(heard.tag, None)
                    if asked is not None:
                        if asked.stream not in self._channels:
                            self._specs.pop(asked.stream, None)
                        if asked.token is not None:
                            outcomes.append(RefusedThat(asked.token, heard.code))
                    elif learn := self._questions.pop(heard.tag, None):
                        learn(None)
            if self._news:
                outcomes += self._news
                self._news.clear()
        return outcomes

    def _heard(self, stream: int, data: memoryview) -> memoryview:
        """What may be heard of these samples: all or nothing."""
        if self._devices.lets_pass(stream, len(data)):
            return data
        return memoryview(bytes((self._specs[stream].silence,)) * len(data))

    def _listens(self, stream: int, source: int | None, fragsize: int) -> None:
        self._devices.listens(stream, source, behind(self._specs[stream], fragsize))

    def _learn(self, stream: int, message: Message) -> None:
        if getattr(message, "channel", None) == CONTROL:  # sound sent there would be read as commands
            raise RemoteProtocolError("a stream on the channel of control packets")
        match message:
            case PlaybackStreamCreated():
                self._playing[message.channel] = stream
                self._channels[stream], self._indexes[stream] = message.channel, message.sink_input
            case RecordStreamCreated():
                self._recording[message.channel] = stream
                self._channels[stream], self._indexes[stream] = message.channel, message.source_output
                self._listens(stream, message.source_index, message.fragsize)

    def _told(self, message: Any, outcomes: list[Outcome]) -> None:
        if isinstance(message, SubscribeEvent):
            self._devices.heed(message)
            return
        channel = getattr(message, "channel", None)
        if channel is None:
            return
        streams = self._recording if isinstance(message, _ABOUT_RECORD_STREAMS) else self._playing
        stream = streams.get(channel)
        if stream is not None:
            if isinstance(message, PlaybackStreamKilled | RecordStreamKilled):
                self._forget(stream)
            elif isinstance(message, RecordStreamMoved):
                self._listens(stream, message.source_index, message.fragsize)
            outcomes.append(Said(stream, message))
