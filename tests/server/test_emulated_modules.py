"""What start-up scripts load: the objects that come of it, and what is heard through them."""

import numpy as np
import pytest

from eardrum.protocol import catalog as c
from eardrum.server.core import Server
from eardrum.server.emulated_modules import MODULES
from eardrum.server.mixed import MAX_PERIOD, Bus
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view
from eardrum.sound.convert import LOUDEST
from eardrum.sound.volume import HIGHEST
from eardrum.terms.audio import INVALID, VOLUME_MAX
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import ALL, PLAY_ONLY, Stage, sine

SECOND = 48000 * 8  # bytes of float32 stereo


@pytest.fixture
def stage():
    return Stage(Server(outlet_view("box", WireEnd("null"), None, modules=True)))


@pytest.fixture
def script(stage):
    """A program that may load modules."""
    return stage.join(ALL | Right.MODULES)


def load(program, name, argument=""):
    """Load a module; returns its number."""
    reply = program.ask(c.LoadModule(name=f"module-{name}", argument=argument))
    assert isinstance(reply, c.ModuleLoaded), reply
    return reply.index


def names(program):
    sinks, sources = program.ask(c.GetSinkInfoList()).items, program.ask(c.GetSourceInfoList()).items
    return [sink.name for sink in sinks], [source.name for source in sources]


def heard_while(stage, recorder, channel, player, wave, into=None):
    """What a record stream gets while `wave` is played and for half a second more."""
    reply = player.play(sink_name=into, tlength=SECOND, prebuf=8)
    player.write(reply.channel, wave.tobytes())
    stage.passes(len(wave) / 48000 + 0.5)
    return recorder.heard(channel)


def assert_has(heard, wave):
    """`wave` is in it once, whole, to the last bit, and nothing else."""
    starts = np.flatnonzero(np.abs(heard).max(axis=1) > 0)
    begin = starts[0] - int(np.flatnonzero(np.abs(wave).max(axis=1) > 0)[0])
    np.testing.assert_allclose(heard[begin : begin + len(wave)], wave, atol=1e-6)
    assert not heard[:begin].any()
    assert not heard[begin + len(wave) :].any()


def test_without_the_right_nothing_is_loaded_listed_or_set(stage):
    program = stage.join(ALL)
    assert program.ask(c.LoadModule(name="module-null-sink")) is PulseError.ACCESS
    assert program.ask(c.UnloadModule(index=0)) is PulseError.ACCESS
    assert program.ask(c.SetDefaultSink(name="output")) is PulseError.ACCESS
    assert program.ask(c.GetModuleInfoList()).items == []


def test_a_null_sink_has_a_monitor_and_both_are_told_of(script):
    script.ask(c.Subscribe(mask=c.MASK_ALL))
    module = load(script, "null-sink", "sink_name=speaker sink_properties=device.description=Speaker rate=44100")
    assert names(script) == (["output", "speaker"], ["output.monitor", "speaker.monitor"])
    sink = script.ask(c.GetSinkInfo(name="speaker"))
    assert (sink.description, sink.sample_spec.rate, sink.module_index) == ("Speaker", 44100, module)
    assert sink.monitor_source_name == "speaker.monitor"
    source = script.ask(c.GetSourceInfo(name="speaker.monitor"))
    assert (source.monitor_of_sink_name, source.description) == ("speaker", "Monitor of Speaker")
    new = [(event.event, event.index) for event in script.tell_all(c.SubscribeEvent)]
    assert new == [
        (c.Facility.SOURCE, source.index),
        (c.Facility.SINK, sink.index),
        (c.Facility.MODULE, module),
        (c.Facility.SERVER | c.Change.CHANGED, INVALID),  # it is the default now
    ]


def test_what_is_unloaded_is_gone_and_its_streams_are_told(script):
    module = load(script, "null-sink", "sink_name=speaker")
    script.play(sink_name="speaker")
    assert script.ask(c.UnloadModule(index=module)) == c.Ack()
    assert names(script) == (["output"], ["output.monitor"])
    assert script.ask(c.GetModuleInfoList()).items == []
    assert script.ask(c.UnloadModule(index=module)) is PulseError.NOENTITY


def test_a_name_that_is_taken_gets_a_number(script):
    for _ in range(3):
        load(script, "null-sink", "sink_name=speaker")
    assert names(script)[0] == ["output", "speaker", "speaker.2", "speaker.3"]


def test_what_is_played_into_a_null_sink_is_in_its_monitor_and_nowhere_else(stage, script):
    load(script, "null-sink", "sink_name=speaker")
    script.record(source_name="speaker.monitor", fragsize=4096)
    script.record(source_name="output.monitor", fragsize=4096)
    wave = sine(440, 48000)
    assert_has(heard_while(stage, script, 0, script, wave, "speaker"), wave)
    assert not script.heard(1).any()


def test_a_source_of_what_the_outlet_plays_needs_no_input_wire(stage):
    script = stage.join(PLAY_ONLY | Right.MODULES)
    load(script, "remap-source", "master=output.monitor source_name=mic")
    assert script.record(source_name="mic").source_name == "mic"
    assert script.ask(c.SetDefaultSource(name="mic")) == c.Ack()


def test_a_remapped_source_is_no_monitor_and_hears_what_its_master_hears(stage, script):
    load(script, "null-sink", "sink_name=mic")
    load(script, "remap-source", "master=mic.monitor source_name=virtual-mic source_properties=device.description=Mic")
    source = script.ask(c.GetSourceInfo(name="virtual-mic"))
    assert (source.monitor_of_sink_index, source.proplist["device.class"], source.description) == (
        None,
        b"sound\0",
        "Mic",
    )
    script.record(source_name="virtual-mic", fragsize=4096)
    wave = sine(440, 48000)
    assert_has(heard_while(stage, script, 0, script, wave, "mic"), wave)


@pytest.mark.parametrize("name", ["remap-sink", "virtual-sink"])
def test_a_remapped_sink_plays_into_its_master(stage, script, name):
    load(script, name, "master=output sink_name=stage")
    script.record(source_name="output.monitor", fragsize=4096)
    wave = sine(440, 48000)
    assert_has(heard_while(stage, script, 0, script, wave, "stage"), wave)


def test_a_remapped_sink_can_swap_left_and_right(stage, script):
    load(script, "remap-sink", "master=output sink_name=swap channel_map=left,right master_channel_map=right,left")
    script.record(source_name="output.monitor", fragsize=4096)
    wave = sine(440, 48000)
    wave[:, 1] = 0
    assert_has(heard_while(stage, script, 0, script, wave, "swap"), wave[:, ::-1])


@pytest.mark.parametrize("fragsizes", [(4096, 4096), (1024, 200_000), (200_000, 1024)])
def test_a_combined_sink_plays_into_all_its_slaves(stage, script, fragsizes):
    load(script, "null-sink", "sink_name=a")
    load(script, "null-sink", "sink_name=b")
    load(script, "combine-sink", "sink_name=both slaves=a,b")
    for name, fragsize in zip(("a.monitor", "b.monitor"), fragsizes, strict=True):
        script.record(source_name=name, fragsize=fragsize)
    wave = sine(440, 47123)
    heard_while(stage, script, 0, script, wave, "both")
    stage.passes(2.0)
    assert_has(script.heard(0), wave)
    assert_has(script.heard(1), wave)


@pytest.mark.parametrize("latency", [20, 200, 1000])
def test_a_loopback_plays_a_source_into_a_sink_later(stage, script, latency):
    load(script, "null-sink", "sink_name=speaker")
    load(script, "loopback", f"source=speaker.monitor sink=output latency_msec={latency}")
    script.record(source_name="output.monitor", fragsize=4096)
    wave = sine(440, 48000)
    heard_while(stage, script, 0, script, wave, "speaker")
    stage.passes(1.5)
    assert_has(script.heard(0), wave)


def test_a_loopback_has_no_hole_when_the_worker_is_woken_late(stage, script):
    load(script, "null-sink", "sink_name=speaker")
    load(script, "loopback", "source=speaker.monitor sink=output latency_msec=50")
    script.record(source_name="output.monitor", fragsize=4096)
    wave = sine(440, 48000)
    reply = script.play(sink_name="speaker", tlength=SECOND, prebuf=8)
    script.write(reply.channel, wave.tobytes())
    for late in (0.02, 0.3, 0.01, 0.2, 0.5, 0.5, 0.5):
        stage.sleeps(late)
    assert_has(script.heard(0), wave)


@pytest.mark.parametrize("between", [0.0, 0.03, 0.09])
def test_a_loopback_begins_as_late_as_it_should_wherever_its_sink_is_in_its_cycle(stage, script, between):
    load(script, "null-sink", "sink_name=speaker")
    load(script, "loopback", "source=speaker.monitor sink=output latency_msec=50")
    script.record(source_name="output.monitor", fragsize=SECOND // 10)
    stage.passes(1.0 + between)
    begun = stage.now
    wave = sine(440, 48000)
    heard_while(stage, script, 0, script, wave, "speaker")
    stage.passes(1)
    heard = script.heard(0)
    assert_has(heard, wave)
    late = np.flatnonzero(heard[:, 0])[0] / 48000 - (begun - 100)  # the record stream began at 100
    assert late == pytest.approx(0.05, abs=0.002)


def test_between_different_rates_a_tone_stays_whole(stage, script):
    load(script, "null-sink", "sink_name=cd rate=44100")
    load(script, "loopback", "source=cd.monitor sink=output latency_msec=50")
    script.record(source_name="output.monitor", fragsize=4096)
    wave = sine(440, 48000)
    heard_while(stage, script, 0, script, wave, "cd")
    heard = script.heard(0)[:, 0]
    sounding = heard[np.flatnonzero(np.abs(heard) > 0.01)[0] :][2000:44000]
    spectrum = np.abs(np.fft.rfft(sounding * np.hanning(len(sounding))))
    loudest = int(spectrum.argmax())
    assert loudest * 48000 / len(sounding) == pytest.approx(440, abs=2)
    spectrum[max(0, loudest - 8) : loudest + 9] = 0
    assert spectrum.max() < 1e-3 * len(sounding) / 8  # a gap would be heard as a click


def test_a_sink_that_nobody_plays_into_needs_no_wake_up(stage, script):
    load(script, "null-sink", "sink_name=speaker")
    load(script, "loopback", "source=speaker.monitor sink=output")
    load(script, "remap-sink", "master=output")
    stage.passes(5)
    assert stage.due is None
    reply = script.play(sink_name="speaker", prebuf=8)
    script.write(reply.channel, bytes(8000))
    assert stage.due is not None
    stage.passes(5)
    assert stage.due is None or stage.due - stage.now <= MAX_PERIOD
    script.ask(c.DeletePlaybackStream(channel=reply.channel))
    stage.passes(5)
    assert stage.due is None


def test_a_loopback_into_itself_rests_when_all_is_silent(stage, script):
    load(script, "loopback", "source=output.monitor sink=output latency_msec=30")
    reply = script.play(prebuf=8)
    script.write(reply.channel, bytes(8000))
    stage.passes(1)
    script.ask(c.DeletePlaybackStream(channel=reply.channel))
    stage.passes(5)
    assert stage.due is None


def test_a_circle_over_a_remapped_sink_sounds_again(stage, script):
    load(script, "null-sink", "sink_name=speaker")
    load(script, "remap-sink", "sink_name=front master=speaker")
    load(script, "loopback", "source=speaker.monitor sink=front latency_msec=100")
    script.record(source_name="speaker.monitor", fragsize=4096)
    wave = sine(440, 4800)
    heard_while(stage, script, 0, script, wave, "front")
    heard = script.heard(0)[:, 0]
    begin = int(np.flatnonzero(heard)[0]) - 1
    once, again = heard[begin : begin + 4800], heard[begin + 4800 : begin + 9600]
    np.testing.assert_allclose(once, wave[:, 0], atol=1e-6)
    assert np.abs(again).max() == pytest.approx(0.5, abs=0.01)


def test_a_circle_over_a_remapped_sink_rests_when_all_is_silent(stage, script):
    load(script, "null-sink", "sink_name=speaker")
    load(script, "remap-sink", "sink_name=front master=speaker")
    load(script, "loopback", "source=speaker.monitor sink=front latency_msec=30")
    reply = script.play(sink_name="front", prebuf=8)
    script.write(reply.channel, bytes(8000))
    stage.passes(1)
    script.ask(c.DeletePlaybackStream(channel=reply.channel))
    stage.passes(5)
    assert stage.due is None


def test_sound_that_grows_in_a_circle_stays_finite(stage, script):
    load(script, "null-sink", "sink_name=speaker")
    load(script, "loopback", "source=speaker.monitor sink=speaker latency_msec=20")
    script.ask(c.SetSinkVolume(name="speaker", volume=(VOLUME_MAX,)))
    script.record(source_name="speaker.monitor", fragsize=4096)
    heard_while(stage, script, 0, script, sine(440, 4800), "speaker")
    stage.passes(2)
    assert LOUDEST < np.abs(script.heard(0)).max() <= 2 * LOUDEST * HIGHEST


def test_sinks_that_each_play_into_all_before_them_are_asked_once_a_cycle(stage, script, monkeypatch):
    for _ in range(20):
        load(script, "combine-sink")
    asked = []
    go_on = Bus._go_on
    monkeypatch.setattr(Bus, "_go_on", lambda bus, now: (asked.append(bus), go_on(bus, now)))
    stage.server.buses.output.advance(stage.now)
    assert len(asked) == len(set(asked)) == 21


def test_a_module_goes_with_the_one_it_stands_on(script):
    below = load(script, "null-sink", "sink_name=speaker")
    load(script, "remap-source", "master=speaker.monitor")
    load(script, "loopback", "source=speaker.monitor sink=output")
    load(script, "null-sink", "sink_name=other")
    script.ask(c.UnloadModule(index=below))
    assert [module.argument for module in script.ask(c.GetModuleInfoList()).items] == ["sink_name=other"]


def test_defaults_follow_what_was_chosen_and_fall_back(script):
    script.ask(c.Subscribe(mask=c.MASK_ALL))
    module = load(script, "null-sink", "sink_name=speaker")
    assert script.ask(c.SetDefaultSink(name="speaker")) == c.Ack()
    info = script.ask(c.GetServerInfo())
    assert (info.default_sink, info.default_source) == ("speaker", "speaker.monitor")
    assert script.play().sink_name == "speaker"
    assert script.ask(c.SetDefaultSource(name="output.monitor")) == c.Ack()
    script.ask(c.UnloadModule(index=module))
    info = script.ask(c.GetServerInfo())
    assert (info.default_sink, info.default_source) == ("output", "output.monitor")
    assert script.ask(c.SetDefaultSink(name="nobody")) is PulseError.NOENTITY
    assert script.ask(c.SetDefaultSink(name="@DEFAULT_SINK@")) is PulseError.INVALID
    events = [(event.event, event.index) for event in script.tell_all(c.SubscribeEvent)]
    assert events.count((c.Facility.SERVER | c.Change.CHANGED, INVALID)) == 4


def test_who_names_no_default_leaves_it_to_the_server(script):
    load(script, "null-sink", "sink_name=speaker")
    load(script, "null-sink", "sink_name=other")
    for name, default in (("other", "other"), (None, "speaker")):
        assert script.ask(c.SetDefaultSink(name=name)) == script.ask(c.SetDefaultSource(name=None)) == c.Ack()
        info = script.ask(c.GetServerInfo())
        assert (info.default_sink, info.default_source) == (default, f"{default}.monitor")


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("no-such-thing", ""), ("native-protocol-tcp", ""), ("pipe-sink", "file=/tmp/x"), ("ladspa-sink", "plugin=x"),
        ("null-sink", "no_such=1"), ("null-sink", "sink_name=a/b"), ("null-sink", "rate=999999"),
        ("remap-source", "master=nobody"), ("loopback", "source=nobody"), ("loopback", "latency_msec=-1"),
        ("combine-sink", "slaves=output,nobody"), ("remap-sink", "channel_map=mono master_channel_map=left,right"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_leaves_nothing(script, name, argument):
    before = names(script)
    assert script.ask(c.LoadModule(name=f"module-{name}", argument=argument)) is PulseError.MODINITFAILED
    assert names(script) == before
    assert script.ask(c.GetModuleInfoList()).items == []


def test_modules_about_which_nothing_is_done_are_loaded_and_listed(script):
    load(script, "suspend-on-idle", "timeout=5")
    assert [module.name for module in script.ask(c.GetModuleInfoList()).items] == ["module-suspend-on-idle"]


def test_the_number_of_modules_is_bounded(script):
    for _ in range(64):
        load(script, "null-sink")
    assert script.ask(c.LoadModule(name="module-null-sink")) is PulseError.MODINITFAILED


def test_a_sink_of_a_program_is_the_default_where_the_own_one_leads_nowhere(stage, script):
    script.ask(c.Subscribe(mask=1 << c.Facility.SERVER))
    playing = script.play(tlength=SECOND, prebuf=8)
    index = load(script, "null-sink", "sink_name=grab")
    load(script, "null-sink", "sink_name=second")
    info = script.ask(c.GetServerInfo())
    assert (info.default_sink, info.default_source) == ("grab", "grab.monitor")
    grab = script.ask(c.GetSinkInfo(name="grab"))
    assert script.ask(c.GetSinkInputInfo(index=playing.sink_input)).sink_index == grab.index
    script.ask(c.UnloadModule(index=index))
    assert script.ask(c.GetServerInfo()).default_sink == "second"


def test_a_sink_of_a_program_is_not_the_default_beside_one_that_leads_somewhere():
    stage = Stage(Server(outlet_view("box", WireEnd("file", "/a.wav"), None, modules=True)))
    script = stage.join(ALL | Right.MODULES)
    load(script, "null-sink", "sink_name=grab")
    assert script.ask(c.GetServerInfo()).default_sink == "output"


def test_all_modules_are_named_as_modules():
    assert all(name.startswith("module-") for name in MODULES)


def test_loopbacks_hold_back_no_more_than_may_be(script):
    for name in ("a", "b"):
        load(script, "null-sink", f"sink_name={name} rate=384000 channels=32")
    asked = c.LoadModule(name="module-loopback", argument="source=a.monitor sink=b latency_msec=2000")
    assert isinstance(script.ask(asked), c.ModuleLoaded)
    assert script.ask(asked) == PulseError.MODINITFAILED
    load(script, "null-sink", "sink_name=usual")
    load(script, "loopback", "source=a.monitor sink=usual latency_msec=2000")
