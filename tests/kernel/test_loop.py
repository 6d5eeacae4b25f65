"""The loop of a worker, with real descriptors."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator

import pytest

from eardrum.kernel.loop import READ, WRITE, Loop, readable


class Watcher:
    """A loop that notes what it is told and ends after the first wake-up in which something was ready."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.loop = Loop(self._woke, self._settled)
        self.wake_ups = 1

    def _woke(self, now: float, wall: float) -> None:
        self.now, self.wall = now, wall
        self.told.append("woke")

    def _settled(self) -> None:
        self.told.append("settled")
        self.wake_ups -= 1
        self.loop.running = self.wake_ups > 0

    def watch(self, connection: socket.socket, name: str, events: int = READ) -> None:
        self.loop.watch(connection.fileno(), events, lambda happened: self.told.append((name, happened)))

    def run(self) -> list[object]:
        self.told.clear()
        self.loop.running = True
        self.wake_ups = 1
        self.loop.run()
        return self.told


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher = Watcher()
    yield watcher
    watcher.loop.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_time_is_told_first_and_all_that_is_ready_is_done_in_one_wake_up(watcher, pair):
    one, other = pair
    watcher.watch(one, "one")
    watcher.watch(other, "other", WRITE)
    other.send(b"x")
    told = watcher.run()
    assert (told[0], told[-1]) == ("woke", "settled")
    assert sorted(told[1:-1]) == [("one", READ), ("other", WRITE)]
    assert abs(watcher.wall - time.time()) < 60


def test_it_wakes_at_the_time_it_was_asked_to(watcher):
    watcher.loop.wake_at = time.monotonic() + 0.02
    assert watcher.run() == ["woke", "settled"]
    assert watcher.now >= watcher.loop.wake_at
    watcher.loop.wake_at = time.monotonic() - 1000  # long ago is now
    assert watcher.run() == ["woke", "settled"]


def test_it_may_be_asked_to_wake_while_it_is_awake(watcher):
    watcher.loop.wake_at = 0.0
    watcher.wake_ups = 3
    watcher.loop.run()
    assert watcher.told == ["woke", "settled"] * 3


def test_without_a_time_it_sleeps_until_something_is_ready(watcher, pair):
    one, other = pair
    watcher.watch(one, "one")
    if not (pid := os.fork()):
        other.send(b"x")
        os._exit(0)
    assert watcher.run() == ["woke", ("one", READ), "settled"]
    os.waitpid(pid, 0)


def test_what_is_waited_for_can_change(watcher, pair):
    one, other = pair
    watcher.watch(one, "one")
    other.send(b"x")
    watcher.loop.change(one.fileno(), WRITE)
    assert watcher.run() == ["woke", ("one", WRITE), "settled"]
    watcher.loop.change(one.fileno(), 0)
    watcher.loop.wake_at = 0.0
    assert watcher.run() == ["woke", "settled"]


def test_the_end_of_a_connection_is_told_even_when_nothing_is_waited_for(watcher, pair):
    one, other = pair
    watcher.watch(one, "one", 0)
    other.close()
    (told,) = watcher.run()[1:-1]
    assert told[0] == "one"
    assert readable(told[1])


def test_one_that_was_forgotten_by_another_is_not_called(watcher, pair):
    """Both are ready in the same wake-up; whoever comes first forgets the other and closes it."""
    one, other = pair
    calls = []

    def forget(mine: socket.socket, its: socket.socket) -> None:
        calls.append(mine)
        watcher.loop.forget(its.fileno())
        its.close()

    watcher.loop.watch(one.fileno(), WRITE, lambda happened: forget(one, other))
    watcher.loop.watch(other.fileno(), WRITE, lambda happened: forget(other, one))
    watcher.run()
    assert len(calls) == 1


def test_forgetting_twice_is_no_fault_and_a_number_may_be_used_again(watcher, pair):
    one, other = pair
    watcher.watch(one, "one")
    watcher.loop.forget(one.fileno())
    watcher.loop.forget(one.fileno())
    watcher.watch(one, "again")
    other.send(b"x")
    assert watcher.run() == ["woke", ("again", READ), "settled"]


def test_it_ends_when_it_is_told_to(watcher, pair):
    one, other = pair
    other.send(b"x")
    watcher.wake_ups = 10**6

    def stop(happened: int) -> None:
        watcher.loop.running = False

    watcher.loop.watch(one.fileno(), READ, stop)
    watcher.loop._settled = lambda: watcher.told.append("settled")
    watcher.loop.run()
    assert watcher.told == ["woke", "settled"]


@pytest.mark.parametrize(("events", "expected"), [(READ, True), (WRITE, False), (0x10, True), (0x8, True), (0, False)])
def test_readable_is_data_or_the_end(events, expected):
    assert readable(events) is expected
