"""One line per message, whatever is in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eardrum.protocol import catalog
from eardrum.protocol.message import NO_TAG, Message, every, wire_name
from eardrum.protocol.trace import trace_line
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
        (catalog.Auth(version=35), 0, "> AUTH tag=0 version=35 cookie=256 bytes"),
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
