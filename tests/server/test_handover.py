"""Record streams that heard silence, and are carried from now on; for playback streams see test_stand_in.py."""

from __future__ import annotations

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    CorkRecordStream,
    CreateRecordStream,
    GetRecordLatency,
    RecordLatency,
    RecordStreamCreated,
)
from eardrum.server.effects import Reissue, WantUpstream
from eardrum.server.events import INPUT, Rewired, UpstreamAnswered, UpstreamReady, UpstreamSound
from eardrum.terms.audio import STEREO
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import ALL, FLOAT, Stage, sine

FRAME = FLOAT.frame_bytes
FRAGMENT = 480 * FRAME
TONE = sine(440, 4800)
ROOM = WireEnd("room", "studio")


def created(stage: Stage) -> tuple[int, int]:
    """The upstream makes the stream that it is asked for; our number of it, and the token."""
    (asked,) = [each for each in stage.others if isinstance(each, Reissue) and each.token is not None]
    stage.others.clear()
    assert isinstance(asked.message, CreateRecordStream)
    reply = RecordStreamCreated(
        channel=asked.stream, source_output=asked.stream, maxlength=1 << 22, fragsize=FRAGMENT, sample_spec=FLOAT,
        channel_map=STEREO, source_index=0, source_name="x", suspended=False, latency=10_000,
    )  # fmt: skip
    stage.happens(UpstreamAnswered(asked.token, reply))
    return asked.stream, asked.token


def test_who_records_silence_hears_what_the_wire_leads_to_from_then_on(outlet):
    stage = outlet("null", "silence")
    program = stage.join(ALL)
    program.record(fragsize=FRAGMENT)
    stage.passes(1.0)
    silent = len(program.heard())
    assert silent == pytest.approx(48000, abs=960)
    stage.happens(Rewired(INPUT, ROOM))
    assert stage.others == [WantUpstream(INPUT)]
    stage.others.clear()
    stage.passes(0.5)
    assert len(program.heard()) == pytest.approx(72000, abs=960)
    stage.happens(UpstreamReady(INPUT))
    number, _ = created(stage)
    before = len(program.heard())
    stage.happens(UpstreamSound(number, memoryview(TONE.tobytes())))
    stage.passes(0.5)
    assert np.array_equal(program.heard()[before:], TONE)
    assert not program.heard()[:before].any()
    tag = program.say(GetRecordLatency(channel=0, client_time=(1, 2)))
    (question,) = [each for each in stage.others if isinstance(each, Reissue)]
    there = RecordLatency(
        monitor_latency=0, source_latency=0, playing=True, client_time=(1, 2), server_time=(3, 4),
        write_index=len(TONE) * FRAME, read_index=len(TONE) * FRAME,
    )  # fmt: skip
    stage.happens(UpstreamAnswered(question.token, there))
    assert program.answers[tag].read_index == len(program.heard()) * FRAME


def test_one_that_is_corked_stays_so(outlet):
    stage = outlet("null", "silence")
    program = stage.join(ALL)
    program.record(fragsize=FRAGMENT, corked=True)
    stage.happens(Rewired(INPUT, ROOM))
    stage.happens(UpstreamReady(INPUT))
    (asked,) = [each.message for each in stage.others if isinstance(each, Reissue)]
    assert asked.corked
    created(stage)
    tag = program.say(CorkRecordStream(channel=0, cork=False))
    assert tag in program.waits_for
    assert any(isinstance(each, Reissue) and isinstance(each.message, CorkRecordStream) for each in stage.others)


def test_what_records_a_monitor_stays_where_it_is(outlet):
    stage = outlet("null", "silence")
    program = stage.join(ALL)
    program.record(source_name="output.monitor", fragsize=FRAGMENT)
    stage.happens(Rewired(INPUT, ROOM))
    assert stage.others == []
    stage.passes(1.0)
    assert len(program.heard()) == pytest.approx(48000, abs=960)


def test_a_guest_hears_what_the_microphone_hears_now(outlet):
    stage = outlet("null", "silence")
    stage.join(ALL)
    early = stage.attach(ALL, view=5)
    early.record(source_name="input", fragsize=FRAGMENT)
    stage.happens(Rewired(INPUT, ROOM))
    late = stage.attach(ALL, view=6)
    late.say(CreateRecordStream(sample_spec=FLOAT, channel_map=STEREO, source_name="input", fragsize=FRAGMENT))
    assert late.waits_for
    stage.happens(UpstreamReady(INPUT))
    asked = [each for each in stage.others if isinstance(each, Reissue)]
    assert len(asked) == 2
