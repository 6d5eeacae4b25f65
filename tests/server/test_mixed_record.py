"""The life of a mixed record stream."""

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    Ack,
    CorkRecordStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    FlushRecordStream,
    GetRecordLatency,
    RecordBufferAttrSet,
    RecordStreamKilled,
    RemoveRecordStreamProplist,
    SetRecordStreamBufferAttr,
    SetRecordStreamName,
    SetSinkVolume,
    SetSourceMute,
    SetSourceOutputMute,
    SetSourceOutputVolume,
    SetSourceVolume,
    TriggerPlaybackStream,
    UpdateRecordStreamProplist,
    UpdateRecordStreamSampleRate,
)
from eardrum.server.events import Clogged, Unclogged
from eardrum.server.mixed_record import MAX_PACKET
from eardrum.terms.audio import MONO, STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.testing.stage import FLOAT, sine

FRAME = FLOAT.frame_bytes
SECOND = 48000 * FRAME
QUICK = {"fragsize": SECOND // 100}  # 10 ms


@pytest.fixture
def playing(outlet):
    """A program that plays a tune to come, and listens to the monitor; and the tune."""
    stage = outlet("null", "silence")
    program = stage.join()
    program.play(tlength=SECOND, prebuf=FRAME)
    return program, sine(440, 24000)


def clog(program, clogged=True):
    program.stage.happens((Clogged if clogged else Unclogged)(program.number))


def test_the_monitor_has_what_the_outlet_plays_to_the_frame(playing):
    program, tune = playing
    program.record(source_name="output.monitor", **QUICK)
    program.write(0, tune.tobytes())
    program.stage.passes(0.6)
    assert np.array_equal(program.heard()[:24000], tune)
    assert not program.heard()[24000:].any()


def test_the_input_named_silence_is_silence_at_the_pace_of_the_clock(outlet):
    stage = outlet("null", "silence")
    program = stage.join()
    program.record(**QUICK)
    for _ in range(100):
        stage.passes(0.01)
    assert 47000 <= len(program.heard()) <= 48000
    assert not program.heard().any()


def test_a_program_that_records_silence_does_not_hear_what_its_outlet_plays(playing):
    program, tune = playing
    program.record(source_name="input", **QUICK)
    program.write(0, tune.tobytes())
    program.stage.passes(0.6)
    assert len(program.heard()) > 24000
    assert not program.heard().any()


def test_recording_begins_when_it_is_asked_for(playing):
    program, tune = playing
    program.write(0, tune.tobytes())
    program.stage.passes(0.25)
    program.record(source_name="output.monitor", **QUICK)
    program.stage.passes(0.1)
    heard = program.heard()
    assert np.array_equal(heard, tune[12000 : 12000 + len(heard)])
    assert len(heard) >= 4320


@pytest.mark.parametrize(("fragsize", "longest"), [(4000, 4000), (2 * SECOND, MAX_PACKET)])
def test_packets_are_fragments_and_never_longer_than_a_packet_may_be(outlet, fragsize, longest):
    stage = outlet("null", "silence")
    program = stage.join()
    program.record(fragsize=fragsize)
    stage.passes(2.0)
    assert max(program.packets) == longest
    assert sum(program.packets) > 1.7 * SECOND


def test_tiny_fragments_are_not_sent_one_by_one(outlet):
    """The bus makes blocks of 5 ms at least: cutting them finer would only cost everybody time."""
    stage = outlet("null", "silence")
    program = stage.join()
    assert program.record(fragsize=0).fragsize == FRAME
    stage.passes(1.0)
    assert len(program.heard()) > 47000
    assert len(program.packets) <= 200


def test_cork_stops_and_uncork_goes_on_with_what_is_played_then(playing):
    program, tune = playing
    program.record(source_name="output.monitor", **QUICK)
    program.write(0, tune.tobytes())
    program.stage.passes(0.1)
    assert program.ask(CorkRecordStream(channel=0, cork=True)) == Ack()
    program.stage.passes(0.1)
    assert program.ask(CorkRecordStream(channel=0, cork=False)) == Ack()
    program.stage.passes(0.1)
    heard = program.heard()
    assert np.array_equal(heard[:4800], tune[:4800])
    assert np.array_equal(heard[4800:9000], tune[9600 : 9600 + 4200])


def test_a_stream_may_begin_corked(playing):
    program, tune = playing
    program.record(source_name="output.monitor", corked=True, **QUICK)
    program.write(0, tune.tobytes())
    program.stage.passes(0.1)
    assert not len(program.heard())
    program.ask(CorkRecordStream(channel=0, cork=False))
    program.stage.passes(0.1)
    assert np.array_equal(program.heard()[:4000], tune[4800:8800])


def test_flush_forgets_what_waits(playing):
    program, tune = playing
    program.record(source_name="output.monitor", **QUICK)
    clog(program)
    program.write(0, tune.tobytes())
    program.stage.passes(0.1)
    assert program.ask(FlushRecordStream(channel=0)) == Ack()
    clog(program, False)
    program.stage.passes(0.1)
    assert np.array_equal(program.heard()[:4000], tune[4800:8800])


def test_a_program_that_does_not_read_loses_the_newest_and_only_that(playing):
    program, tune = playing
    stream = program.record(source_name="output.monitor", maxlength=4800 * FRAME, **QUICK)
    assert stream.maxlength == 4800 * FRAME
    clog(program)
    program.write(0, tune.tobytes())
    program.stage.passes(0.4)
    assert not len(program.heard())
    clog(program, False)
    oldest = len(program.heard())
    assert 4800 - 480 < oldest <= 4800
    assert np.array_equal(program.heard(), tune[:oldest])
    program.stage.passes(0.05)
    again = 24000 - 48 * 105  # blocks end every 10 ms from 5 ms on
    assert np.array_equal(program.heard()[oldest : oldest + 1920], tune[again : again + 1920])


def test_however_long_it_does_not_read_no_more_than_maxlength_waits(outlet):
    stage = outlet("null", "silence")
    program = stage.join()
    program.record(maxlength=10000 * FRAME, **QUICK)
    clog(program)
    for _ in range(60):
        stage.passes(1.0)
    stream = stage.server.clients[program.number].record[0]
    assert sum(map(len, stream._waiting)) <= 10000 * FRAME
    clog(program, False)
    assert len(program.heard()) == 9600  # 10 000 frames in whole fragments


def test_latency_tells_what_was_sent_and_what_waits(playing):
    program, tune = playing
    program.record(source_name="output.monitor", **QUICK)
    program.write(0, tune.tobytes())
    program.stage.passes(0.1)
    latency = program.ask(GetRecordLatency(channel=0, client_time=(1, 2)))
    assert (latency.client_time, latency.monitor_latency, latency.playing) == ((1, 2), 0, True)
    assert latency.write_index == latency.read_index == len(program.sound[0])
    clog(program)
    program.stage.passes(0.1)
    latency = program.ask(GetRecordLatency(channel=0, client_time=(0, 0)))
    assert latency.write_index - latency.read_index == pytest.approx(SECOND // 10, abs=SECOND // 50)


@pytest.mark.parametrize("rate", [44100, 16000, 96000])
def test_other_rates_are_resampled(outlet, rate):
    stage = outlet("null", "silence")
    program = stage.join()
    program.play(tlength=2 * SECOND, prebuf=FRAME)
    program.record(FLOAT._replace(rate=rate), source_name="output.monitor", **QUICK)
    program.write(0, sine(440, 48000).tobytes())
    stage.passes(1.5)
    expected = sine(440, rate, rate=rate)
    heard = program.heard()[:rate]
    assert np.allclose(heard[2000:-2000], expected[2000:-2000], atol=1e-3)


def test_mono_is_the_mean_of_both_channels(playing):
    program, tune = playing
    tune[:, 1] /= 2
    program.record(SampleSpec(SampleFormat.FLOAT32LE, 1, 48000), source_name="output.monitor", channel_map=MONO)
    program.write(0, tune.tobytes())
    program.stage.passes(1.0)
    heard = np.frombuffer(bytes(program.sound[0]), np.float32)
    assert np.allclose(heard[:24000], tune[:, 0] * 0.75, atol=1e-6)


def test_integers_are_clipped_at_full_scale(playing):
    program, tune = playing
    program.record(SampleSpec(SampleFormat.S16BE, 2, 48000), source_name="output.monitor")
    program.write(0, (tune * 4).tobytes())
    program.stage.passes(1.0)
    heard = np.frombuffer(bytes(program.sound[0]), ">i2")
    assert (heard.max(), heard.min()) == (32767, -32768)


def test_volumes_multiply_and_mutes_are_silence(playing):
    program, tune = playing
    stream = program.record(source_name="output.monitor", **QUICK)
    half = VOLUME_NORM // 2
    assert program.ask(SetSourceOutputVolume(index=stream.source_output, volume=(half, VOLUME_NORM))) == Ack()
    assert program.ask(SetSourceVolume(name="output.monitor", volume=(half,))) == Ack()
    program.write(0, tune.tobytes())
    program.stage.passes(0.1)
    assert program.ask(SetSourceOutputMute(index=stream.source_output, muted=True)) == Ack()
    program.stage.passes(0.1)
    assert program.ask(SetSourceOutputMute(index=stream.source_output, muted=False)) == Ack()
    assert program.ask(SetSourceMute(name="output.monitor", muted=True)) == Ack()
    program.stage.passes(0.1)
    heard = program.heard()
    assert np.allclose(heard[:4800], tune[:4800] * (0.125**2, 0.125), atol=1e-6)
    assert not heard[4800:].any()


def test_the_sinks_level_is_heard_in_its_monitor_as_in_the_file(playing):
    program, tune = playing
    program.ask(SetSinkVolume(index=0, volume=(VOLUME_NORM // 2,)))
    program.record(source_name="output.monitor", **QUICK)
    program.write(0, tune.tobytes())
    program.stage.passes(0.1)
    assert np.allclose(program.heard()[:4000], tune[:4000] / 8, atol=1e-6)


def test_buffer_metrics_can_change(playing):
    program, _ = playing
    program.record(source_name="output.monitor", **QUICK)
    reply = program.ask(SetRecordStreamBufferAttr(channel=0, maxlength=96000, fragsize=9600))
    assert reply == RecordBufferAttrSet(maxlength=96000, fragsize=9600, latency=0)
    reply = program.ask(SetRecordStreamBufferAttr(channel=0, fragsize=9600, adjust_latency=True))
    assert reply.latency == 25_000


def test_the_rate_can_change_on_the_way(playing):
    program, tune = playing
    program.record(source_name="output.monitor", variable_rate=True, **QUICK)
    assert program.ask(UpdateRecordStreamSampleRate(channel=0, rate=24000)) == Ack()
    assert program.ask(UpdateRecordStreamSampleRate(channel=0, rate=0)) == PulseError.INVALID
    program.write(0, tune.tobytes())
    program.stage.passes(1.0)
    assert len(program.heard()) == pytest.approx(24000, abs=1200)


def test_a_deleted_stream_gets_nothing_more(playing):
    program, tune = playing
    program.record(source_name="output.monitor", **QUICK)
    program.write(0, tune.tobytes())
    program.stage.passes(0.1)
    before = len(program.heard())
    assert program.ask(DeleteRecordStream(channel=0)) == Ack()
    program.stage.passes(1.0)
    assert len(program.heard()) == before
    assert program.ask(DeleteRecordStream(channel=0)) == PulseError.NOENTITY


def test_it_can_be_called_something_else(playing):
    program, _ = playing
    program.record(source_name="output.monitor")
    stream = program.stage.server.clients[program.number].record[0]
    assert program.ask(SetRecordStreamName(channel=0, name="note")) == Ack()
    assert stream.proplist["media.name"] == b"note\0"
    assert program.ask(UpdateRecordStreamProplist(channel=0, mode=2, proplist={"media.role": b"a11y\0"})) == Ack()
    assert program.ask(UpdateRecordStreamProplist(channel=0, mode=3, proplist={})) == PulseError.INVALID
    assert program.ask(RemoveRecordStreamProplist(channel=0, keys=["media.name"])) == Ack()
    assert stream.proplist.get("media.name") is None
    assert stream.proplist["media.role"] == b"a11y\0"


def test_only_so_many_streams_record(outlet):
    program = outlet("null", "silence").join()
    for _ in range(256):
        program.record(corked=True)
    refused = program.ask(CreateRecordStream(sample_spec=FLOAT, channel_map=STEREO))
    assert refused == PulseError.TOOLARGE


def test_nobody_is_woken_while_nobody_records(outlet):
    stage = outlet("null", "silence")
    program = stage.join()
    program.record(**QUICK)
    assert stage.due is not None
    program.ask(CorkRecordStream(channel=0, cork=True))
    stage.passes(1.0)
    assert stage.due is None


def test_one_sink_input_is_recorded_alone(outlet):
    stage = outlet("null")
    program, other = stage.join(), stage.join()
    one = program.play(tlength=SECOND, prebuf=0)
    program.play(tlength=SECOND, prebuf=0)
    other.record(direct_on_input=one.sink_input, **QUICK)
    tune = sine(440, 4800)
    program.write(0, tune.tobytes(), 2)
    program.write(1, sine(880, 4800).tobytes(), 2)
    stage.passes(0.2)
    heard = other.heard()
    assert np.array_equal(heard[heard.any(axis=1).argmax() - 1 :][:4800], tune)


def test_who_records_one_sink_input_is_killed_when_that_is_gone(outlet):
    program = outlet("null").join()
    one = program.play()
    record = program.record(direct_on_input=one.sink_input)
    assert (record.source_name, program.ask(DeletePlaybackStream(channel=0))) == ("output.monitor", Ack())
    assert program.tell_all(RecordStreamKilled) == [RecordStreamKilled(channel=0)]


def test_one_sink_input_is_heard_only_by_the_monitor_of_its_sink(outlet):
    program = outlet("null", "silence").join()
    one = program.play()
    ask = CreateRecordStream(sample_spec=FLOAT, channel_map=STEREO, source_name="input", direct_on_input=one.sink_input)
    assert program.ask(ask) == PulseError.INVALID


def test_a_meter_gets_a_peak_each_time_its_interval_is_over(outlet):
    stage = outlet("null")
    program = stage.join()
    program.play(tlength=SECOND, prebuf=0)
    meter = SampleSpec(SampleFormat.FLOAT32LE, 1, 25)
    program.record(meter, source_name="output.monitor", peak_detect=True, fragsize=4, channel_map=MONO)
    program.write(0, sine(1000, 48000, amplitude=0.7).tobytes(), 2)
    stage.passes(0.5)
    peaks = np.frombuffer(bytes(program.sound[0]), np.float32)
    assert len(peaks) in (12, 13)
    assert program.packets[:3] == [4, 4, 4]
    assert np.allclose(peaks[2:], 0.7, atol=0.01)


def test_recording_does_not_start_what_waits_for_prebuf(outlet):
    stage = outlet("null")
    program = stage.join()
    program.play(tlength=SECOND, prebuf=SECOND // 2)
    program.record(source_name="output.monitor", **QUICK)
    program.write(0, sine(440, 1000).tobytes())
    stage.passes(0.1)
    assert not program.heard().any()
    program.ask(TriggerPlaybackStream(channel=0))
    stage.passes(0.1)
    assert program.heard().any()
