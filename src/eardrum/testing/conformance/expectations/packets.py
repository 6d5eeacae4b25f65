"""What the bytes of a packet may be, and what ends a connection."""

from __future__ import annotations

import struct

from eardrum.protocol import codec
from eardrum.protocol.catalog import (
    Ack,
    Auth,
    CorkPlaybackStream,
    CorkRecordStream,
    GetSinkInfo,
    LookupSink,
    SetClientName,
    Stat,
    Subscribe,
)
from eardrum.protocol.packets import CONTROL, MAX_SOUND, control, sound_head
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Fate, Talk, expect
from eardrum.testing.conformance.expectation import differs, expectation
from eardrum.testing.conformance.reasons import BUDGET

ALIVE, CLOSED = Fate.ALIVE, Fate.CLOSED
NOBODY = 7  # a stream number that no connection here has


def described(length: int, channel: int, flags: int, payload: bytes = b"") -> bytes:
    return struct.pack(">IIqI", length, channel, 0, flags) + payload


def body(message: object, tag: int = 4711, version: int = 35) -> bytes:
    return codec.encode(message, tag, version)  # type: ignore[arg-type]


@expectation(each={"1 byte": (1,), "64 KiB and more": (100_000,), "16 MiB": (MAX_SOUND,)})
def sound_for_a_stream_that_is_not_there_is_passed_over(talk: Talk, size: int) -> None:
    expect(talk.after(sound_head(NOBODY, size), bytes(size)), ALIVE)


@expectation(each={"of sound": (NOBODY,), "of control": (CONTROL,)})
def a_packet_of_0_bytes_ends_the_connection(talk: Talk, channel: int) -> None:
    expect(talk.after(described(0, channel, 0)), CLOSED)


@expectation(each={"of sound": (NOBODY,), "of control": (CONTROL,)})
def a_packet_of_more_than_16_mib_ends_the_connection_at_its_head(talk: Talk, channel: int) -> None:
    expect(talk.after(described(MAX_SOUND + 1, channel, 0)), CLOSED)


@expectation(each={"256 KiB": (4,), "more than that": (6,)})
@differs(BUDGET, CLOSED, cases=("more than that",))
def a_control_packet_may_be_long(talk: Talk, properties: int) -> None:
    proplist = {f"test.{number}": bytes(65_000) for number in range(properties)}
    talk.say(SetClientName(proplist=proplist))
    expect(talk.fate, ALIVE)


@expectation(each={"seek mode": (1,), "an unused bit": (0x100,), "shared memory": (0x80000000,)})
def a_control_packet_with_flags_ends_the_connection(talk: Talk, flags: int) -> None:
    stat = body(Stat())
    expect(talk.after(described(len(stat), CONTROL, flags, stat)), CLOSED)


@expectation(each={str(mode): (mode,) for mode in range(4)})
def seek_modes_0_to_3_are_known(talk: Talk, mode: int) -> None:
    expect(talk.after(described(4, NOBODY, mode, bytes(4))), ALIVE)


@expectation(each={"4": (4,), "255": (255,)})
def other_seek_modes_end_the_connection(talk: Talk, mode: int) -> None:
    expect(talk.after(described(4, NOBODY, mode, bytes(4))), CLOSED)


@expectation
def unused_flags_of_sound_are_passed_over(talk: Talk) -> None:
    expect(talk.after(described(4, NOBODY, 0x100, bytes(4))), ALIVE)


SHARED = {"data": 0x80000000, "release": 0x40000000, "revoke": 0xC0000000, "memfd": 0x20000000, "unknown": 0x01000000}


@expectation(each={name: (flags,) for name, flags in SHARED.items()})
def shared_memory_that_was_not_agreed_on_ends_the_connection(talk: Talk, flags: int) -> None:
    release = flags in (0x40000000, 0xC0000000)
    expect(
        talk.after(described(*((0, CONTROL) if release else (16, NOBODY)), flags, b"" if release else bytes(16))),
        CLOSED,
    )


@expectation(each={"8 bytes": (8,), "1 byte": (1,), "code without tag": (5,)})
def a_control_packet_that_is_too_short_ends_the_connection(talk: Talk, size: int) -> None:
    expect(talk.after(control(body(Stat())[:size])), CLOSED)


@expectation
def a_control_packet_that_does_not_begin_with_numbers_ends_the_connection(talk: Talk) -> None:
    expect(talk.after(control(b"t" + body(Stat())[1:])), CLOSED)


@expectation
def bytes_may_come_one_by_one(talk: Talk) -> None:
    tag, packet = talk.conversation.ask(Stat())
    for byte in packet:
        talk.send(bytes((byte,)))
    talk.answer(tag)


NEVER = {
    "TIMEOUT": 1, "ADD_AUTOLOAD": 53, "REMOVE_AUTOLOAD": 54, "GET_AUTOLOAD_INFO": 55, "GET_AUTOLOAD_INFO_LIST": 56,
    "105": 105, "255": 255, "0xFFFFFFFF": 0xFFFFFFFF,
}  # fmt: skip
EVENTS = {
    "REQUEST": 61, "OVERFLOW": 62, "UNDERFLOW": 63, "PLAYBACK_STREAM_KILLED": 64, "RECORD_STREAM_KILLED": 65,
    "SUBSCRIBE_EVENT": 66, "PLAYBACK_STREAM_SUSPENDED": 76, "RECORD_STREAM_SUSPENDED": 77,
    "PLAYBACK_STREAM_MOVED": 78, "RECORD_STREAM_MOVED": 79, "STARTED": 86, "CLIENT_EVENT": 91,
    "PLAYBACK_STREAM_EVENT": 92, "RECORD_STREAM_EVENT": 93, "PLAYBACK_BUFFER_ATTR_CHANGED": 94,
    "RECORD_BUFFER_ATTR_CHANGED": 95,
}  # fmt: skip


@expectation(each={name: (code,) for name, code in NEVER.items()})
def a_command_that_is_not_known_ends_the_connection(talk: Talk, code: int) -> None:
    expect(talk.after(control(struct.pack(">BIBI", 76, code, 76, 1))), CLOSED)


@expectation(each={name: (code,) for name, code in EVENTS.items()})
def what_only_servers_say_ends_the_connection(talk: Talk, code: int) -> None:
    expect(talk.after(control(struct.pack(">BIBIBIBI", 76, code, 76, 1, 76, 0, 76, 0))), CLOSED)


@expectation(each={"REPLY": (2,), "ERROR": (0,)})
def an_answer_to_nothing_is_passed_over(talk: Talk, code: int) -> None:
    expect(talk.after(control(struct.pack(">BIBIBI", 76, code, 76, 99, 76, 1))), ALIVE)


ODD = {
    "a field too few": body(CorkPlaybackStream(channel=0, cork=True))[:-1],
    "a field too many": body(CorkPlaybackStream(channel=0, cork=True)) + b"1",
    "a byte after a command without fields": body(Stat()) + b"N",
    "a number where a string should be": body(LookupSink(name=None))[:-1] + b"L\0\0\0\0",
    "a string where a number should be": body(Subscribe(mask=0))[:10] + b"t0\0",
    "a number where a bool should be": body(CorkRecordStream(channel=0, cork=True))[:-1] + b"L\0\0\0\1",
    "a string without an end": body(LookupSink(name="output"))[:-1],
    "an index without a name": body(GetSinkInfo())[:-1],
}


@expectation(each={name: (packet,) for name, packet in ODD.items()})
def fields_that_are_not_those_of_the_command_end_the_connection(talk: Talk, packet: bytes) -> None:
    expect(talk.after(control(packet)), CLOSED)


@expectation
def a_cookie_of_another_length_ends_the_connection(talk: Talk) -> None:
    short = body(Auth(version=35))[:15] + struct.pack(">BI", 0x78, 16) + bytes(16)
    expect(talk.after(control(short)), CLOSED)


@expectation
def an_error_leaves_the_connection_as_it_is(talk: Talk) -> None:
    expect(talk.ask(Subscribe(mask=0x400)), PulseError.INVALID)
    expect(talk.ask(Subscribe(mask=0)), Ack())
