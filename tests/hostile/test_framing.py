"""Bytes that no sane program sends, and sane bytes in unlikely pieces."""

from __future__ import annotations

import os
import struct

import pytest

from eardrum.protocol.catalog import (
    Auth,
    CreatePlaybackStream,
    CreateRecordStream,
    GetSinkInputInfoList,
    SetClientName,
    Stat,
    Subscribe,
)
from eardrum.protocol.conversation import Asking
from eardrum.protocol.packets import CONTROL, sound_head
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.arena import BACKENDS
from eardrum.testing.workers import S16, Caller, ends_at_once

TLS_HELLO = bytes.fromhex("16030100a5010000a10303") + bytes(range(160))
CREATE = CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, tlength=4096)


def described(length: int, channel: int = 0, flags: int = 0, offset: int = 0) -> bytes:
    return struct.pack(">IIqI", length, channel, offset, flags)


def control(payload: bytes) -> bytes:
    return described(len(payload), CONTROL) + payload


def conversation() -> tuple[bytes, Asking]:
    """What a program says in its life, and the side of it that awaits the answers."""
    asking = Asking()
    packets = [asking.ask(Auth(version=35))[1]]
    asking.version = 35
    said = [SetClientName(proplist={"application.name": b"x\0"}), Subscribe(mask=0x2FF), CREATE]
    said += [CreateRecordStream(sample_spec=S16, channel_map=STEREO, source_name="output.monitor")]
    packets += [asking.ask(message)[1] for message in said]
    packets += [sound_head(0, 400) + bytes(400), sound_head(9, 4) + bytes(4)]
    packets += [asking.ask(message)[1] for message in (GetSinkInputInfoList(), Stat())]
    return b"".join(packets), asking


pytestmark = pytest.mark.parametrize("attacked", ["outlet", "room", *BACKENDS], indirect=True)

STEP = {
    "pipewire-pulse": 29
}  # it loses a cycle of others, or one channel of it, where hundreds of streams come at once

GARBAGE = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": TLS_HELLO,
    "zeros": bytes(64),
    "ones": b"\xff" * 64,
    "length 0": described(0),
    "16 MiB and 1": described(16 * 1024 * 1024 + 1),
    "2 GiB": described(2**31),
    "4 GiB": described(2**32 - 1),
    "length 0, control": described(0, CONTROL),
    "4 GiB, control": described(2**32 - 1, CONTROL),
    "256 KiB and 1, control": described(256 * 1024 + 1, CONTROL),
    "flags on control": described(10, CONTROL, 1) + bytes(10),
    "seek 4": described(4, 0, 4) + bytes(4),
    "seek 255": described(4, 0, 255) + bytes(4),
    "shared memory": described(16, 0, 0x80000000) + bytes(16),
    "memfd": described(16, 0, 0xA0000000) + bytes(16),
    "release": described(0, 0, 0x40000000),
    "no code": control(b"L"),
    "wrong letters": control(bytes(10)),
    "unknown command": control(struct.pack(">BIBI", 76, 4711, 76, 0)),
    "a server's word": control(struct.pack(">BIBI", 76, 61, 76, 0)),
    "obsolete": control(struct.pack(">BIBI", 76, 53, 76, 0)),
    "left over": control(struct.pack(">BIBI", 76, 13, 76, 0) + b"N"),
    "no end of a string": control(struct.pack(">BIBI", 76, 10, 76, 0) + b"tabc"),
}


@pytest.mark.case("P01")
@pytest.mark.case("P02")
@pytest.mark.case("P03")
@pytest.mark.case("P06")
@pytest.mark.case("P07")
@pytest.mark.case("P11")
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_ends_the_connection_at_once_and_after_auth(victim, garbage):
    for attacker in (victim.connect(), victim.join().socket):
        with attacker:
            attacker.sendall(GARBAGE[garbage])
            assert ends_at_once(attacker)


def test_random_bytes_end_the_connection_or_are_waited_out(victim):
    for _ in range(50):
        with victim.connect() as attacker:
            attacker.sendall(os.urandom(4096))
            assert ends_at_once(attacker)


@pytest.mark.case("P10")
def test_a_conversation_that_breaks_off_at_any_byte_leaves_nothing(victim):
    words, _ = conversation()
    for end in range(0, len(words), STEP.get(victim.backend, 1)):
        with victim.connect() as attacker:
            attacker.sendall(words[:end])


@pytest.mark.case("P08")
def test_a_conversation_byte_by_byte_is_answered_as_in_one_piece(victim):
    outcomes = []
    for size in (10_000, 1):
        words, asking = conversation()
        with Caller(victim.connect()) as attacker:
            attacker.asking = asking
            for position in range(0, len(words), size):
                attacker.socket.sendall(words[position : position + size])
            attacker.until(lambda: len(attacker.answers) == 7, "all answers")
            outcomes.append([type(attacker.answers[tag]) for tag in range(7)])
    assert outcomes[0] == outcomes[1]
    begin = 1 if victim.backend == "room" else 0  # in a room the desk has vouched, and AUTH is said a second time
    assert PulseError not in outcomes[0][begin:]


@pytest.mark.case("P09")
def test_a_thousand_packets_in_one_write_are_answered_in_order(victim):
    with victim.join() as attacker:
        packets = [attacker.asking.ask(Stat()) for _ in range(1000)]
        attacker.socket.sendall(b"".join(packet for _, packet in packets))
        attacker.until(lambda: len(attacker.answers) == 1000, "all answers")
        assert list(attacker.answers) == [tag for tag, _ in packets]


def test_packets_that_never_end_hold_little(victim):
    """Each of 100 connections begins a packet of 16 MiB of sound, or of 256 KiB of words."""
    attackers = [victim.join() for _ in range(100)]
    for number, attacker in enumerate(attackers):
        if number % 2:
            attacker.socket.sendall(described(256 * 1024, CONTROL) + bytes(1000))
        else:
            attacker.socket.sendall(described(16 * 1024 * 1024) + bytes(1000))
    victim.bystander.goes_on()
    for attacker in attackers:
        attacker.close()


@pytest.mark.case("P12")
def test_half_an_end_is_an_end(victim):
    with victim.join() as attacker:
        attacker.play()
        attacker.socket.shutdown(1)
        assert attacker.ends()
