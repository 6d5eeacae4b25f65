"""The monitor of a carried output, on stage with an upstream that takes everything."""

from __future__ import annotations

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    CreatePlaybackStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    LoadModule,
    PlaybackStreamCreated,
    Request,
    SetDefaultSink,
    SetSinkInputMute,
    SetSinkInputVolume,
    SetSinkVolume,
    Started,
    Underflow,
    UpdatePlaybackStreamSampleRate,
)
from eardrum.server.core import Server
from eardrum.server.effects import Reissue, ReissueSound
from eardrum.server.events import OUTPUT, UpstreamAnswered, UpstreamReady
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleSpec
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import FLOAT, PLAY_ONLY, Program, Stage, sine

NORM = (VOLUME_NORM,) * 2
HALF = VOLUME_NORM // 2
QUICK = {"source_name": "output.monitor", "fragsize": 480 * FLOAT.frame_bytes}


@pytest.fixture
def program(outlet) -> Program:
    """A program on a carried output whose upstream is there."""
    stage = outlet("host")
    stage.happens(UpstreamReady(OUTPUT))
    return stage.join(PLAY_ONLY)


def carried(program: Program, spec: SampleSpec = FLOAT, **fields: object) -> int:
    """A new stream that the upstream takes; returns its number on the connection."""
    tag = program.say(CreatePlaybackStream(sample_spec=spec, channel_map=STEREO, volume=NORM, **fields))
    asked = program.stage.others[-1]
    assert isinstance(asked, Reissue)
    created = PlaybackStreamCreated(channel=5, sink_input=6, missing=1 << 22, maxlength=1 << 22)
    program.stage.happens(UpstreamAnswered(asked.token, created))
    return program.answers.pop(tag).channel


def test_what_is_played_upstream_is_heard_here_and_the_client_is_told_nothing(program):
    channel = carried(program)
    program.record(**QUICK)
    tune = sine(440, 24000)
    program.write(channel, tune.tobytes())
    program.stage.passes(1.0)
    assert np.array_equal(program.heard()[:24000], tune)
    assert not program.heard()[24000:].any()
    assert not [message for message in program.told if isinstance(message, Started | Underflow | Request)]
    sent = [effect for effect in program.stage.others if isinstance(effect, ReissueSound)]
    assert sum(len(effect.data) for effect in sent) == tune.nbytes


def test_nothing_is_mixed_while_nobody_listens(program):
    channel = carried(program)
    program.write(channel, sine(440, 24000).tobytes())
    assert program.stage.due is None
    program.record(**QUICK)
    program.write(channel, sine(440, 24000).tobytes())
    program.stage.passes(0.1)
    program.ask(DeleteRecordStream(channel=0))
    program.stage.passes(1.0)
    assert program.stage.due is None


def test_streams_that_begin_later_are_heard_too_and_those_that_end_are_not(program):
    program.record(**QUICK)
    one, two = carried(program), carried(program)
    for channel, frequency in ((one, 440), (two, 660)):
        program.write(channel, sine(frequency, 24000, 0.25).tobytes())
    program.stage.passes(0.25)
    program.ask(DeletePlaybackStream(channel=one))
    program.stage.passes(0.5)
    both = sine(440, 24000, 0.25) + sine(660, 24000, 0.25)
    assert np.allclose(program.heard()[:12000], both[:12000], atol=1e-6)
    assert np.array_equal(program.heard()[12000:24000], sine(660, 24000, 0.25)[12000:])


def test_levels_cork_and_flush_are_heard(program):
    stage = program.stage
    channel = carried(program)
    program.record(**QUICK)
    program.ask(SetSinkInputVolume(index=0, volume=(HALF,)))
    program.ask(SetSinkVolume(index=0, volume=(HALF,)))
    tune = sine(440, 48000)
    program.write(channel, tune.tobytes())
    stage.passes(0.1)
    program.ask(SetSinkInputMute(index=0, muted=True))
    stage.passes(0.1)
    program.ask(SetSinkInputMute(index=0, muted=False))
    program.say(CorkPlaybackStream(channel=channel, cork=True))
    stage.passes(0.1)
    program.say(CorkPlaybackStream(channel=channel, cork=False))
    stage.passes(0.1)
    program.say(FlushPlaybackStream(channel=channel))
    stage.passes(0.1)
    heard = program.heard()
    assert np.allclose(heard[:4800], tune[:4800] / 64, atol=1e-6)
    assert not heard[4800:14400].any()
    assert np.allclose(heard[14400:19200], tune[9600:14400] / 64, atol=1e-6)
    assert not heard[19200:].any()


def test_a_client_that_writes_at_positions_is_heard_though_the_echo_began_later(program):
    channel = carried(program)
    tune = sine(440, 48000)
    half = tune.nbytes // 2
    program.write(channel, tune.tobytes()[:half], 1, 0)
    program.record(**QUICK)
    program.write(channel, tune.tobytes()[half:], 1, half)
    program.stage.passes(1.0)
    assert np.array_equal(program.heard()[:24000], tune[24000:])


def test_another_rate_on_the_way_is_heard_at_that_rate(program):
    channel = carried(program, variable_rate=True)
    program.record(**QUICK)
    program.say(UpdatePlaybackStreamSampleRate(channel=channel, rate=40000))
    program.write(channel, sine(440, 40000, rate=40000).tobytes())
    program.stage.passes(2.0)
    heard = program.heard()
    assert np.allclose(heard[2000:40000], sine(440, 48000)[2000:40000], atol=1e-3)


def test_what_was_drained_upstream_is_heard_to_its_end_here(program):
    channel = carried(program)
    program.record(**QUICK)
    tune = sine(440, 24000)
    program.write(channel, tune.tobytes())
    program.stage.passes(0.3)
    program.say(DrainPlaybackStream(channel=channel))
    program.stage.happens(UpstreamAnswered(program.stage.others[-1].token, Ack()))  # its clock is ahead of ours
    program.say(DeletePlaybackStream(channel=channel))
    program.stage.passes(0.7)
    assert np.array_equal(program.heard()[:24000], tune)
    assert not program.heard()[24000:].any()


def test_a_guest_hears_what_is_carried_when_the_wire_is_the_default_again():
    stage = Stage(Server(outlet_view("box", WireEnd("host"), None, modules=True)))
    stage.happens(UpstreamReady(OUTPUT))
    program, guest = stage.join(PLAY_ONLY | Right.MODULES), stage.attach(view=1)
    guest.record(source_name="output", fragsize=480 * FLOAT.frame_bytes)
    program.ask(LoadModule(name="module-null-sink", argument="sink_name=voice"))
    program.ask(SetDefaultSink(name="voice"))
    channel = carried(program, sink_name="output")
    program.ask(SetDefaultSink(name="output"))
    program.write(channel, sine(440, 24000).tobytes())
    stage.passes(1.0)
    assert np.abs(guest.heard()).max() > 0.4
