"""Streams of one client with the same sync id: they start, stop and drain together."""

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    CreatePlaybackStream,
    DeletePlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    GetPlaybackLatency,
    GetSinkInputInfoList,
    PrebufPlaybackStream,
    Started,
    TriggerPlaybackStream,
)
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.stage import FLOAT, sine

MS = 48 * FLOAT.frame_bytes
FIELDS = {"sync_id": 7, "tlength": 400 * MS, "prebuf": 100 * MS, "minreq": 10 * MS, "corked": True}


@pytest.fixture
def stage(outlet):
    return outlet("file:/x.wav")


@pytest.fixture
def program(stage):
    """With two corked streams, 0 and 1, in one group."""
    program = stage.join()
    for _ in range(2):
        program.play(**FIELDS)
    return program


def write(program, channel, ms, frequency=440.0):
    program.write(channel, sine(frequency, 48 * ms).tobytes())


def uncork(program, channel=0):
    assert program.ask(CorkPlaybackStream(channel=channel, cork=False)) == Ack()


def latency(program, channel):
    return program.ask(GetPlaybackLatency(channel=channel, client_time=(0, 0)))


def joining(**fields):
    return CreatePlaybackStream(
        sample_spec=FLOAT, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, **{**FIELDS, **fields}
    )


def test_both_start_and_stop_on_the_same_frame(stage, program):
    write(program, 0, 200)
    program.write(1, (-sine(440, 48 * 200)).tobytes())
    uncork(program)
    stage.passes(0.0777)
    program.ask(CorkPlaybackStream(channel=1, cork=True))
    assert [info.corked for info in program.ask(GetSinkInputInfoList()).items] == [True, True]
    assert latency(program, 0).read_index == latency(program, 1).read_index > 0
    stage.passes(0.1)
    uncork(program, 1)
    stage.passes(0.5)
    assert not stage.written().any()  # each is the other's opposite
    assert len(stage.written()) >= 48 * 200


def test_only_corked_streams_are_joined_and_only_in_their_sink(program):
    assert program.ask(joining(sink_name="no-such")) == PulseError.NOENTITY
    uncork(program)
    assert program.ask(joining()) == PulseError.INVALID
    program.ask(CorkPlaybackStream(channel=0, cork=True))
    assert not isinstance(program.ask(joining()), PulseError)


def test_who_joins_begins_where_the_group_is(stage, program):
    for channel in (0, 1):
        write(program, channel, 150)
    uncork(program)
    stage.passes(0.1)
    program.ask(CorkPlaybackStream(channel=0, cork=True))
    channel = program.play(**FIELDS).channel
    here = latency(program, channel)
    assert here.read_index == here.write_index == latency(program, 0).read_index > 0
    program.write(channel, sine(880, 4800).tobytes())
    assert latency(program, channel).write_index == here.write_index + 100 * MS


def test_one_trigger_is_for_all(stage, program):
    for channel in (0, 1):
        write(program, channel, 50)
    uncork(program)
    stage.passes(0.1)
    assert not program.tell_all(Started)
    program.ask(TriggerPlaybackStream(channel=1))
    stage.passes(0.1)
    assert program.tell_all(Started) == [Started(channel=1), Started(channel=0)]


def test_one_flush_is_for_all(program):
    for channel in (0, 1):
        write(program, channel, 50)
    program.ask(FlushPlaybackStream(channel=0))
    assert (latency(program, 0).write_index, latency(program, 1).write_index) == (0, 0)


def test_one_prebuf_is_for_all(stage, program):
    for channel in (0, 1):
        write(program, channel, 110)
    uncork(program)
    stage.passes(0.05)
    program.ask(PrebufPlaybackStream(channel=1))
    before = latency(program, 0).read_index
    stage.passes(0.1)
    assert latency(program, 0).read_index == before


def test_a_drain_of_one_lets_all_play_out(stage, program):
    write(program, 0, 50)
    write(program, 1, 80)
    uncork(program)
    tag = program.say(DrainPlaybackStream(channel=0))
    stage.passes(0.2)
    assert program.answers.pop(tag) == Ack()
    assert latency(program, 1).read_index == 80 * MS


def test_who_goes_on_prebuffers_and_those_it_takes_along_do_not(stage, program):
    for channel in (0, 1):
        write(program, channel, 110)
    program.ask(TriggerPlaybackStream(channel=0))
    uncork(program)
    stage.passes(0.05)
    program.ask(CorkPlaybackStream(channel=0, cork=True))
    uncork(program)
    stage.passes(0.2)
    assert latency(program, 0).read_index < latency(program, 1).read_index == 110 * MS


def test_the_rest_of_a_group_goes_on_without_one(stage, program):
    write(program, 1, 150)
    program.ask(DeletePlaybackStream(channel=0))
    uncork(program, 1)
    stage.passes(0.3)
    assert np.array_equal(stage.written(), sine(440, 48 * 150))


def test_the_same_id_of_another_client_is_another_group(stage, program):
    uncork(program)
    assert stage.join().play(**FIELDS).channel == 0
