"""Carried record streams as plays. The stream is 1 between core and upstream; the client knows it as channel 0."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import ANY

import pytest

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
    Stat,
    StatReply,
    UpdateRecordStreamSampleRate,
)
from eardrum.server.core import Server
from eardrum.server.effects import NO_STREAM, Answer, Refuse, Reissue, SendSound, Tell, WakeMe, WantUpstream
from eardrum.server.events import (
    INPUT,
    Asked,
    Clogged,
    Joined,
    Left,
    Unclogged,
    UpstreamAnswered,
    UpstreamLost,
    UpstreamReady,
    UpstreamSound,
    UpstreamTold,
    Woke,
)
from eardrum.server.views import outlet_view
from eardrum.terms.audio import INVALID, MAX_QUEUE, STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.budget import Budget
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.playbook import Play
from eardrum.testing.stage import ALL

SPEC = SampleSpec(SampleFormat.U8, 1, 8000)  # its silence is not zero
NORM = (VOLUME_NORM, VOLUME_NORM)
TIME = (3, 4)
MONO = STEREO[:1]
CREATE = CreateRecordStream(
    sample_spec=SPEC, channel_map=MONO, source_name="input", fragsize=80, adjust_latency=True, variable_rate=True
)
CREATE_UPSTREAM = replace(
    CREATE,
    source_name=None,
    proplist={
        "application.name": b"box\0",
        "application.id": b"eardrum.box\0",
        "application.icon_name": b"audio-card\0",
        "module-stream-restore.id": b"eardrum-box/in\0",
    },
)
CREATED_UPSTREAM = RecordStreamCreated(
    channel=99, source_output=98, maxlength=1000, fragsize=80, sample_spec=SPEC, channel_map=MONO,
    source_index=97, source_name="the-hosts-own", latency=10,
)  # fmt: skip
CREATED = RecordStreamCreated(
    channel=0, source_output=0, maxlength=1000, fragsize=80, sample_spec=SPEC, channel_map=MONO,
    source_index=1, source_name="input", latency=10, format=ANY,
)  # fmt: skip
MOVED = RecordStreamMoved(
    channel=0, source_index=1, source_name="input", suspended=False, maxlength=1000, fragsize=80, latency=10
)  # fmt: skip


def recording() -> Play:
    """An outlet with one stream that records its input: tag 1, token 1, number 1, channel 0."""
    return (
        Play(Server(outlet_view("box", WireEnd("room", "studio"), WireEnd("room", "studio"))))
        >> Joined(1, 0, ALL, 35)
        >> Asked(1, 1, CREATE)
        << WantUpstream(INPUT)
        >> UpstreamReady(INPUT)
        << Reissue(INPUT, 1, 1, CREATE_UPSTREAM)
        >> UpstreamAnswered(1, CREATED_UPSTREAM)
        << Answer(1, 1, CREATED)
    )


def sound(value: int, nbytes: int = 80) -> UpstreamSound:
    return UpstreamSound(1, memoryview(bytes((value,)) * nbytes))


def test_samples_come_as_they_are_under_our_number():
    (recording() >> sound(7) << SendSound(1, 0, bytes((7,)) * 80)).over()


def test_sound_of_a_stream_that_is_gone_is_not_for_anybody():
    (
        recording()
        >> Asked(1, 2, DeleteRecordStream(channel=0))
        << Reissue(INPUT, 1, None, DeleteRecordStream(channel=1))
        << Answer(1, 2, Ack())
        >> sound(7)
    ).over()


def test_a_client_that_does_not_read_has_no_more_than_maxlength_waiting_and_loses_the_newest():
    play = recording() >> Clogged(1)
    for value in range(1, 100):
        play = play >> sound(value)
    play = play >> Unclogged(1)
    for value in range(1, 13):  # 12 fragments of 80 bytes fit into 1000
        play = play << SendSound(1, 0, bytes((value,)) * 80)
    (play >> sound(200) << SendSound(1, 0, bytes((200,)) * 80)).over()


@pytest.mark.parametrize(
    ("budget", "waits"),
    [
        (Budget(), Budget().unread_sound_bytes),
        (Budget(unread_sound_bytes=2 * MAX_QUEUE), MAX_QUEUE),
        (Budget(unread_sound_bytes=2 * MAX_QUEUE, sound_bytes=65536), 65536),
    ],
)
def test_no_upstream_can_have_more_waiting_than_there_may_be(budget, waits):
    core = Server(outlet_view("box", WireEnd("null"), WireEnd("room", "studio")), budget=budget)
    events = [Joined(1, 0, ALL, 35), UpstreamReady(INPUT), Asked(1, 1, CREATE)]
    events += [UpstreamAnswered(1, replace(CREATED_UPSTREAM, maxlength=INVALID)), Clogged(1)]
    for event in [*events, *[sound(1, 65536)] * 100]:
        core.handle(event)
    waited = core.handle(Unclogged(1))
    assert sum(len(effect.data) for effect in waited) == waits


def test_flush_forgets_what_waits():
    (
        recording()
        >> Clogged(1)
        >> sound(1)
        >> Asked(1, 2, FlushRecordStream(channel=0))
        << Reissue(INPUT, 1, 2, FlushRecordStream(channel=1))
        >> UpstreamAnswered(2, Ack())
        << Answer(1, 2, Ack())
        >> Unclogged(1)
    ).over()


@pytest.mark.parametrize(
    ("asked", "said", "reply"),
    [
        (CorkRecordStream(channel=0, cork=True), CorkRecordStream(channel=1, cork=True), Ack()),
        (
            UpdateRecordStreamSampleRate(channel=0, rate=8024),
            UpdateRecordStreamSampleRate(channel=1, rate=8000),
            Ack(),
        ),
        (
            SetRecordStreamBufferAttr(channel=0, fragsize=100),
            SetRecordStreamBufferAttr(channel=1, fragsize=100),
            RecordBufferAttrSet(maxlength=5, fragsize=6, latency=7),
        ),
        (
            GetRecordLatency(channel=0, client_time=TIME),
            GetRecordLatency(channel=1, client_time=TIME),
            RecordLatency(
                monitor_latency=0,
                source_latency=5,
                playing=True,
                client_time=TIME,
                server_time=(1, 2),
                write_index=3,
                read_index=2,
            ),
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_is_asked_of_a_stream_is_asked_upstream_and_its_answer_is_the_answer(asked, said, reply):
    (
        recording()
        >> Asked(1, 2, asked)
        << Reissue(INPUT, 1, 2, said)
        >> UpstreamAnswered(2, reply)
        << Answer(1, 2, reply)
    ).over()


def test_what_was_asked_is_answered_when_the_stream_is_deleted():
    (
        recording()
        >> Asked(1, 2, GetRecordLatency(channel=0, client_time=TIME))
        << Reissue(INPUT, 1, 2, ANY)
        >> Asked(1, 3, DeleteRecordStream(channel=0))
        << Refuse(1, 2, PulseError.NOENTITY)
        << Reissue(INPUT, 1, None, DeleteRecordStream(channel=1))
        << Answer(1, 3, Ack())
        >> UpstreamAnswered(2, Ack())
    ).over()


def test_a_meter_is_asked_for_as_sound_and_told_as_a_meter():
    """400 Hz: 120 frames of the upstream are one of the client's."""
    meter = replace(CREATE, sample_spec=SPEC._replace(rate=400), fragsize=2, peak_detect=True)
    as_sound = replace(CREATE_UPSTREAM, sample_spec=SPEC._replace(rate=48_000), fragsize=240)
    made = replace(CREATED_UPSTREAM, sample_spec=SPEC._replace(rate=48_000), maxlength=12_000, fragsize=240)
    latency = RecordLatency(
        monitor_latency=0, source_latency=5, playing=True, client_time=TIME, server_time=(1, 2),
        write_index=600, read_index=480,
    )  # fmt: skip
    (
        Play(Server(outlet_view("box", WireEnd("room", "studio"), WireEnd("room", "studio"))))
        >> Joined(1, 0, ALL, 35)
        >> Asked(1, 1, meter)
        << WantUpstream(INPUT)
        >> UpstreamReady(INPUT)
        << Reissue(INPUT, 1, 1, as_sound)
        >> UpstreamAnswered(1, made)
        << Answer(1, 1, replace(CREATED, sample_spec=SPEC._replace(rate=400), maxlength=100, fragsize=2))
        >> UpstreamSound(1, memoryview(b"\x80" * 119))
        >> UpstreamSound(1, memoryview(b"\x40" * 121))
        << SendSound(1, 0, b"\xc0\xc0")
        >> Asked(1, 2, SetRecordStreamBufferAttr(channel=0, maxlength=50, fragsize=1))
        << Reissue(INPUT, 1, 2, SetRecordStreamBufferAttr(channel=1, maxlength=6000, fragsize=120))
        >> UpstreamAnswered(2, RecordBufferAttrSet(maxlength=6000, fragsize=60, latency=7))
        << Answer(1, 2, RecordBufferAttrSet(maxlength=50, fragsize=1, latency=7))
        >> Asked(1, 3, GetRecordLatency(channel=0, client_time=TIME))
        << Reissue(INPUT, 1, 3, GetRecordLatency(channel=1, client_time=TIME))
        >> UpstreamAnswered(3, latency)
        << Answer(1, 3, replace(latency, write_index=5, read_index=4))
        >> Asked(1, 4, UpdateRecordStreamSampleRate(channel=0, rate=1000))
        << Refuse(1, 4, PulseError.NOTSUPPORTED, ANY)
    ).over()


def test_suspension_and_a_move_are_told_and_not_where_to():
    (
        recording()
        >> UpstreamTold(1, RecordStreamSuspended(channel=99, suspended=True))
        << Tell(1, RecordStreamSuspended(channel=0, suspended=True))
        >> UpstreamTold(
            1,
            RecordStreamMoved(
                channel=99,
                source_index=4,
                source_name="secret",
                suspended=False,
                maxlength=2000,
                fragsize=40,
                latency=7,
            ),
        )
        << Tell(
            1,
            RecordStreamMoved(
                channel=0, source_index=1, source_name="input", suspended=False, maxlength=2000, fragsize=40, latency=7
            ),
        )
    ).over()


def test_the_source_that_the_wire_names_is_asked_for():
    core = Server(outlet_view("box", WireEnd("null"), WireEnd("host", "mic")))
    (
        Play(core)
        >> Joined(1, 0, ALL, 35)
        >> UpstreamReady(INPUT)
        >> Asked(1, 1, CREATE)
        << Reissue(INPUT, 1, 1, replace(CREATE_UPSTREAM, source_name="mic"))
    ).over()


def test_a_stream_that_the_upstream_kills_is_killed_if_the_upstream_lives_on():
    (
        recording()
        >> UpstreamTold(1, RecordStreamKilled(channel=99))
        << Reissue(INPUT, NO_STREAM, 2, Stat())
        >> UpstreamAnswered(2, StatReply())
        << Tell(1, RecordStreamKilled(channel=0))
        << Reissue(INPUT, 1, None, DeleteRecordStream(channel=1))
    ).over()


SILENCE = bytes((128,)) * 80


def test_a_lost_upstream_is_stood_in_for_by_paced_silence_and_the_read_index_goes_on():
    latency = GetRecordLatency(channel=0, client_time=TIME)
    told = {"monitor_latency": 0, "playing": True, "client_time": TIME, "server_time": ANY}
    (
        recording()
        >> Woke(1.0, 0.0)
        >> sound(7)
        << SendSound(1, 0, bytes((7,)) * 80)
        >> UpstreamLost(INPUT, PulseError.CONNECTIONTERMINATED, over=True)
        << WantUpstream(INPUT)
        << WakeMe(1.01)
        >> Woke(1.01, 0.0)
        << SendSound(1, 0, SILENCE)
        << WakeMe(1.02)
        >> Asked(1, 2, latency)
        << Answer(1, 2, RecordLatency(source_latency=0, write_index=160, read_index=160, **told))
        >> UpstreamReady(INPUT)
        << Reissue(INPUT, 1, 2, CREATE_UPSTREAM)
        >> Woke(1.02, 0.0)
        << SendSound(1, 0, SILENCE)
        << WakeMe(1.03)
        >> UpstreamAnswered(2, CREATED_UPSTREAM)
        >> sound(5)
        << SendSound(1, 0, bytes((5,)) * 80)
        >> Asked(1, 3, latency)
        << Reissue(INPUT, 1, 3, ANY)
        >> UpstreamAnswered(3, RecordLatency(source_latency=7, write_index=100, read_index=80, **told))
        << Answer(1, 3, RecordLatency(source_latency=7, write_index=340, read_index=320, **told))
        >> Woke(1.03, 0.0)
        << WakeMe(None)
    ).over()


def test_a_stream_that_begins_without_an_upstream_gets_silence_and_is_corked_upstream_if_it_is_by_then():
    (
        Play(Server(outlet_view("box", WireEnd("room", "studio"), WireEnd("room", "studio"))))
        >> Joined(1, 0, ALL, 35)
        >> Asked(1, 1, CREATE)
        << WantUpstream(INPUT)
        >> UpstreamLost(INPUT, PulseError.CONNECTIONREFUSED)
        << Answer(1, 1, ANY)
        << WakeMe(0.01)
        >> Woke(0.01, 0.0)
        << SendSound(1, 0, SILENCE)
        << WakeMe(0.02)
        >> UpstreamReady(INPUT)
        << Reissue(INPUT, 1, 1, CREATE_UPSTREAM)
        >> Asked(1, 2, CorkRecordStream(channel=0, cork=True))
        << Answer(1, 2, Ack())
        >> UpstreamAnswered(1, CREATED_UPSTREAM)
        << Tell(1, MOVED)
        << Reissue(INPUT, 1, None, CorkRecordStream(channel=1, cork=True))
    ).over()


def test_a_flush_and_another_rate_are_the_stand_ins():
    (
        recording()
        >> Woke(1.0, 0.0)
        >> UpstreamLost(INPUT, PulseError.CONNECTIONTERMINATED, over=True)
        << WantUpstream(INPUT)
        << WakeMe(1.01)
        >> Asked(1, 2, UpdateRecordStreamSampleRate(channel=0, rate=16000))
        << Answer(1, 2, Ack())
        >> Asked(1, 3, FlushRecordStream(channel=0))
        << Answer(1, 3, Ack())
        >> Woke(1.01, 0.0)
        << SendSound(1, 0, SILENCE)
        << SendSound(1, 0, SILENCE)
        << WakeMe(1.015)
        >> UpstreamReady(INPUT)
        << Reissue(INPUT, 1, 2, replace(CREATE_UPSTREAM, sample_spec=SPEC._replace(rate=16000)))
    ).over()


def test_a_client_that_leaves_takes_its_streams_along():
    (recording() >> Left(1) << Reissue(INPUT, 1, None, DeleteRecordStream(channel=1))).over()


def test_a_source_upstream_is_never_chosen_by_what_a_client_says():
    core = Server(outlet_view("box", WireEnd("null"), WireEnd("room", "studio")))
    (
        Play(core)
        >> Joined(1, 0, ALL, 35)
        >> UpstreamReady(INPUT)
        >> Asked(1, 1, replace(CREATE, source_name=None, source_index=1, no_move=True, fail_on_suspend=True))
        << Reissue(INPUT, 1, 1, CREATE_UPSTREAM)
    ).over()
