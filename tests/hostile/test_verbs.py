"""What programs of an outlet may do: play and, if so wired, record. Nothing of the host or of others is moved."""

from __future__ import annotations

import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol.message import every
from eardrum.server.rights import Right
from eardrum.server.rules import RULES
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.arena import BACKENDS, KIT, MIC, VOICE
from eardrum.testing.filled import filled
from eardrum.testing.workers import S16

pytestmark = pytest.mark.parametrize("attacked", BACKENDS, indirect=True)

OWNERS = [
    c.Exit, c.LoadModule, c.UnloadModule, c.SuspendSink, c.SuspendSource, c.SetDefaultSink, c.SetDefaultSource,
    c.SetCardProfile, c.SetSinkPort, c.SetSourcePort, c.SetPortLatencyOffset, c.SendObjectMessage, c.Extension,
]  # fmt: skip
MODULES = [
    ("module-ladspa-sink", "plugin=/tmp/x label=y"),
    ("module-pipe-source", "file=FILE"),
    ("module-pipe-sink", "file=FILE"),
    ("module-native-protocol-tcp", "auth-anonymous=1"),
    ("module-native-protocol-unix", "socket=FILE auth-anonymous=1"),
    ("module-rtp-send", "destination_ip=127.0.0.1"),
    ("module-tunnel-sink", "server=127.0.0.1"),
    ("module-cli-protocol-unix", "socket=FILE"),
    ("../../../tmp/module-x", ""),
    ("/usr/lib/pulse/module-null-sink.so", ""),
    ("module-null-sink\n.exit", ""),
    ("", ""),
]
HOSTS = [
    "null",
    "mouth",
    VOICE,
    "null.monitor",
    "mouth.monitor",
    f"{VOICE}.monitor",
    "bystander",
    "square",
]
DEFAULT = ["@DEFAULT_SOURCE@", None, "input"]


def record(source_name=None, source_index=None, **more):
    named = {"source_name": source_name, "source_index": source_index, **more}
    return c.CreateRecordStream(sample_spec=S16, channel_map=STEREO, fragsize=960 * 4, **named)


def sound(caller, channel, nbytes=96_000):
    """What this stream records next."""
    caller.sound.clear()
    caller.until(lambda: len(caller.sound.get(channel, b"")) >= nbytes, "to have recorded")
    return bytes(caller.sound[channel])


@pytest.mark.case("P28")
def test_what_only_an_owner_may_do_is_refused(victim):
    extensions = [cls for cls in every() if cls.SENDER != "server" and "subcommand" in cls.__dataclass_fields__]
    said = victim.said_upstream()
    with victim.join() as attacker:
        for cls in {*OWNERS, *extensions}:
            assert attacker.ask(filled(cls, 35)) == PulseError.ACCESS, cls
        for name, argument in MODULES:
            assert attacker.ask(c.LoadModule(name=name, argument=argument)) == PulseError.ACCESS
        for kill in (c.KillClient, c.KillSinkInput, c.KillSourceOutput):
            for index in (77, 1000, None):
                assert attacker.ask(kill(index=index)) == PulseError.NOENTITY
    assert victim.said_upstream() == said


@pytest.mark.case("P28")
def test_only_emulated_modules_can_be_loaded_and_they_touch_nothing_outside(victim, tmp_path):
    said = victim.said_upstream()
    with victim.join(KIT) as attacker:
        for name, argument in MODULES:
            argument = argument.replace("FILE", str(tmp_path / "file"))
            no_name = "/" in name or not name  # PulseAudio says so too
            refused = PulseError.INVALID if no_name else PulseError.MODINITFAILED
            assert attacker.ask(c.LoadModule(name=name, argument=argument)) == refused, name
        made = attacker.ask(c.LoadModule(name="module-null-sink", argument="sink_name=mine"))
        assert attacker.ask(c.SetDefaultSink(name="mine")) == c.Ack()
        assert attacker.ask(c.GetServerInfo()).default_sink == "mine"
        for cls in (c.Exit, c.SetCardProfile, c.SetSinkPort, c.SendObjectMessage, c.Extension, c.StreamRestoreWrite):
            assert attacker.ask(filled(cls, 35)) == PulseError.ACCESS
        assert attacker.ask(c.UnloadModule(index=made.index)) == c.Ack()
        assert attacker.ask(c.UnloadModule(index=made.index)) == PulseError.NOENTITY
        assert attacker.ask(c.SetDefaultSink(name=None)) == c.Ack()
    assert victim.said_upstream() == said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.case("P29")
def test_without_an_input_nothing_can_be_recorded_but_the_own_sound(victim):
    with victim.join() as attacker:
        for name in [*HOSTS, *DEFAULT]:
            assert attacker.ask(record(name)) == PulseError.NOENTITY, name
        for index in range(1, 60):
            assert attacker.ask(record(source_index=index)) == PulseError.NOENTITY
        mine = attacker.play(prebuf=0)
        ways = [{"source_name": "output.monitor"}, {"source_index": 0}, {"source_name": "@DEFAULT_MONITOR@"}]
        ways.append({"source_index": 0, "direct_on_input": mine.sink_input})
        for way in ways:
            heard = attacker.ask(record(**way))
            assert heard.source_name == "output.monitor"
            attacker.write(mine.channel, bytes(48_000))
            assert not any(sound(attacker, heard.channel, 9_600)), "others are heard"
            attacker.ask(c.DeleteRecordStream(channel=heard.channel))


@pytest.mark.case("P30")
def test_with_an_input_the_microphone_is_heard_and_no_monitor_of_others(victim):
    with victim.join(MIC) as attacker:
        heard = attacker.ask(record("input"))
        assert not any(sound(attacker, heard.channel)), "others are heard"
        for name in HOSTS:
            assert attacker.ask(record(name)) == PulseError.NOENTITY, name
        for index in range(60):
            if index not in (0, 1):  # the own monitor, the microphone
                assert attacker.ask(record(source_index=index)) == PulseError.NOENTITY
            assert attacker.ask(record("output.monitor", direct_on_input=index)) == PulseError.NOENTITY
            assert (
                attacker.ask(c.MoveSourceOutput(index=heard.source_output, source_index=index + 2))
                == PulseError.NOENTITY
            )


@pytest.mark.case("P31")
def test_levels_are_the_outlets_own(victim):
    before = levels(victim)
    with victim.join(MIC) as attacker:
        mine = attacker.play(prebuf=0)
        heard = attacker.ask(record("input"))
        for volume in (0, VOLUME_NORM // 2, VOLUME_NORM):
            assert attacker.ask(c.SetSinkVolume(index=0, volume=(volume,) * 2)) == c.Ack()
            assert attacker.ask(c.SetSourceVolume(name="input", volume=(volume,) * 2)) == c.Ack()
            assert attacker.ask(c.SetSinkInputVolume(index=mine.sink_input, volume=(volume,) * 2)) == c.Ack()
            assert attacker.ask(c.SetSourceOutputVolume(index=heard.source_output, volume=(volume,) * 2)) == c.Ack()
        for muted in (True, False):
            assert attacker.ask(c.SetSinkMute(index=0, muted=muted)) == c.Ack()
            assert attacker.ask(c.SetSourceMute(name="input", muted=muted)) == c.Ack()
        for name in ("null", "mouth", VOICE):
            assert attacker.ask(c.SetSinkVolume(name=name, volume=(0, 0))) == PulseError.NOENTITY
            assert attacker.ask(c.SetSinkMute(name=name, muted=True)) == PulseError.NOENTITY
            assert attacker.ask(c.SetSourceMute(name=name, muted=True)) == PulseError.NOENTITY
    devices = {f"SET_{device}_{what}" for device in ("SINK", "SOURCE") for what in ("VOLUME", "MUTE")}
    assert not devices & victim.said_upstream().keys()
    assert levels(victim) == before


def levels(victim):
    """Of the host's sinks and sources."""
    if victim.server is None:
        return []
    said = (victim.desk.stage.pactl(victim.server.address, "list", kind) for kind in ("sinks", "sources"))
    return [line for lines in said for line in lines.splitlines() if "Volume:" in line or "Mute:" in line]


@pytest.mark.case("P32")
def test_a_stream_moves_only_to_where_it_may_play(victim):
    with victim.join() as attacker:
        mine = attacker.play(corked=True).sink_input
        for name in HOSTS:
            assert attacker.ask(c.MoveSinkInput(index=mine, sink_name=name)) == PulseError.NOENTITY
        for index in range(1, 60):
            assert attacker.ask(c.MoveSinkInput(index=mine, sink_index=index)) == PulseError.NOENTITY
        assert attacker.ask(c.MoveSinkInput(index=mine, sink_name="output")) == c.Ack()
    assert not {"MOVE_SINK_INPUT", "MOVE_SOURCE_OUTPUT"} & victim.said_upstream().keys()


@pytest.mark.case("P35")
def test_no_right_brings_another_one_along(victim):
    """Modules are no microphone, a microphone is no modules, and neither is what an owner may do."""
    with victim.join(KIT) as attacker:
        for name in [*HOSTS, "input"]:
            assert attacker.ask(record(name)) == PulseError.NOENTITY, name
        for name in ("@DEFAULT_SOURCE@", None):  # as where a standard server stands, but only of what is played here
            assert attacker.ask(record(name)).source_name == "output.monitor"
    with victim.join(MIC) as attacker:
        for cls, rule in RULES.items():
            if not rule.needs & (Right.CONNECT | Right.LOOK | Right.PLAY | Right.RECORD) and not rule.hang_up:
                assert attacker.ask(filled(cls, 35)) == PulseError.ACCESS, cls
