"""What programs see of the device at the other end of a wire."""

from __future__ import annotations

import pytest

from eardrum.protocol.catalog import (
    CreatePlaybackStream,
    CreateRecordStream,
    GetSinkInfo,
    GetSinkInfoList,
    GetSourceInfo,
    SetSinkVolume,
    Subscribe,
    SubscribeEvent,
)
from eardrum.protocol.kinds import FormatInfo
from eardrum.server.core import Server
from eardrum.server.effects import KeepLevel, Reissue
from eardrum.server.events import INPUT, OUTPUT, Rewired, UpstreamDevice, UpstreamReady
from eardrum.server.views import outlet_view
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import ALL, Stage

HOST = WireEnd("host")
SURROUND = SampleSpec(SampleFormat.S32LE, 6, 44100)
MAP = bytes((1, 2, 5, 6, 3, 7))
SPEAKERS = UpstreamDevice(OUTPUT, SURROUND, MAP)
SPEC = SampleSpec(SampleFormat.S16LE, 2, 8000)
RECORD = CreateRecordStream(sample_spec=SPEC, channel_map=STEREO, source_name="input")
TELEPHONE = UpstreamDevice(INPUT, SampleSpec(SampleFormat.ULAW, 1, 8000), b"\0")


@pytest.fixture
def stage() -> Stage:
    return Stage(Server(outlet_view("box", HOST, WireEnd("host", "mic"))))


def test_sink_and_source_are_shown_as_they_are_under_our_names(stage):
    program = stage.join()
    before = program.ask(GetSinkInfo(name="output"))
    stage.happens(SPEAKERS)
    stage.happens(TELEPHONE)
    sink, source = program.ask(GetSinkInfo(name="output")), program.ask(GetSourceInfo(name="input"))
    assert (sink.sample_spec, sink.channel_map, len(sink.volume)) == (SURROUND, MAP, 6)
    assert (sink.name, sink.description, sink.proplist) == (before.name, before.description, before.proplist)
    assert (source.sample_spec, source.channel_map, len(source.volume)) == (TELEPHONE.spec, b"\0", 1)


def test_who_subscribed_is_told_once_for_each_change(stage):
    program = stage.join()
    program.ask(Subscribe(mask=3))
    for _ in range(3):
        stage.happens(SPEAKERS)
    stage.happens(TELEPHONE)
    assert program.told == [SubscribeEvent(event=0x10, index=0), SubscribeEvent(event=0x11, index=1)]


def test_monitors_and_what_is_mixed_here_stay_as_they_are():
    stage = Stage(Server(outlet_view("box", HOST, WireEnd("silence"))))
    program = stage.join()
    before = program.ask(GetSourceInfo(name="output.monitor")), program.ask(GetSourceInfo(name="input"))
    stage.happens(SPEAKERS)
    stage.happens(TELEPHONE)
    assert (program.ask(GetSourceInfo(name="output.monitor")), program.ask(GetSourceInfo(name="input"))) == before


def test_each_channel_keeps_its_volume_and_left_and_right_are_kept_for_the_next_worker(stage):
    program = stage.join()
    program.ask(SetSinkVolume(name="output", volume=(1000, 3000)))
    stage.happens(SPEAKERS)
    assert program.ask(GetSinkInfo(name="output")).volume == (1000, 3000, 2000, 2000, 2000, 2000)
    stage.others.clear()
    program.ask(SetSinkVolume(name="output", volume=(10, 20, 30, 40, 50, 60)))
    kept = [effect for effect in stage.others if isinstance(effect, KeepLevel)]
    assert kept == [KeepLevel(OUTPUT, (10, 20), False)]


def test_a_view_that_is_made_later_shows_it_too(stage):
    stage.join()
    stage.happens(TELEPHONE)
    guest = stage.join(view=7)
    assert guest.ask(GetSourceInfo(name="input")).sample_spec == TELEPHONE.spec
    assert len(guest.ask(GetSinkInfoList()).items) == 1


def test_what_the_client_leaves_to_the_device_is_the_upstreams(stage):
    program = stage.join()
    stage.happens(UpstreamReady(OUTPUT))
    stage.happens(SPEAKERS)
    stage.others.clear()
    program.say(
        CreatePlaybackStream(
            sample_spec=SPEC, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, fix_rate=True, fix_channels=True
        )
    )
    (created,) = (effect.message for effect in stage.others if isinstance(effect, Reissue))
    assert (created.sample_spec, created.channel_map) == (SURROUND._replace(format=SampleFormat.S16LE), MAP)


def test_of_a_list_of_formats_the_first_of_plain_samples_is_carried_and_what_it_leaves_open_is_the_devices(stage):
    program = stage.join()
    stage.happens(UpstreamReady(OUTPUT))
    stage.happens(SPEAKERS)
    stage.others.clear()
    formats = [FormatInfo(2, {}), FormatInfo(1, {"format.rate": b"8000\0"}), FormatInfo(1, {})]
    invalid = {"sample_spec": SampleSpec(255, 0, 0), "channel_map": b"", "volume": (VOLUME_NORM,) * 32}
    program.say(CreatePlaybackStream(**invalid, volume_set=False, formats=formats))
    (created,) = (effect.message for effect in stage.others if isinstance(effect, Reissue))
    assert (created.sample_spec, created.channel_map, created.formats) == (SURROUND._replace(rate=8000), MAP, [])
    only_compressed = CreatePlaybackStream(**invalid, volume_set=False, formats=formats[:1])
    assert program.ask(only_compressed) == PulseError.NOTSUPPORTED


def test_streams_go_where_the_wire_leads_now_also_those_of_guests(stage):
    stage.happens(UpstreamReady(INPUT))
    program, guest = stage.join(), stage.join(view=7)
    for end, name in ((None, "mic"), (WireEnd("host", "other"), "other"), (WireEnd("room", "x"), None)):
        if end is not None:
            stage.happens(Rewired(INPUT, end))
        for listener in (program, guest, stage.join(ALL, view=8)):
            stage.others.clear()
            listener.say(RECORD)
            (created,) = (effect.message for effect in stage.others if isinstance(effect, Reissue))
            assert created.source_name == name
