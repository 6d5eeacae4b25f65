"""What the streams of an outlet may hold of sound, all together."""

from __future__ import annotations

import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol.catalog import Ack, Overflow
from eardrum.server.core import Server
from eardrum.server.events import Clogged, Unclogged
from eardrum.server.ledger import LOAN
from eardrum.server.views import outlet_view
from eardrum.terms.audio import MAX_QUEUE
from eardrum.terms.budget import Budget
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import FLOAT, Stage

MIB = 1 << 20
SECOND = 48000 * FLOAT.frame_bytes


def staged(**limits) -> Stage:
    return Stage(Server(outlet_view("box", WireEnd("null"), WireEnd("silence")), budget=Budget(**limits)))


def test_streams_are_refused_before_their_queues_are_more_than_the_budget():
    program = staged(sound_bytes=3 * MIB).join()
    for _ in range(3):
        program.play(corked=True, tlength=MIB - SECOND // 50 * 2)
    refused = program.ask(c.CreatePlaybackStream(sample_spec=FLOAT, channel_map=bytes((1, 2)), volume=(65536,) * 2))
    assert refused == PulseError.TOOLARGE
    longer = c.SetPlaybackStreamBufferAttr(channel=0, maxlength=MAX_QUEUE, tlength=2 * MIB, prebuf=0, minreq=4)
    assert program.ask(longer) == PulseError.TOOLARGE
    assert program.ask(c.DeletePlaybackStream(channel=2)) == Ack()
    program.play(corked=True, tlength=MIB // 2)


@pytest.mark.case("P49")
def test_what_nobody_asked_for_is_lent_while_something_is_left_and_then_lost():
    """A stream has what it was asked for in any case, whatever another one has taken."""
    program = staged(sound_bytes=4 * MIB).join()
    greedy = program.play(corked=True, tlength=4096).channel
    modest = program.play(corked=True, tlength=4096).channel
    for _ in range(2 * MAX_QUEUE // 65536):
        program.write(greedy, bytes(65536))
    lost = len(program.tell_all(Overflow))
    assert MAX_QUEUE // 65536 <= lost <= MAX_QUEUE // 65536 + 1
    program.write(modest, bytes(4096))
    assert len(program.tell_all(Overflow)) == lost
    program.write(modest, bytes(LOAN))
    assert len(program.tell_all(Overflow)) == lost + 1


def test_what_was_lent_comes_back_with_its_memory_when_another_misses_it():
    stage = staged(sound_bytes=4 * MIB)
    program = stage.join()
    first = program.play(tlength=4096, prebuf=4).channel
    program.write(first, bytes(3 * MIB))
    stage.passes(20)
    second = program.play(corked=True, tlength=4096).channel
    program.write(second, bytes(3 * MIB))
    assert not program.tell_all(Overflow)
    streams = stage.server.clients[program.number].playback
    assert (streams[first].lent, streams[second].lent >= 3 * MIB - 8192) == (0, True)


def test_nothing_is_lent_beyond_maxlength():
    program = staged().join()
    stream = program.play(corked=True, tlength=4096, maxlength=8192).channel
    program.write(stream, bytes(8192))
    assert not program.tell_all(Overflow)
    program.write(stream, bytes(8))
    assert len(program.tell_all(Overflow)) == 1


@pytest.mark.case("P56")
def test_who_does_not_read_what_it_records_loses_what_is_too_much():
    stage = staged(unread_sound_bytes=MIB)
    program = stage.join()
    streams = [program.record(source_name="input").channel for _ in range(4)]
    stage.happens(Clogged(program.number))
    stage.passes(60)
    assert not program.sound
    stage.happens(Unclogged(program.number))
    assert MIB - SECOND < sum(len(program.sound[channel]) for channel in streams) <= MIB
    stage.passes(10)
    assert all(len(sound) > 9 * SECOND for sound in program.sound.values())
