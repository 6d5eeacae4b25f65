"""The upstream side of carried streams, against an upstream that is a conversation and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.protocol import codec
from eardrum.protocol.catalog import (
    Ack,
    ClientEvent,
    ClientNamed,
    CorkPlaybackStream,
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    DrainPlaybackStream,
    GetPlaybackLatency,
    GetRecordLatency,
    GetSourceInfo,
    PlaybackStreamCreated,
    PlaybackStreamKilled,
    RecordBufferAttrChanged,
    RecordStreamCreated,
    RecordStreamKilled,
    RecordStreamMoved,
    Request,
    SetClientName,
    SetSinkInputMute,
    SetSinkInputVolume,
    SourceInfo,
    Started,
    Subscribe,
    SubscribeEvent,
)
from eardrum.protocol.conversation import Command, Serving
from eardrum.protocol.message import Message
from eardrum.protocol.packets import CONTROL, sound_head
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.upstream.devices import Shape
from eardrum.upstream.streams import (
    MOST_QUESTIONS,
    Answered,
    Asks,
    Found,
    Outcome,
    Recorded,
    RefusedThat,
    Said,
    Shaped,
    Streams,
)

SPEC = SampleSpec(SampleFormat.S16LE, 2, 48000)
PLAY = CreatePlaybackStream(sample_spec=SPEC, channel_map=STEREO, volume=(VOLUME_NORM,) * 2)
RECORD = CreateRecordStream(sample_spec=SPEC, channel_map=STEREO)
MICROPHONE = SourceInfo(
    index=1, name="mic", description="", sample_spec=SPEC, channel_map=STEREO, volume=(0, 0), muted=False, driver=""
)


class Upstream:
    """A server that hears what `streams` say and answers what a test tells it to. Its source 1 is a microphone."""

    def __init__(self, version: int = 35) -> None:
        self.streams = Streams(version, records=True, device="mic")
        self._serving = Serving(version)

    def says(self, stream: int, token: int | None, message: Message) -> Command | None:
        """What the upstream hears when this is said, but for the question that is put behind a drain."""
        heard = self.hears_all(self.streams.say(stream, token, message))
        assert len(heard) <= 1 + isinstance(message, DrainPlaybackStream)
        return heard[0] if heard else None

    def hears_questions(self) -> list[Command]:
        """What it is asked once it knows who we are."""
        (named,) = self.hears_all(self.streams.hello("box"))
        asks = self.answers(named, ClientNamed(index=1))
        return self.hears_all(b"".join(ask.packet for ask in asks))

    def hears_all(self, packet: bytes) -> list[Command]:
        return [command for command in self._serving.receive(memoryview(packet)) if isinstance(command, Command)]

    def answers(self, command: Command, message: Message) -> list[Outcome]:
        return self.streams.receive(memoryview(self._serving.say(message, command.tag)))

    def refuses(self, command: Command, error: PulseError) -> list[Outcome]:
        return self.streams.receive(memoryview(self._serving.refuse(command.tag, error)))

    def tells(self, *messages: Message) -> list[Outcome]:
        return self.streams.receive(memoryview(b"".join(map(self._serving.say, messages))))

    def sends(self, channel: int, samples: bytes) -> list[Outcome]:
        return self.streams.receive(memoryview(sound_head(channel, len(samples)) + samples))

    def makes(self, stream: int, channel: int, create: Message = PLAY) -> None:
        """Create a stream; its index upstream is its channel plus 100."""
        command = self.says(stream, 1, create)
        assert command is not None
        reply = (
            PlaybackStreamCreated(channel=channel, sink_input=channel + 100, missing=0)
            if create is PLAY
            else RecordStreamCreated(channel=channel, source_output=channel + 100, source_index=1)
        )
        answered, *asks = self.answers(command, reply)
        assert answered == Answered(1, reply)
        for ask in asks:
            assert isinstance(ask, Asks)
            for question in self.hears_all(ask.packet):
                assert self.answers(question, MICROPHONE) == []


@pytest.fixture
def upstream():
    return Upstream()


def test_it_introduces_itself_as_the_outlet():
    upstream = Upstream()
    first, *_ = upstream.hears_all(upstream.streams.hello("fire fox"))
    assert first.message == SetClientName(
        proplist={
            "application.name": b"fire fox\0",
            "application.id": b"eardrum\0",
            "application.icon_name": b"audio-card\0",
        }
    )


def test_an_old_upstream_is_told_the_name_as_it_knows_it():
    upstream = Upstream(12)
    first, *_ = upstream.hears_all(upstream.streams.hello("box"))
    assert first.message == SetClientName(name="box")


def test_a_stream_is_spoken_of_by_the_upstreams_numbers(upstream):
    upstream.makes(1, channel=7)
    upstream.makes(2, channel=0)
    for stream, channel in ((1, 7), (2, 0)):
        cork = upstream.says(stream, None, CorkPlaybackStream(channel=stream, cork=True))
        assert cork.message == CorkPlaybackStream(channel=channel, cork=True)
        volume = upstream.says(stream, None, SetSinkInputVolume(index=stream, volume=(5, 5)))
        assert volume.message == SetSinkInputVolume(index=channel + 100, volume=(5, 5))
        mute = upstream.says(stream, None, SetSinkInputMute(index=stream, muted=True))
        assert mute.message == SetSinkInputMute(index=channel + 100, muted=True)
        assert upstream.streams.sound_head(stream, 8, 1, -4) == sound_head(channel, 8, 1, -4)


def test_what_is_said_is_not_changed_for_the_one_who_said_it(upstream):
    upstream.makes(1, channel=7)
    message = CorkPlaybackStream(channel=1, cork=True)
    upstream.says(1, None, message)
    assert message.channel == 1


def test_a_stream_that_is_not_there_yet_or_any_more_is_not_spoken_of(upstream):
    assert upstream.says(1, 5, DrainPlaybackStream(channel=1)) is None
    assert upstream.streams.sound_head(1, 8, 0, 0) == b""
    upstream.says(1, 1, PLAY)
    assert upstream.says(1, None, DeletePlaybackStream(channel=1)) is None
    upstream.makes(2, channel=3)
    assert upstream.says(2, None, DeletePlaybackStream(channel=2)).message == DeletePlaybackStream(channel=3)
    assert upstream.says(2, None, DeletePlaybackStream(channel=2)) is None
    assert upstream.streams.sound_head(2, 8, 0, 0) == b""
    assert upstream.tells(Request(channel=3, nbytes=9)) == []


def test_answers_find_their_questions_in_any_order(upstream):
    upstream.makes(1, channel=7)
    drain = upstream.says(1, 10, DrainPlaybackStream(channel=1))
    cork = upstream.says(1, 11, CorkPlaybackStream(channel=1, cork=True))
    assert upstream.refuses(cork, PulseError.BADSTATE) == [RefusedThat(11, PulseError.BADSTATE)]
    assert upstream.answers(drain, Ack()) == [Answered(10, Ack())]
    assert upstream.answers(drain, Ack()) == []  # nothing waits for it any more


def test_what_is_said_behind_a_drain_is_said_behind_a_question_that_is_answered_when_it_was_begun(upstream):
    upstream.makes(1, channel=7)
    said = upstream.streams.say(1, 10, DrainPlaybackStream(channel=1)) + upstream.streams.say(2, 11, PLAY)
    drain, question, create = upstream.hears_all(said)
    assert [drain.message, question.message] == [
        DrainPlaybackStream(channel=7),
        GetPlaybackLatency(channel=7, client_time=(0, 0)),
    ]
    assert create.message == PLAY
    assert upstream.refuses(question, PulseError.NOENTITY) == []
    assert upstream.answers(drain, Ack()) == [Answered(10, Ack())]


def test_an_answer_that_nobody_waits_for_is_no_outcome(upstream):
    upstream.makes(1, channel=7)
    cork = upstream.says(1, None, CorkPlaybackStream(channel=1, cork=True))
    assert upstream.answers(cork, Ack()) == []
    mute = upstream.says(1, None, SetSinkInputMute(index=1, muted=True))
    assert upstream.refuses(mute, PulseError.NOENTITY) == []
    assert upstream.streams.receive(memoryview(codec.packet(Ack(), 4711, 35))) == []


def test_a_refused_stream_leaves_nothing(upstream):
    command = upstream.says(1, 3, PLAY)
    assert upstream.refuses(command, PulseError.TOOLARGE) == [RefusedThat(3, PulseError.TOOLARGE)]
    assert upstream.says(1, None, DeletePlaybackStream(channel=1)) is None
    assert upstream.streams._asked == {}


def test_what_is_told_is_told_of_our_stream(upstream):
    upstream.makes(1, channel=7)
    upstream.makes(2, channel=8)
    told = [Started(channel=8), Request(channel=7, nbytes=100)]
    assert upstream.tells(*told) == [Said(2, told[0]), Said(1, told[1])]
    assert upstream.tells(Started(channel=9), ClientEvent(event="x", proplist={})) == []
    assert upstream.tells(SubscribeEvent(event=2, index=7)) == []


def test_playback_and_record_streams_of_the_same_number_are_two(upstream):
    upstream.makes(1, channel=4)
    upstream.makes(2, channel=4, create=RECORD)
    assert upstream.tells(Started(channel=4)) == [Said(1, Started(channel=4))]
    moved = RecordStreamMoved(channel=4, source_index=1, source_name="mic", suspended=False)
    assert upstream.tells(moved) == [Said(2, moved)]
    assert upstream.sends(4, b"abcd") == [Recorded(2, memoryview(b"abcd"))]
    upstream.says(2, None, DeleteRecordStream(channel=2))
    assert upstream.sends(4, b"abcd") == []
    assert upstream.tells(Started(channel=4)) == [Said(1, Started(channel=4))]


def test_news_of_record_streams_never_reaches_a_playback_stream(upstream):
    upstream.makes(1, channel=4)
    told = RecordBufferAttrChanged(channel=4, maxlength=1, fragsize=1, latency=1)
    assert upstream.tells(told, RecordStreamKilled(channel=4)) == []
    assert upstream.streams.sound_head(1, 8, 0, 0)


@pytest.mark.parametrize(("create", "killed"), [(PLAY, PlaybackStreamKilled), (RECORD, RecordStreamKilled)])
def test_a_killed_stream_is_told_once_and_forgotten(upstream, create, killed):
    upstream.makes(1, channel=4, create=create)
    assert upstream.tells(killed(channel=4), killed(channel=4)) == [Said(1, killed(channel=4))]
    assert upstream.says(1, None, GetRecordLatency(channel=1, client_time=(0, 0))) is None
    assert upstream.sends(4, b"abcd") == []


def test_the_upstream_may_use_a_number_again(upstream):
    upstream.makes(1, channel=4)
    upstream.says(1, None, DeletePlaybackStream(channel=1))
    upstream.makes(2, channel=4)
    assert upstream.tells(Started(channel=4)) == [Said(2, Started(channel=4))]


def test_sound_lies_where_it_was_received(upstream):
    upstream.makes(1, channel=4, create=RECORD)
    packet = bytearray(sound_head(4, 4) + b"abcd")
    (heard,) = upstream.streams.receive(memoryview(packet))
    assert isinstance(heard, Recorded)
    packet[-4:] = b"efgh"
    assert heard.data == b"efgh"


def test_what_is_recorded_elsewhere_than_where_the_wire_leads_is_silence(upstream):
    u8 = CreateRecordStream(sample_spec=SampleSpec(SampleFormat.U8, 1, 8000), channel_map=b"\0")
    command = upstream.says(1, 1, u8)
    reply = RecordStreamCreated(channel=4, source_output=104, source_index=1)
    _, asks = upstream.answers(command, reply)
    (question,) = upstream.hears_all(asks.packet)
    assert question.message == GetSourceInfo(index=1)
    assert upstream.sends(4, b"abcd") == [Recorded(1, memoryview(b"\x80" * 4))]
    assert upstream.answers(question, MICROPHONE) == []
    assert upstream.sends(4, b"abcd") == [Recorded(1, memoryview(b"abcd"))]
    moved = RecordStreamMoved(channel=4, source_index=2, source_name="speakers.monitor", suspended=False)
    said, asks = upstream.tells(moved)
    assert said == Said(1, moved)
    assert upstream.sends(4, b"abcd") == [Recorded(1, memoryview(b"\x80" * 4))]
    (question,) = upstream.hears_all(asks.packet)
    assert upstream.refuses(question, PulseError.NOENTITY) == []
    assert upstream.sends(4, b"abcd") == [Recorded(1, memoryview(b"\x80" * 4))]


def test_what_was_on_its_way_from_a_monitor_is_not_heard_after_it(upstream):
    u8 = CreateRecordStream(sample_spec=SampleSpec(SampleFormat.U8, 1, 1000), channel_map=b"\0")
    command = upstream.says(1, 1, u8)
    reply = RecordStreamCreated(channel=4, source_output=104, source_index=2, fragsize=50)
    upstream.answers(command, reply)
    back = RecordStreamMoved(channel=4, source_index=1, source_name="mic", suspended=False, fragsize=50)
    _, asks = upstream.tells(back)
    (question,) = upstream.hears_all(asks.packet)
    upstream.answers(question, MICROPHONE)
    silence, sound = b"\x80" * 100, b"a" * 100
    heard = [bytes(outcome.data) for _ in range(4) for outcome in upstream.sends(4, sound)]
    assert heard == [silence] * 3 + [sound]  # 50 bytes and a quarter of a second


def test_the_device_at_the_end_of_the_wire_is_told_without_its_names(upstream):
    hello = upstream.hears_questions()
    (question,) = (command for command in hello if isinstance(command.message, GetSourceInfo))
    assert question.message == GetSourceInfo(name="mic")
    assert upstream.answers(question, MICROPHONE) == [Shaped(Shape(SPEC, STEREO)), Found(True)]


def test_an_upstream_that_moves_a_stream_for_ever_and_answers_nothing_is_given_up(upstream):
    upstream.makes(1, channel=4, create=RECORD)
    moves = [
        RecordStreamMoved(channel=4, source_index=number, source_name="x", suspended=False)
        for number in range(2, 2 + MOST_QUESTIONS + 1)
    ]
    upstream.tells(*moves[:-1])
    with pytest.raises(RemoteProtocolError):
        upstream.tells(moves[-1])


def test_enormous_texts_go_nowhere(upstream):
    hello = upstream.hears_questions()
    (question,) = (command for command in hello if isinstance(command.message, GetSourceInfo))
    enormous = replace(MICROPHONE, description="x" * 100_000, proplist={"device.description": b"y" * 60_000})
    assert upstream.answers(question, enormous) == [Shaped(Shape(SPEC, STEREO)), Found(True)]
    with pytest.raises(RemoteProtocolError):
        upstream.tells(RecordStreamMoved(channel=4, source_index=1, source_name="x" * 300_000, suspended=False))


def test_refused_record_streams_leave_nothing(upstream):
    command = upstream.says(1, 3, RECORD)
    upstream.refuses(command, PulseError.TOOLARGE)
    assert upstream.streams._specs == {}


def test_a_stream_on_the_channel_of_control_packets_would_turn_sound_into_commands(upstream):
    command = upstream.says(1, 1, PLAY)
    with pytest.raises(RemoteProtocolError):
        upstream.answers(command, PlaybackStreamCreated(channel=CONTROL, sink_input=1, missing=0))


@pytest.mark.parametrize("message", [Subscribe(mask=1), SetClientName(proplist={})], ids=lambda m: type(m).__name__)
def test_an_upstream_that_speaks_like_a_client_is_given_up(upstream, message):
    with pytest.raises(RemoteProtocolError):
        upstream.streams.receive(memoryview(codec.packet(message, 0, 35)))


@given(st.binary(max_size=200), st.booleans())
def test_garbage_is_given_up_or_nothing(garbage, framed):
    streams = Upstream().streams
    if framed:
        garbage = sound_head(CONTROL, len(garbage)) + garbage
    try:
        assert streams.receive(memoryview(garbage)) == []
    except RemoteProtocolError:
        pass


def test_pieces_of_long_packets_are_all_recorded(upstream):
    upstream.makes(1, channel=4, create=RECORD)
    outcomes = upstream.sends(4, bytes(150_000))
    assert [len(outcome.data) for outcome in outcomes] == [65536, 65536, 150_000 - 2 * 65536]
