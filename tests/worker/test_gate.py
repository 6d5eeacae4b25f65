"""The process between a worker and the host's server. The test is the desk, the server, and code planted in the worker,
which has the worker's descriptor and says what it likes.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from eardrum.protocol.catalog import (
    Ack,
    CreatePlaybackStream,
    CreateRecordStream,
    Exit,
    GetSourceInfo,
    LoadModule,
    PlaybackStreamCreated,
    RecordStreamCreated,
    Request,
    SetClientName,
    Stat,
    StatReply,
    Subscribe,
)
from eardrum.protocol.message import Message, every, wire_name
from eardrum.protocol.packets import sound_head
from eardrum.server.events import INPUT, OUTPUT
from eardrum.terms.audio import INVALID, STEREO, VOLUME_NORM
from eardrum.terms.names import WireEnd
from eardrum.terms.properties import introduction, said_upstream
from eardrum.testing.strategies import messages
from eardrum.testing.workers import S16, Caller, Upstream, Worker, until
from eardrum.upstream.devices import subscription
from eardrum.worker.records import MUTED, Kind, Record, end_in_pipe

HELLO = SetClientName(proplist=introduction("box"))
PLAY = CreatePlaybackStream(
    sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, proplist=said_upstream("box", False, {})
)
RECORD = CreateRecordStream(
    sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, proplist=said_upstream("box", True, {})
)
NOISE = os.urandom(300_000)
HEARD = RecordStreamCreated(channel=5, source_output=6, maxlength=1 << 16, fragsize=4000, source_index=7)


class Server(Upstream):
    """The host's server, which the test plays, behind a gate; `planted` has the worker's end."""

    planted: Caller

    def give(self, worker: Worker, wire: int, number: int, connection: socket.socket) -> None:
        planted, theirs = socket.socketpair()
        self.planted = Caller(planted, 35)
        pipe = end_in_pipe(WireEnd("host"))
        with theirs:
            worker.says(Record(Kind.PASS, wire, 35), [connection.fileno(), theirs.fileno(), pipe])
        os.close(pipe)

    def asked(self, message: Message, answer: Message | None = None) -> None:
        """The planted code asks, and is answered; without `answer` as every upstream does it."""
        tag = self.planted.say(message)
        heard = self.hears(type(message))
        assert heard.message == message
        if answer is not None:
            self.says(answer, heard.tag)
        self.planted.answer(tag)

    def plays(self) -> None:
        """A stream is made as a worker has it made."""
        self.asked(HELLO)
        self.asked(PLAY, PlaybackStreamCreated(channel=5, sink_input=6, missing=100_000))

    def gets(self) -> bytes:
        """All that still comes from the worker's side, which is over."""
        data = b""
        with suppress(ConnectionError):
            while more := self.socket.recv(1 << 20):
                data += more
        return data

    def close(self) -> None:
        self.socket.close()
        self.planted.close()


@pytest.fixture
def gate(workers) -> Iterator[Callable[..., Worker]]:
    """Makes gates; at the end of a test all must have ended as they should."""
    grown: list[Worker] = []

    def make(**more: Any) -> Worker:
        grown.append(workers.gate(**more))
        return grown[-1]

    yield make
    for each in grown:
        each.close()
    for each in grown:
        assert each.ends() == 0


@pytest.fixture(scope="module")
def one_gate(workers) -> Iterator[Worker]:
    house = workers.gate()
    yield house
    house.close()
    assert house.ends() == 0


COMMANDS = [cls for cls in every() if cls.SENDER != "server" and cls not in (Stat, Subscribe)]


@pytest.mark.parametrize("wire", [OUTPUT, INPUT], ids=["output", "input"])
@pytest.mark.parametrize("cls", COMMANDS, ids=wire_name)
@given(data=st.data())
@settings(max_examples=2, phases=[Phase.generate])
def test_what_a_client_may_say_to_a_server_ends_the_connection_and_does_not_arrive(one_gate, wire, cls, data):
    """But for what `upstream` says, as it says it: see tests/upstream/test_gate.py."""
    server = Server(one_gate, wire)
    server.asked(HELLO)
    server.planted.say(data.draw(messages(cls, 35)))
    assert one_gate.hears(Kind.REFUSED) == Record(Kind.REFUSED, wire, cls.CODE)
    assert server.gets() == b""
    assert server.planted.ends()
    server.close()


@pytest.mark.parametrize("said", [LoadModule(name="module-x", argument=""), Exit()], ids=["LOAD_MODULE", "EXIT"])
def test_nothing_hides_behind_what_may_be_said(gate, said):
    house = gate()
    server = Server(house, OUTPUT)
    server.plays()
    _, packet = server.planted.asking.ask(said)
    server.planted.socket.sendall(sound_head(5, len(packet)) + packet)  # as sound it is sound
    while server.sound != packet:
        server.hear()
    server.planted.socket.sendall(sound_head(5, 1000) + bytes(999) + b"\0" + packet)
    assert house.hears(Kind.REFUSED) == Record(Kind.REFUSED, OUTPUT, said.CODE)
    assert packet not in server.gets()
    server.close()


def test_bytes_that_are_no_packets(gate):
    house = gate()
    server = Server(house, OUTPUT)
    server.planted.socket.sendall(b"\xff" * 100)
    assert house.hears(Kind.REFUSED) == Record(Kind.REFUSED, OUTPUT, INVALID)
    assert server.gets() == b""
    server.close()


def test_sound_and_words_pass_both_ways_however_slowly_they_are_read(gate):
    server = Server(gate(), OUTPUT)
    server.plays()
    server.planted.socket.setblocking(False)
    pieces = (NOISE[at : at + 30_000] for at in range(0, len(NOISE), 30_000))
    data, sent = memoryview(b"".join(sound_head(5, 30_000) + piece for piece in pieces)), 0
    while sent < len(data):
        with suppress(BlockingIOError):
            sent += server.planted.socket.send(data[sent:])
            continue
        server.hear()
    while len(server.sound) < len(NOISE):
        server.hear()
    assert server.sound == NOISE
    server.planted.socket.settimeout(20)
    for _ in range(200):
        server.says(Request(channel=5, nbytes=4))
    server.planted.until(lambda: server.planted.requested(5) == 800, "all requests")
    tag = server.planted.say(Stat())
    server.says(StatReply(), server.hears(Stat).tag)
    assert server.planted.answer(tag) == StatReply()
    server.close()


@pytest.mark.parametrize("first", ["server", "worker"])
def test_when_one_ends_it_is_over_for_the_other(gate, first):
    house = gate()
    server = Server(house, OUTPUT)
    server.asked(HELLO)
    before = house.descriptors()
    if first == "server":
        server.socket.close()
        assert server.planted.ends()
    else:
        server.planted.close()
        assert server.gets() == b""
    until(lambda: house.descriptors() == before - 2, "its descriptors to be closed")
    server.close()


def test_a_microphone_is_heard_when_it_is_known_and_while_the_person_lets_it(gate):
    house = gate(hushed=True)
    server = Server(house, INPUT)
    server.asked(HELLO)
    server.asked(subscription(True), Ack())
    server.asked(GetSourceInfo(name="@DEFAULT_SOURCE@"))
    server.asked(RECORD, HEARD)
    server.asked(GetSourceInfo(index=7))

    def hears(samples: bytes) -> bool:
        server.socket.sendall(sound_head(5, 4) + b"abcd")
        server.planted.until(lambda: len(server.planted.sound.get(5, b"")) == 4, "the sound")
        return server.planted.sound.pop(5) == samples

    assert hears(bytes(4))
    house.says(Record(Kind.KNOB, INPUT, VOLUME_NORM))
    until(lambda: hears(b"abcd"), "what the microphone hears")
    house.says(Record(Kind.KNOB, INPUT | MUTED, VOLUME_NORM))
    until(lambda: hears(bytes(4)), "silence")
    server.close()


def test_it_goes_on_without_the_desk_as_long_as_it_has_a_connection(workers):
    house = workers.gate()
    server = Server(house, OUTPUT)
    house.close()
    server.plays()
    assert house.status is None
    server.close()
    assert house.ends() == 0


def test_it_ends_when_it_is_told(workers):
    house = workers.gate()
    server = Server(house, OUTPUT)
    house.says(Record(Kind.FINISH))
    assert house.ends() == 0
    assert server.gets() == b""
    assert server.planted.ends()
    house.close()
    server.close()
