"""What programs of an outlet see: what is theirs, and nothing of others, of the host, of the machine or of its user."""

from __future__ import annotations

import getpass
import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from eardrum.cli.control import Control, Opening
from eardrum.protocol import catalog as c
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.arena import BACKENDS, BOX, KIT, MIC, VOICE
from eardrum.testing.workers import S16, Caller, until

pytestmark = pytest.mark.parametrize("attacked", BACKENDS, indirect=True)

LISTS = [
    c.GetSinkInfoList, c.GetSourceInfoList, c.GetClientInfoList, c.GetSinkInputInfoList, c.GetSourceOutputInfoList,
    c.GetModuleInfoList, c.GetSampleInfoList, c.GetCardInfoList,
]  # fmt: skip
INDEXES = range(1000)
FIRST_TAG = 9  # in what an answer begins with


class Remembering:
    """A connection that keeps every byte it receives."""

    def __init__(self, connection):
        self._connection = connection
        self.heard = b""

    def recv(self, most):
        data = self._connection.recv(most)
        self.heard += data
        return data

    def __getattr__(self, name):
        return getattr(self._connection, name)


@pytest.fixture
def others(victim):
    """Programs in another outlet and at the host itself, playing and listening."""
    callers = [Caller.at(victim.address("bystander"))]
    callers += [Caller.at(victim.server.address)] if victim.server else [Caller.at(victim.address("listener"))]
    for caller in callers:
        caller.play(corked=True)
        at_the_host = "outlets" not in caller.socket.getpeername()
        caller.record(source_name="null.monitor" if at_the_host else "output.monitor", volume=(VOLUME_NORM,) * 2)
    yield callers
    for caller in callers:
        caller.close()


@pytest.mark.case("P36")
def test_lists_show_what_is_the_outlets_own(victim, others):
    with victim.join() as attacker:
        me = attacker.ask(c.SetClientName(proplist={"application.name": b"spy\0"})).index
        mine = attacker.play(corked=True).sink_input
        heard = attacker.record(source_name="output.monitor", corked=True).source_output
        sinks, sources, clients, inputs, outputs, modules, samples, cards = (attacker.ask(ask()).items for ask in LISTS)
        assert ([sink.name for sink in sinks], [source.name for source in sources]) == (["output"], ["output.monitor"])
        assert [client.index for client in clients][-1] == me
        assert [client.name for client in clients] == ["caller", "spy"]
        assert ([each.index for each in inputs], [each.index for each in outputs]) == ([mine], [heard])
        assert (modules, samples, cards) == ([], [], [])
        info = attacker.ask(c.GetServerInfo())
        assert (info.user_name, info.host_name, info.package_name, info.cookie) == ("eardrum", BOX, "eardrum", 0)


@pytest.mark.case("P37")
@pytest.mark.parametrize(
    "ask",
    [
        lambda index: c.GetSinkInputInfo(index=index),
        lambda index: c.GetSourceOutputInfo(index=index),
        lambda index: c.GetClientInfo(index=index),
        lambda index: c.SetSinkInputMute(index=index, muted=True),
        lambda index: c.KillSourceOutput(index=index),
        lambda index: c.MoveSinkInput(index=index, sink_name="output"),
        lambda index: c.GetModuleInfo(index=index),
    ],
    ids=["GetSinkInputInfo", "GetSourceOutputInfo", "GetClientInfo", "Mute", "Kill", "Move", "GetModuleInfo"],
)
def test_what_others_have_is_answered_like_what_nobody_has(victim, others, ask):
    """All of 10⁵ numbers are tried on the core alone, in tests/server/test_strangers.py."""
    with victim.join() as attacker:
        said = victim.said_upstream()
        own = {client.index for client in attacker.ask(c.GetClientInfoList()).items}
        indexes = [index for index in INDEXES if not (index in own and isinstance(ask(0), c.GetClientInfo))]
        tags = [attacker.asking.ask(ask(index)) for index in indexes]
        attacker.socket.sendall(b"".join(packet for _, packet in tags))
        assert {attacker.answer(tag) for tag, _ in tags} == {PulseError.NOENTITY}
        assert victim.said_upstream() == said


@pytest.mark.case("P38")
def test_nothing_is_told_of_what_others_do(victim):
    with victim.join() as attacker:
        assert attacker.ask(c.Subscribe(mask=c.MASK_ALL)) == c.Ack()
        for outlet in ("bystander", MIC, KIT):
            with Caller.at(victim.address(outlet)) as other:
                stream = other.play(corked=True)
                other.record(source_name="output.monitor")
                other.ask(c.SetSinkInputVolume(index=stream.sink_input, volume=(VOLUME_NORM // 2,) * 2))
                other.ask(c.UpdateClientProplist(mode=2, proplist={"application.name": b"noisy\0"}))
                other.ask(c.DeletePlaybackStream(channel=stream.channel))
        if victim.server:
            host = victim.server.address
            victim.desk.stage.pactl(host, "set-source-volume", VOICE, "50%")
            victim.desk.stage.pactl(host, "set-source-volume", VOICE, "100%")
        attacker.ask(c.Stat())
        assert attacker.told == []


@pytest.mark.case("P39")
def test_devices_tell_nothing_of_the_machine(victim):
    with victim.join(MIC) as attacker:
        sinks, sources = attacker.ask(c.GetSinkInfoList()).items, attacker.ask(c.GetSourceInfoList()).items
        assert [device.name for device in (*sinks, *sources)] == ["output", "output.monitor", "input"]
        for device in (*sinks, *sources):
            assert set(device.proplist) == {"device.description", "device.class"}
            assert (device.driver, device.module_index, device.card_index, device.ports) == ("eardrum", None, None, [])
            assert device.description.endswith(MIC) or device.description.endswith("output")


def names_of_the_host(victim):
    """What must not be read in an outlet, in any spelling."""
    machine = Path("/etc/machine-id")
    words = {socket.gethostname(), getpass.getuser(), os.uname().release, str(victim.desk.stage.directory), "/tmp/"}
    words |= {"null", "mouth", VOICE, "bystander", "listener", "square", "street", "PulseAudio", "PipeWire", "pipewire"}
    with suppress(OSError):
        words.add(machine.read_text().strip())
    secrets = [victim.host_cookie[start : start + 8] for start in range(0, 256, 8)]
    secrets += [secret.hex().encode() for secret in secrets]
    return [word.encode() for word in words if len(word) > 2] + secrets


@pytest.mark.case("P25")
@pytest.mark.case("P36")
@pytest.mark.case("P39")
@pytest.mark.parametrize("outlet", [BOX, MIC, KIT])
def test_no_byte_of_a_whole_conversation_tells_of_the_host(victim, outlet):
    with victim.join(outlet) as attacker:
        remembering = attacker.socket = Remembering(attacker.socket)
        attacker.ask(c.SetClientName(proplist={"application.name": b"spy\0"}))
        attacker.ask(c.Subscribe(mask=c.MASK_ALL))
        source = "input" if outlet == MIC else "output.monitor"
        stream, heard = attacker.play(prebuf=0, tlength=19_200), attacker.record(source_name=source, fragsize=3840)
        attacker.write(stream.channel, bytes(stream.missing))
        until(lambda: attacker.hear() or heard.channel in attacker.sound, "sound")
        for ask in (*LISTS, c.GetServerInfo, c.GetSinkInfo, c.Stat):
            attacker.ask(ask())
        for ask in (
            c.GetSourceInfo(name=source),
            c.GetSinkInputInfo(index=stream.sink_input),
            c.LookupSink(name="output"),
        ):
            attacker.ask(ask)
        attacker.ask(c.GetPlaybackLatency(channel=stream.channel, client_time=(0, 0)))
        attacker.ask(c.SetSinkVolume(index=0, volume=(VOLUME_NORM,) * 2))
        attacker.ask(c.MoveSinkInput(index=stream.sink_input, sink_name="output"))
        attacker.ask(c.LoadModule(name="module-always-sink"))
        attacker.ask(c.GetModuleInfoList())
        attacker.ask(c.UnloadModule(index=0))
        attacker.ask(c.DrainPlaybackStream(channel=stream.channel))
        assert len(remembering.heard) > 2000
    found = [name for name in names_of_the_host(victim) if name in remembering.heard]
    assert found == []


@pytest.mark.case("P41")
def test_samples_vanish_with_their_outlet(victim):
    with Control(victim.desk.runtime) as control:
        for _ in range(2):
            control.open(Opening("brief", "host" if victim.server else "room:square", None))
            with Caller.at(victim.address("brief")) as attacker:
                assert attacker.ask(c.GetSampleInfoList()).items == []
                upload = c.CreateUploadStream(name="mine", sample_spec=S16, channel_map=STEREO, length=4000)
                channel = attacker.ask(upload).channel
                attacker.write(channel, bytes(4000))
                assert attacker.ask(c.FinishUploadStream(channel=channel)) == c.Ack()
                assert [sample.name for sample in attacker.ask(c.GetSampleInfoList()).items] == ["mine"]
            control.close("brief")
    with victim.join() as attacker:
        assert attacker.ask(c.GetSampleInfo(name="mine")) == PulseError.NOENTITY


def test_what_a_program_says_of_itself_is_cleaned_before_anybody_is_shown_it(victim):
    """Keys are those of the allow-list, text has nothing that a terminal or a panel obeys."""
    nasty = "\x1b]0;a\x07\n\u202eb<b>\u2066\r\x00c"
    keys = ["application.name", "media.name", "media.role", "device.string", "module-stream-restore.id", "x" * 100]
    proplist = {key: (nasty.replace("\0", "") + key).encode() + b"\0" for key in keys}
    with victim.join() as attacker:
        attacker.ask(c.SetClientName(proplist=proplist))
        attacker.play(proplist=proplist, corked=True)
        shown = [each.proplist for each in attacker.ask(c.GetSinkInputInfoList()).items]
        if victim.server:
            with Caller.at(victim.server.address) as host:
                streams = host.ask(c.GetSinkInputInfoList()).items
            shown += [each.proplist for each in streams if b"media.name" in str(each.proplist).encode()]
        for each in shown:
            assert not {"device.string", "x" * 100} & each.keys()
            for text in each.values():
                assert not any(hidden in text.decode() for hidden in "\x1b\x07\n\r\u202e\u2066")
