"""Packets come out whole however they were cut, and what breaks the rules of framing breaks the connection."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.protocol.packets import (
    CONTROL,
    MAX_CONTROL,
    MAX_SOUND,
    PIECE,
    Reader,
    SoundPacket,
    control,
    sound_head,
)
from eardrum.terms.errors import RemoteProtocolError

Plain = bytes | tuple[int, int, int, bytes, bool, int]


def plain(items: list[bytes | SoundPacket]) -> list[Plain]:
    """The items with copies of their samples."""
    return [item if isinstance(item, bytes) else (*item[:3], bytes(item.data), *item[4:]) for item in items]


def fed(*parts: bytes) -> list[Plain]:
    reader = Reader()
    return [item for part in parts for item in plain(reader.feed(memoryview(part)))]


LONG = bytes(range(256)) * 513  # two pieces and a bit
STREAM = (
    control(b"first words")
    + sound_head(0, 6, seek=1, offset=-8)
    + b"sample"
    + sound_head(7, PIECE)
    + LONG[:PIECE]
    + sound_head(3, len(LONG), seek=3, offset=2**40)
    + LONG
    + control(b"last words")
)
MEANT: list[Plain] = [
    b"first words",
    (0, 1, -8, b"sample", True, 6),
    (7, 0, 0, LONG[:PIECE], True, PIECE),
    (3, 3, 2**40, LONG[:PIECE], True, len(LONG)),
    (3, 3, 2**40, LONG[PIECE : 2 * PIECE], False, len(LONG)),
    (3, 3, 2**40, LONG[2 * PIECE :], False, len(LONG)),
    b"last words",
]


def test_one_write() -> None:
    assert fed(STREAM) == MEANT


def test_it_is_known_whether_something_has_begun() -> None:
    reader, long = Reader(), sound_head(0, len(LONG)) + LONG
    assert (reader.begun, reader.inside) == (False, False)
    assert list(reader.feed(memoryview(long[:4]))) == []
    assert (reader.begun, reader.inside) == (True, False)
    assert list(reader.feed(memoryview(long[4:-1])))
    assert (reader.begun, reader.inside) == (True, True)
    assert list(reader.feed(memoryview(long[-1:])))
    assert (reader.begun, reader.inside) == (False, False)


def test_split_at_every_byte() -> None:
    short = control(b"first") + sound_head(1, 9, 2, -1) + b"123456789" + control(b"last")
    meant = fed(short)
    assert len(meant) == 3
    for at in range(len(short)):
        assert fed(short[:at], short[at:]) == meant
    assert fed(*(short[i : i + 1] for i in range(len(short)))) == meant


@given(st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted))
def test_split_anywhere(cuts: list[int]) -> None:
    parts = [STREAM[a:b] for a, b in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
    assert fed(*parts) == MEANT


def test_whole_sound_is_not_copied() -> None:
    buffer = bytearray(sound_head(0, 4) + b"abcd")
    (item,) = Reader().feed(memoryview(buffer))
    assert isinstance(item, SoundPacket)
    buffer[-1] = ord("!")
    assert bytes(item.data) == b"abc!"


def test_held_sound_outlives_the_buffer_it_came_in() -> None:
    reader = Reader()
    buffer = bytearray(sound_head(0, 4) + b"ab")
    assert reader.feed(memoryview(buffer)) == []
    buffer[-1] = ord("!")
    (item,) = reader.feed(memoryview(b"cd"))
    assert isinstance(item, SoundPacket)
    assert bytes(item.data) == b"abcd"


def test_no_more_than_a_piece_is_held() -> None:
    reader = Reader()
    heard = 0
    trickle = memoryview(sound_head(0, MAX_SOUND) + bytes(MAX_SOUND))
    for start in range(0, 40 * PIECE, 10_000):
        heard += sum(
            len(item.data) for item in reader.feed(trickle[start : start + 10_000]) if isinstance(item, SoundPacket)
        )
        assert start + 10_000 - heard <= PIECE + 10_000 + 20
    assert heard >= 39 * PIECE


def descriptor(length: int, channel: int, flags: int = 0) -> bytes:
    return struct.pack(">IIIII", length, channel, 0, 0, flags)


@pytest.mark.parametrize(
    "head",
    [
        descriptor(0, CONTROL),
        descriptor(0, 0),
        descriptor(MAX_SOUND + 1, 0),
        descriptor(0xFFFFFFFF, 0),
        descriptor(0x80000000, CONTROL),
        descriptor(MAX_CONTROL + 1, CONTROL),
        descriptor(10, CONTROL, 1),
        descriptor(10, CONTROL, 0x100),
        descriptor(0, CONTROL, 0x40000000),
        descriptor(0, CONTROL, 0xC0000000),
        descriptor(16, 0, 0x80000000),
        descriptor(16, 0, 0xA0000000),
        descriptor(16, 0, 0x01000000),
        descriptor(10, 0, 4),
        descriptor(10, 0, 255),
        b"GET / HTTP/1.1\r\nHost: melody\r\n\r\n",
        bytes(20),
    ],
)
@pytest.mark.parametrize("bytewise", [False, True])
def test_broken_framing(head: bytes, bytewise: bool) -> None:
    parts = [head[i : i + 1] for i in range(len(head))] if bytewise else [head]
    with pytest.raises(RemoteProtocolError):
        fed(*parts)


def test_the_longest_packets_and_meaningless_flags_are_read() -> None:
    assert fed(descriptor(MAX_CONTROL, CONTROL) + bytes(MAX_CONTROL)) == [bytes(MAX_CONTROL)]
    assert len(fed(descriptor(MAX_SOUND, 0) + bytes(MAX_SOUND))) == MAX_SOUND // PIECE
    assert fed(descriptor(1, 0, 0x00000103) + b"x") == [(0, 3, 0, b"x", True, 1)]


def test_a_thousand_packets_in_one_write() -> None:
    assert fed(b"".join(control(b"%d" % i) for i in range(1000))) == [b"%d" % i for i in range(1000)]


def test_what_came_before_a_fault_and_what_is_wrong_are_still_there() -> None:
    reader, items = Reader(), []
    with pytest.raises(RemoteProtocolError):
        reader.feed(memoryview(control(b"good") + bytes(20) + b"more"), items)
    assert items == [b"good"]
    assert reader.rest == bytes(20) + b"more"


def test_who_only_listens_may_take_longer_control_packets() -> None:
    long = control(bytes(MAX_CONTROL + 1))
    assert Reader(MAX_SOUND).feed(memoryview(long)) == [bytes(MAX_CONTROL + 1)]
    with pytest.raises(RemoteProtocolError):
        Reader().feed(memoryview(long))
