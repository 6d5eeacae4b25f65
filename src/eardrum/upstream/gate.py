"""What a worker may say on one connection to the host's server, and hear there: judged apart from the worker, which
may have been taken over.

Up: sound by its descriptor, and only commands that `Streams` says, each built anew from the few fields that may vary;
the bytes that were said must be the bytes of that. Down: all as it is, but what a record stream hears, which is silence
until the server has said that its source is one to which the wire may lead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from eardrum.protocol import codec
from eardrum.protocol.catalog import (
    CorkPlaybackStream,
    CorkRecordStream,
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    DrainPlaybackStream,
    Error,
    FlushPlaybackStream,
    FlushRecordStream,
    GetPlaybackLatency,
    GetRecordLatency,
    GetSinkInfo,
    GetSourceInfo,
    PlaybackStreamCreated,
    PrebufPlaybackStream,
    RecordStreamCreated,
    RecordStreamKilled,
    RecordStreamMoved,
    SetClientName,
    SetPlaybackStreamBufferAttr,
    SetRecordStreamBufferAttr,
    SetSinkInputMute,
    SetSinkInputVolume,
    Stat,
    Subscribe,
    SubscribeEvent,
    TriggerPlaybackStream,
    UpdatePlaybackStreamSampleRate,
    UpdateRecordStreamSampleRate,
)
from eardrum.protocol.message import CATALOG, NO_TAG, REPLY, Message
from eardrum.protocol.packets import CONTROL, DESCRIPTOR_BYTES, MAX_CONTROL
from eardrum.terms.audio import MAX_QUEUE, Samples, SampleSpec, Volume, valid_map, valid_volume
from eardrum.terms.errors import LocalProtocolError, RemoteProtocolError
from eardrum.terms.properties import introduction, said_upstream
from eardrum.terms.rates import is_near
from eardrum.upstream.devices import Devices, behind, question, subscription
from eardrum.upstream.passing import Passing

OF_BOTH = (SetClientName, Subscribe, Stat)
OF_PLAYBACK = (
    CreatePlaybackStream, DeletePlaybackStream, CorkPlaybackStream, DrainPlaybackStream, FlushPlaybackStream,
    TriggerPlaybackStream, PrebufPlaybackStream, SetPlaybackStreamBufferAttr, UpdatePlaybackStreamSampleRate,
    GetPlaybackLatency, SetSinkInputVolume, SetSinkInputMute, GetSinkInfo,
)  # fmt: skip
OF_RECORDING = (
    CreateRecordStream, DeleteRecordStream, CorkRecordStream, FlushRecordStream, SetRecordStreamBufferAttr,
    UpdateRecordStreamSampleRate, GetRecordLatency, GetSourceInfo,
)  # fmt: skip
LONGEST_SAID = 16 * 1024  # bytes of a control packet: the longest names a stream, its titles and its channels
LONGEST_SOUND = MAX_QUEUE  # bytes of a sound packet: a sample of the cache may be said at once
MOST_UNANSWERED = 16_384  # streams and devices that were asked for
_SEEKS = 4  # modes; other flags than these have to do with shared memory
_VARYING = (
    "sample_spec", "channel_map", "maxlength", "corked", "no_remap", "no_remix", "variable_rate", "adjust_latency",
    "volume", "volume_set", "early_requests", "dont_inhibit_auto_suspend",
)  # fmt: skip
_VARYING_PLAYBACK = (*_VARYING, "tlength", "prebuf", "minreq", "sync_id", "muted", "muted_set")
_VARYING_RECORDING = (*_VARYING, "fragsize")

Learn = Callable[[Any], None]  # gets an answer, None: refused
Judge = Callable[[memoryview], list[Samples]]  # what passes of what has come


class Violation(RemoteProtocolError):
    """Something was said that `Streams` never says; `code` is that of the command, None: it was none."""

    def __init__(self, code: int | None, why: str) -> None:
        super().__init__(why)
        self.code = code


class Terms(NamedTuple):
    """What the wire of an outlet may do: play or record, at which device of the host, None named: its default."""

    name: str  # the outlet's
    records: bool
    device: str = ""
    may_hear: bool = False  # the source may be a monitor
    ceiling: int | None = None  # the highest volume of its streams


class Gate:
    """One connection that is already authenticated at `version`.

    `up` takes what the worker says and gives out what of it may go to the server; it raises RemoteProtocolError, of
    which a Violation tells more, and then nothing of what it took may. `down` takes what the server says and gives out
    what the worker gets. What they give out may lie in what they took.
    """

    def __init__(self, version: int, terms: Terms) -> None:
        self.hushed = False  # the person has muted the microphone: nothing that it hears passes
        self._version = version
        self._terms = terms
        self._sayable = frozenset((*OF_BOTH, *(OF_RECORDING if terms.records else OF_PLAYBACK)))
        self._introduced = self._subscribed = False
        self._tag = 0  # the next one
        self._asked: dict[int, tuple[type[Message], Learn]] = {}  # by tag
        self._streams: dict[int, int] = {}  # their numbers among all of the host, by channel
        self._draining: set[int] = set()  # channels behind whose drain no question was said: see Streams.say
        self._specs: dict[int, SampleSpec] = {}  # of record streams, by channel
        self._rates: dict[int, int] = {}  # that streams were made with, in Hz, by channel
        self._sources: set[int] = set()  # that record streams hear or have heard
        self._devices = Devices(True, terms.device, terms.may_hear, self._want, lambda shape: None)
        self._wanted: list[tuple[Message, Learn]] = []  # questions whose answers tell what may be heard
        heeded = {REPLY, Error.CODE}
        if terms.records:
            heeded |= {SubscribeEvent.CODE, RecordStreamMoved.CODE, RecordStreamKilled.CODE}
        self.up: Judge = Passing(range(1 << 32), self._say, self._play, LONGEST_SAID).feed
        self.down: Judge = Passing(heeded, self._hear, self._record, MAX_CONTROL).feed

    # -- up

    def _play(self, channel: int, length: int, flags: int) -> None:
        if self._terms.records or channel not in self._streams:
            raise Violation(None, f"sound for channel {channel}, which is not its own")
        if flags >= _SEEKS or not 0 < length <= LONGEST_SOUND:
            raise Violation(None, f"{length} bytes of sound with flags {flags:#x}")

    def _say(self, packet: memoryview) -> bytes:
        """The command that was said, written anew."""
        data = bytes(packet[DESCRIPTOR_BYTES:])
        code, tag = codec.read_head(data)
        said = CATALOG.get(code)
        if said is None or said not in self._sayable or self._version < said.SINCE:
            raise Violation(code, "a command that is never said")
        try:
            message = codec.read(said, data, self._version)
            anew = codec.packet(self._rebuilt(message), tag, self._version)
        except (RemoteProtocolError, LocalProtocolError) as problem:
            raise Violation(code, str(problem)) from None
        if tag != self._tag or anew != packet:
            raise Violation(code, "a command as it is never said")
        self._tag = (tag + 1) % NO_TAG
        self._note(tag, message)
        return anew

    def _rebuilt(self, said: Any) -> Any:
        """What may be said that is like this. Raises Violation if there is no such thing."""
        terms = self._terms
        if self._introduced == isinstance(said, SetClientName):
            raise Violation(said.CODE, "said before or after its turn")
        match said:
            case SetClientName():
                return SetClientName(name=terms.name, proplist=introduction(terms.name))
            case Stat():
                return said
            case Subscribe():
                return subscription(terms.records)
            case GetSourceInfo() if self._subscribed and said.index in self._sources:
                return GetSourceInfo(index=said.index)
            case GetSinkInfo() | GetSourceInfo() if self._subscribed:
                return question(terms.records, terms.device)
            case CreatePlaybackStream() if self._draining:
                raise Violation(said.CODE, "a stream is made behind a drain")
            case CreatePlaybackStream():
                self._check_stream(said)
                self._check_volume(said.volume, said.volume_set)
                proplist = said_upstream(terms.name, False, said.proplist)
                varying = {key: getattr(said, key) for key in _VARYING_PLAYBACK}
                return CreatePlaybackStream(**varying, sink_name=terms.device or None, proplist=proplist)
            case CreateRecordStream():
                self._check_stream(said)
                proplist = said_upstream(terms.name, True, said.proplist)
                varying = {key: getattr(said, key) for key in _VARYING_RECORDING}
                return CreateRecordStream(**varying, source_name=terms.device or None, proplist=proplist)
            case SetSinkInputVolume() if said.index in self._streams.values():
                self._check_volume(said.volume, True)
                return said
            case SetSinkInputMute() if said.index in self._streams.values():
                return said
            case UpdatePlaybackStreamSampleRate() | UpdateRecordStreamSampleRate() if not is_near(
                self._rates.get(said.channel, 0), said.rate
            ):
                raise Violation(said.CODE, f"{said.rate} Hz")
            case _ if getattr(said, "channel", None) in self._streams:
                return said
        raise Violation(said.CODE, "said of what is not its own")

    def _check_stream(self, said: CreatePlaybackStream | CreateRecordStream) -> None:
        spec = said.sample_spec
        if not (spec.valid and valid_map(said.channel_map, spec.channels) and valid_volume(said.volume)):
            raise Violation(said.CODE, "a stream that cannot be")

    def _check_volume(self, volume: Volume, is_set: bool) -> None:
        ceiling = self._terms.ceiling
        if not valid_volume(volume) or (ceiling is not None and not (is_set and max(volume) <= ceiling)):
            raise Violation(SetSinkInputVolume.CODE, "a volume above the ceiling")

    def _note(self, tag: int, said: Any) -> None:
        """It is said. What follows from that, and from its answer?"""
        match said:
            case SetClientName():
                self._introduced = True
                if self._terms.records:
                    self._await(tag, said, lambda answer: self._devices.begin())
            case Subscribe() | GetSourceInfo():
                self._subscribed = True
                learns = [learn for wanted, learn in self._wanted if wanted == said]
                self._wanted = [each for each in self._wanted if each[0] != said]
                self._await(tag, said, lambda answer: _tell(learns, answer))
            case CreatePlaybackStream():
                self._await(tag, said, lambda answer: self._made(said.sample_spec, answer))
            case CreateRecordStream():
                self._await(tag, said, lambda answer: self._made_record(said.sample_spec, answer))
            case DrainPlaybackStream():
                self._draining.add(said.channel)
            case GetPlaybackLatency():
                self._draining.discard(said.channel)
            case DeletePlaybackStream() | DeleteRecordStream():
                del self._streams[said.channel]
                self._rates.pop(said.channel, None)
                self._draining.discard(said.channel)
                self._specs.pop(said.channel, None)
                self._devices.forget(said.channel)

    def _await(self, tag: int, said: Message, learn: Learn) -> None:
        assert said.ANSWER is not None
        if max(len(self._asked), len(self._wanted)) >= MOST_UNANSWERED:
            raise Violation(said.CODE, f"{MOST_UNANSWERED} questions without an answer")
        self._asked[tag] = said.ANSWER, learn

    def _want(self, wanted: Message, learn: Learn) -> None:
        """This must be asked before more may be heard, which the worker does as well as we know that it must."""
        self._wanted.append((wanted, learn))

    # -- down

    def _hear(self, packet: memoryview) -> None:
        data = bytes(packet[DESCRIPTOR_BYTES:])
        code, tag = codec.read_head(data)
        if code in (REPLY, Error.CODE):
            asked = self._asked.pop(tag, None)
            if asked is not None:
                answer, learn = asked
                learn(codec.read(answer, data, self._version) if code == REPLY else None)
            return
        told: Any = codec.read(CATALOG[code], data, self._version)
        match told:
            case SubscribeEvent():
                self._devices.heed(told)
            case RecordStreamMoved() if told.channel in self._specs:
                self._listens(told)
            case RecordStreamKilled():
                self._devices.forget(told.channel)

    def _made(self, spec: SampleSpec, created: PlaybackStreamCreated | None) -> None:
        if created is not None:
            self._take(created.channel, created.sink_input)
            self._rates[created.channel] = spec.rate

    def _made_record(self, spec: SampleSpec, created: RecordStreamCreated | None) -> None:
        if created is not None:
            self._take(created.channel, created.source_output)
            self._specs[created.channel] = spec
            self._rates[created.channel] = spec.rate
            self._listens(created)

    def _take(self, channel: int, number: int) -> None:
        if channel == CONTROL:  # sound sent there would be read as commands
            raise RemoteProtocolError("a stream on the channel of control packets")
        self._streams[channel] = number

    def _listens(self, told: RecordStreamCreated | RecordStreamMoved) -> None:
        if told.source_index is not None:
            self._sources.add(told.source_index)
        self._devices.listens(told.channel, told.source_index, behind(self._specs[told.channel], told.fragsize))

    def _record(self, channel: int, length: int, flags: int) -> bytes | None:
        """What samples of this stream are instead."""
        if channel not in self._specs:
            return b"\0"
        passes = self._devices.lets_pass(channel, length) and not self.hushed
        return None if passes else bytes((self._specs[channel].silence,))


def _tell(learns: list[Learn], answer: Any) -> None:
    for learn in learns:
        learn(answer)
