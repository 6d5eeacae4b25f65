from __future__ import annotations

import socket

import pytest

from eardrum.cli.guest import Guest, Over, guest
from eardrum.cli.place import place_to_record
from eardrum.protocol import catalog as c
from eardrum.protocol.conversation import Serving, Told
from eardrum.protocol.message import NEWEST
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.terms.errors import Complaint, PulseError


@pytest.fixture
def pair():
    """A guest, the worker's end of its connection, and the worker's side of the conversation."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(20)
        yield Guest(ours), theirs, Serving(NEWEST)


def test_what_is_asked_is_answered(pair):
    host, worker, conversation = pair
    worker.sendall(conversation.say(c.Underflow(channel=0)) + conversation.say(c.StatReply(), 0))
    assert host.ask(c.Stat()) == c.StatReply()
    (heard,) = conversation.receive(memoryview(worker.recv(1000)))
    assert heard.message == c.Stat()


def test_a_refusal_is_complained_about(pair):
    host, worker, conversation = pair
    worker.sendall(conversation.refuse(0, PulseError.NOTSUPPORTED))
    with pytest.raises(Complaint, match="Stat is refused: this kind of sound cannot be mixed"):
        host.ask(c.Stat())


def test_what_comes_unasked_and_sound_both_ways(pair):
    host, worker, conversation = pair
    assert host.hear(timeout=0) == []
    worker.sendall(conversation.say(c.Request(channel=3, nbytes=8)) + sound_head(3, 4) + b"abcd")
    told, sound = host.hear()
    assert told == Told(c.Request(channel=3, nbytes=8))
    assert bytes(sound.data) == b"abcd"
    host.play(3, b"efgh")
    (heard,) = conversation.receive(memoryview(worker.recv(1000)))
    assert isinstance(heard, SoundPacket)
    assert bytes(heard.data) == b"efgh"


@pytest.mark.parametrize("garbage", [b"", b"\xff" * 100])
def test_a_worker_that_ends_or_talks_nonsense(pair, garbage):
    host, worker, _ = pair
    worker.sendall(garbage)
    worker.close()
    with pytest.raises(Over):
        host.hear()
    with pytest.raises(Over):
        host.ask(c.Stat())


def test_the_desk_hands_over_the_connection(desk):
    def worker(connection):
        assert connection.recv(1000)
        connection.sendall(Serving(NEWEST).say(c.StatReply(), 0))

    desk.worker = worker
    with guest(desk.runtime, place_to_record("room:hall"), "record") as host:
        assert host.ask(c.Stat()) == c.StatReply()
    assert desk.heard == [("GET", "/v1/rooms/hall/record")]
