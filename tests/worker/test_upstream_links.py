"""A real worker between a program and an upstream that the test plays."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    Ack,
    Change,
    CorkPlaybackStream,
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    Facility,
    GetSinkInfo,
    GetSourceInfo,
    PlaybackStreamCreated,
    PlaybackStreamKilled,
    RecordStreamCreated,
    Request,
    SetClientName,
    Stat,
    StatReply,
    SubscribeEvent,
    TriggerPlaybackStream,
)
from eardrum.protocol.packets import sound_head
from eardrum.server.events import INPUT, OUTPUT
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.budget import Budget
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.workers import S16, Upstream, ends_at_once, floods
from eardrum.worker import upstream_links
from eardrum.worker.records import Kind, Record, end_in_pipe

CREATE = CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2)
NOISE = np.random.default_rng(1).integers(-(2**15), 2**15, (50_000, 2)).astype("<i2").tobytes()


def test_a_carried_stream_reaches_the_upstream_that_the_desk_gives(grow):
    worker = grow("host")
    with worker.join() as caller:
        tag = caller.say(CREATE)
        assert worker.hears(Kind.WANT) == Record(Kind.WANT, OUTPUT, 1)
        upstream = Upstream(worker, OUTPUT)
        with upstream.socket:
            assert upstream.hears(SetClientName).message.proplist["application.name"] == b"box\0"
            upstream.makes_a_stream()
            assert caller.answer(tag).missing == 100_000
            caller.write(0, NOISE[:4000])
            while len(upstream.sound) < 4000:
                upstream.hear()
            assert upstream.sound == NOISE[:4000]
            upstream.says(Request(channel=5, nbytes=42))
            caller.until(lambda: caller.told, "the request")
            assert caller.told == [Request(channel=0, nbytes=42)]
            assert caller.ask(DeletePlaybackStream(channel=0)) == Ack()
            upstream.hears(DeletePlaybackStream)


def test_a_carried_record_stream_brings_sound(grow):
    worker = grow("null", "room:studio")
    with worker.join() as caller:
        tag = caller.say(CreateRecordStream(sample_spec=S16, channel_map=STEREO))
        assert worker.hears(Kind.WANT) == Record(Kind.WANT, INPUT, 1)
        upstream = Upstream(worker, INPUT)
        with upstream.socket:
            create = upstream.hears(CreateRecordStream)
            made = RecordStreamCreated(channel=5, source_output=6, maxlength=1 << 22, fragsize=4000, source_index=7)
            upstream.says(made, create.tag)
            assert caller.answer(tag).source_name == "input"
            for _ in "end of the wire", "source of the stream":
                upstream.hears(GetSourceInfo)
            samples = NOISE
            upstream.socket.sendall(sound_head(5, len(samples)) + samples)
            caller.until(lambda: len(caller.sound.get(0, b"")) == len(samples), "the sound")
            assert caller.sound[0] == samples


def test_an_upstream_that_cannot_be_had_goes_on_being_wanted_until_nobody_needs_it(grow):
    worker = grow("host")
    with worker.join() as caller:
        first = caller.say(CREATE)
        assert worker.hears(Kind.WANT) == Record(Kind.WANT, OUTPUT, 1)
        worker.says(Record(Kind.NO_UPSTREAM, OUTPUT, PulseError.CONNECTIONREFUSED))
        assert isinstance(caller.answer(first), PlaybackStreamCreated)
        for number in range(1, 20):
            assert isinstance(caller.ask(replace(CREATE, sync_id=number)), PlaybackStreamCreated)
        caller.close()
        assert worker.hears(Kind.WANT) == Record(Kind.WANT, OUTPUT, 0)


def test_a_desk_that_finds_no_upstream_in_time_is_not_waited_for(grow):
    worker = grow("host")
    with worker.join() as caller:
        assert isinstance(caller.ask(CREATE), PlaybackStreamCreated)


@pytest.mark.parametrize("garbage", [b"", bytes(100), b"\xff" * 100], ids=["end", "zeros", "ones"])
def test_an_upstream_that_ends_or_says_nonsense_is_stood_in_for_until_there_is_another(grow, garbage):
    worker = grow("host")
    with worker.join() as caller:
        tag = caller.say(CREATE)
        worker.hears(Kind.WANT)
        upstream = Upstream(worker, OUTPUT)
        upstream.makes_a_stream()
        caller.answer(tag)
        waits = caller.say(CorkPlaybackStream(channel=0, cork=True))
        upstream.hears(CorkPlaybackStream)
        if garbage:
            upstream.socket.sendall(garbage)
            assert ends_at_once(upstream.socket)
        upstream.socket.close()
        assert caller.answer(waits) == Ack()
        assert worker.hears(Kind.WANT) == Record(Kind.WANT, OUTPUT, 1)
        caller.write(0, NOISE[:4000])
        another = Upstream(worker, OUTPUT)
        another.makes_a_stream()
        while len(another.sound) < 4000:
            another.hear()
        assert another.sound == NOISE[:4000]
        assert another.hears(CorkPlaybackStream).message.cork
        assert caller.tell_all(PlaybackStreamKilled) == []
        another.socket.close()


def test_an_upstream_that_says_nothing_though_it_should_is_asked_and_then_lost(grow):
    worker = grow("host")
    with worker.join() as caller:
        tag = caller.say(CREATE)
        worker.hears(Kind.WANT)
        upstream = Upstream(worker, OUTPUT)
        upstream.makes_a_stream()
        caller.answer(tag)
        asks = upstream.hears(Stat)
        upstream.says(StatReply(), asks.tag)
        upstream.hears(Stat)
        assert worker.hears(Kind.WANT) == Record(Kind.WANT, OUTPUT, 1)
        assert ends_at_once(upstream.socket)
        upstream.socket.close()


def test_an_upstream_whose_streams_are_corked_may_be_silent(grow):
    worker = grow("host")
    with worker.join() as caller:
        tag = caller.say(replace(CREATE, corked=True))
        worker.hears(Kind.WANT)
        upstream = Upstream(worker, OUTPUT)
        upstream.makes_a_stream()
        caller.answer(tag)
        upstream.socket.settimeout(1.5 * upstream_links.QUIET)
        with pytest.raises(TimeoutError):
            upstream.hears(Stat)
        upstream.socket.close()


def test_an_upstream_is_asked_for_nothing_before_it_has_the_device(grow):
    worker = grow("host")
    with worker.join() as caller:
        tag = caller.say(CREATE)
        worker.hears(Kind.WANT)
        upstream = Upstream(worker, OUTPUT, has_device=False)
        upstream.refuses(GetSinkInfo)
        assert isinstance(caller.answer(tag), PlaybackStreamCreated)
        assert worker.hears(Kind.WIRE) == Record(Kind.WIRE, OUTPUT, PulseError.NOENTITY)
        upstream.has_device = True
        upstream.says(SubscribeEvent(event=Facility.SINK | Change.NEW, index=8))
        upstream.makes_a_stream()
        assert worker.hears(Kind.WIRE) == Record(Kind.WIRE, OUTPUT, 0)
        upstream.socket.close()


def test_another_upstream_takes_the_place_of_the_first(grow):
    worker = grow("host")
    with worker.join() as caller:
        tag = caller.say(CREATE)
        worker.hears(Kind.WANT)
        first = Upstream(worker, OUTPUT)
        first.makes_a_stream()
        caller.answer(tag)
        second = Upstream(worker, OUTPUT)
        second.makes_a_stream()
        assert ends_at_once(first.socket)
        first.socket.close()
        assert [record for record in worker.heard if record.kind is Kind.WANT] == [Record(Kind.WANT, OUTPUT, 1)]
        second.socket.close()


def test_while_an_upstream_does_not_read_no_client_is_read_from_and_nothing_is_lost(grow):
    worker = grow("host")
    with worker.join() as caller:
        tag = caller.say(CREATE)
        worker.hears(Kind.WANT)
        upstream = Upstream(worker, OUTPUT)
        upstream.makes_a_stream()
        caller.answer(tag)
        before = worker.memory()
        samples = NOISE[:16384]
        packet = sound_head(0, len(samples)) + samples
        sent = floods(caller.socket, packet)
        assert sent > upstream_links.STUCK_BYTES
        assert worker.memory() - before < 2048
        whole = -(-sent // len(packet))
        while len(upstream.sound) < (whole - 1) * len(samples):
            upstream.hear()
        caller.socket.sendall(packet[sent % len(packet) :] if sent % len(packet) else b"")
        while len(upstream.sound) < whole * len(samples):
            upstream.hear()
        assert upstream.sound == samples * whole
        assert caller.ask(Stat()) == StatReply()
        upstream.socket.close()


def test_a_wire_that_leads_elsewhere_loses_its_upstream_and_names_the_device_there(grow):
    worker = grow("host:first")
    with worker.join() as caller:
        caller.say(CREATE)
        worker.hears(Kind.WANT)
        first = Upstream(worker, OUTPUT)
        assert first.hears(CreatePlaybackStream).message.sink_name == "first"
        pipe = end_in_pipe(WireEnd("host", "second"))
        worker.says(Record(Kind.REWIRE, OUTPUT), [pipe])
        os.close(pipe)
        assert ends_at_once(first.socket)
        worker.hears(Kind.WANT)
        second = Upstream(worker, OUTPUT)
        assert second.hears(CreatePlaybackStream).message.sink_name == "second"
        first.socket.close()
        second.socket.close()


@pytest.fixture
def full(grow):
    """A worker with two streams; the upstream of the second said that it takes no more from one client."""
    worker = grow("host")
    with worker.join() as caller:
        first = caller.say(CREATE)
        worker.hears(Kind.WANT)
        upstream = Upstream(worker, OUTPUT)
        upstream.makes_a_stream()
        caller.answer(first)
        second = caller.say(replace(CREATE, sync_id=1))
        upstream.refuses_a_stream(PulseError.UNKNOWN)
        assert worker.hears(Kind.WANT) == Record(Kind.WANT, OUTPUT, 1, 1)
        yield worker, caller, upstream, second
        upstream.socket.close()


def test_a_stream_for_which_there_is_no_room_goes_over_another_connection(full):
    worker, caller, first, second = full
    other = Upstream(worker, OUTPUT, 1)
    with other.socket:
        assert other.hears(SetClientName).message.proplist["application.name"] == b"box\0"
        other.makes_a_stream(channel=5)
        assert caller.answer(second).channel == 1
        caller.write(0, NOISE[:4000])
        caller.write(1, NOISE[4000:8000])
        while len(first.sound) < 4000:
            first.hear()
        while len(other.sound) < 4000:
            other.hear()
        assert (first.sound, other.sound) == (NOISE[:4000], NOISE[4000:8000])
        other.says(Request(channel=5, nbytes=42))
        caller.until(lambda: caller.tell_all(Request), "the request")
        assert caller.tell_all(Request) == [Request(channel=1, nbytes=42)]
        third = caller.say(replace(CREATE, sync_id=2))
        other.makes_a_stream(channel=6)
        assert caller.answer(third).channel == 2
        assert caller.ask(DeletePlaybackStream(channel=0)) == Ack()
        first.hears(DeletePlaybackStream)
        fourth = caller.say(replace(CREATE, sync_id=3))
        first.makes_a_stream(channel=9)
        assert caller.answer(fourth).channel == 3


def test_a_wire_has_no_more_connections_than_there_may_be(grow):
    worker = grow("host", budget=Budget(upstream_connections=1))
    with worker.join() as caller:
        first = caller.say(CREATE)
        worker.hears(Kind.WANT)
        upstream = Upstream(worker, OUTPUT)
        upstream.makes_a_stream()
        caller.answer(first)
        second = caller.say(replace(CREATE, sync_id=1))
        upstream.refuses_a_stream(PulseError.UNKNOWN)
        assert caller.answer(second).channel == 1  # it is stood in for
        upstream.socket.close()
        assert worker.hears(Kind.WANT) == Record(Kind.WANT, OUTPUT, 1)  # the first again, and no other before


def test_all_connections_of_a_wire_are_lost_together(full):
    worker, caller, first, second = full
    other = Upstream(worker, OUTPUT, 1)
    other.makes_a_stream()
    caller.answer(second)
    other.socket.close()
    assert ends_at_once(first.socket)
    assert worker.hears(Kind.WANT) == Record(Kind.WANT, OUTPUT, 1)
    again = Upstream(worker, OUTPUT)
    with again.socket:
        again.makes_a_stream(1)
        again.makes_a_stream(2)
        assert caller.ask(Stat()) == StatReply()
    assert caller.tell_all(PlaybackStreamKilled) == []


def test_without_another_connection_the_stream_is_stood_in_for(full):
    worker, caller, _, second = full
    worker.says(Record(Kind.NO_UPSTREAM, OUTPUT, PulseError.CONNECTIONREFUSED, 1))
    assert caller.answer(second).channel == 1
    stray = Upstream(worker, OUTPUT, 2)
    with stray.socket:
        assert ends_at_once(stray.socket)


def test_no_more_connections_are_wanted_than_there_may_be(grow):
    worker = grow("host", budget=Budget(upstream_connections=1))
    with worker.join() as caller:
        first = caller.say(CREATE)
        assert worker.hears(Kind.WANT) == Record(Kind.WANT, OUTPUT, 1)
        upstream = Upstream(worker, OUTPUT)
        with upstream.socket:
            upstream.makes_a_stream()
            caller.answer(first)
            second = caller.say(replace(CREATE, sync_id=1))
            upstream.refuses_a_stream(PulseError.UNKNOWN)
            assert worker.hears(Kind.WIRE) == Record(Kind.WIRE, OUTPUT, PulseError.UNKNOWN)
            assert caller.answer(second).channel == 1
            assert [record.kind for record in worker.heard].count(Kind.WANT) == 1


@pytest.mark.case("P72")
def test_an_upstream_that_never_answers_a_question_is_given_up_and_its_tags_with_it(grow):
    """It lives and answers others; who asked is answered by the stand-in, once, and a late answer by nobody."""
    worker = grow("host", budget=Budget(answer_seconds=0.3))
    with worker.join() as caller:
        tag = caller.say(CREATE)
        worker.hears(Kind.WANT)
        upstream = Upstream(worker, OUTPUT)
        upstream.makes_a_stream()
        caller.answer(tag)
        waits = caller.say(CorkPlaybackStream(channel=0, cork=True))
        first = upstream.hears(CorkPlaybackStream).tag
        assert caller.answer(waits) == Ack()
        assert worker.hears(Kind.WANT) == Record(Kind.WANT, OUTPUT, 1)
        with suppress(OSError):
            upstream.says(Ack(), first)
        assert ends_at_once(upstream.socket)
        another = Upstream(worker, OUTPUT)
        another.makes_a_stream()
        assert another.hears(CorkPlaybackStream).message.cork
        upstream.socket.close()
        another.socket.close()


@pytest.mark.case("P73")
def test_an_error_of_an_upstream_and_a_stream_that_it_kills_are_passed_on(grow):
    worker = grow("host")
    with worker.join() as caller:
        tag = caller.say(CREATE)
        worker.hears(Kind.WANT)
        upstream = Upstream(worker, OUTPUT)
        upstream.makes_a_stream()
        caller.answer(tag)
        asked = caller.say(TriggerPlaybackStream(channel=0))
        upstream.refuses(TriggerPlaybackStream)
        assert caller.answer(asked) is PulseError.NOENTITY
        upstream.says(PlaybackStreamKilled(channel=5))
        upstream.says(StatReply(), upstream.hears(Stat).tag)  # it does not end itself
        caller.until(lambda: caller.tell_all(PlaybackStreamKilled), "the end of the stream")
        assert caller.ask(TriggerPlaybackStream(channel=0)) is PulseError.NOENTITY
        assert caller.ask(Stat()) == StatReply()
        upstream.socket.close()
