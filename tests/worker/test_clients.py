"""When clients are read: as soon as they say something, or at the next cycle."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from eardrum.kernel.link import READ_BYTES, Scratch
from eardrum.kernel.loop import READ
from eardrum.protocol.catalog import CorkPlaybackStream, GetPlaybackLatency, Request
from eardrum.protocol.conversation import Asking
from eardrum.protocol.packets import sound_head
from eardrum.server.effects import Tell
from eardrum.server.events import Asked, Brought, Event, Joined, Left, Sound
from eardrum.server.rights import Right
from eardrum.terms.budget import Budget
from eardrum.worker.clients import HEARD_AT_LEAST, SILENT, SOON, TALKS, UNREAD, Clients
from eardrum.worker.tracing import Watchers

CORK = CorkPlaybackStream(channel=0, cork=True)
LATENCY = GetPlaybackLatency(channel=0, client_time=(1, 2))


class FakeLoop:
    """Knows what is waited for, by descriptor."""

    def __init__(self) -> None:
        self.waits: dict[int, int] = {}
        self.ready: dict[int, object] = {}

    def watch(self, descriptor, events, ready):
        self.waits[descriptor] = events
        self.ready[descriptor] = ready

    def change(self, descriptor, events):
        self.waits[descriptor] = events

    def forget(self, descriptor):
        del self.waits[descriptor]


class House:
    """Clients without a core: `events` is what they brought it, but for their coming."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.events: list[Event] = []
        scratch = Scratch()
        self.clients = Clients(
            self.loop,
            SimpleNamespace(stale=False),
            Watchers(self.loop, lambda link: None),
            scratch,
            lambda link: link.read(scratch),
            self.events.append,
            rights=Right.PLAY,
            budget=Budget(),
        )
        self.clients.now = 100.0
        self.ends: list[socket.socket] = []
        self.numbers: list[int] = []

    def come(self) -> int:
        """A client comes; returns which it is."""
        ours, theirs = socket.socketpair()
        self.ends.append(theirs)
        self.clients.join(ours, 0, Right.PLAY, 35)
        joined = self.events.pop()
        assert isinstance(joined, Joined)
        self.numbers.append(joined.client)
        self.descriptor = ours.fileno()
        return len(self.ends) - 1

    def cycle(self, *asked: int, then: float = 0.01) -> None:
        """These are asked for sound, and the next cycle is so many seconds later."""
        for which in asked:
            self.clients.tell(Tell(self.numbers[which], Request(channel=0, nbytes=4)))
        self.clients.flush()
        self.clients.settle(self.clients.now + then)
        self.clients.now += then

    @property
    def waited_for(self) -> bool:
        """The one that came last."""
        return bool(self.loop.waits[self.descriptor] & READ)

    def says(self, which: int, data: bytes) -> None:
        self.ends[which].sendall(data)

    def hears(self) -> list[Event]:
        """What the paced clients bring at the cycle that is due."""
        self.clients.hear_paced()
        events = [event for event in self.events if not isinstance(event, Brought)]
        brought = [sound for event in self.events if isinstance(event, Brought) for sound in event.sounds]
        self.events.clear()
        return [*brought, *events]


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    for end in house.ends:
        end.close()
    house.clients.leave_all()


def packet(fill: int) -> bytes:
    return sound_head(0, 4) + bytes([fill]) * 4


def heard(events: list[Event]) -> list[int]:
    """What was in the packets of sound."""
    return [event.data[0] for event in events if isinstance(event, Sound)]


def test_who_is_asked_for_sound_every_cycle_is_read_at_the_cycle(house):
    program = house.come()
    assert house.waited_for
    house.cycle(program)
    assert not house.waited_for
    house.says(program, packet(7))
    assert heard(house.hears()) == [7]


def test_a_wake_up_for_others_is_not_too_late_for_it(house):
    program = house.come()
    assert not house.clients.overdue
    house.cycle(program, then=UNREAD / 2)
    house.hears()
    assert not house.clients.overdue
    house.clients.now += UNREAD
    assert house.clients.overdue


def test_who_is_asked_seldom_is_waited_for(house):
    program = house.come()
    house.cycle(program, then=2 * SOON)
    assert house.waited_for


def test_when_the_cycles_become_slow_all_are_waited_for(house):
    program = house.come()
    house.cycle(program)
    house.cycle(then=0.25)
    assert house.waited_for


def test_who_does_not_answer_is_waited_for_after_some_cycles(house):
    program = house.come()
    house.cycle(program)
    for _ in range(SILENT):
        assert not house.waited_for
        assert house.hears() == []
    assert house.waited_for


def test_a_command_comes_after_the_sound_of_all_and_its_sender_is_waited_for(house):
    talker, other = house.come(), house.come()
    house.cycle(talker, other)
    house.says(talker, packet(1) + Asking(35).ask(CORK)[1] + packet(2))
    house.says(other, packet(3))
    events = house.hears()
    assert [type(event) for event in events] == [Sound, Sound, Asked, Sound]
    assert heard(events) == [3, 1, 2]
    house.descriptor = next(iter(house.loop.waits))
    assert house.waited_for
    house.cycle(talker)
    assert house.waited_for  # more may follow
    house.clients.now += TALKS
    house.cycle(talker)
    assert not house.waited_for


def test_who_asks_for_the_latency_now_and_then_stays_paced(house):
    program = house.come()
    house.cycle(program)
    house.says(program, Asking(35).ask(LATENCY)[1] + packet(1))
    assert [type(event) for event in house.hears()] == [Asked, Sound]
    assert not house.waited_for


def test_who_sends_more_than_is_read_at_once_is_waited_for(house):
    program = house.come()
    house.cycle(program)
    house.says(program, sound_head(0, READ_BYTES) + bytes(READ_BYTES))
    house.hears()
    assert house.waited_for


def test_who_is_gone_is_noticed(house):
    program = house.come()
    house.cycle(program)
    house.ends[program].close()
    assert house.hears() == [Left(house.numbers[program])]
    assert len(house.clients) == 0
    assert house.hears() == []


def test_nonsense_ends_its_sender_only(house):
    wrong, other = house.come(), house.come()
    house.cycle(wrong, other)
    house.says(wrong, b"\xff" * 40)
    house.says(other, packet(5))
    assert heard(house.hears()) == [5]
    assert len(house.clients) == 1


@pytest.mark.parametrize("stuck", [True, False])
def test_who_is_gone_while_nothing_can_be_done_wakes_nobody_for_ever(house, stuck):
    program = house.come()
    house.says(program, packet(1) * (HEARD_AT_LEAST + 1))
    ready = house.loop.ready[house.descriptor]
    ready(READ)
    house.ends[program].close()
    house.clients.stuck = stuck
    house.events.clear()
    ready(READ | select.EPOLLHUP)
    assert (Left(house.numbers[program]) in house.events) is stuck
    house.clients.go_on()
    assert len(heard(house.events)) == (not stuck)
