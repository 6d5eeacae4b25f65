"""Streams between devices: moved, suspended, and what becomes of them when a device goes."""

import numpy as np
import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol.catalog import Ack
from eardrum.server.core import Server
from eardrum.server.mixed import Buses
from eardrum.server.objects import Sink, Source, View
from eardrum.server.rights import Right
from eardrum.terms.audio import VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.testing.stage import ALL, FLOAT, Stage, sine

FRAME = FLOAT.frame_bytes
SECOND = 48000 * FRAME
QUICK = {"fragsize": SECOND // 100}
SHORT = {"tlength": SECOND // 2, "prebuf": 0}


def sounding(heard: np.ndarray) -> np.ndarray:
    """From the first frame that is not silent to the last."""
    at = np.flatnonzero(heard.any(axis=1))
    return heard[at[0] : at[-1] + 1]


def two_sinks(number: int, buses: Buses) -> View:
    """A view with the sinks `one` and `two` (44.1 kHz) and their monitors."""
    sinks = [Sink(0, "one", "One", buses.output), Sink(1, "two", "Two", buses.add(44100))]
    monitors = [Source(s.index, f"{s.name}.monitor", f"Of {s.name}", s.bus, monitor_of=s) for s in sinks]
    return View(number, "box", sinks, monitors, hears_itself=True)


@pytest.fixture
def stage():
    return Stage(Server(two_sinks))


@pytest.fixture
def program(stage):
    return stage.join(ALL | Right.MODULES)


def test_a_stream_goes_on_in_another_sink_without_a_gap(stage, program):
    program.record(source_name="one.monitor", **QUICK)
    program.record(SampleSpec(SampleFormat.FLOAT32LE, 2, 44100), source_name="two.monitor", **QUICK)
    stream = program.play(**SHORT)
    program.write(0, sine(441, 24000).tobytes(), 2)
    stage.passes(0.2)
    assert program.ask(c.MoveSinkInput(index=stream.sink_input, sink_name="two")) == Ack()
    stage.passes(0.6)
    (moved,) = program.tell_all(c.PlaybackStreamMoved)
    assert (moved.sink_index, moved.sink_name, moved.suspended, moved.tlength) == (1, "two", False, stream.tlength)
    assert not program.tell_all(c.Underflow)[1:]
    first, second = sounding(program.heard(0)), sounding(program.heard(1))
    assert np.array_equal(first, sine(441, 24000)[1 : 1 + len(first)])
    assert abs(len(first) / 48000 + len(second) / 44100 - 0.5) < 0.002
    steps = np.abs(np.diff(second[200:-200, 0]))
    assert steps.max() < 0.5 * 2 * np.pi * 441 / 44100 * 1.05  # no jump anywhere


def test_grouped_streams_and_those_that_say_so_stay(program):
    for _ in range(2):
        grouped = program.play(corked=True, sync_id=99)
    alone = program.play(corked=True, no_move=True)
    for index in (grouped.sink_input, alone.sink_input):
        assert program.ask(c.MoveSinkInput(index=index, sink_name="two")) == PulseError.INVALID
        assert program.ask(c.MoveSinkInput(index=index, sink_name="one")) == Ack()
    assert not program.tell_all(c.PlaybackStreamMoved)


def test_a_recording_goes_on_from_another_source(stage, program):
    record = program.record(source_name="one.monitor", **QUICK)
    program.play(sink_name="two", **SHORT)
    program.write(0, sine(441, 24000).tobytes(), 2)
    stage.passes(0.1)
    assert not program.heard().any()
    assert program.ask(c.MoveSourceOutput(index=record.source_output, source_name="two.monitor")) == Ack()
    stage.passes(0.3)
    assert program.heard().any()
    (moved,) = program.tell_all(c.RecordStreamMoved)
    assert (moved.source_name, moved.fragsize) == ("two.monitor", record.fragsize)


def test_who_records_one_sink_input_does_not_move_and_is_killed_when_that_does(program):
    stream = program.play(corked=True)
    record = program.record(direct_on_input=stream.sink_input)
    move = c.MoveSourceOutput(index=record.source_output, source_name="two.monitor")
    assert program.ask(move) == PulseError.INVALID
    program.ask(c.MoveSinkInput(index=stream.sink_input, sink_name="two"))
    assert program.tell_all(c.RecordStreamKilled)


def test_a_suspended_sink_stops_its_streams_and_they_go_on_where_they_were(stage, program):
    program.record(source_name="one.monitor", **QUICK)
    program.play(**SHORT)
    program.write(0, sine(441, 24000).tobytes(), 2)
    stage.passes(0.2)
    program.ask(c.SuspendSink(name="one", suspend=True))
    before = program.ask(c.GetPlaybackLatency(channel=0, client_time=(0, 0)))
    stage.passes(1.0)
    latency = program.ask(c.GetPlaybackLatency(channel=0, client_time=(0, 0)))
    assert (latency.playing, latency.read_index) == (False, before.read_index)
    assert program.ask(c.GetSinkInfo(name="one")).state == 2
    program.ask(c.SuspendSink(name="one", suspend=False))
    stage.passes(0.5)
    heard = program.heard()
    tune = heard[heard.any(axis=1).argmax() - 1 :][:24000]
    assert np.array_equal(tune, sine(441, 24000))
    assert [m.suspended for m in program.tell_all(c.PlaybackStreamSuspended)] == [True, False]
    assert [m.suspended for m in program.tell_all(c.RecordStreamSuspended)] == [True, False]


def test_who_fails_on_suspend_is_killed_and_not_made(program):
    program.play(fail_on_suspend=True)
    program.record(source_name="one.monitor", fail_on_suspend=True)
    program.ask(c.SuspendSink(name="", suspend=True))
    assert program.tell_all(c.PlaybackStreamKilled)
    assert program.tell_all(c.RecordStreamKilled)
    with pytest.raises(AssertionError, match=str(int(PulseError.BADSTATE))):
        program.play(fail_on_suspend=True)
    assert program.play().suspended
    assert program.record(source_name="one.monitor").suspended


def test_streams_of_a_sink_that_goes_are_rescued_or_killed(stage, program):
    moving, staying = program.play(sink_name="two"), program.play(sink_name="two", no_move=True)
    program.record(source_name="two.monitor", direct_on_input=moving.sink_input)
    view = stage.server.view(0)
    stage.server.remove_sink(view, view.sinks[1])
    assert program.ask(c.GetSinkInputInfo(index=moving.sink_input)).sink_index == 0
    assert program.ask(c.GetSinkInputInfo(index=staying.sink_input)) == PulseError.NOENTITY
    assert view.source_outputs == {}


def test_streams_follow_the_default_but_for_those_that_somebody_moved(program):
    free, named, kept = program.play(), program.play(sink_name="one"), program.play(no_move=True)
    placed = program.play(sink_name="two")
    program.ask(c.MoveSinkInput(index=placed.sink_input, sink_name="one"))
    program.ask(c.SetDefaultSink(name="two"))
    sinks = [program.ask(c.GetSinkInputInfo(index=s.sink_input)).sink_index for s in (free, named, kept, placed)]
    assert sinks == [1, 1, 0, 1]
    program.ask(c.MoveSinkInput(index=free.sink_input, sink_name="one"))
    program.ask(c.SetDefaultSink(name="one"))
    program.ask(c.SetDefaultSink(name="two"))
    assert program.ask(c.GetSinkInputInfo(index=named.sink_input)).sink_index == 1
    assert program.ask(c.GetSinkInputInfo(index=free.sink_input)).sink_index == 0


SLOW = SampleSpec(SampleFormat.FLOAT32LE, 32, 1)  # 6 MB of resampled sound each


def many(program, spec, **fields):
    """How many such streams there may be, and what the next one is answered."""
    channel_map, volume = bytes(range(12, 12 + spec.channels)), (VOLUME_NORM,) * spec.channels
    for made in range(1000):
        asked = c.CreatePlaybackStream(
            sample_spec=spec, channel_map=channel_map, volume=volume, sync_id=program.tag, **fields
        )
        reply = program.ask(asked)
        if not isinstance(reply, c.PlaybackStreamCreated):
            return made, reply
    return 1000, None


def test_what_all_streams_hold_back_is_bounded(program):
    made, refused = many(program, SLOW)
    assert 16 < made < 32
    assert refused == PulseError.TOOLARGE
    assert isinstance(program.play(SampleSpec(SampleFormat.FLOAT32LE, 2, 44100)), c.PlaybackStreamCreated)
    stream = program.play(
        SampleSpec(SampleFormat.FLOAT32LE, 32, 48000), channel_map=bytes(range(12, 44)), variable_rate=True
    )
    assert program.ask(c.UpdatePlaybackStreamSampleRate(channel=stream.channel, rate=1)) == PulseError.TOOLARGE
    assert program.ask(c.UpdatePlaybackStreamSampleRate(channel=stream.channel, rate=44100)) == Ack()


def test_nor_may_a_stream_be_moved_to_where_it_holds_back_more(stage, program):
    wide = stage.server.views[0].sinks[1]
    made, _ = many(program, SLOW)
    wide.bus.rate = 384_000
    assert program.ask(c.MoveSinkInput(index=0, sink_name="two")) == PulseError.TOOLARGE
    program.ask(c.DeletePlaybackStream(channel=made - 1))
    assert program.ask(c.MoveSinkInput(index=0, sink_name="two")) == PulseError.TOOLARGE
    assert many(program, SLOW)[0] == 1


@pytest.mark.case("P47")
def test_of_a_usual_rate_there_may_be_as_many_as_pulseaudio_has(program):
    assert many(program, SampleSpec(SampleFormat.S16LE, 2, 48000)) == (256, PulseError.TOOLARGE)


def test_what_all_streams_record_in_a_cycle_is_bounded(program):
    wide = SampleSpec(SampleFormat.FLOAT32LE, 32, 384_000)
    asked = c.CreateRecordStream(
        sample_spec=wide, channel_map=bytes(range(12, 44)), source_name="one.monitor", variable_rate=True
    )
    for _ in range(10):
        made = program.ask(asked)
        assert isinstance(made, c.RecordStreamCreated)
    assert program.ask(asked) == PulseError.TOOLARGE
    program.record(source_name="one.monitor")
    slower = c.UpdateRecordStreamSampleRate(channel=made.channel, rate=48_000)
    faster = c.UpdateRecordStreamSampleRate(channel=made.channel, rate=384_000)
    assert (program.ask(slower), program.ask(faster)) == (Ack(), Ack())
    program.ask(slower)
    assert isinstance(program.ask(asked), c.RecordStreamCreated)
    assert program.ask(faster) == PulseError.TOOLARGE
