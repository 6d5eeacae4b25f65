"""What the kernel says of who connected."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from eardrum.kernel import peer
from eardrum.kernel.peer import NOBODY, peer_of


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """One end of a connection from this process to itself."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


def test_it_is_the_user_and_the_groups_of_its_process(connection):
    found = peer_of(connection)
    assert found.uid == os.geteuid()
    assert found.groups >= {os.getegid(), *os.getgroups()}


def test_groups_are_not_looked_up_for_nothing(connection):
    assert peer_of(connection, with_groups=False).groups == frozenset()


def test_the_user_database_may_give_more_groups(connection, monkeypatch):
    monkeypatch.setattr(os, "getgrouplist", lambda name, gid: [gid, 4711])
    assert 4711 in peer_of(connection).groups


def test_a_user_without_a_name_has_those_of_its_process(connection, monkeypatch):
    def unknown(uid: int) -> None:
        raise KeyError

    monkeypatch.setattr(peer.pwd, "getpwuid", unknown)
    assert peer_of(connection).groups == {os.getegid(), *os.getgroups()}


class _OfNobody:
    """A connection from a user that the kernel shows as 65534."""

    def getsockopt(self, level: int, option: int, nbytes: int) -> bytes:
        numbers = (1, NOBODY, NOBODY) if option == socket.SO_PEERCRED else (NOBODY, 29)
        return b"".join(number.to_bytes(4, "little") for number in numbers)


@pytest.mark.parametrize(("all_have_numbers", "uid", "groups"), [(True, NOBODY, {NOBODY, 29}), (False, None, {29})])
def test_who_has_no_number_here_is_not_taken_for_the_user_nobody(monkeypatch, all_have_numbers, uid, groups):
    monkeypatch.setattr(peer, "_all_have_numbers", lambda: all_have_numbers)
    found = peer_of(_OfNobody())
    assert found.uid == uid
    assert found.groups == groups


@pytest.mark.parametrize(("all_have_numbers", "uids"), [(True, (0,)), (False, (0, NOBODY))])
def test_files_of_root_may_seem_to_be_nobodys(monkeypatch, all_have_numbers, uids):
    monkeypatch.setattr(peer, "_all_have_numbers", lambda: all_have_numbers)
    assert peer.root_as_seen() == uids
