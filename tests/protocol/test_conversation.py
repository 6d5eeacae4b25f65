"""Both sides of a connection: who may say what, in which version, and that each answer counts once."""

import pytest

from eardrum.protocol import catalog
from eardrum.protocol.catalog import (
    Ack,
    Auth,
    AuthReply,
    ClientNamed,
    CorkPlaybackStream,
    Error,
    GetServerInfo,
    PlaybackBufferAttrChanged,
    Request,
    SendObjectMessage,
    SetClientName,
    Started,
    Stat,
    StatReply,
)
from eardrum.protocol.codec import packet
from eardrum.protocol.conversation import Asking, Command, ErrorReply, Reply, Serving, Told
from eardrum.protocol.message import CATALOG, Message
from eardrum.protocol.packets import SoundPacket, control, sound_head
from eardrum.terms.errors import LocalProtocolError, PulseError, RemoteProtocolError


def hear(side: Serving | Asking, data: bytes) -> list[object]:
    return list(side.receive(memoryview(data)))


def test_who_may_say_auth_once_keeps_its_version() -> None:
    data = b"".join(packet(Auth(version=version), 0, 8) for version in (7, 30, 35))
    twice, once, settled = Serving(), Serving(once=True), Serving(34, once=True)
    for server in (twice, once, settled):
        hear(server, data)
    assert (twice.version, once.version, settled.version) == (35, 30, 34)


def test_a_conversation() -> None:
    client, server = Asking(), Serving()
    tag, data = client.ask(Auth(version=35))
    assert hear(server, data) == [Command(tag, Auth(version=35))]
    assert hear(client, server.say(AuthReply(version=35), tag)) == [Reply(tag, AuthReply(version=35))]
    assert client.version == server.version == 35

    tag, data = client.ask(SetClientName(proplist={"application.name": b"melody\0"}))
    assert hear(server, data) == [Command(tag, SetClientName(proplist={"application.name": b"melody\0"}))]
    assert hear(client, server.say(ClientNamed(index=3), tag)) == [Reply(tag, ClientNamed(index=3))]

    assert hear(client, server.say(Request(channel=0, nbytes=4))) == [Told(Request(channel=0, nbytes=4))]
    assert hear(server, sound_head(0, 4) + b"abcd") == [SoundPacket(0, 0, 0, memoryview(b"abcd"), True, 4)]


def test_sound_comes_from_the_server_too() -> None:
    assert hear(Asking(), sound_head(1, 4) + b"abcd") == [SoundPacket(1, 0, 0, memoryview(b"abcd"), True, 4)]


def test_said_byte_by_byte_it_is_heard_the_same() -> None:
    client, server = Asking(), Serving()
    data = client.ask(Auth(version=21))[1] + client.ask(Stat())[1] + sound_head(0, 2) + b"ab"
    heard = [item for i in range(len(data)) for item in hear(server, data[i : i + 1])]
    assert heard == hear(Serving(), data)
    assert len(heard) == 3


@pytest.mark.parametrize(
    ("word", "version"),
    [
        (35, 35),
        (8, 8),
        (13, 13),
        (36, 35),
        (0xFFFF, 35),
        (0xC0000023, 35),
        (0x8000000D, 13),
        (7, 8),
        (0, 8),
        (0x80000005, 8),  # the flags do not make a version great
    ],
)
def test_the_version_follows_from_auth(word: int, version: int) -> None:
    server = Serving()
    assert server.version == 8
    assert hear(server, Asking().ask(Auth(version=word))[1]) == [Command(0, Auth(version=word))]
    assert server.version == version


def test_a_connection_that_needs_no_auth() -> None:
    assert Serving(version=35).version == 35
    client = Asking(version=35)
    client.ask(SendObjectMessage(path="/core", message="list-handlers"))


@pytest.mark.parametrize(("offered", "answered", "version"), [(35, 35, 35), (35, 0xC000001E, 30), (13, 35, 13)])
def test_the_client_speaks_what_both_know(offered: int, answered: int, version: int) -> None:
    client = Asking()
    tag, _ = client.ask(Auth(version=offered))
    hear(client, Serving().say(AuthReply(version=answered), tag))
    assert client.version == version


def test_what_the_client_says_after_auth_is_read_in_the_new_version() -> None:
    data = packet(Auth(version=13), 0, 8) + packet(SetClientName(proplist={"a": b"\0"}), 1, 13)
    assert hear(Serving(), data)[1] == Command(1, SetClientName(proplist={"a": b"\0"}))


def command_of(code: int) -> bytes:
    return control(b"L" + code.to_bytes(4, "big") + b"L\0\0\0\0")


@pytest.mark.parametrize("code", [1, 53, 54, 55, 56, 105, 0xFFFFFFFF])
def test_what_nobody_says(code: int) -> None:
    for side in (Serving(), Asking()):
        with pytest.raises(RemoteProtocolError, match="not known"):
            hear(side, command_of(code))


SERVER_ONLY = [code for code, cls in CATALOG.items() if cls.SENDER == "server" and code != Error.CODE]
CLIENT_ONLY = [code for code, cls in CATALOG.items() if cls.SENDER == "client"]


@pytest.mark.parametrize("code", SERVER_ONLY)
def test_a_client_does_not_say_what_is_the_servers(code: int) -> None:
    with pytest.raises(RemoteProtocolError, match="not this side's"):
        hear(Serving(35), command_of(code))


@pytest.mark.parametrize("code", CLIENT_ONLY)
def test_a_server_does_not_say_what_is_the_clients(code: int) -> None:
    with pytest.raises(RemoteProtocolError, match="not this side's"):
        hear(Asking(35), command_of(code))


def test_a_module_and_its_client() -> None:
    client, server = Asking(35), Serving(35)
    tag, data = client.ask(catalog.StreamRestoreTest())
    assert hear(server, data) == [Command(tag, catalog.StreamRestoreTest())]
    answer = catalog.ExtensionVersion(version=1)
    assert hear(client, server.say(answer, tag)) == [Reply(tag, answer)]
    news = catalog.DeviceRestoreEvent(index=1, device_type=0, device_index=2)
    assert hear(client, server.say(news, 0)) == [Told(news)]


def test_a_client_does_not_say_what_a_module_says() -> None:
    with pytest.raises(RemoteProtocolError, match="not this side's"):
        hear(Serving(35), packet(catalog.StreamRestoreEvent(index=1), 0, 35))


def test_what_is_said_to_an_unknown_module_is_not_looked_at() -> None:
    said = catalog.Extension(name="module-of-my-own", subcommand=99, tail=b"anything")
    assert hear(Serving(35), packet(said, 3, 35)) == [Command(3, said)]


@pytest.mark.parametrize(
    "payload",
    [
        b"L\0\0\0\x0d",
        b"L\0\0\0\x0dL\0\0\0\0more",
        b"L\0\0\0\x29L\0\0\0\0L\0\0\0\0",
        b"L\0\0\0\x29L\0\0\0\0L\0\0\0\0B",
        b"t\0\0\0\x0dL\0\0\0\0",
        b"\0" * 8,
    ],
)
def test_malformed_packets(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        hear(Serving(35), control(payload))


def test_answers_from_a_client_are_passed_over() -> None:
    answers = packet(Ack(), 4, 35) + packet(Error(code=1), 5, 35)
    assert hear(Serving(35), answers + packet(Stat(), 6, 35)) == [Command(6, Stat())]


def test_each_answer_counts_once() -> None:
    client, server = Asking(35), Serving(35)
    one, two = client.ask(Stat())[0], client.ask(CorkPlaybackStream(channel=0, cork=True))[0]
    answers = server.say(Ack(), two) + server.say(StatReply(), one) + server.say(Ack(), two) + server.say(Ack(), 99)
    assert hear(client, answers) == [Reply(two, Ack()), Reply(one, StatReply())]


def test_the_wrong_answer() -> None:
    client = Asking(35)
    tag, _ = client.ask(Stat())
    with pytest.raises(RemoteProtocolError):
        hear(client, Serving(35).say(ClientNamed(index=0), tag))


@pytest.mark.parametrize(
    ("code", "heard"),
    [(5, PulseError.NOENTITY), (26, PulseError.BUSY), (27, PulseError.UNKNOWN), (2**31, PulseError.UNKNOWN)],
)
def test_refusals(code: int, heard: PulseError) -> None:
    client = Asking(35)
    tag, _ = client.ask(GetServerInfo())
    answer = packet(Error(code=code), tag, 35)
    assert hear(client, answer + answer) == [ErrorReply(tag, heard)]


def test_the_server_refuses() -> None:
    client = Asking(35)
    tag, _ = client.ask(GetServerInfo())
    assert hear(client, Serving(35).refuse(tag, PulseError.ACCESS)) == [ErrorReply(tag, PulseError.ACCESS)]


def test_an_error_without_an_error() -> None:
    client = Asking(35)
    tag, _ = client.ask(GetServerInfo())
    with pytest.raises(RemoteProtocolError):
        hear(client, packet(Error(code=0), tag, 35))


def test_a_server_too_old() -> None:
    client = Asking()
    tag, _ = client.ask(Auth(version=35))
    with pytest.raises(RemoteProtocolError, match="version 7"):
        hear(client, packet(AuthReply(version=7), tag, 8))


@pytest.mark.parametrize(
    ("message", "version"),
    [
        (Started(channel=0), 13),
        (PlaybackBufferAttrChanged(channel=0, maxlength=0, tlength=0, prebuf=0, minreq=0, latency=0), 15),
    ],
)
def test_an_old_client_is_not_told_what_it_cannot_know(message: Message, version: int) -> None:
    assert Serving(version - 1).say(message) == b""
    assert Serving(version).say(message) != b""


def test_an_old_server_is_not_asked_what_it_cannot_know() -> None:
    with pytest.raises(LocalProtocolError):
        Asking(34).ask(SendObjectMessage(path="/core", message="x"))


def test_what_is_not_answered_is_not_awaited() -> None:
    client = Asking(35)
    tag, _ = client.ask(catalog.RegisterMemfdShmid(shm_id=1))
    assert hear(client, packet(Ack(), tag, 35)) == []


def test_tags_never_run_out() -> None:
    client = Asking(35)
    client._tag = 0xFFFFFFFE
    assert [client.ask(Stat())[0] for _ in range(2)] == [0xFFFFFFFE, 0]
