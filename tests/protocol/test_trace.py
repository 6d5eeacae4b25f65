"""One line per message, whatever is in it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eardrum.protocol import catalog
from eardrum.protocol.message import NO_TAG, Message, every, wire_name
from eardrum.protocol.packets import SoundPacket
from eardrum.protocol.tap import Riddle, Said
from eardrum.protocol.trace import said_json, said_line, trace_line
from eardrum.terms.audio import SampleSpec
from eardrum.testing.strategies import messages


def test_names_are_those_of_the_protocol() -> None:
    assert wire_name(catalog.CreatePlaybackStream) == "CREATE_PLAYBACK_STREAM"
    assert wire_name(catalog.RegisterMemfdShmid) == "REGISTER_MEMFD_SHMID"
    assert wire_name(catalog.Ack) == "ACK"


@pytest.mark.parametrize(
    ("message", "tag", "line"),
    [
        (catalog.Stat(), 3, "> STAT tag=3"),
        (catalog.Request(channel=1, nbytes=4096), NO_TAG, "> REQUEST channel=playback_stream#1 nbytes=4096"),
        (catalog.GetSinkInfo(name="output"), 0, "> GET_SINK_INFO tag=0 name='output'"),
        (
            catalog.DeviceRestoreEvent(index=7, device_type=0, device_index=1),
            0,
            "> DEVICE_RESTORE_EVENT tag=0 index=module#7 device_type=0 device_index=1",
        ),
        (catalog.Auth(version=35 | 0xC0010000), 0, "> AUTH tag=0 version=35+shm+memfd+bit16 cookie=256 bytes"),
        (catalog.Error(code=5), 3, "> ERROR tag=3 code=NOENTITY"),
        (catalog.Error(code=99), 3, "> ERROR tag=3 code=99"),
        (catalog.Subscribe(mask=0x2FF), 1, "> SUBSCRIBE tag=1 mask=all"),
        (catalog.Subscribe(mask=0x1005), 1, "> SUBSCRIBE tag=1 mask=sink+sink_input+0x1000"),
        (catalog.Subscribe(mask=0), 1, "> SUBSCRIBE tag=1 mask=none"),
        (catalog.SubscribeEvent(event=0x25, index=3), NO_TAG, "> SUBSCRIBE_EVENT event=client-removed index=3"),
        (catalog.SubscribeEvent(event=0x48, index=3), NO_TAG, "> SUBSCRIBE_EVENT event=0x48 index=3"),
        (catalog.Auth(version=35), 0, "> AUTH tag=0 version=35 cookie=256 bytes"),
        (
            catalog.SetSinkVolume(index=1, volume=(65536,) * 3),
            0,
            "> SET_SINK_VOLUME tag=0 index=sink#1 volume=65536×3",
        ),
        (
            catalog.CreateUploadStream(
                sample_spec=SampleSpec(3, 2, 48000),
                channel_map=b"\1\2",
                length=4,
                proplist={"media.name": b"beep\0", "raw": b"\1\2", "odd key": b"\xff\0"},
            ),
            1,
            (
                "> CREATE_UPLOAD_STREAM tag=1 sample_spec=s16le/2/48000 channel_map=1,2 length=4"
                " proplist={media.name='beep' raw=<2 bytes> 'odd key'=<2 bytes>}"
            ),
        ),
    ],
)
def test_lines(message: Message, tag: int, line: str) -> None:
    assert trace_line(message, tag, ">") == line


def test_records_inside() -> None:
    port = catalog.CardPort(name="speaker", description=None, proplist={}, profiles=["off"])
    card = catalog.CardInfo(
        index=0, name="card", driver="d", profiles=[], active_profile="off", proplist={}, ports=[port]
    )
    line = "ports=[(name='speaker' priority=0 available=0 direction=0 profiles=['off'] latency_offset=0 type=0)]"
    assert line in trace_line(card, 0, "<")


def test_foreign_text_cannot_write_on_the_terminal() -> None:
    name = "\x1b[2J\r\nforged line\u202e\x9b\udcff" + "x" * 1000
    line = trace_line(catalog.SetPlaybackStreamName(channel=0, name=name), 0, ">")
    assert line.isprintable()
    assert "\\x1b[2J\\r\\nforged line\\u202e\\x9b\\udcff" in line
    assert len(line) < 250


@pytest.mark.parametrize("cls", every(), ids=wire_name)
@settings(max_examples=5)
@given(data=st.data())
def test_every_message_is_one_printable_line(cls: type[Message], data: st.DataObject) -> None:
    line = trace_line(data.draw(messages(cls, 35)), 7, "<")
    assert line.isprintable()
    assert line.startswith(f"< {wire_name(cls)} tag=7")


def test_what_a_version_does_not_say_is_not_shown() -> None:
    stream = catalog.CreatePlaybackStream(sample_spec=SampleSpec(3, 1, 8000), channel_map=b"\0", volume=(1,))
    assert "volume_set" not in trace_line(stream, 0, ">", 13)
    assert "volume_set=yes" in trace_line(stream, 0, ">", 14)


SOUND = SoundPacket(2, 1, -8, memoryview(b"ab"), True, 70_000)
OVERHEARD = [
    (
        Said("client", catalog.Stat(), tag=3),
        "> STAT tag=3",
        {"by": "client", "command": "STAT", "tag": 3, "fields": {}},
    ),
    (
        Said("server", catalog.Ack(), tag=3, answers="EXIT"),
        "< ACK tag=3 answers=EXIT",
        {"by": "server", "command": "ACK", "tag": 3, "answers": "EXIT", "fields": {}},
    ),
    (
        Said("server", catalog.Error(code=1), tag=3, answers="EXIT"),
        "< ERROR tag=3 code=ACCESS refuses=EXIT",
        {"by": "server", "command": "ERROR", "tag": 3, "answers": "EXIT", "error": "ACCESS", "fields": {"code": 1}},
    ),
    (
        Said("client", SOUND),
        "> SOUND channel=2 bytes=70000 seek=absolute offset=-8",
        {"by": "client", "sound": {"channel": 2, "bytes": 70_000, "seek": "absolute", "offset": -8}},
    ),
    (
        Said("server", SOUND._replace(seek=0, offset=0)),
        "< SOUND channel=2 bytes=70000",
        {"by": "server", "sound": {"channel": 2, "bytes": 70_000, "seek": "relative", "offset": 0}},
    ),
    (
        Said("server", Riddle("no sense"), answers="STAT", data=b"\x4c\0"),
        "< UNREADABLE answers=STAT why='no sense' 4c00",
        {"by": "server", "answers": "STAT", "unreadable": "4c00", "why": "no sense"},
    ),
]


@pytest.mark.parametrize(("said", "line", "_"), OVERHEARD)
def test_lines_of_what_was_overheard(said: Said, line: str, _: object) -> None:
    assert said_line(said) == line


@pytest.mark.parametrize(("said", "_", "fields"), OVERHEARD)
def test_values_of_what_was_overheard(said: Said, _: object, fields: object) -> None:
    assert said_json(said) == fields


def test_values_are_those_that_json_has() -> None:
    message = catalog.CreatePlaybackStream(
        sample_spec=SampleSpec(3, 2, 44100),
        channel_map=b"\1\2",
        volume=(0x10000, 0),
        proplist={"media.name": b"beep\0", "raw": b"\1\2"},
        formats=[catalog.playback.PCM],
    )
    fields = said_json(Said("client", message, 35))["fields"]
    assert fields["sample_spec"] == "s16le/2/44100"
    assert fields["channel_map"] == [1, 2]
    assert fields["volume"] == [0x10000, 0]
    assert fields["proplist"] == {"media.name": "beep", "raw": {"hex": "0102"}}
    assert fields["formats"] == [{"encoding": 1, "proplist": {}}]
    assert fields["sink_index"] is None
    assert "name" not in fields


@pytest.mark.parametrize("cls", every(), ids=wire_name)
@settings(max_examples=5)
@given(data=st.data())
def test_every_message_is_json(cls: type[Message], data: st.DataObject) -> None:
    line = json.dumps(said_json(Said("client", data.draw(messages(cls, 35)), 35)))
    assert line.isascii()
    assert line.isprintable()
