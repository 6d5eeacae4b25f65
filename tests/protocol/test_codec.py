"""Every declared message, on every version that changed something, without naming one; then a few by name."""

import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eardrum.protocol import catalog, trace
from eardrum.protocol.codec import decode, encode, packet, read, read_head
from eardrum.protocol.kinds import TAIL_, Kind, ToEnd
from eardrum.protocol.message import NO_TAG, REPLIES, REPLY, Message, every, fields_of, wire_name
from eardrum.terms.audio import SampleSpec
from eardrum.terms.errors import LocalProtocolError, RemoteProtocolError
from eardrum.testing.strategies import messages

VERSIONS = [8, 12, 13, 15, 17, 21, 22, 30, 35]
EVERY = every()
CAPTURED = Path(__file__).with_name("captured.txt")


@pytest.mark.parametrize("cls", EVERY, ids=wire_name)
@settings(max_examples=5)
@given(data=st.data())
def test_round_trip_in_every_version(cls: type[Message], data: st.DataObject) -> None:
    for version in VERSIONS:
        message = data.draw(messages(cls, version), label=f"version {version}")
        assert decode(encode(message, 7, version), version, lambda tag: cls) == (7, message)


@pytest.mark.parametrize("cls", EVERY, ids=wire_name)
@settings(max_examples=25)
@given(data=st.data())
def test_damaged_bytes_only_raise_remote_protocol_error(cls: type[Message], data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(VERSIONS[2:]))
    damaged = bytearray(encode(data.draw(messages(cls, version)), 7, version))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    foreign = bytes(damaged[:cut])
    try:
        tag, message = decode(foreign, version, lambda tag: cls if cls.CODE == REPLY else catalog.Ack)
    except RemoteProtocolError:
        return
    # Nothing passes that was not understood: what was accepted can be written again. Of two equal keys one remains.
    written = encode(message, tag, version)
    assert written == foreign or len(written) < len(foreign)
    assert decode(written, version, lambda tag: type(message)) == (tag, message)


def endless(cls: type[Message]) -> bool:
    """Whether a few more bytes at the end may make sense."""
    kinds = [f.kind for f in fields_of(cls)]
    return bool(kinds) and (kinds[-1] is TAIL_ or (isinstance(kinds[-1], ToEnd) and isinstance(kinds[-1].of, Kind)))


@pytest.mark.parametrize("cls", [cls for cls in EVERY if not endless(cls)], ids=wire_name)
@settings(max_examples=5)
@given(data=st.data(), more=st.binary(min_size=1, max_size=4))
def test_left_over_bytes_are_refused(cls: type[Message], data: st.DataObject, more: bytes) -> None:
    good = encode(data.draw(messages(cls, 35)), 7, 35)
    with pytest.raises(RemoteProtocolError):
        decode(good + more, 35, lambda tag: cls)


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(noise, 35, lambda tag: catalog.Ack)


def captured() -> list[tuple[str, bytes]]:
    """Trace line and packet of what real programs said."""
    found: list[tuple[str, str]] = []
    for line in CAPTURED.read_text().splitlines():
        if line[0] in "<>":
            found.append((line, ""))
        elif line[0] == " ":
            found[-1] = (found[-1][0], found[-1][1] + line.strip())
    return [(line, bytes.fromhex(text)) for line, text in found]


@pytest.mark.parametrize(("line", "data"), captured(), ids=[line.split()[1] for line, _ in captured()])
def test_what_real_programs_said_reads_and_writes_to_the_same_bytes(line: str, data: bytes) -> None:
    replies = {wire_name(cls): cls for cls in REPLIES}
    direction, name, *_ = line.split()
    tag, message = decode(data, 35, lambda tag: replies[name])
    assert trace.trace_line(message, tag, direction) == line
    assert encode(message, tag, 35) == data


HEAD = "4c 000000{:02x} 4c 00000007"
BY_HAND = [
    (8, catalog.Ack(), HEAD.format(2)),
    (8, catalog.Error(code=5), HEAD.format(0) + "4c 00000005"),
    (8, catalog.Auth(version=35), HEAD.format(8) + "4c 00000023" + "78 00000100" + "00" * 256),
    (12, catalog.SetClientName(name="ab"), HEAD.format(9) + "74 6162 00"),
    (13, catalog.SetClientName(proplist={"a": b"b\0"}), HEAD.format(9) + "50 746100 4c00000002 7800000002 6200 4e"),
    (12, catalog.ClientNamed(), HEAD.format(2)),
    (13, catalog.ClientNamed(index=9), HEAD.format(2) + "4c 00000009"),
    (35, catalog.Request(channel=1, nbytes=4096), HEAD.format(61) + "4c 00000001 4c 00001000"),
    (22, catalog.Underflow(channel=1), HEAD.format(63) + "4c 00000001"),
    (23, catalog.Underflow(channel=1, read_index=-2), HEAD.format(63) + "4c 00000001 72 fffffffffffffffe"),
    (35, catalog.GetSinkInfo(name="output"), HEAD.format(21) + "4c ffffffff 74 6f7574707574 00"),
    (35, catalog.GetSinkInfo(index=0), HEAD.format(21) + "4c 00000000 4e"),
    (35, catalog.CorkPlaybackStream(channel=0, cork=True), HEAD.format(41) + "4c 00000000 31"),
    (35, catalog.CorkRecordStream(channel=0, cork=False), HEAD.format(58) + "4c 00000000 30"),
    (35, catalog.RemoveClientProplist(keys=["a", "b"]), HEAD.format(85) + "74 6100 74 6200 4e"),
    (
        35,
        catalog.GetPlaybackLatency(channel=2, client_time=(3, 4)),
        HEAD.format(14) + "4c 00000002 54 00000003 00000004",
    ),
    (
        14,
        catalog.ModuleInfo(index=1, name="m", used=0xFFFFFFFF, auto_unload=True),
        HEAD.format(2) + "4c 00000001 74 6d00 4e 4c ffffffff 31",
    ),
    (
        15,
        catalog.ModuleInfoList(
            items=[catalog.ModuleInfo(index=1, name="m", used=0), catalog.ModuleInfo(index=2, name=None, used=0)]
        ),
        HEAD.format(2) + "4c 00000001 74 6d00 4e 4c 00000000 50 4e" + "4c 00000002 4e 4e 4c 00000000 50 4e",
    ),
    (
        35,
        catalog.Extension(index=1, subcommand=2, tail=b"?"),
        HEAD.format(87) + "4c 00000001 4e 4c 00000002 3f",
    ),
    (
        14,
        catalog.StreamRestoreDelete(names=["a", "b"]),
        HEAD.format(87) + "4c ffffffff 74" + b"module-stream-restore".hex() + "00 4c 00000003 74 6100 74 6200",
    ),
    (
        35,
        catalog.DeviceRestoreEvent(index=7, device_type=0, device_index=1),
        HEAD.format(87) + "4c 00000007 74" + b"module-device-restore".hex() + "00 4c 00000002 4c 00000000 4c 00000001",
    ),
    (
        35,
        catalog.DeviceManagerReorder(role="music", devices=["sink:a"]),
        HEAD.format(87) + "4c ffffffff 74" + b"module-device-manager".hex() + "00 4c 00000005"
        "74 6d7573696300 4c 00000001 74 73696e6b3a6100",
    ),
    (
        35,
        catalog.StreamRestoreEntries(
            entries=[catalog.StreamRestoreEntry(name="x", channel_map=b"\0", volume=(1,), device=None, muted=True)]
        ),
        HEAD.format(2) + "74 7800 6d 01 00 76 01 00000001 4e 31",
    ),
    (
        8,
        catalog.CreatePlaybackStream(
            name="x", sample_spec=SampleSpec(3, 2, 44100), channel_map=b"\1\2", volume=(0x10000, 0x8000), tlength=1
        ),
        HEAD.format(3) + "74 7800 61 03 02 0000ac44 6d 02 01 02 4c ffffffff 4e 4c ffffffff 30 4c 00000001"
        "4c ffffffff 4c ffffffff 4c 00000000 76 02 00010000 00008000",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("version", "message", "text"), BY_HAND)
def test_bytes_as_the_tables_have_them(version: int, message: Message, text: str) -> None:
    data = bytes.fromhex(text)
    assert encode(message, 7, version) == data
    assert decode(data, version, lambda tag: type(message)) == (7, message)


@pytest.mark.parametrize("message", [catalog.Request(channel=1, nbytes=2), catalog.GetSinkInfo(name="output")])
def test_a_packet_is_the_descriptor_and_the_message(message: Message) -> None:
    data = packet(message, NO_TAG, 35)
    assert int.from_bytes(data[:4], "big") == len(data) - 20
    assert data[4:20] == b"\xff" * 4 + bytes(12)
    assert decode(data[20:], 35, lambda tag: type(message)) == (NO_TAG, message)


@pytest.mark.parametrize(
    ("version", "said", "heard"),
    [(11, 7, 5), (11, 8, 6), (12, 7, 7), (14, 9, 5), (14, 10, 6), (14, 11, 5), (14, 12, 6), (15, 12, 12), (8, 99, 99)],
)
def test_an_old_client_is_told_a_format_that_it_knows(version: int, said: int, heard: int) -> None:
    info = catalog.ServerInfo(
        package_name="", package_version="", user_name="", host_name="", sample_spec=SampleSpec(said, 2, 48000),
        default_sink=None, default_source=None, cookie=0,
    )  # fmt: skip
    back = read(catalog.ServerInfo, encode(info, 0, version), version)
    assert isinstance(back, catalog.ServerInfo)
    assert back.sample_spec == SampleSpec(heard, 2, 48000)


@pytest.mark.parametrize(
    "wrong",
    [
        catalog.Extension(name="module-stream-restore", subcommand=6),
        catalog.Extension(name="module-stream-restore", subcommand=0, tail=b"N"),
        catalog.Extension(name="module-stream-restore", subcommand=4),
        catalog.Extension(name="module-device-manager", subcommand=3, tail=b"L\0\0\0\1"),
    ],
)
def test_what_a_known_module_would_not_understand(wrong: catalog.Extension) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(encode(wrong, 7, 35), 35, lambda tag: catalog.Ack)


@pytest.mark.parametrize("cls", [catalog.StreamRestoreRead, catalog.DeviceRestoreTest])
def test_one_module_does_not_read_what_is_said_to_another(cls: type[Message]) -> None:
    with pytest.raises(RemoteProtocolError):
        read(cls, encode(catalog.StreamRestoreTest(), 7, 35), 35)


@pytest.mark.parametrize("data", [b"", b"L\0\0\0\x0dL\0\0\0", b"L\0\0\0\x0dB\0\0\0\0", b"t\0\0\0\x0dL\0\0\0\0"])
def test_a_packet_without_code_and_tag_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_head(data)


@pytest.mark.parametrize(
    "wrong",
    [
        catalog.Request(channel="1", nbytes=1),  # type: ignore[arg-type]
        catalog.Request(channel=-1, nbytes=1),
        catalog.LookupSink(name="a\0b"),
        catalog.UpdateClientProplist(mode=0, proplist={"ä": b""}),
        catalog.CreatePlaybackStream(
            sample_spec=SampleSpec(3, 2, 44100),
            channel_map=b"\1\2",
            volume=(0, 0),
            formats=[catalog.playback.PCM] * 256,
        ),
    ],
)
def test_our_own_nonsense_is_not_said(wrong: Message) -> None:
    with pytest.raises(LocalProtocolError):
        packet(wrong, 0, 35)


def test_a_traceback_shows_the_generated_line() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        packet(catalog.Request(channel=2**32, nbytes=1), 0, 35)
    assert "m.channel, 76, m.nbytes" in "".join(traceback.format_exception(caught.value))
