"""The life of a mixed playback stream."""

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    DeletePlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    GetPlaybackLatency,
    Overflow,
    PlaybackBufferAttrSet,
    PrebufPlaybackStream,
    Request,
    SetPlaybackStreamBufferAttr,
    SetSinkInputMute,
    SetSinkInputVolume,
    SetSinkMute,
    SetSinkVolume,
    Started,
    TriggerPlaybackStream,
    Underflow,
    UpdatePlaybackStreamSampleRate,
)
from eardrum.terms.audio import INVALID, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.testing.stage import FLOAT, sine

FRAME = FLOAT.frame_bytes
SECOND = 48000 * FRAME
SHORT = {"tlength": SECOND // 5, "prebuf": SECOND // 10, "minreq": SECOND // 50}
FILE = "file:/x.wav"


def test_a_stream_starts_when_prebuf_is_reached(outlet):
    stage = outlet(FILE)
    program = stage.join()
    stream = program.play(**SHORT)
    program.write(stream.channel, sine(440, 4799).tobytes())
    stage.passes(1.0)
    assert program.told == []
    program.write(stream.channel, sine(440, 1).tobytes())
    stage.passes(0.05)
    assert program.told[0] == Started(channel=0)


def test_what_is_played_is_what_is_heard_to_the_frame(outlet):
    stage = outlet(FILE)
    program = stage.join()
    stream = program.play(**SHORT)
    tune = sine(440, 9600)
    program.write(stream.channel, tune.tobytes())
    stage.passes(1.0)
    assert np.array_equal(stage.written(), tune)


def test_the_reply_lets_the_client_write_tlength_and_requests_ask_for_what_was_played(outlet):
    stage = outlet()
    program = stage.join()
    stream = program.play(**SHORT)
    assert stream.missing == stream.tlength == SECOND // 5
    program.write(stream.channel, bytes(stream.missing))
    for _ in range(50):
        before = program.requested()
        stage.passes(0.02)
        program.write(stream.channel, bytes(program.requested() - before))
    assert not program.tell_all(Underflow)
    played = 48000 * FRAME  # one second has passed
    assert 0 <= played - program.requested() < stream.tlength
    assert all(request.nbytes >= stream.minreq for request in program.tell_all(Request))


def test_a_starved_stream_says_so_once_and_prebuffers_again(outlet):
    stage = outlet(FILE)
    program = stage.join()
    stream = program.play(**SHORT)
    program.write(stream.channel, sine(440, 9600).tobytes())
    stage.passes(1.0)
    assert program.tell_all(Underflow) == [Underflow(channel=0, read_index=9600 * FRAME)]
    program.write(stream.channel, sine(440, 100).tobytes())
    stage.passes(1.0)
    assert len(stage.written()) == 9600  # less than prebuf
    program.write(stream.channel, sine(440, 4700).tobytes())
    stage.passes(1.0)
    assert len(program.tell_all(Started)) == len(program.tell_all(Underflow)) == 2


def test_a_pause_is_silence_in_the_file_and_its_ends_are_trimmed(outlet):
    stage = outlet(FILE)
    program = stage.join()
    stage.passes(3.0)
    stream = program.play(**SHORT)
    tune = sine(440, 9600)
    program.write(stream.channel, tune.tobytes())
    stage.passes(0.7)
    program.write(stream.channel, tune.tobytes())
    stage.passes(5.0)
    heard = stage.written()
    assert len(heard) == 33600 + 9600  # the second one began 0.7 s after the first
    assert np.array_equal(heard[:9600], tune)
    assert not heard[9600:33600].any()
    assert np.array_equal(heard[33600:], tune)


def test_without_prebuf_a_stream_runs_on_over_an_empty_queue(outlet):
    stage = outlet()
    program = stage.join()
    stream = program.play(tlength=SECOND // 5, prebuf=0, minreq=SECOND // 50)
    stage.passes(1.0)
    assert program.requested() == pytest.approx(SECOND, abs=SECOND // 4)
    assert len(program.tell_all(Started)) == 1
    assert not program.tell_all(Underflow)
    assert stream.prebuf == 0


def test_drain_is_answered_when_all_has_been_played_and_after_the_underflow(outlet):
    stage = outlet(FILE)
    program = stage.join()
    stream = program.play()  # two seconds of buffer
    program.write(stream.channel, sine(440, 14400).tobytes())
    tag = program.say(DrainPlaybackStream(channel=stream.channel))
    stage.passes(0.29)
    assert tag not in program.answers
    stage.passes(0.02)
    assert program.answers.pop(tag) == Ack()
    assert list(dict.fromkeys(map(type, program.told))) == [Started, Request, Underflow]
    assert len(stage.written()) == 14400


def test_draining_an_empty_stream_is_answered_at_once(outlet):
    program = outlet().join()
    stream = program.play()
    assert program.ask(DrainPlaybackStream(channel=stream.channel)) == Ack()


def test_deleting_a_stream_answers_its_drain_with_no_entity(outlet):
    program = outlet().join()
    stream = program.play()
    program.write(stream.channel, bytes(FRAME * 4800))
    drain = program.say(DrainPlaybackStream(channel=stream.channel))
    assert program.ask(DeletePlaybackStream(channel=stream.channel)) == Ack()
    assert program.answers[drain] == PulseError.NOENTITY


def test_cork_holds_the_queue_and_uncork_goes_on_where_it_was(outlet):
    stage = outlet(FILE)
    program = stage.join()
    stream = program.play(**SHORT)
    tune = sine(440, 9600)
    program.write(stream.channel, tune.tobytes())
    stage.passes(0.05)
    assert program.ask(CorkPlaybackStream(channel=0, cork=True)) == Ack()
    stage.passes(2.0)
    assert len(stage.written()) == 2400
    assert not program.tell_all(Underflow)
    assert program.ask(CorkPlaybackStream(channel=0, cork=False)) == Ack()
    stage.passes(1.0)
    heard = stage.written()
    assert np.array_equal(heard[:2400], tune[:2400])
    assert np.array_equal(heard[2400 + 96000 :], tune[2400:])


def test_flush_throws_away_and_asks_for_as_much(outlet):
    stage = outlet()
    program = stage.join()
    stream = program.play(**SHORT)
    program.write(stream.channel, bytes(4000 * FRAME))
    assert program.ask(FlushPlaybackStream(channel=0)) == Ack()
    assert program.tell_all(Request) == [Request(channel=0, nbytes=4000 * FRAME)]
    stage.passes(1.0)
    assert not program.tell_all(Started)


def test_trigger_starts_before_prebuf_and_prebuf_stops_again(outlet):
    stage = outlet()
    program = stage.join()
    program.play(**SHORT)
    program.write(0, bytes(1000 * FRAME))
    assert program.ask(TriggerPlaybackStream(channel=0)) == Ack()
    stage.passes(0.01)
    assert program.tell_all(Started)
    assert program.ask(PrebufPlaybackStream(channel=0)) == Ack()
    stage.passes(1.0)
    assert len(program.tell_all(Underflow)) == 1


def test_what_does_not_fit_is_lost_and_said(outlet):
    program = outlet().join()
    program.play(maxlength=1000 * FRAME, tlength=500 * FRAME)
    program.write(0, bytes(900 * FRAME))
    assert not program.tell_all(Overflow)
    program.write(0, bytes(200 * FRAME))
    assert program.tell_all(Overflow) == [Overflow(channel=0)]


def test_a_write_that_is_no_whole_number_of_frames_is_ignored(outlet):
    stage = outlet(FILE)
    program = stage.join()
    program.play(tlength=SECOND // 5, prebuf=FRAME)
    program.write(0, bytes(FRAME + 1))
    stage.passes(1.0)
    assert not program.tell_all(Started)


@pytest.mark.parametrize(("seek", "offset"), [(0, -100), (1, 300), (2, 300), (3, -100)])
def test_all_seek_modes_overwrite_what_is_queued(outlet, seek, offset):
    stage = outlet(FILE)
    program = stage.join()
    program.play(corked=True, **SHORT)
    first, second = sine(440, 400), sine(880, 4800)
    program.write(0, first.tobytes())
    program.write(0, second.tobytes(), seek, offset * FRAME)
    program.ask(CorkPlaybackStream(channel=0, cork=False))
    stage.passes(1.0)
    heard = stage.written()
    assert np.array_equal(heard, np.concatenate([first[:300], second]))


def test_two_streams_are_added(outlet):
    stage = outlet(FILE)
    one, two = stage.join(), stage.join()
    a, b = sine(440, 9600, 0.25), sine(660, 9600, 0.25)
    for program, tune in ((one, a), (two, b)):
        program.play(**SHORT)
        program.write(0, tune.tobytes())
    stage.passes(1.0)
    assert np.allclose(stage.written(), a + b, atol=1e-6)


@pytest.mark.parametrize("rate", [44100, 22050, 96000])
def test_other_rates_are_resampled_to_the_exact_length(outlet, rate):
    stage = outlet(FILE)
    program = stage.join()
    program.play(FLOAT._replace(rate=rate))
    frames = rate // 2
    program.write(0, sine(440, frames, rate=rate).tobytes())
    program.say(DrainPlaybackStream(channel=0))
    stage.passes(2.0)
    heard = stage.written()
    assert len(heard) == 24000
    assert np.allclose(heard[2000:-2000], sine(440, 24000)[2000:-2000], atol=1e-3)


@pytest.mark.parametrize("fmt", [SampleFormat.S16LE, SampleFormat.S16BE, SampleFormat.S32BE, SampleFormat.FLOAT32BE])
def test_formats_and_mono_are_converted(outlet, fmt):
    stage = outlet(FILE)
    program = stage.join()
    program.play(SampleSpec(fmt, 1, 48000), channel_map=b"\0")
    wave = sine(440, 4800)[:, 0]
    kinds = {3: ("<i2", 32767), 4: (">i2", 32767), 8: (">i4", 2**31 - 1), 6: (">f4", 1)}
    dtype, scale = kinds[fmt]
    program.write(0, (wave.astype(np.float64) * scale).astype(dtype).tobytes())
    program.say(DrainPlaybackStream(channel=0))
    stage.passes(1.0)
    assert np.allclose(stage.written(), sine(440, 4800), atol=1e-4)


def test_volume_is_cubic_and_mute_is_silence(outlet):
    stage = outlet(FILE)
    program = stage.join()
    stream = program.play(**SHORT)
    half = VOLUME_NORM // 2
    assert program.ask(SetSinkInputVolume(index=stream.sink_input, volume=(half, VOLUME_NORM))) == Ack()
    tune = sine(440, 9600)
    program.write(0, tune.tobytes())
    stage.passes(0.1)
    assert program.ask(SetSinkInputMute(index=stream.sink_input, muted=True)) == Ack()
    stage.passes(1.0)
    heard = stage.written()
    assert np.allclose(heard[:4800], tune[:4800] * (0.125, 1.0), atol=1e-6)
    assert not heard[4800:].any()


def test_the_sinks_level_multiplies(outlet):
    stage = outlet(FILE)
    program = stage.join()
    program.play(**SHORT)
    program.ask(SetSinkVolume(name="output", volume=(VOLUME_NORM // 2,)))
    tune = sine(440, 9600)
    program.write(0, tune.tobytes())
    stage.passes(0.1)
    program.ask(SetSinkMute(index=0, muted=True))
    stage.passes(1.0)
    heard = stage.written()
    assert np.allclose(heard[:4800], tune[:4800] / 8, atol=1e-6)
    assert not heard[4800:].any()


def test_latency_counts_what_was_heard_since_the_last_cycle(outlet):
    stage = outlet()
    program = stage.join()
    program.play()
    program.write(0, bytes(SECOND))
    program.ask(TriggerPlaybackStream(channel=0))
    stage.passes(0.1)
    latency = program.ask(GetPlaybackLatency(channel=0, client_time=(7, 8)))
    assert latency.client_time == (7, 8)
    assert latency.write_index == SECOND
    assert latency.read_index == pytest.approx(SECOND // 10, abs=2 * FRAME)


def test_new_buffer_metrics_are_told_and_asked_for(outlet):
    program = outlet().join()
    stream = program.play(**SHORT)
    reply = program.ask(SetPlaybackStreamBufferAttr(channel=0, tlength=2 * stream.tlength, maxlength=INVALID))
    assert isinstance(reply, PlaybackBufferAttrSet)
    assert reply.tlength == 2 * stream.tlength
    assert program.requested() == stream.tlength


def test_the_rate_can_change_on_the_way(outlet):
    stage = outlet(FILE)
    program = stage.join()
    program.play(variable_rate=True, tlength=SECOND)
    assert program.ask(UpdatePlaybackStreamSampleRate(channel=0, rate=24000)) == Ack()
    program.write(0, sine(440, 12000, rate=24000).tobytes())
    program.say(DrainPlaybackStream(channel=0))
    stage.passes(2.0)
    assert len(stage.written()) == 24000
    assert program.ask(UpdatePlaybackStreamSampleRate(channel=0, rate=0)) == PulseError.INVALID


def test_an_idle_outlet_asks_for_no_wake_up(outlet):
    stage = outlet()
    program = stage.join()
    assert stage.due is None
    program.play()
    program.write(0, bytes(SECOND * 2))
    assert stage.due is not None
    stage.passes(5.0)
    assert stage.due is None
    program.leave()
    assert stage.due is None


# -- what went wrong once


@pytest.mark.parametrize(("nbytes", "offset"), [(FRAME + 1, 0), (FRAME, 1), (FRAME, -3)])
def test_a_write_that_is_not_whole_frames_in_its_place_is_ignored(outlet, nbytes, offset):
    stage = outlet(FILE)
    program = stage.join()
    program.play(tlength=SECOND // 5, prebuf=FRAME)
    program.write(0, bytes(nbytes), 0, offset)
    stage.passes(1.0)
    assert not program.tell_all(Started)
    program.write(0, sine(440, 100).tobytes())
    stage.passes(1.0)
    assert np.array_equal(stage.written(), sine(440, 100))


def test_a_long_packet_jumps_once(outlet):
    stage = outlet(FILE)
    program = stage.join()
    program.play(corked=True)
    tune = sine(440, 48000)  # comes in six pieces
    program.write(0, tune.tobytes(), 1, 0)
    program.ask(CorkPlaybackStream(channel=0, cork=False))
    program.ask(TriggerPlaybackStream(channel=0))
    stage.passes(2.0)
    assert np.array_equal(stage.written(), tune)


def test_what_is_below_minreq_is_asked_for_when_the_queue_has_run_empty(outlet):
    stage = outlet()
    program = stage.join()
    stream = program.play(tlength=1000 * FRAME, minreq=400 * FRAME)
    program.write(0, bytes(stream.missing))
    stage.passes(1.0)
    assert program.requested() == stream.tlength


def test_a_long_packet_that_does_not_fit_is_lost_whole_and_said_once(outlet):
    program = outlet().join()
    program.play(maxlength=30_000 * FRAME)
    program.write(0, bytes(40_000 * FRAME))  # comes in five pieces
    assert len(program.tell_all(Overflow)) == 1
    program.write(0, bytes(FRAME), 3, 0)
    assert program.ask(GetPlaybackLatency(channel=0, client_time=(0, 0))).write_index == FRAME


def test_a_client_that_writes_at_absolute_positions_is_asked_on(outlet):
    """As GStreamer does: where it wrote to is no reason to ask for less later."""
    stage = outlet()
    program = stage.join()
    stream = program.play(**SHORT)
    position = 0
    for _ in range(100):
        wanted = stream.missing + program.requested() - position
        program.write(0, bytes(wanted), 1, position)
        position += wanted
        stage.passes(0.02)
    assert not program.tell_all(Underflow)
    assert position >= 2 * SECOND - SECOND // 20


def test_flush_after_running_on_over_an_empty_queue_does_not_make_the_queue_longer(outlet):
    """What was asked for while it was empty may all be written now; it is not asked for again and again."""
    stage = outlet()
    program = stage.join()
    stream = program.play(tlength=SECOND // 5, prebuf=0, minreq=SECOND // 50)
    stage.passes(3.0)
    program.ask(FlushPlaybackStream(channel=0))
    program.write(0, bytes(stream.missing + program.requested()))
    asked = program.requested()
    stage.passes(2.5)
    assert program.requested() == asked
    stage.passes(1.0)
    assert program.requested() > asked


def test_flush_answers_a_drain(outlet):
    stage = outlet()
    program = stage.join()
    program.play(**SHORT)
    program.write(0, bytes(9600 * FRAME))
    tag = program.say(DrainPlaybackStream(channel=0))
    stage.passes(0.05)
    assert tag not in program.answers
    assert program.ask(FlushPlaybackStream(channel=0)) == Ack()
    assert program.answers.pop(tag) == Ack()


def test_latency_tells_of_the_time_before_and_between_and_of_playing(outlet):
    stage = outlet()
    program = stage.join()
    program.play(**SHORT)
    stage.passes(1.0)
    latency = program.ask(GetPlaybackLatency(channel=0, client_time=(0, 0)))
    assert (latency.playing, latency.underrun_for, latency.playing_for) == (False, 2**64 - 1, 0)
    program.write(0, bytes(SECOND))
    stage.passes(0.5)
    latency = program.ask(GetPlaybackLatency(channel=0, client_time=(0, 0)))
    assert (latency.playing, latency.underrun_for) == (True, 0)
    assert latency.playing_for == pytest.approx(SECOND // 2, abs=SECOND // 4)
    stage.passes(1.5)
    latency = program.ask(GetPlaybackLatency(channel=0, client_time=(0, 0)))
    assert (latency.playing, latency.playing_for) == (False, 0)
    assert latency.underrun_for == pytest.approx(SECOND, abs=SECOND // 4)


def test_without_prebuf_silence_counts_as_playing(outlet):
    stage = outlet()
    program = stage.join()
    program.play(tlength=SECOND // 5, prebuf=0)
    stage.passes(1.0)
    program.write(0, bytes(SECOND // 10), 2)
    stage.passes(1.0)
    latency = program.ask(GetPlaybackLatency(channel=0, client_time=(0, 0)))
    assert (latency.playing, latency.underrun_for) == (True, 0)
    assert latency.playing_for == pytest.approx(2 * SECOND, abs=SECOND // 4)
    assert (len(program.tell_all(Started)), len(program.tell_all(Underflow))) == (1, 1)


def test_a_jump_back_is_asked_for_at_once(outlet):
    program = outlet().join()
    program.play(**SHORT)
    program.write(0, bytes(1000 * FRAME))
    program.write(0, bytes(100 * FRAME), 1, 0)
    assert program.requested() == 1000 * FRAME


def test_relative_to_the_end_means_the_end_of_what_is_queued(outlet):
    program = outlet().join()
    program.play(**SHORT)
    program.write(0, bytes(1000 * FRAME))
    program.write(0, bytes(100 * FRAME), 1, 0)
    program.write(0, bytes(100 * FRAME), 3, 0)
    assert program.ask(GetPlaybackLatency(channel=0, client_time=(0, 0))).write_index == 1100 * FRAME


def test_a_drain_of_a_corked_stream_waits_until_it_goes_on(outlet):
    stage = outlet()
    program = stage.join()
    program.play(corked=True)
    program.write(0, bytes(SECOND // 10))
    tag = program.say(DrainPlaybackStream(channel=0))
    stage.passes(1.0)
    assert tag not in program.answers
    program.ask(CorkPlaybackStream(channel=0, cork=False))
    stage.passes(1.0)
    assert program.answers.pop(tag) == Ack()


def test_a_flush_of_a_stream_that_plays_is_an_underrun(outlet):
    stage = outlet()
    program = stage.join()
    program.play(**SHORT)
    program.write(0, bytes(SECOND))
    stage.passes(0.1)
    program.ask(FlushPlaybackStream(channel=0))
    assert len(program.tell_all(Underflow)) == 1


def test_a_flush_of_a_corked_stream_is_none(outlet):
    stage = outlet()
    program = stage.join()
    program.play(**SHORT)
    program.write(0, bytes(SECOND))
    stage.passes(0.1)
    program.ask(CorkPlaybackStream(channel=0, cork=True))
    program.ask(FlushPlaybackStream(channel=0))
    program.ask(CorkPlaybackStream(channel=0, cork=False))
    stage.passes(1.0)
    assert not program.tell_all(Underflow)


def test_even_the_lowest_rate_is_taken_while_it_plays(outlet):
    stage = outlet()
    program = stage.join()
    program.play(variable_rate=True)
    program.ask(UpdatePlaybackStreamSampleRate(channel=0, rate=1))
    program.write(0, bytes(2 * FRAME))
    program.say(DrainPlaybackStream(channel=0))
    stage.passes(1.5)
    assert program.waits_for
    stage.passes(1.5)
    assert program.waits_for == []


def test_a_drain_whose_sound_a_jump_back_takes_away_is_answered(outlet):
    stage = outlet()
    program = stage.join()
    program.play(corked=True, **SHORT)
    program.write(0, bytes(10 * FRAME))
    tag = program.say(DrainPlaybackStream(channel=0))
    program.write(0, bytes(FRAME), offset=-20 * FRAME)
    program.ask(CorkPlaybackStream(channel=0, cork=False))
    stage.passes(1.0)
    assert program.answers.pop(tag) == Ack()


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("format", [SampleFormat.ALAW, SampleFormat.S24LE], ids=str)
def test_a_drain_ends_within_a_block_of_the_true_length(outlet, format, rate):
    stage = outlet()
    program = stage.join()
    spec = SampleSpec(format, 2, rate)
    stream = program.play(spec=spec, prebuf=0, tlength=spec.bytes_for(500_000))
    program.write(stream.channel, bytes([spec.silence]) * spec.bytes_for(500_000))
    program.say(DrainPlaybackStream(channel=stream.channel))
    stage.passes(0.495)
    assert program.waits_for
    stage.passes(0.015)
    assert not program.waits_for
