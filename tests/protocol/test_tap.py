"""A conversation overheard: what is told of it, and what is passed on."""

from __future__ import annotations

import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol.codec import packet
from eardrum.protocol.conversation import Asking, Serving
from eardrum.protocol.message import NO_TAG, Message
from eardrum.protocol.packets import MAX_CONTROL, SoundPacket, control, sound_head
from eardrum.protocol.tap import Riddle, Said, Side, Tap
from eardrum.terms.errors import PulseError

SHARED_MEMORY = 0xC0000000


def hear(tap: Tap, by: Side, data: bytes) -> list[Said]:
    return tap.hear(by, memoryview(data))


def whats(said: list[Said]) -> list[Message | SoundPacket | Riddle]:
    return [one.what for one in said]


def acquainted(version: int = 35) -> tuple[Tap, Asking, Serving]:
    """A tap on a connection on which AUTH has been said."""
    tap, client, server = Tap(), Asking(), Serving()
    tag, data = client.ask(c.Auth(version=version))
    hear(tap, "client", data)
    server.receive(memoryview(data))
    data = server.say(c.AuthReply(version=35), tag)
    hear(tap, "server", data)
    client.receive(memoryview(data))
    return tap, client, server


def test_both_sides_are_heard_and_passed_on() -> None:
    tap, client, server = acquainted()
    tag, data = client.ask(c.GetServerInfo())
    assert hear(tap, "client", data) == [Said("client", c.GetServerInfo(), 35, tag, data=data[20:], passes=data)]
    data = server.refuse(tag, PulseError.ACCESS)
    (said,) = hear(tap, "server", data)
    assert (said.what, said.answers, said.passes) == (c.Error(code=1), "GET_SERVER_INFO", data)
    news = c.Request(channel=0, nbytes=4)
    assert hear(tap, "server", server.say(news))[0].tag == NO_TAG


def test_shared_memory_is_told_of_and_kept_off() -> None:
    tap = Tap()
    (asked,) = hear(tap, "client", packet(c.Auth(version=35 | SHARED_MEMORY, cookie=b"c" * 256), 0, 8))
    assert asked.what == c.Auth(version=35 | SHARED_MEMORY, cookie=b"c" * 256)
    assert asked.passes == packet(c.Auth(version=35, cookie=b"c" * 256), 0, 8)
    (answered,) = hear(tap, "server", packet(c.AuthReply(version=35 | SHARED_MEMORY), 0, 8))
    assert answered.what == c.AuthReply(version=35 | SHARED_MEMORY)
    assert answered.passes == packet(c.AuthReply(version=35), 0, 8)


def test_who_speaks_too_old_a_version_is_read_as_before() -> None:
    tap = Tap()
    hear(tap, "client", packet(c.Auth(version=7), 0, 8))
    (said,) = hear(tap, "server", packet(c.AuthReply(version=7), 0, 8))
    assert said.what == c.AuthReply(version=7)
    assert hear(tap, "client", packet(c.Stat(), 1, 8))[0].version == 8


@pytest.mark.parametrize(("asked", "answered", "spoken"), [(35, 35, 35), (13, 35, 13), (35, 30, 30), (99, 99, 35)])
def test_each_message_is_read_in_the_version_that_both_speak(asked: int, answered: int, spoken: int) -> None:
    tap = Tap()
    hear(tap, "client", packet(c.Auth(version=asked), 0, 8))
    hear(tap, "server", packet(c.AuthReply(version=answered), 0, 8))
    name = c.SetClientName(proplist={"application.name": b"x\0"})
    (said,) = hear(tap, "client", packet(name, 1, spoken))
    assert (said.what, said.version) == (name, spoken)


def test_sound_comes_with_its_head_once() -> None:
    tap, _, _ = acquainted()
    samples = bytes(70_000)
    head = sound_head(2, len(samples), 1, 8)
    said = hear(tap, "client", head + samples)
    assert b"".join(one.passes for one in said) == head + samples
    assert [one.data for one in said] == [head, b""]
    assert isinstance(said[0].what, SoundPacket)
    assert said[0].what.total == len(samples)


def test_a_packet_longer_than_we_would_take_ourselves() -> None:
    tap, client, server = acquainted()
    tag, data = client.ask(c.GetSampleInfoList())
    hear(tap, "client", data)
    name = "n" * 1000
    sample = c.SampleInfo(
        index=0, name=name, volume=(), duration=0, sample_spec=c.playback.NO_SPEC, channel_map=b"", nbytes=0
    )
    data = server.say(c.SampleInfoList(items=[sample] * 300), tag)
    assert len(data) > MAX_CONTROL
    assert hear(tap, "server", data)[0].passes == data


@pytest.mark.parametrize(
    ("by", "data", "why"),
    [
        ("client", control(b"short"), "a control packet of 5 bytes"),
        ("client", control(packet(c.Stat(), 1, 35)[20:] + b"more"), "4 bytes left over after Stat"),
        ("client", control(b"L\0\0\0\x01L\0\0\0\0"), "command TIMEOUT is not known"),
        ("client", packet(c.Started(channel=0), 1, 35), "Started is not this side's to say"),
        ("server", packet(c.Stat(), 1, 35), "Stat is not this side's to say"),
        ("server", packet(c.Ack(), 99, 35), "a reply to nothing that was asked"),
        ("server", packet(c.Error(code=1), 99, 35), "a reply to nothing that was asked"),
        ("client", packet(c.Extension(name="module-stream-restore", subcommand=9), 1, 35), "has no subcommand 9"),
    ],
    ids=range(8),
)
def test_what_cannot_be_read_is_told_and_passed_on(by: Side, data: bytes, why: str) -> None:
    tap, client, _ = acquainted()
    (said,) = hear(tap, by, data)
    assert said.passes == data
    assert said.data == data[20:]
    assert isinstance(said.what, Riddle)
    assert why in said.what.why
    assert whats(hear(tap, "client", client.ask(c.Stat())[1])) == [c.Stat()]


def test_the_refusal_of_what_cannot_be_read_says_what_it_refuses() -> None:
    tap, _, server = acquainted()
    hear(tap, "client", control(b"L\0\0\0\x33L\0\0\0\7"))
    assert hear(tap, "server", server.refuse(7, PulseError.PROTOCOL))[0].answers == "LOAD_MODULE"
    hear(tap, "client", control(b"L\0\0\0\x69L\0\0\0\x08"))
    assert hear(tap, "server", server.refuse(8, PulseError.INVALID))[0].answers == "command 105"
    hear(tap, "client", control(b"L\0\0\0\x33L\0\0\0\7"))
    (said,) = hear(tap, "server", server.say(c.Ack(), 7))
    assert isinstance(said.what, Riddle)
    assert said.what.why == "a reply to LOAD_MODULE"


def test_a_broken_stream_is_told_after_what_came_before_it() -> None:
    tap, client, _ = acquainted()
    good, bad = client.ask(c.Stat())[1], bytes(20) + b"more"
    said = hear(tap, "client", good + bad)
    assert whats(said) == [c.Stat(), Riddle("a packet of 0 bytes")]
    assert (said[1].data, said[1].passes) == (bad, b"")
    assert tap.broken


def test_said_byte_by_byte_it_is_heard_the_same() -> None:
    _, client, _ = acquainted()
    data = client.ask(c.Stat())[1] + sound_head(0, 4) + b"abcd" + client.ask(c.Exit())[1]
    one, other = Tap(), Tap()
    whole = hear(one, "client", data)
    bytewise = [said for i in range(len(data)) for said in hear(other, "client", data[i : i + 1])]
    assert bytewise == whole
    assert b"".join(said.passes for said in whole) == data
