"""Clients that say too much, or do not end what they began, are looked at when their time has come and not before."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from eardrum.worker.deadlines import Deadlines


class Hashed(SimpleNamespace):
    __hash__ = object.__hash__


@pytest.fixture
def deadlines():
    return Deadlines(30.0)


def made(**fields):
    return Hashed(**{"late_until": 0.0, "begun_at": 0.0, "held_up": False, **fields})


def test_nobody_is_waited_for_at_first(deadlines):
    assert deadlines.due is None
    assert deadlines.pass_by(100.0) == ([], [])


def test_who_is_late_is_read_again_when_its_time_has_come(deadlines):
    one, other = made(late_until=10.0), made(late_until=12.0)
    for late in (other, one):
        deadlines.note_late(late)
    assert deadlines.due == 10.0
    assert deadlines.pass_by(10.0) == ([one], [])
    assert (one.late_until, deadlines.due) == (0.0, 12.0)
    deadlines.forget(other)
    assert deadlines.pass_by(12.0) == ([], [])
    assert deadlines.due is None


def test_a_packet_has_its_time_and_one_that_came_in_time_is_forgotten(deadlines):
    slow, quick = made(begun_at=5.0), made(begun_at=5.0)
    for begun in (slow, quick):
        deadlines.note_begun(begun)
    assert deadlines.due == 35.0
    quick.begun_at = 0.0
    assert deadlines.pass_by(35.0) == ([], [slow])
    assert deadlines.due is None


def test_who_began_another_packet_meanwhile_has_the_time_of_that(deadlines):
    busy = made(begun_at=5.0)
    deadlines.note_begun(busy)
    busy.begun_at = 20.0
    assert deadlines.pass_by(35.0) == ([], [])
    assert deadlines.due == 50.0


def test_who_is_not_read_from_cannot_be_too_slow(deadlines):
    held = made(begun_at=5.0, held_up=True)
    deadlines.note_begun(held)
    assert deadlines.pass_by(1000.0) == ([], [])
    assert deadlines.due == 1030.0
    held.held_up = False
    assert deadlines.pass_by(1030.0) == ([], [held])
