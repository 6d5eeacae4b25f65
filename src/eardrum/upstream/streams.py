"""The upstream side of carried streams: one connection on which we are a client among others.

Bytes in, outcomes out; commands in, bytes out. The worker's core knows a stream by a number of its own; only here is
it known which channel and index the upstream gave it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from eardrum.protocol.catalog import (
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DeleteRecordStream,
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
)
from eardrum.protocol.conversation import Asking, ErrorReply, Reply, Told
from eardrum.protocol.message import Message
from eardrum.protocol.packets import CONTROL, SoundPacket, sound_head
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.terms.properties import value

_ABOUT_RECORD_STREAMS = (
    RecordBufferAttrChanged, RecordStreamEvent, RecordStreamKilled, RecordStreamMoved, RecordStreamSuspended,
)  # fmt: skip
_BY_INDEX = (SetSinkInputVolume, SetSinkInputMute)


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
    """Samples of this record stream; they may be overwritten at the next receive."""

    stream: int
    data: memoryview


Outcome = Answered | RefusedThat | Said | Recorded


@dataclass(slots=True)
class _Asked:
    token: int | None
    stream: int


class Streams:
    """All carried streams of one wire, on one upstream connection that is already authenticated at `version`."""

    def __init__(self, version: int) -> None:
        self._asking = Asking(version)
        self._asked: dict[int, _Asked] = {}  # by tag
        self._channels: dict[int, int] = {}  # by stream
        self._indexes: dict[int, int] = {}  # by stream
        self._playing: dict[int, int] = {}  # stream by channel; playback and record streams count apart
        self._recording: dict[int, int] = {}

    def hello(self, name: str) -> bytes:
        """Who we are: the outlet."""
        _, packet = self._asking.ask(
            SetClientName(name=name, proplist={"application.name": value(name), "application.id": value("eardrum")})
        )
        return packet

    def say(self, stream: int, token: int | None, message: Any) -> bytes:
        """The bytes that say `message` about `stream`; none if the upstream does not know the stream (any more).

        `channel` and `index` in the message are replaced by the upstream's numbers.
        """
        creates = isinstance(message, CreatePlaybackStream | CreateRecordStream)
        if not creates:
            if stream not in self._channels:
                return b""
            if isinstance(message, _BY_INDEX):
                message = replace(message, index=self._indexes[stream])
            else:
                message = replace(message, channel=self._channels[stream])
        tag, packet = self._asking.ask(message)
        if creates or token is not None:
            self._asked[tag] = _Asked(token, stream)
        if isinstance(message, DeletePlaybackStream | DeleteRecordStream):
            self._forget(stream)
        return packet

    def sound_head(self, stream: int, length: int, seek: int, offset: int) -> bytes:
        """The descriptor to send before `length` bytes of samples; none if the upstream does not know the stream."""
        channel = self._channels.get(stream)
        return b"" if channel is None else sound_head(channel, length, seek, offset)

    def _forget(self, stream: int) -> None:
        channel = self._channels.pop(stream, None)
        self._indexes.pop(stream, None)
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
                        outcomes.append(Recorded(stream, heard.data))
                case Told():
                    self._told(heard.message, outcomes)
                case Reply():
                    asked = self._asked.pop(heard.tag, None)
                    if asked is not None:
                        self._learn(asked.stream, heard.message)
                        if asked.token is not None:
                            outcomes.append(Answered(asked.token, heard.message))
                case ErrorReply():
                    asked = self._asked.pop(heard.tag, None)
                    if asked is not None and asked.token is not None:
                        outcomes.append(RefusedThat(asked.token, heard.code))
        return outcomes

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

    def _told(self, message: Any, outcomes: list[Outcome]) -> None:
        channel = getattr(message, "channel", None)
        if channel is None:
            return
        streams = self._recording if isinstance(message, _ABOUT_RECORD_STREAMS) else self._playing
        stream = streams.get(channel)
        if stream is not None:
            if isinstance(message, PlaybackStreamKilled | RecordStreamKilled):
                self._forget(stream)
            outcomes.append(Said(stream, message))
