"""What a gate lets pass: all that `Streams` says, byte for byte, and nothing else of the protocol."""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eardrum.protocol import codec
from eardrum.protocol.catalog import (
    Ack,
    Change,
    ClientNamed,
    CorkPlaybackStream,
    CorkRecordStream,
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    DrainPlaybackStream,
    Exit,
    Facility,
    FlushPlaybackStream,
    FlushRecordStream,
    GetPlaybackLatency,
    GetRecordLatency,
    GetSinkInfo,
    GetSourceInfo,
    KillSinkInput,
    LoadModule,
    PlaybackStreamCreated,
    PlaybackStreamKilled,
    PrebufPlaybackStream,
    RecordStreamCreated,
    RecordStreamKilled,
    RecordStreamMoved,
    Request,
    SetClientName,
    SetPlaybackStreamBufferAttr,
    SetRecordStreamBufferAttr,
    SetSinkInputMute,
    SetSinkInputVolume,
    SetSinkVolume,
    SinkInfo,
    SourceInfo,
    Stat,
    Subscribe,
    SubscribeEvent,
    TriggerPlaybackStream,
    UpdatePlaybackStreamSampleRate,
    UpdateRecordStreamSampleRate,
)
from eardrum.protocol.conversation import Asking, Command, Serving
from eardrum.protocol.message import Message, every, wire_name
from eardrum.protocol.packets import SoundPacket, control, sound_head
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.terms.properties import introduction, said_upstream
from eardrum.testing.strategies import messages
from eardrum.upstream.devices import question, subscription
from eardrum.upstream.gate import LONGEST_SOUND, OF_BOTH, OF_PLAYBACK, OF_RECORDING, Gate, Terms, Violation
from eardrum.upstream.streams import Answered, Asks, Streams

SPEC = SampleSpec(SampleFormat.S16LE, 2, 48000)
FULL = (VOLUME_NORM,) * 2
PLAYS, RECORDS = Terms("radio", False), Terms("radio", True)
NAMED = Terms("radio", True, device="mic")
CHANNEL, NUMBER = 5, 77
PLAY = CreatePlaybackStream(
    sample_spec=SPEC, channel_map=STEREO, volume=FULL, proplist=said_upstream("radio", False, {"media.name": b"tune\0"})
)
RECORD = CreateRecordStream(
    sample_spec=SPEC, channel_map=STEREO, volume=FULL, proplist=said_upstream("radio", True, {})
)
PLAYED = PlaybackStreamCreated(channel=CHANNEL, sink_input=NUMBER, missing=1000)
RECORDED = RecordStreamCreated(channel=CHANNEL, source_output=NUMBER, maxlength=4096, fragsize=4096, source_index=1)
MIC, MONITOR = 1, 2
NOISE = b"\1\2\3\4" * 1000


def source(index: int, name: str = "mic") -> SourceInfo:
    monitor = 0 if index == MONITOR else None
    return SourceInfo(
        index=index, name=name, description="", sample_spec=SPEC, channel_map=STEREO, volume=FULL, muted=False,
        monitor_of_sink_index=monitor, monitor_of_sink_name=None, driver="",
    )  # fmt: skip


SINK = SinkInfo(
    index=8, name="ear", description="", sample_spec=SPEC, channel_map=STEREO, volume=FULL, muted=False, driver=""
)


class Between:
    """A worker that says anything, and the server behind its gate."""

    def __init__(self, terms: Terms, *, begun: bool = True) -> None:
        self.gate = Gate(35, terms)
        self.asking = Asking(35)
        self.serving = Serving(35)
        if begun:
            hello = self.says(SetClientName(name=terms.name, proplist=introduction(terms.name)))
            self.answers(hello, ClientNamed(index=1))
            self.answers(self.says(subscription(terms.records)), Ack())
            about = self.says(question(terms.records, terms.device))
            self.answers(about, source(MIC) if terms.records else SINK)
            create, made = (RECORD, RECORDED) if terms.records else (PLAY, PLAYED)
            device: dict[str, Any] = {"source_name" if terms.records else "sink_name": terms.device or None}
            self.answers(self.says(replace(create, volume=self.loud(terms), **device)), made)

    @staticmethod
    def loud(terms: Terms) -> tuple[int, int]:
        return FULL if terms.ceiling is None else (terms.ceiling, 0)

    def says(self, message: Message) -> int:
        """The tag of what was said, and has passed as it was said. Raises Violation."""
        tag, packet = self.asking.ask(message)
        assert self.writes(packet) == packet
        return tag

    def writes(self, data: bytes) -> bytes:
        return b"".join(bytes(part) for part in self.gate.up(memoryview(data)))

    def answers(self, tag: int, message: Message) -> None:
        self.tells(self.serving.say(message, tag))

    def tells(self, data: bytes) -> bytes:
        return b"".join(bytes(part) for part in self.gate.down(memoryview(data)))

    def hears(self, channel: int = CHANNEL) -> bytes:
        """What comes of sound that the server sends for this stream."""
        head = sound_head(channel, len(NOISE))
        heard = self.tells(head + NOISE)
        assert heard[: len(head)] == head
        return heard[len(head) :]


@pytest.fixture
def plays() -> Between:
    return Between(PLAYS)


@pytest.fixture
def records() -> Between:
    return Between(RECORDS)


# -- all of the catalogue


@pytest.mark.parametrize("terms", [PLAYS, RECORDS], ids=["plays", "records"])
@pytest.mark.parametrize("cls", [cls for cls in every() if cls.SENDER != "server"], ids=wire_name)
@given(data=st.data())
@settings(max_examples=10)
def test_whatever_is_said_is_refused_or_is_what_streams_say(terms, cls, data):
    """A command that is drawn from its declaration is never what `Streams` says, but for those without any content."""
    between = Between(terms)
    said = data.draw(messages(cls, 35))
    sayable = (*OF_BOTH, *(OF_RECORDING if terms.records else OF_PLAYBACK))
    if cls in sayable and cls in (Stat, Subscribe) and said in (Stat(), subscription(terms.records)):
        between.says(said)
        return
    with pytest.raises(Violation) as refused:
        between.says(said)
    assert refused.value.code == cls.CODE


@pytest.mark.parametrize(
    "said",
    [
        Stat(),
        GetSinkInfo(name="@DEFAULT_SINK@"),
        replace(PLAY, corked=True, muted=True, sync_id=9, tlength=1, variable_rate=True),
        CorkPlaybackStream(channel=CHANNEL, cork=True),
        DrainPlaybackStream(channel=CHANNEL),
        FlushPlaybackStream(channel=CHANNEL),
        TriggerPlaybackStream(channel=CHANNEL),
        PrebufPlaybackStream(channel=CHANNEL),
        SetPlaybackStreamBufferAttr(channel=CHANNEL, maxlength=7),
        UpdatePlaybackStreamSampleRate(channel=CHANNEL, rate=44100),
        GetPlaybackLatency(channel=CHANNEL, client_time=(1, 2)),
        SetSinkInputVolume(index=NUMBER, volume=(0, 1)),
        SetSinkInputMute(index=NUMBER, muted=True),
        DeletePlaybackStream(channel=CHANNEL),
    ],
    ids=lambda said: wire_name(type(said)),
)
def test_what_a_player_may_say(plays, said):
    plays.says(said)


@pytest.mark.parametrize(
    "said",
    [
        Stat(),
        GetSourceInfo(name="@DEFAULT_SOURCE@"),
        GetSourceInfo(index=MIC),
        replace(RECORD, corked=True, fragsize=1),
        CorkRecordStream(channel=CHANNEL, cork=True),
        FlushRecordStream(channel=CHANNEL),
        SetRecordStreamBufferAttr(channel=CHANNEL, maxlength=7),
        UpdateRecordStreamSampleRate(channel=CHANNEL, rate=44100),
        GetRecordLatency(channel=CHANNEL, client_time=(1, 2)),
        DeleteRecordStream(channel=CHANNEL),
    ],
    ids=lambda said: wire_name(type(said)),
)
def test_what_a_recorder_may_say(records, said):
    records.says(said)


@pytest.mark.parametrize(
    "said",
    [
        LoadModule(name="module-native-protocol-tcp", argument=""),
        Exit(),
        KillSinkInput(index=NUMBER),
        SetSinkVolume(index=0, volume=FULL),
        SetSinkInputVolume(index=NUMBER + 1, volume=FULL),
        SetSinkInputMute(index=NUMBER + 1, muted=True),
        SetSinkInputVolume(index=NUMBER, volume=()),
        GetSinkInfo(index=0),
        GetSinkInfo(name="hdmi"),
        GetSourceInfo(name="@DEFAULT_SOURCE@"),
        CorkPlaybackStream(channel=CHANNEL + 1, cork=True),
        UpdatePlaybackStreamSampleRate(channel=CHANNEL, rate=0),
        UpdatePlaybackStreamSampleRate(channel=CHANNEL, rate=8000),
        UpdatePlaybackStreamSampleRate(channel=CHANNEL, rate=48_001),
        Subscribe(mask=0x2FF),
        RECORD,
        replace(PLAY, sink_name="hdmi"),
        replace(PLAY, sink_index=0),
        replace(PLAY, passthrough=True),
        replace(PLAY, no_move=True),
        replace(PLAY, channel_map=b"\0"),
        replace(PLAY, sample_spec=SampleSpec(99, 2, 48000)),
        replace(PLAY, proplist={**PLAY.proplist, "media.role": b"phone\0"}),
        replace(PLAY, proplist={**PLAY.proplist, "target.object": b"other\0"}),
        replace(PLAY, proplist={**PLAY.proplist, "application.name": b"other\0"}),
        replace(PLAY, proplist={**PLAY.proplist, "media.name": "\u202egnp".encode() + b"\0"}),
        replace(PLAY, proplist=dict(reversed(PLAY.proplist.items()))),
    ],
    ids=lambda said: wire_name(type(said)),
)
def test_what_a_player_may_not_say(plays, said):
    with pytest.raises(Violation):
        plays.says(said)


def test_no_stream_is_made_before_a_drain_was_begun(plays):
    plays.says(DrainPlaybackStream(channel=CHANNEL))
    with pytest.raises(Violation, match="behind a drain"):
        plays.says(PLAY)


@pytest.mark.parametrize(
    "said", [GetPlaybackLatency(channel=CHANNEL, client_time=(0, 0)), DeletePlaybackStream(channel=CHANNEL)]
)
def test_a_stream_is_made_when_a_drain_was_begun(plays, said):
    plays.says(DrainPlaybackStream(channel=CHANNEL))
    plays.says(said)
    plays.says(PLAY)


@pytest.mark.parametrize(
    "said",
    [
        replace(RECORD, direct_on_input=3),
        replace(RECORD, peak_detect=True),
        replace(RECORD, source_name="ear.monitor"),
        replace(RECORD, source_name="@DEFAULT_MONITOR@"),
        replace(RECORD, source_index=MONITOR),
        replace(RECORD, proplist={**RECORD.proplist, "stream.capture.sink": b"true\0"}),
        replace(RECORD, proplist=said_upstream("radio", False, {})),
        replace(RECORD, proplist=said_upstream("other", True, {})),
        GetSourceInfo(index=MONITOR),
        GetSourceInfo(name="ear.monitor"),
        PLAY,
    ],
    ids=lambda said: wire_name(type(said)),
)
def test_what_a_recorder_may_not_say(records, said):
    with pytest.raises(Violation):
        records.says(said)


@pytest.mark.parametrize("code", [0, 1, 105, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF])
def test_what_is_no_command_is_refused_whatever_its_number(plays, code):
    body = b"L" + code.to_bytes(4, "big") + b"L" + bytes(4)
    with pytest.raises(RemoteProtocolError):
        plays.writes(struct.pack(">IIqI", len(body), 0xFFFFFFFF, 0, 0) + body)


def test_nothing_of_a_read_passes_in_which_something_is_refused(plays):
    _, good = plays.asking.ask(Stat())
    _, bad = plays.asking.ask(Exit())
    with pytest.raises(Violation):
        plays.writes(good + bad)


def test_it_is_said_who_one_is_before_all_else_and_once():
    hello = SetClientName(name="radio", proplist=introduction("radio"))
    with pytest.raises(Violation):
        Between(PLAYS, begun=False).says(Stat())
    with pytest.raises(Violation):
        Between(PLAYS, begun=False).says(replace(hello, proplist=introduction("other")))
    between = Between(PLAYS, begun=False)
    between.says(hello)
    with pytest.raises(Violation):
        between.says(hello)
    with pytest.raises(Violation):  # before it will be told when that changes
        Between(PLAYS, begun=False).says(GetSinkInfo(name="@DEFAULT_SINK@"))


@pytest.mark.parametrize("tag", [0, 7, 0xFFFFFFFF])
def test_tags_follow_each_other(plays, tag):
    with pytest.raises(Violation):
        plays.writes(codec.packet(Stat(), tag, 35))


@pytest.mark.parametrize("at", range(20), ids=lambda at: f"byte {at}")
def test_a_descriptor_is_what_a_control_packet_has(plays, at):
    _, packet = plays.asking.ask(CorkPlaybackStream(channel=CHANNEL, cork=True))
    other = bytearray(packet)
    other[at] ^= 1
    passed = b""
    try:
        passed = plays.writes(bytes(other))
    except RemoteProtocolError:
        pass
    assert passed == b""  # refused, or it waits for more


def test_a_proplist_is_written_in_one_way_only(plays):
    """A key that is there twice would be one for us and maybe the other for the server."""
    _, packet = plays.asking.ask(PLAY)
    one = b"tmedia.name\0" + codec._HEAD.pack(76, 5, 0x78, 5) + b"tune\0"
    assert packet.count(one) == 1
    body = packet[20:].replace(one, one + one)
    with pytest.raises(Violation):
        plays.writes(control(body))


@pytest.mark.parametrize("code", [1, 2, 53, 105, 0xFFFFFFFE, 0xFFFFFFFF])
def test_codes_that_nobody_knows(plays, code):
    with pytest.raises(Violation) as refused:
        plays.writes(control(codec._HEAD.pack(76, code, 76, plays.asking.ask(Stat())[0])))
    assert refused.value.code == code


# -- sound


@given(cuts=st.lists(st.integers(1, 4100), max_size=5), seek=st.integers(0, 3), offset=st.integers(-(2**63), 2**63 - 1))
def test_sound_passes_as_it_comes(cuts, seek, offset):
    plays = Between(PLAYS)
    data = sound_head(CHANNEL, len(NOISE), seek, offset) + NOISE
    edges = [0, *sorted(cuts), len(data)]
    assert b"".join(plays.writes(data[a:b]) for a, b in pairwise(edges)) == data


@pytest.mark.parametrize(
    "head",
    [
        sound_head(CHANNEL + 1, 4),
        sound_head(CHANNEL, 0),
        sound_head(CHANNEL, LONGEST_SOUND + 4),
        sound_head(CHANNEL, 4, seek=4),
        sound_head(CHANNEL, 4, seek=0x80000000),
        sound_head(CHANNEL, 4, seek=0x100),
    ],
    ids=["channel", "nothing", "long", "seek", "memory", "flags"],
)
def test_sound_that_is_refused(plays, head):
    with pytest.raises(Violation) as refused:
        plays.writes(head + NOISE)
    assert refused.value.code is None


def test_a_recorder_says_no_sound_and_a_stream_that_is_over_neither(plays, records):
    with pytest.raises(Violation):
        records.writes(sound_head(CHANNEL, 4) + b"1234")
    plays.says(DeletePlaybackStream(channel=CHANNEL))
    with pytest.raises(Violation):
        plays.writes(sound_head(CHANNEL, 4) + b"1234")


def test_one_that_was_killed_may_still_be_spoken_of(plays):
    """Worker and server may say so at the same time."""
    plays.tells(plays.serving.say(PlaybackStreamKilled(channel=CHANNEL)))
    plays.says(SetSinkInputMute(index=NUMBER, muted=True))
    assert plays.writes(sound_head(CHANNEL, 4) + b"1234")


# -- the ceiling


def test_a_ceiling_holds_for_a_worker_too():
    terms = PLAYS._replace(ceiling=VOLUME_NORM // 2)
    half, more = (VOLUME_NORM // 2,) * 2, (VOLUME_NORM // 2 + 1, 0)
    Between(terms).says(SetSinkInputVolume(index=NUMBER, volume=half))
    Between(terms).says(replace(PLAY, volume=half))
    for said in (
        SetSinkInputVolume(index=NUMBER, volume=more),
        replace(PLAY, volume=more),
        replace(PLAY, volume=half, volume_set=False),
    ):
        with pytest.raises(Violation):
            Between(terms).says(said)


# -- what is heard


def test_nothing_is_heard_before_the_source_is_known(records):
    assert records.hears() == bytes(len(NOISE))
    records.answers(records.says(GetSourceInfo(index=MIC)), source(MIC))
    assert records.hears() == NOISE


def test_a_stream_that_is_nobodys_is_not_heard(records):
    records.answers(records.says(GetSourceInfo(index=MIC)), source(MIC))
    assert records.hears(CHANNEL + 1) == bytes(len(NOISE))
    records.says(DeleteRecordStream(channel=CHANNEL))
    assert records.hears() == bytes(len(NOISE))


@pytest.mark.parametrize("may_hear", [False, True])
def test_a_monitor_is_heard_by_who_may_hear(may_hear):
    records = Between(RECORDS._replace(may_hear=may_hear))
    records.answers(records.says(GetSourceInfo(index=MIC)), source(MIC))
    moved = RecordStreamMoved(
        channel=CHANNEL, source_index=MONITOR, source_name="x", suspended=False, maxlength=4096, fragsize=4
    )
    records.tells(records.serving.say(moved))
    assert records.hears() == bytes(len(NOISE))
    records.answers(records.says(GetSourceInfo(index=MONITOR)), source(MONITOR))
    while len(heard := records.hears()) and heard != NOISE and may_hear:
        pass  # what it has heard before it was known
    assert (records.hears() == NOISE) is may_hear


def test_only_the_source_that_the_wire_names():
    records = Between(NAMED)
    records.answers(records.says(GetSourceInfo(index=MIC)), source(MIC, "other"))
    assert records.hears() == bytes(len(NOISE))
    records.tells(records.serving.say(SubscribeEvent(event=Facility.SOURCE | Change.CHANGED, index=MIC)))
    records.answers(records.says(GetSourceInfo(index=MIC)), source(MIC, "mic"))
    assert records.hears() == NOISE


def test_another_default_is_asked_about_before_more_is_heard(records):
    records.answers(records.says(GetSourceInfo(index=MIC)), source(MIC))
    records.tells(records.serving.say(SubscribeEvent(event=Facility.SERVER | Change.CHANGED, index=0)))
    assert records.hears() == bytes(len(NOISE))
    records.answers(records.says(GetSourceInfo(name="@DEFAULT_SOURCE@")), source(MONITOR))
    assert records.hears() == bytes(len(NOISE))


def test_a_worker_that_asks_nothing_hears_nothing():
    records = Between(RECORDS, begun=False)
    hello = records.says(SetClientName(name="radio", proplist=introduction("radio")))
    records.answers(hello, ClientNamed(index=1))
    records.answers(records.says(RECORD), RECORDED)
    assert records.hears() == bytes(len(NOISE))
    with pytest.raises(Violation):  # it would not be told when that changes
        records.says(GetSourceInfo(index=MIC))


def test_a_microphone_that_the_person_has_muted_is_silent(records):
    records.answers(records.says(GetSourceInfo(index=MIC)), source(MIC))
    records.gate.hushed = True
    assert records.hears() == bytes(len(NOISE))
    records.gate.hushed = False
    assert records.hears() == NOISE


# -- Streams behind a gate, however long packets are on their way


@dataclass
class _Pipe:
    """Packets that are on their way to the gate, and those that have passed it."""

    before: list[bytes]
    after: list[bytes]


class Behind:
    """`Streams` with a gate and a server whose packets are on their way; and a twin without a gate.

    Whatever the order in which they arrive: all that the one says passes, and it hears what the other hears.
    """

    def __init__(self, terms: Terms, version: int) -> None:
        how: dict[str, Any] = {"records": terms.records, "device": terms.device, "may_hear": terms.may_hear}
        self.terms, self.version = terms, version
        self.streams, self.twin = Streams(version, **how), Streams(version, **how)
        self.gate = Gate(version, terms)
        self.serving = Serving(version)
        self.up, self.down = _Pipe([], []), _Pipe([], [])
        self.originals: list[bytes] = []  # of what is on its way from the gate to the worker
        self.asked: list[Command] = []  # of the server
        self.number = self.channels = 0
        self.made: list[int] = []  # streams that the worker knows to be there
        self.there: dict[int, None] = {}  # channels that the server has
        self.subscribed = False
        self.say_bytes(self.streams.hello(terms.name), self.twin.hello(terms.name))

    def say_bytes(self, packet: bytes, twins: bytes) -> None:
        assert packet == twins
        if packet:
            self.up.before.append(packet)

    def say(self, stream: int, message: Message) -> None:
        self.say_bytes(self.streams.say(stream, stream, message), self.twin.say(stream, stream, message))

    def tell(self, message: Message, tag: int = 0xFFFFFFFF) -> None:
        self.down.before.append(self.serving.say(message, tag))

    # -- steps

    def create(self, draw: Any) -> None:
        self.number += 1
        records = self.terms.records
        words = draw(st.dictionaries(st.sampled_from(["media.name", "media.title"]), st.just(b"a word\0")))
        drawn = draw(messages(CreateRecordStream if records else CreatePlaybackStream, self.version))
        varying = {
            field.name: getattr(drawn, field.name)
            for field in fields(drawn)
            if field.name in ("corked", "maxlength", "tlength", "prebuf", "minreq", "sync_id", "muted", "no_remap",
                              "adjust_latency", "volume_set", "early_requests", "fragsize")
            and not (records and field.name == "muted")
        }  # fmt: skip
        device: dict[str, Any] = {"source_name" if records else "sink_name": self.terms.device or None}
        proplist = said_upstream(self.terms.name, records, words)
        create = (CreateRecordStream if records else CreatePlaybackStream)(
            sample_spec=SPEC, channel_map=STEREO, volume=FULL, proplist=proplist, **device, **varying
        )
        self.say(self.number, create)

    def speak(self, draw: Any) -> None:
        if not self.made:
            return
        stream = draw(st.sampled_from(self.made))
        if self.terms.records:
            said = [CorkRecordStream(channel=0, cork=True), GetRecordLatency(channel=0, client_time=(1, 2)),
                    DeleteRecordStream(channel=0)]  # fmt: skip
        else:
            said = [DrainPlaybackStream(channel=0), SetSinkInputVolume(index=0, volume=FULL),
                    SetSinkInputMute(index=0, muted=True), DeletePlaybackStream(channel=0)]  # fmt: skip
        message = draw(st.sampled_from(said))
        self.say(stream, message)
        if isinstance(message, DeletePlaybackStream | DeleteRecordStream):
            self.made.remove(stream)
        elif not self.terms.records and (head := self.streams.sound_head(stream, 4, 0, 0)):
            self.up.before.append(head + b"1234")

    def serve(self, draw: Any) -> None:
        """The server answers what it was asked first, or tells something, or sends sound."""
        index = draw(st.sampled_from([MIC, MONITOR]))
        if self.asked and draw(st.booleans()):
            self._answer(self.asked.pop(0), index, draw(st.booleans()))
            return
        event = Facility.SOURCE | draw(st.sampled_from(list(Change)))
        told: list[Message] = [Request(channel=0, nbytes=1)]
        if self.subscribed:
            told = [SubscribeEvent(event=event, index=index)]
            told.append(SubscribeEvent(event=Facility.SERVER | Change.CHANGED, index=0))
        if self.there:
            channel = draw(st.sampled_from(list(self.there)))
            if self.terms.records:
                told.append(RecordStreamMoved(channel=channel, source_index=index, source_name="x", suspended=False))
                told.append(RecordStreamKilled(channel=channel))
                self.down.before.append(sound_head(channel, len(NOISE)) + NOISE)
            else:
                told += [Request(channel=channel, nbytes=4), PlaybackStreamKilled(channel=channel)]
        message = draw(st.sampled_from(told))
        if isinstance(message, RecordStreamKilled | PlaybackStreamKilled):
            del self.there[message.channel]
        self.tell(message)

    def _answer(self, command: Command, index: int, refuses: bool) -> None:
        said = command.message
        self.subscribed |= isinstance(said, Subscribe)
        if refuses and not isinstance(said, SetClientName | Subscribe):
            self.down.before.append(self.serving.refuse(command.tag, PulseError.NOENTITY))
            return
        match said:
            case SetClientName():
                self.tell(ClientNamed(index=1), command.tag)
            case GetSourceInfo():
                self.tell(source(index if said.index is None else said.index), command.tag)
            case GetSinkInfo():
                self.tell(SINK, command.tag)
            case CreatePlaybackStream() | CreateRecordStream():
                self.channels += 1
                self.there[self.channels] = None
                number = 100 + self.channels
                made: Message = RecordStreamCreated(channel=self.channels, source_output=number, source_index=index)
                if isinstance(said, CreatePlaybackStream):
                    made = PlaybackStreamCreated(channel=self.channels, sink_input=number, missing=4)
                self.tell(made, command.tag)
            case _ if said.ANSWER is Ack:
                if isinstance(said, DeletePlaybackStream | DeleteRecordStream):
                    self.there.pop(said.channel, None)
                self.tell(Ack(), command.tag)

    def pass_up(self, draw: Any) -> None:
        """The gate gets what the worker said first, and the server what has passed."""
        if self.up.before:
            packet = self.up.before.pop(0)
            passed = b"".join(bytes(part) for part in self.gate.up(memoryview(packet)))
            assert passed == packet
            self.asked += [
                said for said in self.serving.receive(memoryview(passed)) if not isinstance(said, SoundPacket)
            ]

    def pass_down(self, draw: Any) -> None:
        """What has come from the server until now passes in one."""
        if self.down.before:
            packets = b"".join(self.down.before)
            self.down.before.clear()
            self.originals.append(packets)
            self.down.after.append(b"".join(bytes(part) for part in self.gate.down(memoryview(packets))))

    def hear(self, draw: Any) -> None:
        """The worker hears what has passed the gate; its twin the same, ungated."""
        if self.down.after:
            outcomes = self.streams.receive(memoryview(self.down.after.pop(0)))
            assert outcomes == self.twin.receive(memoryview(self.originals.pop(0)))
            self.up.before += [outcome.packet for outcome in outcomes if isinstance(outcome, Asks)]
            for outcome in outcomes:  # as the core does, at once
                match outcome:
                    case Answered(token, PlaybackStreamCreated()):
                        self.say(token, SetSinkInputMute(index=0, muted=False))
                    case Answered(token, RecordStreamCreated()):
                        self.say(token, CorkRecordStream(channel=0, cork=False))
            known = range(1, self.number + 1)
            self.made = [stream for stream in known if self.streams.channel(stream) is not None]


STEPS = (Behind.create, Behind.speak, Behind.serve, Behind.pass_up, Behind.pass_down, Behind.hear)


@pytest.mark.parametrize("version", [13, 35])
@pytest.mark.parametrize("terms", [PLAYS, RECORDS, NAMED, RECORDS._replace(may_hear=True)], ids=str)
@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_all_that_streams_say_passes_whatever_is_on_its_way(terms, version, data):
    behind = Behind(terms, version)
    for step in data.draw(st.lists(st.sampled_from(STEPS), min_size=20, max_size=80)):
        step(behind, data.draw)
    while behind.up.before or behind.down.before or behind.down.after or behind.asked:  # and when all has arrived
        for step in (Behind.pass_up, Behind.pass_down, Behind.hear):
            step(behind, data.draw)
        if behind.asked:
            behind._answer(behind.asked.pop(0), MIC, False)
