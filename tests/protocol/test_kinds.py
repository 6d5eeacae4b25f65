"""Every kind of value: what it reads, what it refuses, what it will not write."""

import pytest

from eardrum.protocol import kinds
from eardrum.protocol.kinds import FormatInfo, Kind
from eardrum.terms.errors import LocalProtocolError, RemoteProtocolError

FOREIGN_FAULTS = (RemoteProtocolError, IndexError, ValueError)  # codec.read makes one of them


def get(kind: Kind, data: bytes) -> object:
    assert kind.get
    value, end = kind.get(data, 0)
    assert end == len(data)
    return value


def put(kind: Kind, value: object) -> bytes:
    assert kind.put
    return kind.put(value)


@pytest.mark.parametrize(
    ("kind", "value", "data"),
    [
        (kinds.STRING_, "häh", b"th\xc3\xa4h\0"),
        (kinds.STRING_, "", b"t\0"),
        (kinds.STRING_, None, b"N"),
        (kinds.STRING_, "no \udcff utf-8", b"tno \xff utf-8\0"),
        (kinds.STRINGS_, ["a", "b"], b"ta\0tb\0N"),
        (kinds.STRINGS_, [], b"N"),
        (kinds.MAP_, b"\1\2", b"m\2\1\2"),
        (kinds.MAP_, b"", b"m\0"),
        (kinds.VOLUME_, (0x10000, 1), b"v\2\0\1\0\0\0\0\0\1"),
        (kinds.PROPLIST_, {}, b"PN"),
        (kinds.PROPLIST_, {"a.b": b"c\0"}, b"Pta.b\0L\0\0\0\2x\0\0\0\2c\0N"),
        (kinds.FORMAT_, FormatInfo(1, {}), b"fB\1PN"),
        (kinds.COOKIE_, bytes(256), b"x\0\0\1\0" + bytes(256)),
        (kinds.TAIL_, b"anything", b"anything"),
    ],
)
def test_reads_and_writes(kind: Kind, value: object, data: bytes) -> None:
    assert get(kind, data) == value
    assert put(kind, value) == data


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (kinds.STRING_, b""),
        (kinds.STRING_, b"tnever ended"),
        (kinds.STRING_, b"L\0\0\0\1"),
        (kinds.STRINGS_, b"ta\0"),
        (kinds.MAP_, b"m\x21" + bytes(33)),
        (kinds.MAP_, b"m\2\1"),
        (kinds.MAP_, b"v\0"),
        (kinds.VOLUME_, b"v\x21" + bytes(33 * 4)),
        (kinds.VOLUME_, b"m\0"),
        (kinds.PROPLIST_, b"N"),
        (kinds.PROPLIST_, b"P"),
        (kinds.PROPLIST_, b"Pta\0L\0\0\0\1x\0\0\0\1c"),
        (kinds.PROPLIST_, b"Pt\0L\0\0\0\1x\0\0\0\1cN"),
        (kinds.PROPLIST_, b"Pt\xc3\xa4\0L\0\0\0\1x\0\0\0\1cN"),
        (kinds.PROPLIST_, b"Pta\0L\0\0\0\1x\0\0\0\2cN"),
        (kinds.PROPLIST_, b"Pta\0L\0\0\0\1t\0\0\0\1cN"),
        (kinds.PROPLIST_, b"Pta\0B\0\0\0\1x\0\0\0\1cN"),
        (kinds.PROPLIST_, b"Pta\0L\0\0\0\1x\0\0\0\1cL"),
        (kinds.PROPLIST_, b"Pta\0L\0\1\0\1x\0\1\0\1" + bytes(65_537) + b"N"),
        (kinds.FORMAT_, b"fL\1PN"),
        (kinds.FORMAT_, b"gB\1PN"),
        (kinds.COOKIE_, b"x\0\0\0\1" + bytes(1)),
        (kinds.COOKIE_, b"x\0\0\1\0" + bytes(255)),
    ],
)
def test_refuses(kind: Kind, data: bytes) -> None:
    with pytest.raises(FOREIGN_FAULTS):
        get(kind, data)


def test_the_longest_property_and_the_last_of_two_equal_keys_are_read() -> None:
    entry = b"ta\0L\0\1\0\0x\0\1\0\0" + bytes(65_536)
    assert get(kinds.PROPLIST_, b"P" + entry + b"N") == {"a": bytes(65_536)}
    assert get(kinds.PROPLIST_, b"Pta\0L\0\0\0\1x\0\0\0\1bta\0L\0\0\0\1x\0\0\0\1cN") == {"a": b"c"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (kinds.STRING_, "two\0strings"),
        (kinds.STRINGS_, ["a", None]),
        (kinds.MAP_, bytes(33)),
        (kinds.VOLUME_, (0,) * 33),
        (kinds.PROPLIST_, {"": b""}),
        (kinds.PROPLIST_, {"a\0b": b""}),
        (kinds.PROPLIST_, {"a": bytes(65_537)}),
        (kinds.COOKIE_, b"short"),
    ],
)
def test_will_not_write_what_a_peer_would_read_differently(kind: Kind, value: object) -> None:
    with pytest.raises(LocalProtocolError):
        put(kind, value)
