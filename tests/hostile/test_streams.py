"""Sound for streams that are not there, sound that fits nowhere, and buffers that cannot be."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol.packets import sound_head
from eardrum.terms.audio import INVALID, MAX_QUEUE, STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.testing.arena import BACKENDS, MIC
from eardrum.testing.workers import S16

pytestmark = pytest.mark.parametrize("attacked", BACKENDS, indirect=True)

CREATE = c.CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, prebuf=0)
FIELDS = ("maxlength", "tlength", "prebuf", "minreq")
BUFFERS = [0, 1, 3, 4, 4095, MAX_QUEUE, MAX_QUEUE + 1, 2**31, INVALID - 1, INVALID]


def position(caller, channel):
    """Bytes that were written to a stream."""
    return caller.ask(c.GetPlaybackLatency(channel=channel, client_time=(0, 0))).write_index


@pytest.mark.case("P42")
def test_sound_for_a_stream_that_never_was_is_passed_over(victim):
    with victim.join() as attacker:
        for channel in (0, 1, 77, 2**31, 2**32 - 2):
            for length in (1, 4, 3840, 70_000):
                attacker.write(channel, bytes(length))
        assert attacker.ask(c.Stat()) == c.StatReply()
        assert attacker.told == []


@pytest.mark.case("P43")
def test_sound_for_a_stream_that_records_or_is_gone_is_passed_over(victim):
    with victim.join() as attacker:
        heard, gone = attacker.record(source_name="output.monitor"), attacker.play(corked=True)
        attacker.ask(c.DeletePlaybackStream(channel=gone.channel))
        stays = attacker.play(corked=True)
        assert stays.channel != heard.channel + 1000
        for channel in {heard.channel, gone.channel} - {stays.channel}:
            attacker.write(channel, bytes(70_000))
        attacker.write(7, bytes(4))
        assert position(attacker, stays.channel) == 0
        assert attacker.ask(c.GetRecordLatency(channel=heard.channel, client_time=(0, 0))).write_index >= 0


@pytest.mark.case("P44")
def test_sound_before_the_stream_is_made_is_never_said_early(victim):
    """It counts or it does not, but only whole: the host's server hears nothing for a stream that it has not made."""
    with victim.join() as attacker:
        tag, packet = attacker.asking.ask(CREATE)
        attacker.socket.sendall(packet + sound_head(0, 4000) + bytes(4000))
        stream = attacker.answer(tag)
        early = position(attacker, stream.channel)
        assert early in (0, 4000)
        attacker.write(stream.channel, bytes(400))
        assert position(attacker, stream.channel) == early + 400


@pytest.mark.case("P45")
def test_sound_that_is_no_whole_number_of_frames_is_dropped_and_shifts_nothing(victim):
    with victim.join() as attacker:
        stream = attacker.play(prebuf=0, corked=True)
        for length in (1, 2, 3, 5, 4001, 65_537):
            attacker.write(stream.channel, bytes(length))
            assert position(attacker, stream.channel) == 0
        attacker.write(stream.channel, bytes(400))
        assert position(attacker, stream.channel) == 400


@pytest.mark.case("P46")
@pytest.mark.parametrize("seek", range(4))
def test_offsets_beyond_all_numbers_cost_nothing(victim, seek):
    with victim.join() as attacker:
        stream = attacker.play(prebuf=0)
        for offset in (2**63 - 8, 2**63 - 1, -(2**63), 2**40, -(2**40), 2**32, 3, -1):
            for _ in range(2):
                attacker.socket.sendall(struct.pack(">IIqI", 4, stream.channel, offset, seek) + bytes(4))
            assert -(2**63) <= position(attacker, stream.channel) < 2**63
        attacker.ask(c.TriggerPlaybackStream(channel=stream.channel))
        assert attacker.ask(c.FlushPlaybackStream(channel=stream.channel)) == c.Ack()
        assert attacker.ask(c.Stat()) == c.StatReply()


def test_streams_that_join_a_group_which_begins_to_drain_end_nobody(victim):
    """What a program may say at once, a server does in two threads: what it says goes on one after the other."""
    for _ in range(3):
        with victim.join() as attacker:
            stream = attacker.play(corked=True, sync_id=7)
            create = replace(CREATE, sync_id=7, adjust_latency=True)
            sound = (sound_head(stream.channel, 4) + bytes(4)) * 50
            said = [attacker.asking.ask(each) for each in (c.DrainPlaybackStream(channel=stream.channel), create) * 10]
            attacker.socket.sendall(b"".join(sound + packet for _, packet in said))
            made = [attacker.answer(tag) for tag, _ in said[1::2]]
            assert len({each.channel for each in made}) == 10


def test_meters_of_all_rates_end_nobody(victim):
    """An upstream is asked for sound; its peaks are taken here."""
    with victim.join(MIC) as attacker:
        heard = [
            attacker.record(
                SampleSpec(SampleFormat.FLOAT32LE, 1, rate), channel_map=STEREO[:1], source_name="input",
                peak_detect=True, fragsize=4, adjust_latency=True,
            ).channel
            for rate in (25, 144, 999, 8000, 24_000, 24_001, 48_000, 192_000)
        ]  # fmt: skip
        attacker.until(lambda: attacker.sound.keys() >= {*heard}, "sound for each meter")


@pytest.mark.parametrize("made", [8000, 44_101, 191_999, 192_000])
def test_other_rates_end_nobody(victim, made):
    """No server is asked to go from one rate to a very different one."""
    with victim.join(MIC) as attacker:
        spec = S16._replace(rate=made)
        playing = attacker.play(spec, variable_rate=True, prebuf=0)
        hearing = attacker.record(spec, variable_rate=True, source_name="input", fragsize=4000, adjust_latency=True)
        for rate in (2, 191_998, 383_999, 44_111, 40_000, 50_000, 131_071, 192_000, 1):
            attacker.write(playing.channel, bytes(40_000))
            attacker.ask(c.UpdatePlaybackStreamSampleRate(channel=playing.channel, rate=rate))
            attacker.ask(c.UpdateRecordStreamSampleRate(channel=hearing.channel, rate=rate))
            attacker.sound.clear()
            attacker.until(lambda: hearing.channel in attacker.sound, "to hear more")


@pytest.mark.case("P48")
def test_buffers_are_made_to_fit(victim):
    with victim.join() as attacker:
        stream = attacker.play(corked=True)
        for number in BUFFERS:
            some = [{field: number} for field in FIELDS]
            for wanted in [*some, dict.fromkeys(FIELDS, number), {"maxlength": number, "tlength": INVALID - 4}]:
                made = attacker.ask(c.SetPlaybackStreamBufferAttr(channel=stream.channel, **wanted))
                assert 0 <= made.prebuf <= MAX_QUEUE
                assert made.maxlength <= MAX_QUEUE
                assert victim.backend == "pipewire-pulse" or fits(made), made  # its answers are its own
        for number in BUFFERS:
            made = attacker.ask(c.CreateRecordStream(
                sample_spec=S16, channel_map=STEREO, source_name="output.monitor", maxlength=number, fragsize=number
            ))  # fmt: skip
            assert 0 < made.fragsize <= made.maxlength <= MAX_QUEUE
            attacker.ask(c.DeleteRecordStream(channel=made.channel))


def fits(attr):
    """Whether such a buffer can be."""
    return 0 < attr.minreq <= attr.tlength <= attr.maxlength <= MAX_QUEUE and attr.prebuf <= attr.tlength
