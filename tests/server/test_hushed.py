"""A microphone that is muted, carried: silence is made here, and nothing is recorded upstream meanwhile."""

from __future__ import annotations

import pytest

from eardrum.protocol.catalog import (
    Ack,
    CorkRecordStream,
    CreateRecordStream,
    DeleteRecordStream,
    FlushRecordStream,
    GetRecordLatency,
    RecordStreamCreated,
    SetSourceMute,
    SetSourceOutputMute,
)
from eardrum.server.core import Server
from eardrum.server.effects import KeepLevel, Reissue, WantUpstream
from eardrum.server.events import (
    INPUT,
    Turned,
    UpstreamAnswered,
    UpstreamLost,
    UpstreamReady,
    UpstreamRefused,
    UpstreamSound,
)
from eardrum.server.views import outlet_view
from eardrum.terms.audio import MONO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import Program, Stage

SPEC = SampleSpec(SampleFormat.U8, 1, 8000)
FRAGMENT = 80  # bytes, 10 ms
SILENCE = 0x80
RECORD = CreateRecordStream(sample_spec=SPEC, channel_map=MONO, source_name="input", fragsize=FRAGMENT)
BY_PERSON, BY_SOURCE, BY_STREAM = "the person", "a program, its device", "a program, its stream"


class Recording:
    """A program that records its microphone, which is another server's."""

    def __init__(self) -> None:
        self.stage = Stage(Server(outlet_view("box", WireEnd("null"), WireEnd("room", "studio"))))
        self.program: Program = self.stage.join()
        self.tag = 0
        self.number = 0  # that the upstream has it by

    def begins(self) -> Recording:
        self.tag = self.program.say(RECORD)
        return self

    def connects(self) -> Recording:
        self.stage.happens(UpstreamReady(INPUT))
        return self

    def says(self) -> list[Reissue]:
        """What the upstream is asked."""
        said = [effect for effect in self.stage.others if isinstance(effect, Reissue)]
        self.stage.others = [effect for effect in self.stage.others if not isinstance(effect, Reissue)]
        return said

    def wants(self) -> list[bool]:
        said = [effect.wanted for effect in self.stage.others if isinstance(effect, WantUpstream)]
        self.stage.others = [effect for effect in self.stage.others if not isinstance(effect, WantUpstream)]
        return said

    def is_made(self) -> Recording:
        """The upstream is asked for the stream and makes it."""
        (create,) = self.says()
        assert isinstance(create.message, CreateRecordStream)
        self.answers(create)
        return self

    def answers(self, create: Reissue) -> None:
        self.number = create.stream
        made = RecordStreamCreated(
            channel=9, source_output=9, maxlength=8000, fragsize=FRAGMENT, sample_spec=SPEC, channel_map=MONO,
            source_index=3, source_name="mic", latency=0,
        )  # fmt: skip
        self.stage.happens(UpstreamAnswered(create.token, made))

    def speaks(self, value: int, number: int | None = None) -> None:
        """A fragment comes from the upstream."""
        number = self.number if number is None else number
        self.stage.happens(UpstreamSound(number, memoryview(bytes((value,)) * FRAGMENT)))

    def heard(self) -> bytes:
        """What came since the last call."""
        found = bytes(self.program.sound.get(0, b""))
        self.program.sound.clear()
        return found

    def mutes(self, who: str, muted: bool) -> None:
        if who == BY_PERSON:
            self.stage.happens(Turned(INPUT, VOLUME_NORM, muted))
        elif who == BY_SOURCE:
            self.program.ask(SetSourceMute(name="input", muted=muted))
        else:
            self.program.ask(SetSourceOutputMute(index=0, muted=muted))
        self.stage.others = [effect for effect in self.stage.others if not isinstance(effect, KeepLevel)]


@pytest.fixture
def recording() -> Recording:
    """It records; nothing is on its way."""
    return Recording().connects().begins().is_made()


@pytest.mark.parametrize("who", [BY_PERSON, BY_SOURCE, BY_STREAM])
def test_muted_it_gives_silence_in_time_and_records_nothing(recording, who):
    recording.speaks(7)
    recording.mutes(who, True)
    assert recording.says() == [Reissue(INPUT, 1, None, DeleteRecordStream(channel=1))]
    assert recording.heard() == bytes((7,)) * FRAGMENT
    recording.speaks(8)  # it was on its way
    recording.stage.passes(1.0)
    silence = recording.heard()
    assert set(silence) == {SILENCE}
    assert SPEC.rate - 2 * FRAGMENT <= len(silence) <= SPEC.rate
    assert recording.says() == []


@pytest.mark.parametrize("who", [BY_PERSON, BY_SOURCE, BY_STREAM])
def test_unmuted_it_goes_on_without_what_was_said_meanwhile(recording, who):
    recording.mutes(who, True)
    recording.stage.passes(0.5)
    recording.says()
    recording.mutes(who, False)
    recording.stage.passes(0.1)
    assert set(recording.heard()) == {SILENCE}
    recording.is_made()
    recording.speaks(8, number=1)
    assert not set(recording.heard()) - {SILENCE}
    recording.speaks(9)
    assert recording.heard() == bytes((9,)) * FRAGMENT
    recording.stage.passes(1.0)
    assert recording.heard() == b""


def test_whoever_unmutes_first_opens_nothing(recording):
    recording.mutes(BY_PERSON, True)
    recording.mutes(BY_SOURCE, True)
    recording.says()
    recording.mutes(BY_SOURCE, False)
    assert recording.says() == []
    recording.mutes(BY_PERSON, False)
    recording.is_made()


def test_a_stream_that_begins_muted_asks_for_no_upstream():
    recording = Recording()
    recording.mutes(BY_PERSON, True)
    recording.begins()
    assert isinstance(recording.program.answers[recording.tag], RecordStreamCreated)
    recording.stage.passes(1.0)
    assert set(recording.heard()) == {SILENCE}
    assert recording.stage.others == []
    recording.mutes(BY_PERSON, False)
    assert recording.wants() == [True]
    recording.connects().is_made()


def test_muted_while_there_is_no_upstream_none_is_wanted_any_more():
    recording = Recording().begins()
    assert recording.wants() == [True]
    recording.stage.happens(UpstreamLost(INPUT, PulseError.CONNECTIONREFUSED))
    recording.wants()
    recording.stage.passes(5.0)
    recording.wants()
    recording.mutes(BY_PERSON, True)
    assert recording.wants() == [False]
    recording.stage.passes(5.0)
    assert recording.wants() == []


@pytest.mark.parametrize("made", [True, False])
def test_muted_while_the_upstream_makes_it_no_sound_is_heard(made):
    recording = Recording().connects().begins()
    (create,) = recording.says()
    recording.mutes(BY_PERSON, True)
    if made:
        recording.answers(create)
        assert [effect.message for effect in recording.says()] == [DeleteRecordStream(channel=create.stream)]
    else:
        recording.stage.happens(UpstreamRefused(create.token, PulseError.NOENTITY))
    assert isinstance(recording.program.answers[recording.tag], RecordStreamCreated)
    recording.speaks(7, number=create.stream)
    recording.stage.passes(5.0)
    assert set(recording.heard()) == {SILENCE}
    assert recording.says() == []


def test_muted_and_unmuted_while_the_upstream_makes_it_again_it_is_made_once(recording):
    recording.mutes(BY_PERSON, True)
    recording.mutes(BY_PERSON, False)
    _, create = recording.says()
    recording.mutes(BY_PERSON, True)
    recording.mutes(BY_PERSON, False)
    assert recording.says() == []
    recording.answers(create)
    recording.speaks(7)
    assert recording.heard()[-FRAGMENT:] == bytes((7,)) * FRAGMENT
    assert recording.says() == []


def test_an_upstream_that_comes_back_is_not_asked_for_what_is_muted(recording):
    recording.mutes(BY_PERSON, True)
    recording.says()
    recording.stage.happens(UpstreamLost(INPUT, PulseError.CONNECTIONTERMINATED))
    assert recording.wants() == []
    recording.connects()
    assert recording.says() == []
    recording.mutes(BY_PERSON, False)
    recording.is_made()


def test_what_its_client_asks_is_answered_and_kept_for_later(recording):
    flush = recording.program.say(FlushRecordStream(channel=0))
    recording.mutes(BY_PERSON, True)
    assert recording.program.answers.pop(flush) == Ack()
    assert recording.program.ask(CorkRecordStream(channel=0, cork=True)) == Ack()
    recording.stage.passes(0.1)
    recording.heard()
    recording.stage.passes(1.0)
    assert recording.heard() == b""
    recording.says()
    recording.mutes(BY_PERSON, False)
    (create,) = recording.says()
    assert create.message.corked


def test_its_index_never_jumps(recording):
    for value in range(5):
        recording.speaks(value)
    recording.mutes(BY_PERSON, True)
    recording.heard()
    recording.stage.passes(1.0)
    latency = recording.program.ask(GetRecordLatency(channel=0, client_time=(0, 0)))
    assert latency.read_index == 5 * FRAGMENT + len(recording.heard())


def test_a_muted_stream_that_ends_leaves_nothing(recording):
    recording.mutes(BY_PERSON, True)
    recording.says()
    assert recording.program.ask(DeleteRecordStream(channel=0)) == Ack()
    recording.stage.passes(1.0)
    assert recording.heard() == b""
    assert recording.says() == []
    recording.mutes(BY_PERSON, False)
    assert recording.says() == []
