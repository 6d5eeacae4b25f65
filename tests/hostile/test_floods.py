"""Too much of what is allowed: questions, streams, connections, descriptors, sound; and programs that do not read."""

from __future__ import annotations

import array
import socket
import struct
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eardrum.protocol import codec
from eardrum.protocol.catalog import (
    CorkPlaybackStream,
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    GetClientInfoList,
    GetPlaybackLatency,
    GetServerInfo,
    GetSinkInfo,
    GetSinkInputInfoList,
    LookupSink,
    SetClientName,
    SetPlaybackStreamBufferAttr,
    SetSinkInputVolume,
    SetSinkVolume,
    Stat,
    Subscribe,
    TriggerPlaybackStream,
    UpdateClientProplist,
    UpdatePlaybackStreamSampleRate,
)
from eardrum.protocol.message import Message, every
from eardrum.protocol.packets import CONTROL, sound_head
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.testing.strategies import messages
from eardrum.testing.workers import S16, Caller, floods

CREATE = CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, corked=True)
SAYABLE = [cls for cls in every() if cls.SENDER != "server"]


def packets(caller: Caller, *said: Message) -> bytes:
    return b"".join(caller.asking.ask(message)[1] for message in said)


@pytest.mark.parametrize(
    "message",
    [
        Stat(),
        GetServerInfo(),
        GetSinkInfo(),
        GetSinkInputInfoList(),
        SetClientName(proplist={"application.name": b"x" * 200 + b"\0"}),
        UpdateClientProplist(mode=0, proplist={"application.name": b"y" * 6000 + b"\0"}),
        LookupSink(name="0" * 10_000),
        CREATE,
    ],
    ids=lambda message: type(message).__name__,
)
def test_questions_without_end_from_one_who_does_not_read(victim, message):
    with victim.join() as attacker:
        attacker.ask(Subscribe(mask=0x2FF))
        floods(attacker.socket, packets(attacker, *[message] * 100))
        victim.bystander.goes_on()


def test_no_more_streams_than_there_may_be(victim):
    with victim.join() as attacker:
        outcomes = [attacker.ask(CREATE) for _ in range(276)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, PulseError)]
        assert set(refused) == {PulseError.TOOLARGE}
        assert len(outcomes) - len(refused) >= 255


def test_streams_that_come_and_go(victim):
    with victim.join() as attacker:
        attacker.ask(Subscribe(mask=0x2FF))
        for channel in range(2000):
            attacker.say(CREATE)
            attacker.say(DeletePlaybackStream(channel=channel))
            if channel % 100 == 99:
                assert not isinstance(attacker.ask(Stat()), PulseError)
                attacker.answers.clear()


def test_drains_without_end_are_refused_at_some_point(victim):
    with victim.join() as attacker:
        attacker.play(SampleSpec(SampleFormat.U8, 2, 1000))
        attacker.write(0, bytes((0x80,)) * 100_000)
        tags = [attacker.say(DrainPlaybackStream(channel=0)) for _ in range(1500)]
        assert attacker.answer(tags[-1]) == PulseError.TOOLARGE


ONLY_OUTLETS = pytest.mark.parametrize("attacked", ["outlet"], indirect=True)  # nobody can connect to a room


@ONLY_OUTLETS
def test_connections_without_end(victim):
    for _ in range(1500):
        victim.worker.connect().close()


@ONLY_OUTLETS
def test_more_connections_than_there_may_be(victim):
    attackers = [victim.worker.connect() for _ in range(400)]
    victim.bystander.goes_on()
    for attacker in attackers:
        attacker.close()


def test_ten_thousand_descriptors(victim):
    """Sent along with commands that take none, with sound, and with half a packet."""
    with victim.join() as attacker, socket.socket() as passed:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [passed.fileno()] * 250))]
        before = victim.worker.descriptors()
        for _ in range(20):
            assert attacker.socket.sendmsg([packets(attacker, Stat())], rights)
            assert attacker.socket.sendmsg([sound_head(7, 4)], rights)
            attacker.socket.sendall(bytes(4))
            assert attacker.ask(Stat())
            assert victim.worker.descriptors() <= before


def test_a_connection_sent_along_itself(victim):
    with victim.join() as attacker:
        own = array.array("i", [attacker.socket.fileno()])
        attacker.socket.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, own)])


def test_sound_beyond_all_measure(victim):
    with victim.join() as attacker:
        attacker.play(tlength=4096, maxlength=8192)
        floods(attacker.socket, (sound_head(0, 65536) + bytes(65536)) * 4)
        victim.bystander.goes_on()


def test_sound_for_nobody(victim):
    with victim.join() as attacker:
        for channel in (0, 1, 2**31, CONTROL - 1):
            attacker.socket.sendall((sound_head(channel, 4000) + bytes(4000)) * 100)
        assert attacker.ask(Stat())


@pytest.mark.parametrize("seek", range(4))
@pytest.mark.parametrize("offset", [2**63 - 8, -(2**63), 2**40, -(2**40), 3])
def test_jumps_to_nowhere(victim, seek, offset):
    with victim.join() as attacker:
        attacker.play(prebuf=0)
        for _ in range(3):
            attacker.socket.sendall(struct.pack(">IIqI", 4, 0, offset, seek) + bytes(4))
        attacker.ask(TriggerPlaybackStream(channel=0))
        attacker.ask(GetPlaybackLatency(channel=0, client_time=(0, 0)))
        attacker.ask(CorkPlaybackStream(channel=0, cork=True))


def test_resamplers_without_number_leave_no_memory_behind(victim):
    with victim.join() as attacker:
        fast = replace(CREATE, sample_spec=S16._replace(rate=387_840), corked=False)
        for channel in range(100):
            attacker.ask(fast)
            attacker.write(channel, bytes(4000))
            attacker.ask(TriggerPlaybackStream(channel=channel))


@pytest.mark.parametrize(
    "message",
    [
        CorkPlaybackStream(channel=0, cork=True),
        FlushPlaybackStream(channel=0),
        SetSinkVolume(index=0, volume=(VOLUME_NORM,)),
        SetSinkInputVolume(index=0, volume=(VOLUME_NORM,)),
    ],
    ids=lambda message: type(message).__name__,
)
def test_commands_that_cost_much(victim, message):
    """With many streams playing, each of these makes the worker look at all of them."""
    with victim.join() as attacker:
        for _ in range(200):
            attacker.play(prebuf=0, tlength=4000, minreq=4000)
        for number in range(1500):
            if isinstance(message, CorkPlaybackStream):
                message.cork = bool(number % 2)
            tag = attacker.say(message)
            if number % 300 == 299:
                attacker.answer(tag)
        victim.bystander.goes_on()


def test_tiny_buffers(victim):
    with victim.join() as attacker:
        for _ in range(16):
            attacker.play(tlength=0, maxlength=0, minreq=0, prebuf=0)
            attacker.record(source_name="output.monitor", fragsize=0, maxlength=2**32 - 1)
        victim.bystander.goes_on()
        attacker.ask(SetPlaybackStreamBufferAttr(channel=0, maxlength=0, tlength=2**32 - 1, minreq=2**32 - 1, prebuf=0))


@pytest.mark.parametrize("cut", [0, 1, 19, 20, 21, 3859])
def test_tight_streams_that_answer_a_part_at_a_time_and_leave_in_the_middle(victim, cut):
    with victim.join() as attacker:
        stream = attacker.play(tlength=3840, minreq=960, prebuf=4)
        whole = sound_head(stream.channel, 3840) + bytes(3840)
        attacker.socket.sendall(whole)
        pause = [CorkPlaybackStream(channel=stream.channel, cork=corked) for corked in (True, False)]
        for _ in range(4):
            asked = attacker.requested(stream.channel)
            attacker.until(lambda asked=asked: attacker.requested(stream.channel) > asked, "to be asked for sound")
            attacker.socket.sendall(whole[:cut])
            attacker.socket.sendall(whole[cut:])
            attacker.socket.sendall(packets(attacker, *pause) + whole)
        attacker.socket.sendall(whole[:cut])


def test_as_many_rates_as_streams(victim):
    with victim.join() as attacker:
        for rate in range(1000, 1100):
            stream = attacker.play(SampleSpec(SampleFormat.S16LE, 2, rate), tlength=400, prebuf=4)
            attacker.write(stream.channel, bytes(400))
        victim.bystander.goes_on()


def test_rates_without_measure(victim):
    with victim.join() as attacker:
        for rate in (1, 999, 1000, 387_840):
            for create in (CREATE, CreateRecordStream(sample_spec=S16, channel_map=STEREO, source_index=0)):
                attacker.ask(replace(create, sample_spec=S16._replace(rate=rate)))
        for rate in (0, 1, 1000, 387_840, 2**32 - 1):
            attacker.ask(UpdatePlaybackStreamSampleRate(channel=0, rate=rate))
        attacker.write(0, bytes(4000))
        attacker.ask(TriggerPlaybackStream(channel=0))


def test_listeners_that_do_not_listen(victim):
    attackers = [victim.join() for _ in range(8)]
    for attacker in attackers:
        attacker.record(source_name="output.monitor", maxlength=40_000, fragsize=400)
    for _ in range(20):
        victim.bystander.goes_on()
    for attacker in attackers:
        attacker.close()


def test_programs_that_stop_in_the_middle_of_everything(victim):
    attackers = [victim.join() for _ in range(50)]
    for attacker in attackers:
        attacker.play(prebuf=0, tlength=4000, minreq=4)
        attacker.say(GetClientInfoList())
        attacker.socket.sendall(sound_head(0, 4000) + bytes(1999))
    victim.bystander.goes_on()
    for attacker in attackers:
        attacker.close()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    said=st.lists(st.sampled_from(SAYABLE).flatmap(lambda cls: messages(cls, 35)), min_size=1, max_size=20),
    damage=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=2),
)
def test_anything_sayable_damaged_or_not(attacked, said, damage):
    words = bytearray(b"".join(codec.packet(message, tag, 35) for tag, message in enumerate(said)))
    for position, change in damage:
        words[position % len(words)] ^= change
    with attacked.join() as attacker:
        attacker.socket.sendall(words)
    assert attacked.worker.status is None
