"""What PulseAudio 16.1 was seen to answer on a null sink, 44.1 kHz s16 stereo."""

import pytest

from eardrum.server.buffers import settle_playback, settle_record, upstream_minreq
from eardrum.terms.audio import INVALID as ANY
from eardrum.terms.audio import BufferAttr, SampleFormat, SampleSpec

SPEC = SampleSpec(SampleFormat.S16LE, 2, 44100)
MAX = 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("asked", "mode", "got", "latency"),
    [
        ((ANY, ANY, ANY, ANY), "", (MAX, 352800, 349276, 3528), 1_960_000),
        ((ANY, 44100, ANY, ANY), "", (MAX, 44100, 40576, 3528), 210_000),
        ((0, 0, 0, 0), "", (4, 4, 0, 4), 500),
        ((ANY, 8820, ANY, ANY), "adjust", (MAX, 6616, 4416, 2204), 12_500),
        ((ANY, 8820, ANY, 1764), "early", (MAX, 8820, 7060, 1764), 10_000),
        ((100 * 1024 * 1024,) * 2 + (ANY, ANY), "", (MAX, MAX, 4190780, 3528), 2_000_000),
        ((100001, 10001, 5001, 1001), "", (100004, 10004, 5004, 1000), None),
    ],
)
def test_playback_metrics_are_settled_as_measured(asked, mode, got, latency):
    settled = settle_playback(BufferAttr(*asked), SPEC, adjust_latency=mode == "adjust", early_requests=mode == "early")
    assert settled.attr[:4] == got
    if latency is not None:
        assert settled.latency == pytest.approx(latency, abs=25)


def test_a_record_stream_that_adjusts_latency_gets_fragments_of_that_latency():
    settled = settle_record(BufferAttr(fragsize=4096), SPEC, adjust_latency=True, early_requests=False)
    assert (settled.attr.fragsize, settled.attr.maxlength) == (4096, MAX)
    assert settled.latency == pytest.approx(23_200, abs=50)


def test_a_record_stream_without_wishes_gets_two_seconds():
    settled = settle_record(BufferAttr(), SPEC, adjust_latency=False, early_requests=False)
    assert (settled.attr.fragsize, settled.latency) == (352800, 0)


@pytest.mark.parametrize(
    ("asked", "mode", "minreq"),
    [
        ((ANY, ANY, ANY, ANY), "", 117_600),
        ((ANY, ANY, ANY, ANY), "adjust", 117_600),
        ((ANY, ANY, ANY, ANY), "early", ANY),
        ((ANY, ANY, ANY, 400), "", 400),
        ((90_000, ANY, ANY, ANY), "", 30_000),
        ((ANY, 3528, ANY, ANY), "adjust", 1176),
        ((ANY, 3528, ANY, ANY), "", ANY),
        ((ANY, 17_640, ANY, ANY), "adjust", ANY),
        ((ANY, 400, ANY, ANY), "adjust", ANY),
        ((0, 0, 0, ANY), "adjust", ANY),
    ],
)
def test_upstreams_are_asked_for_fewer_messages_where_the_client_leaves_it_open(asked, mode, minreq):
    how = {"adjust_latency": mode == "adjust", "early_requests": mode == "early"}
    assert upstream_minreq(BufferAttr(*asked), SPEC, **how) == minreq
