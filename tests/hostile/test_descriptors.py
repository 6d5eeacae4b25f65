"""Descriptors that nobody asked for, and shared memory that nobody agreed on: outlets take no part in either."""

from __future__ import annotations

import array
import os
import select
import socket
import struct

import pytest

from eardrum.protocol import codec
from eardrum.protocol.catalog import RegisterMemfdShmid, Stat, StatReply
from eardrum.testing.arena import BACKENDS
from eardrum.testing.workers import DEADLINE, ends_at_once

pytestmark = pytest.mark.parametrize("attacked", BACKENDS, indirect=True)

REGISTER = codec.packet(RegisterMemfdShmid(shm_id=1), 2**32 - 1, 35)
SHARED, MEMFD = 0x80000000, 0x20000000
RELEASE, REVOKE = 0x40000000, 0xC0000000


def memfd(nbytes):
    made = os.memfd_create("attack")
    os.truncate(made, nbytes)
    return made


def epoll():
    with select.epoll() as made:
        return os.dup(made.fileno())


KINDS = {
    "memfd": lambda path: memfd(4096),
    "memfd of 512 MiB, sparse": lambda path: memfd(512 << 20),
    "memfd without a byte": lambda path: memfd(0),
    "file": lambda path: os.open(path / "file", os.O_RDWR | os.O_CREAT),
    "O_PATH": lambda path: os.open(path, os.O_PATH),
    "directory": lambda path: os.open(path, os.O_RDONLY),
    "/dev/zero": lambda path: os.open("/dev/zero", os.O_RDWR),
    "socket": lambda path: socket.socket(socket.AF_UNIX).detach(),
    "epoll": lambda path: epoll(),
    "pidfd": lambda path: os.pidfd_open(os.getpid()),
}


def send(connection, data, *descriptors):
    connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])


def closed(reader):
    """Whether nobody has the other end of this pipe any more."""
    poll = select.poll()
    poll.register(reader, 0)
    return bool(poll.poll(DEADLINE * 1000))


def shared(flags, index, length):
    """A packet that says where sound lies: block, segment, begin, length."""
    return struct.pack(">IIqI", 16, 0, 0, flags) + struct.pack(">IIII", 0, 1, index, length)


@pytest.mark.case("P50")
def test_a_descriptor_that_comes_along_is_closed_at_once(victim):
    """With a command, in the middle of one, and with sound: it is never taken, so nothing has to be given up for it."""
    reader, writer = os.pipe()
    with victim.join() as attacker:
        attacker.play(corked=True)
        tag, question = attacker.asking.ask(Stat())
        send(attacker.socket, question[:9], writer)
        send(attacker.socket, question[9:], writer, writer)
        send(attacker.socket, struct.pack(">IIqI", 4, 0, 0, 0) + bytes(4), writer)
        os.close(writer)
        assert attacker.answer(tag) == StatReply()
        assert closed(reader)
        assert attacker.ask(Stat()) == StatReply()
    os.close(reader)


@pytest.mark.case("P51")
@pytest.mark.parametrize("count", [0, 1, 2])
def test_memory_that_is_registered_ends_the_connection(victim, count):
    reader, writer = os.pipe()
    with victim.join() as attacker:
        if count:
            send(attacker.socket, REGISTER, *[writer] * count)
        else:
            attacker.socket.sendall(REGISTER)
        assert ends_at_once(attacker.socket)
    os.close(writer)
    assert closed(reader)
    os.close(reader)


@pytest.mark.case("P52")
def test_what_is_registered_is_not_even_looked_at(victim, tmp_path):
    for make in KINDS.values():
        descriptor = make(tmp_path)
        with victim.join() as attacker:
            send(attacker.socket, REGISTER, descriptor)
            assert ends_at_once(attacker.socket)
        os.close(descriptor)


@pytest.mark.case("P54")
def test_sound_that_lies_anywhere_in_memory_ends_the_connection(victim):
    places = [(0, 4), (0, 2**32 - 1), (2**32 - 4, 8), (2**32 - 1, 2**32 - 1), (4096, 0)]
    victim.drops([shared(SHARED | MEMFD, *place) for place in places])


@pytest.mark.case("P55")
def test_sound_in_memory_that_was_never_registered_ends_the_connection(victim):
    blocks = [shared(flags, 0, 4096) for flags in (SHARED, SHARED | MEMFD, SHARED | MEMFD | 1)]
    signs = [struct.pack(">IIqI", 0, 7, 0, flags) for flags in (RELEASE, REVOKE)]
    victim.drops([*blocks, *signs])
