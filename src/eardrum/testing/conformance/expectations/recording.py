"""Record streams: what they get, when, and in which pieces.

Bytes are of s16 stereo at 48 kHz: 192 a millisecond.
"""

from __future__ import annotations

import struct
from typing import Any

from eardrum.protocol.catalog import (
    Ack,
    CorkRecordStream,
    DeleteRecordStream,
    FlushRecordStream,
    GetRecordLatency,
    RecordBufferAttrSet,
    RecordLatency,
    RecordStreamCreated,
    SetRecordStreamBufferAttr,
)
from eardrum.protocol.packets import SoundPacket
from eardrum.terms.audio import SampleFormat
from eardrum.testing.conformance.client import S16, Talk, expect
from eardrum.testing.conformance.expectation import differs, expectation
from eardrum.testing.conformance.reasons import BATCHES

MS = 192  # bytes
MONITOR, INPUT = {"the monitor": ("output.monitor",)}, {"the input": ("input",)}
SOURCES = {**MONITOR, **INPUT}


def listen(talk: Talk, source: str = "output.monitor", **fields: Any) -> RecordStreamCreated:
    """A stream that gets 10 ms at a time."""
    return talk.record(**{"source_name": source, "fragsize": 10 * MS, **fields})


def heard(talk: Talk, channel: int = 0) -> bytes:
    return bytes(talk.sound.get(channel, b""))


def hear(talk: Talk, ms: int, channel: int = 0) -> bytes:
    """What the stream got, once it is so much."""
    talk.until(lambda: len(heard(talk, channel)) >= ms * MS, "sound")
    return heard(talk, channel)


def packets(talk: Talk) -> list[SoundPacket]:
    return [said for said in talk.log if isinstance(said, SoundPacket)]


def latency(talk: Talk, channel: int = 0) -> RecordLatency:
    return talk.must(RecordLatency, GetRecordLatency(channel=channel, client_time=(3, 4)))


@expectation(each=SOURCES)
def a_source_that_nobody_feeds_gives_silence_in_real_time(talk: Talk, source: str) -> None:
    listen(talk, source)
    expect(set(hear(talk, 50)), {0})


@expectation(
    each={"s16be": (SampleFormat.S16BE, 0), "u8": (SampleFormat.U8, 0x80), "float32le": (SampleFormat.FLOAT32LE, 0)}
)
def silence_is_that_of_the_format(talk: Talk, form: int, byte: int) -> None:
    spec = S16._replace(format=form)
    talk.record(spec, source_name="output.monitor", fragsize=spec.frame_bytes * 480)
    expect(set(hear(talk, 10)), {byte})


@expectation(each=SOURCES)
def sound_comes_in_packets_of_whole_frames_no_longer_than_fragsize(talk: Talk, source: str) -> None:
    made = listen(talk, source)
    hear(talk, 50)
    for packet in packets(talk):
        expect((len(packet.data) % 4, len(packet.data) <= made.fragsize), (0, True))


@expectation
@differs(BATCHES, False, "packets of 5 ms")
def the_shortest_fragsize_is_kept_too(talk: Talk) -> None:
    made = listen(talk, fragsize=MS)
    hear(talk, 50)
    expect(all(len(packet.data) <= made.fragsize for packet in packets(talk)), True)


@expectation
def sound_comes_without_jumps(talk: Talk) -> None:
    listen(talk)
    hear(talk, 50)
    expect({(packet.channel, packet.seek, packet.offset) for packet in packets(talk)}, {(0, 0, 0)})


@expectation
def what_is_played_is_heard_on_the_monitor_as_it_was(talk: Talk) -> None:
    listen(talk)
    hear(talk, 10)
    talk.play(tlength=40 * MS, minreq=10 * MS)
    tune = struct.pack("<3840h", *range(1, 3841))  # 40 ms
    talk.write(0, tune)
    rest = tune[-4000:]  # a sink that rewinds may let its monitor miss the beginning
    talk.until(lambda: rest in heard(talk), "what was played")


@expectation(each={"corked from the beginning": (True,), "corked later": (False,)})
def a_corked_stream_gets_nothing(talk: Talk, from_the_beginning: bool) -> None:
    listen(talk, corked=from_the_beginning)
    if not from_the_beginning:
        hear(talk, 10)
        talk.must(Ack, CorkRecordStream(channel=0, cork=True))
    latency(talk)
    talk.forget()
    talk.moment()
    latency(talk)
    expect(heard(talk), b"")


@expectation
def a_stream_that_goes_on_gets_sound_again(talk: Talk) -> None:
    listen(talk, corked=True)
    for corked in (True, False, False):
        talk.must(Ack, CorkRecordStream(channel=0, cork=corked))
    hear(talk, 10)


@expectation
def what_was_played_while_a_stream_was_corked_is_not_heard(talk: Talk) -> None:
    listen(talk, corked=True)
    talk.play(tlength=40 * MS, minreq=10 * MS)
    talk.write(0, b"\x11" * 40 * MS)
    talk.moment()
    talk.must(Ack, CorkRecordStream(channel=0, cork=False))
    expect(set(hear(talk, 50)), {0})


@expectation
def a_deleted_stream_gets_nothing_more(talk: Talk) -> None:
    listen(talk)
    hear(talk, 10)
    talk.must(Ack, DeleteRecordStream(channel=0))
    talk.forget()
    talk.moment()
    expect((talk.fate.name, heard(talk)), ("ALIVE", b""))


@expectation
def a_flush_is_granted_and_the_stream_goes_on(talk: Talk) -> None:
    listen(talk)
    hear(talk, 10)
    talk.must(Ack, FlushRecordStream(channel=0))
    talk.forget()
    hear(talk, 10)


@expectation
def several_streams_of_a_connection_get_the_same(talk: Talk) -> None:
    for source in ("output.monitor", "output.monitor", "input"):
        listen(talk, source)
    for channel in range(3):
        hear(talk, 20, channel)


@expectation
def other_metrics_hold_for_what_follows(talk: Talk) -> None:
    listen(talk)
    hear(talk, 20)
    made = talk.must(RecordBufferAttrSet, SetRecordStreamBufferAttr(channel=0, fragsize=6 * MS))
    latency(talk)
    talk.forget()
    hear(talk, 20)
    expect(all(len(packet.data) <= made.fragsize for packet in packets(talk)), True)


# latency


@expectation
def the_time_of_the_client_is_echoed_and_that_of_the_server_told(talk: Talk) -> None:
    listen(talk)
    told = latency(talk)
    expect(
        (told.client_time, told.server_time[0] > 1_600_000_000, told.server_time[1] < 1_000_000), ((3, 4), True, True)
    )


@expectation
def the_indexes_count_what_was_sent(talk: Talk) -> None:
    listen(talk)
    hear(talk, 20)
    told = latency(talk)
    expect(told.read_index, len(heard(talk)))
    expect(told.write_index >= told.read_index, True)


@expectation
def an_input_monitors_no_sink(talk: Talk) -> None:
    listen(talk, "input")
    expect(latency(talk).monitor_latency, 0)


@expectation(each={"runs": (False, True), "is corked": (True, False)})
def a_record_stream_is_playing_while_it(talk: Talk, corked: bool, playing: bool) -> None:
    listen(talk, corked=corked)
    expect(latency(talk).playing, playing)


@expectation
def a_new_stream_has_both_indexes_at_0(talk: Talk) -> None:
    listen(talk, corked=True)
    told = latency(talk)
    expect((told.write_index, told.read_index), (0, 0))
