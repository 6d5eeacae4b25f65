"""The streams of emulated modules: how clients see them, and what becomes of the sound when they change them."""

import numpy as np
import pytest

from eardrum.protocol import catalog as c
from eardrum.server.core import Server
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view
from eardrum.terms.audio import INVALID, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.terms.properties import text
from eardrum.testing.stage import ALL, Stage, sine

SECOND = 48000 * 8  # bytes of float32 stereo
WAVE = sine(440, 9600)


@pytest.fixture
def stage():
    return Stage(Server(outlet_view("box", WireEnd("null"), None, modules=True)))


@pytest.fixture
def script(stage):
    """A program that may load modules; there are two sinks beside `output`."""
    program = stage.join(ALL | Right.MODULES)
    load(program, "null-sink", "sink_name=one sink_properties=device.description=First")
    load(program, "null-sink", "sink_name=two")
    return program


def load(program, name, argument=""):
    reply = program.ask(c.LoadModule(name=f"module-{name}", argument=argument))
    assert isinstance(reply, c.ModuleLoaded), reply
    return reply.index


def inputs(program):
    return program.ask(c.GetSinkInputInfoList()).items


def outputs(program):
    return program.ask(c.GetSourceOutputInfoList()).items


def named(program, device):
    """The index of a sink or source."""
    return program.ask(c.GetSinkInfo(name=device) if "." not in device else c.GetSourceInfo(name=device)).index


def plays_into(stage, program, sink, monitor):
    """What `monitor` hears while a wave is played into `sink`, from its first sound on."""
    record = program.record(source_name=monitor, fragsize=4096)
    play = program.play(sink_name=sink, tlength=SECOND, prebuf=8)
    program.write(play.channel, WAVE.tobytes())
    stage.passes(1)
    program.ask(c.DeletePlaybackStream(channel=play.channel))
    program.ask(c.DeleteRecordStream(channel=record.channel))
    heard = program.heard(record.channel)
    assert len(heard) > 40_000
    sounding = np.flatnonzero(heard.any(axis=1))
    return heard[sounding[0] - 1 :][: len(WAVE)] if len(sounding) else heard[:0]


def test_a_loopback_is_one_stream_of_each_kind(script):
    module = load(script, "loopback", "source=one.monitor sink=two sink_input_properties=media.role=phone")
    (played,), (heard,) = inputs(script), outputs(script)
    assert (played.module_index, played.client_index, played.sink_index) == (module, INVALID, named(script, "two"))
    assert (heard.module_index, heard.client_index, heard.source_index) == (
        module,
        INVALID,
        named(script, "one.monitor"),
    )
    assert (played.name, text(played.proplist, "media.role")) == ("Loopback from Monitor of First", "phone")
    assert (heard.name, text(heard.proplist, "media.role")) == ("Loopback to Null Output", "abstract")
    script.ask(c.UnloadModule(index=module))
    assert inputs(script) == outputs(script) == []


@pytest.mark.parametrize(
    ("name", "argument", "playing", "hearing"),
    [
        ("remap-sink", "master=two", ["Remapped Stream"], []),
        ("virtual-sink", "master=two", ["Virtual Sink Stream"], []),
        ("remap-source", "master=one.monitor", [], ["Remapped Stream"]),
        ("virtual-source", "master=one.monitor", [], ["Virtual Source Stream"]),
        (
            "combine-sink",
            "slaves=one,two",
            ["Simultaneous output on First", "Simultaneous output on Null Output"],
            [],
        ),
    ],
)
def test_a_filter_shows_the_streams_by_which_it_plays_or_hears(script, name, argument, playing, hearing):
    load(script, name, argument)
    assert [stream.name for stream in inputs(script)] == playing
    assert [stream.name for stream in outputs(script)] == hearing
    assert {text(stream.proplist, "media.role") for stream in inputs(script) + outputs(script)} == {"filter"}


def test_they_come_and_go_with_events(script):
    script.ask(c.Subscribe(mask=1 << c.Facility.SINK_INPUT | 1 << c.Facility.SOURCE_OUTPUT))
    script.ask(c.UnloadModule(index=load(script, "loopback", "source=one.monitor sink=two")))
    events = [event.event for event in script.tell_all(c.SubscribeEvent)]
    assert events == [
        c.Facility.SINK_INPUT | c.Change.NEW,
        c.Facility.SOURCE_OUTPUT | c.Change.NEW,
        c.Facility.SINK_INPUT | c.Change.REMOVED,
        c.Facility.SOURCE_OUTPUT | c.Change.REMOVED,
    ]


def test_a_loopback_plays_where_it_is_moved_to(stage, script):
    load(script, "loopback", "source=one.monitor sink=two latency_msec=30")
    (played,) = inputs(script)
    assert script.ask(c.MoveSinkInput(index=played.index, sink_name="output")) == c.Ack()
    assert inputs(script)[0].sink_index == named(script, "output")
    np.testing.assert_allclose(plays_into(stage, script, "one", "output.monitor"), WAVE, atol=1e-6)
    assert not plays_into(stage, script, "one", "two.monitor").any()


def test_a_loopback_hears_where_it_is_moved_to(stage, script):
    load(script, "loopback", "source=one.monitor sink=two latency_msec=30")
    (heard,) = outputs(script)
    assert script.ask(c.MoveSourceOutput(index=heard.index, source_name="output.monitor")) == c.Ack()
    np.testing.assert_allclose(plays_into(stage, script, "output", "two.monitor"), WAVE, atol=1e-6)
    assert not plays_into(stage, script, "one", "two.monitor").any()


@pytest.mark.parametrize("channels", [1, 6])
def test_a_loopback_keeps_its_channels_where_it_is_moved_to(stage, script, channels):
    load(script, "null-sink", f"sink_name=other channels={channels}")
    load(script, "loopback", "source=one.monitor sink=two latency_msec=30")
    (heard,) = outputs(script)
    quiet = (VOLUME_NORM // 2, VOLUME_NORM)
    assert script.ask(c.SetSourceOutputVolume(index=heard.index, volume=quiet)) == c.Ack()
    assert script.ask(c.MoveSourceOutput(index=heard.index, source_name="other.monitor")) == c.Ack()
    left, right = np.abs(plays_into(stage, script, "other", "two.monitor")).max(axis=0)
    assert left == pytest.approx(right / 8, rel=0.01)
    assert right > 0.1


def test_nothing_is_moved_to_where_it_would_hear_itself(script):
    load(script, "loopback", "source=one.monitor sink=two")
    load(script, "remap-sink", "sink_name=front master=one")
    load(script, "remap-sink", "sink_name=before master=front")
    loopback, front, _ = inputs(script)
    assert script.ask(c.MoveSinkInput(index=loopback.index, sink_name="one")) is PulseError.INVALID
    for sink in ("front", "before"):
        assert script.ask(c.MoveSinkInput(index=front.index, sink_name=sink)) is PulseError.INVALID
    assert script.ask(c.MoveSinkInput(index=front.index, sink_name="two")) == c.Ack()


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("combine-sink", "slaves=one"),
        ("remap-source", "master=one.monitor"),
        ("loopback", "source=one.monitor sink=two sink_dont_move=yes source_dont_move=yes"),
    ],
)
def test_some_stay_where_they_were_made(script, name, argument):
    load(script, name, argument)
    for stream in inputs(script):
        assert script.ask(c.MoveSinkInput(index=stream.index, sink_name="output")) is PulseError.INVALID
    for stream in outputs(script):
        assert script.ask(c.MoveSourceOutput(index=stream.index, source_name="two.monitor")) is PulseError.INVALID


def test_a_loopback_that_was_told_no_sink_follows_the_default(script):
    load(script, "loopback", "source=one.monitor")
    load(script, "loopback", "source=one.monitor sink=one")
    script.ask(c.SetDefaultSink(name="two"))
    assert [stream.sink_index for stream in inputs(script)] == [named(script, "two"), named(script, "one")]


@pytest.mark.parametrize("side", ["input", "output"])
def test_their_levels_are_those_of_what_is_heard(stage, script, side):
    load(script, "loopback", "source=one.monitor sink=two latency_msec=30")
    half, mute = (
        (c.SetSinkInputVolume, c.SetSinkInputMute)
        if side == "input"
        else (c.SetSourceOutputVolume, c.SetSourceOutputMute)
    )
    assert script.ask(half(index=0, volume=(0x8000,))) == c.Ack()
    np.testing.assert_allclose(plays_into(stage, script, "one", "two.monitor"), WAVE / 8, atol=1e-6)
    assert script.ask(mute(index=0, muted=True)) == c.Ack()
    assert not plays_into(stage, script, "one", "two.monitor").any()


def test_a_muted_source_is_heard_neither_by_a_loopback_nor_by_a_source_of_it(stage, script):
    load(script, "loopback", "source=one.monitor sink=two latency_msec=30")
    load(script, "remap-source", "source_name=mic master=one.monitor")
    load(script, "remap-sink", "sink_name=front master=output")
    for monitor in ("one.monitor", "front.monitor"):
        script.ask(c.SetSourceMute(name=monitor, muted=True))
    assert not plays_into(stage, script, "one", "two.monitor").any()
    assert not plays_into(stage, script, "one", "mic").any()
    np.testing.assert_allclose(plays_into(stage, script, "front", "output.monitor"), WAVE, atol=1e-6)


def test_a_source_of_the_left_channel_hears_only_that(stage, script):
    load(script, "remap-source", "source_name=mic master=one.monitor master_channel_map=left channel_map=mono")
    load(script, "remap-source", "source_name=again master=mic")
    load(script, "loopback", "source=mic sink=two latency_msec=30")
    left = WAVE * (1, 0)
    for monitor, wanted in (("mic", WAVE), ("again", WAVE), ("two.monitor", WAVE)):
        record = script.record(source_name=monitor, fragsize=4096)
        play = script.play(sink_name="one", tlength=SECOND, prebuf=8)
        script.write(play.channel, left.astype(np.float32).tobytes())
        stage.passes(1)
        heard = script.heard(record.channel)
        begin = np.flatnonzero(heard.any(axis=1))[0] - 1
        np.testing.assert_allclose(heard[begin : begin + len(WAVE)], wanted, atol=1e-6, err_msg=monitor)
        script.ask(c.DeletePlaybackStream(channel=play.channel))


def test_a_source_of_the_left_channel_is_deaf_to_the_right_one(stage, script):
    load(script, "remap-source", "source_name=mic master=one.monitor master_channel_map=left channel_map=mono")
    script.record(source_name="mic", fragsize=4096)
    play = script.play(sink_name="one", tlength=SECOND, prebuf=8)
    script.write(play.channel, (WAVE * (0, 1)).astype(np.float32).tobytes())
    stage.passes(1)
    assert len(script.heard())
    assert not script.heard().any()


def test_a_suspended_end_stops_it(stage, script):
    load(script, "loopback", "source=one.monitor sink=two latency_msec=30")
    script.ask(c.SuspendSource(name="one.monitor", suspend=True))
    assert not plays_into(stage, script, "one", "two.monitor").any()
    script.ask(c.SuspendSource(name="one.monitor", suspend=False))
    np.testing.assert_allclose(plays_into(stage, script, "one", "two.monitor"), WAVE, atol=1e-6)


def test_one_alone_is_recorded(stage, script):
    load(script, "loopback", "source=one.monitor sink=two latency_msec=30")
    other = script.play(sink_name="two", tlength=SECOND, prebuf=8)
    alone = script.record(source_name="two.monitor", direct_on_input=inputs(script)[0].index, fragsize=4096)
    script.write(other.channel, (WAVE / 2).tobytes())
    play = script.play(sink_name="one", tlength=SECOND, prebuf=8)
    script.write(play.channel, WAVE.tobytes())
    stage.passes(1)
    heard = script.heard(alone.channel)
    begin = np.flatnonzero(heard.any(axis=1))[0] - 1
    np.testing.assert_allclose(heard[begin : begin + len(WAVE)], WAVE, atol=1e-6)


@pytest.mark.parametrize("kill", [c.KillSinkInput, c.KillSourceOutput])
def test_who_ends_one_unloads_its_module(script, kill):
    load(script, "loopback", "source=one.monitor sink=two")
    assert script.ask(kill(index=0)) == c.Ack()
    assert len(script.ask(c.GetModuleInfoList()).items) == 2
    assert inputs(script) == outputs(script) == []


def test_their_number_is_bounded(script):
    made = 0
    while isinstance(answer := script.ask(c.LoadModule(name="module-combine-sink")), c.ModuleLoaded):
        made += 1
    assert answer is PulseError.MODINITFAILED
    assert 256 - made - 3 < len(inputs(script)) <= 256
    assert len(script.ask(c.GetSinkInfoList()).items) == made + 3
    buses = {bus.number for bus in script.stage.server.buses}
    assert all(feed.target.number in buses for bus in script.stage.server.buses for feed in bus.onward)


def test_they_are_not_counted_as_programs(script, stage):
    load(script, "loopback", "source=one.monitor sink=two")
    assert stage.server.count_streams() == (0, 0)


def test_a_source_of_a_carried_one_has_a_level():
    stage = Stage(Server(outlet_view("box", WireEnd("null"), WireEnd("host"), modules=True)))
    program = stage.join(ALL | Right.MODULES)
    load(program, "remap-source", "master=input")
    assert program.ask(c.SetSourceOutputMute(index=0, muted=True)) == c.Ack()
    assert outputs(program)[0].muted
