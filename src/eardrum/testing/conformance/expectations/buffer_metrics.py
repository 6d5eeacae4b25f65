"""Buffer metrics: what the server makes of those that a client asks for."""

from __future__ import annotations

from typing import Any

from eardrum.protocol.catalog import (
    PlaybackBufferAttrSet,
    PlaybackStreamCreated,
    RecordBufferAttrSet,
    SetPlaybackStreamBufferAttr,
    SetRecordStreamBufferAttr,
)
from eardrum.terms.audio import INVALID, SampleFormat, SampleSpec
from eardrum.testing.conformance.client import S16, Talk, expect
from eardrum.testing.conformance.expectation import CARRIED, F, differs, expectation
from eardrum.testing.conformance.reasons import THIRDS

CHOOSE = INVALID  # the server chooses
CD = S16._replace(rate=44_100)
MIB = 1024 * 1024
TELEPHONE = SampleSpec(SampleFormat.U8, 1, 8000)
STUDIO = SampleSpec(SampleFormat.FLOAT32LE, 2, 96_000)
MONO_ODD = SampleSpec(SampleFormat.S16LE, 1, 11_025)

Metrics = tuple[int, int, int, int]  # maxlength, tlength, prebuf, minreq


def asking(
    maxlength: int = CHOOSE, tlength: int = CHOOSE, prebuf: int = CHOOSE, minreq: int = CHOOSE
) -> dict[str, int]:
    return {"maxlength": maxlength, "tlength": tlength, "prebuf": prebuf, "minreq": minreq}


def metrics(reply: PlaybackStreamCreated | PlaybackBufferAttrSet) -> Metrics:
    return reply.maxlength, reply.tlength, reply.prebuf, reply.minreq


ADJUST, EARLY = {"adjust_latency": True}, {"early_requests": True}
PLAYBACK: dict[str, tuple[SampleSpec, dict[str, Any], Metrics, int]] = {
    "all by choice": (CD, asking(), (4 * MIB, 352_800, 349_276, 3528), 1_960_000),
    "250 ms": (CD, asking(tlength=44_100), (4 * MIB, 44_100, 40_576, 3528), 210_000),
    "all 0": (CD, asking(0, 0, 0, 0), (4, 4, 0, 4), 500),
    "100 MiB": (CD, asking(*(100 * MIB,) * 3), (4 * MIB, 4 * MIB, 4_190_780, 3528), 2_000_000),
    "unaligned": (CD, asking(100_001, 10_001, 5001, 1001), (100_004, 10_004, 5004, 1000), 45_353),
    "adjust latency": (CD, asking(tlength=8820) | ADJUST, (4 * MIB, 6616, 4416, 2204), 12_506),
    "early requests": (CD, asking(tlength=8820, minreq=1764) | EARLY, (4 * MIB, 8820, 7060, 1764), 10_000),
    "minreq above tlength": (S16, asking(tlength=1000, minreq=4000), (4 * MIB, 8096, 4100, 4000), 500),
    "minreq as tlength": (S16, asking(tlength=4000, minreq=4000), (4 * MIB, 8096, 4100, 4000), 500),
    "prebuf above tlength": (S16, asking(tlength=19_200, prebuf=100_000), (4 * MIB, 19_200, 15_364, 3840), 60_000),
    "prebuf 1": (S16, asking(tlength=19_200, prebuf=1), (4 * MIB, 19_200, 4, 3840), 60_000),
    "maxlength below tlength": (S16, asking(maxlength=9600, tlength=19_200), (9600, 9600, 7204, 2400), 25_000),
    "maxlength of one frame": (S16, asking(maxlength=4), (4, 4, 4, 4), 500),
    "a telephone, by choice": (TELEPHONE, asking(), (4 * MIB, 16_000, 15_841, 160), 1_960_000),
    "a telephone, 20 ms": (TELEPHONE, asking(tlength=160), (4 * MIB, 160, 121, 40), 10_000),
    "a studio, by choice": (STUDIO, asking(), (4 * MIB, 1_536_000, 1_520_648, 15_360), 1_960_000),
    "a studio, 20 ms with adjust latency": (
        STUDIO,
        asking(tlength=15_360) | ADJUST,
        (4 * MIB, 11_520, 7688, 3840),
        5000,
    ),
    "odd rates round up": (MONO_ODD, asking(), (4 * MIB, 44_100, 43_660, 442), 1_959_910),
    "early requests, by choice": (S16, asking() | EARLY, (4 * MIB, 384_000, 380_164, 3840), 20_000),
    "adjust latency, by choice": (S16, asking() | ADJUST, (4 * MIB, 195_840, 192_004, 3840), 980_000),
    "both flags": (S16, asking(tlength=19_200) | ADJUST | EARLY, (4 * MIB, 19_200, 15_364, 3840), 20_000),
}

CARRIED_PLAYBACK: dict[str, tuple[Metrics, int]] = {
    "all by choice": ((4 * MIB, 352_800, 235_204, 117_600), 666_668),
    "100 MiB": ((4 * MIB, 4 * MIB, 2_796_208, 1_398_100), 2_000_000),
    "adjust latency": ((4 * MIB, 7352, 4416, 2940), 8334),
    "a telephone, by choice": ((4 * MIB, 16_000, 10_668, 5333), 666_750),
    "a studio, by choice": ((4 * MIB, 1_536_000, 1_024_008, 512_000), 666_668),
    "a studio, 20 ms with adjust latency": ((4 * MIB, 12_800, 7688, 5120), 3334),
    "odd rates round up": ((4 * MIB, 44_100, 29_402, 14_700), 666_668),
    "adjust latency, by choice": ((4 * MIB, 320_000, 192_004, 128_000), 333_334),
}


def asked_for_thirds(function: F) -> F:
    """Carried streams are asked for more at once."""
    for case, (got, latency) in CARRIED_PLAYBACK.items():
        words = f"`minreq` {got[3]}, `prebuf` {got[2]}, `tlength` {got[1]}"
        function = differs(THIRDS, (got, latency), words, on=CARRIED, cases=(case,))(function)
    return function


@expectation(each=PLAYBACK)
@asked_for_thirds
def a_new_playback_stream_gets(talk: Talk, spec: SampleSpec, asked: dict[str, Any], got: Metrics, latency: int) -> None:
    made = talk.play(spec, corked=True, **asked)
    expect((metrics(made), made.latency), (got, latency))
    expect(made.missing, got[1])


@expectation(each=PLAYBACK)
@asked_for_thirds
def a_stream_that_asks_again_gets(
    talk: Talk, spec: SampleSpec, asked: dict[str, Any], got: Metrics, latency: int
) -> None:
    made = talk.play(spec, corked=True)
    reply = talk.must(PlaybackBufferAttrSet, SetPlaybackStreamBufferAttr(channel=made.channel, **asked))
    expect((metrics(reply), reply.latency), (got, latency))


RECORD: dict[str, tuple[SampleSpec, dict[str, Any], tuple[int, int], int]] = {
    "all by choice": (CD, {}, (4 * MIB, 352_800), 0),
    "all 0": (CD, {"maxlength": 0, "fragsize": 0}, (4, 4), 0),
    "100 MiB": (CD, {"maxlength": 100 * MIB, "fragsize": 100 * MIB}, (4 * MIB, 4 * MIB), 0),
    "unaligned": (CD, {"maxlength": 100_001, "fragsize": 5003}, (100_004, 5000), 0),
    "maxlength below fragsize": (CD, {"maxlength": 1000, "fragsize": 5000}, (1000, 1000), 0),
    "adjust latency": (CD, {"fragsize": 4096} | ADJUST, (4 * MIB, 4096), 23_219),
    "early requests": (CD, {"fragsize": 4096} | EARLY, (4 * MIB, 4096), 23_219),
    "adjust latency, by choice": (S16, {} | ADJUST, (4 * MIB, 384_000), 2_000_000),
    "adjust latency, 0": (S16, {"fragsize": 0} | ADJUST, (4 * MIB, 96), 500),
    "a telephone": (TELEPHONE, {"fragsize": 160} | ADJUST, (4 * MIB, 160), 20_000),
}


@expectation(each=RECORD)
def a_new_record_stream_gets(
    talk: Talk, spec: SampleSpec, asked: dict[str, Any], got: tuple[int, int], latency: int
) -> None:
    made = talk.record(spec, source_name="output.monitor", corked=True, **asked)
    expect(((made.maxlength, made.fragsize), made.latency), (got, latency))


@expectation(each=RECORD)
def a_record_stream_that_asks_again_gets(
    talk: Talk, spec: SampleSpec, asked: dict[str, Any], got: tuple[int, int], latency: int
) -> None:
    made = talk.record(spec, source_name="output.monitor", corked=True)
    reply = talk.must(RecordBufferAttrSet, SetRecordStreamBufferAttr(channel=made.channel, **asked))
    expect(((reply.maxlength, reply.fragsize), reply.latency), (got, latency))


@expectation(versions=(8, 9))
def metrics_are_told_since_version_9(talk: Talk) -> None:
    made = talk.play(corked=True, tlength=38_400)
    expect(made.missing, 38_400)
    expect(metrics(made), (0, 0, 0, 0) if talk.version == 8 else (4 * MIB, 38_400, 34_564, 3840))


@expectation(versions=(12, 13))
def the_latency_is_told_since_version_13(talk: Talk) -> None:
    made = talk.play(corked=True)
    reply = talk.must(PlaybackBufferAttrSet, SetPlaybackStreamBufferAttr(channel=made.channel, tlength=44_100))
    expect(reply.latency > 0, talk.version == 13)
