"""What values of the wire's types may be, before any command looks at them."""

from __future__ import annotations

import struct

from eardrum.protocol import codec
from eardrum.protocol.catalog import (
    Ack,
    ClientInfo,
    GetClientInfo,
    GetSinkInfo,
    LookupSink,
    SetClientName,
    SetSinkVolume,
    SinkInfo,
    UpdateClientProplist,
)
from eardrum.protocol.packets import control
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Fate, Talk, expect
from eardrum.testing.conformance.expectation import differs, expectation
from eardrum.testing.conformance.reasons import PROPERTIES

ALIVE, CLOSED = Fate.ALIVE, Fate.CLOSED
INVALID = PulseError.INVALID


def naming(properties: bytes) -> bytes:
    """A SET_CLIENT_NAME with these bytes for a proplist."""
    return control(codec.encode(SetClientName(proplist={}), 1, 35)[:-2] + b"P" + properties + b"N")


def entry(key: bytes, value: bytes, announced: int | None = None) -> bytes:
    size = len(value) if announced is None else announced
    return b"t" + key + b"\0" + struct.pack(">BIBI", 0x4C, size, 0x78, len(value)) + value


@expectation(each={"ASCII": (b"test.key",), "control characters": (b"\x01\x7f",), "very long": (b"k" * 5000,)})
def a_property_key_may_be(talk: Talk, key: bytes) -> None:
    expect(talk.after(naming(entry(key, b"value\0"))), ALIVE)


@expectation(each={"empty": (b"",), "not ASCII": ("ключ".encode(),), "one byte above 127": (b"key\x80",)})
def a_property_key_that_ends_the_connection(talk: Talk, key: bytes) -> None:
    expect(talk.after(naming(entry(key, b"value\0"))), CLOSED)


@expectation
def a_property_of_64_kib_is_taken(talk: Talk) -> None:
    expect(talk.after(naming(entry(b"media.name", bytes(65_536)))), ALIVE)


@expectation
def a_longer_property_ends_the_connection(talk: Talk) -> None:
    expect(talk.after(naming(entry(b"media.name", bytes(65_537)))), CLOSED)


@expectation(each={"less": (4,), "more": (6,)})
def a_property_of_another_length_than_announced_ends_the_connection(talk: Talk, announced: int) -> None:
    expect(talk.after(naming(entry(b"media.name", b"sound", announced))), CLOSED)


@expectation
def a_null_key_ends_the_proplist(talk: Talk) -> None:
    expect(talk.after(naming(entry(b"media.name", b"sound\0") + b"N")), CLOSED)  # what follows is left over


@expectation
def of_a_key_said_twice_the_last_counts(talk: Talk) -> None:
    talk.send(naming(entry(b"application.name", b"one\0") + entry(b"application.name", b"two\0")))
    expect(talk.must(ClientInfo, GetClientInfo(index=talk.index)).name, "two")


@expectation(each={"bytes": (b"\xff\xfe",), "no null byte at the end": (b"text",), "empty": (b"",)})
@differs(PROPERTIES, None, "it is not kept")
def a_property_that_is_no_text_is_kept_as_it_is(talk: Talk, value: bytes) -> None:
    talk.must(Ack, UpdateClientProplist(mode=2, proplist={"media.title": value}))
    expect(talk.must(ClientInfo, GetClientInfo(index=talk.index)).proplist.get("media.title"), value)


@expectation(
    each={
        "of a channel map": (b"m\x02\x01\x02", b"m\x21" + bytes(33)),
        "of a volume": (b"v\x02" + struct.pack(">II", VOLUME_NORM, VOLUME_NORM), b"v\x21" + bytes(132)),
    }
)
def more_than_32_channels_end_the_connection(talk: Talk, before: bytes, after: bytes) -> None:
    packet = codec.encode(talk.playing(), 1, 35)
    assert before in packet
    expect(talk.after(control(packet.replace(before, after, 1))), CLOSED)


@expectation
def a_volume_of_32_channels_is_read(talk: Talk) -> None:
    expect(talk.ask(SetSinkVolume(name="output", volume=(VOLUME_NORM,) * 32)), INVALID)


@expectation
def a_volume_of_no_channels_is_read(talk: Talk) -> None:
    expect(talk.ask(SetSinkVolume(name="output", volume=())), INVALID)


@expectation
def a_name_that_is_no_utf8_is_invalid(talk: Talk) -> None:
    expect(talk.ask(LookupSink(name="\udcff\udcfe")), INVALID)


@expectation
def a_null_string_is_no_name(talk: Talk) -> None:
    assert talk.must(SinkInfo, GetSinkInfo(name=None)).name == "output"
    expect(talk.ask(LookupSink(name=None)), INVALID)


@expectation
def an_empty_string_is_no_null_string(talk: Talk) -> None:
    expect(talk.ask(GetSinkInfo(name="")), INVALID)


@expectation
def a_volume_of_0_is_a_volume(talk: Talk) -> None:
    talk.play(volume=(0, 0))
