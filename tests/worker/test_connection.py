"""What a connection remembers of its client: how much it may say, and since when a packet has been on its way."""

from __future__ import annotations

import socket

import pytest

from eardrum.protocol.conversation import Serving
from eardrum.protocol.packets import sound_head
from eardrum.terms.budget import Budget
from eardrum.worker.connection import BREATH, Connection

BUDGET = Budget(commands_per_second=100, commands_at_once=50)


@pytest.fixture
def client():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Connection(1, ours, Serving(35))


def test_who_was_quiet_may_say_much_at_once_and_later_as_much_as_time_allows(client):
    assert not client.charge(50, 10.0, BUDGET)
    assert client.charge(1, 10.0, BUDGET)
    assert client.late_until == pytest.approx(10.01 + BREATH)
    assert not client.charge(1, 10.02, BUDGET)
    assert not client.charge(50, 11.0, BUDGET)


def test_the_more_was_too_much_the_later_it_is_read(client):
    client.charge(250, 10.0, BUDGET)
    assert client.late_until == pytest.approx(12.0 + BREATH)


def test_what_was_answered_on_the_short_way_counts_with_the_next_that_was_not(client):
    client.unpaid = 50
    assert client.charge(1, 10.0, BUDGET)
    assert client.unpaid == 0


def test_the_time_of_a_packet_is_that_of_its_first_byte(client):
    def says(data: bytes, now: float) -> float:
        heard = client.conversation.receive(memoryview(data))
        client.note_begun(heard, now)
        return client.begun_at

    assert says(bytes(1), 10.0) == 10.0
    assert says(sound_head(0, 1 << 20)[1:10], 11.0) == 10.0
    assert says(sound_head(0, 1 << 20)[10:] + bytes(70_000), 12.0) == 10.0  # its first piece has come
    assert says(bytes(70_000), 13.0) == 10.0
    assert says(bytes((1 << 20) - 140_000) + sound_head(1, 4), 14.0) == 14.0  # another packet
