"""What a watcher is told, and that nobody waits for one."""

import json
import socket

import pytest

from eardrum.kernel.loop import Loop
from eardrum.protocol.catalog import Ack, Error, GetServerInfo, Request
from eardrum.protocol.message import NO_TAG
from eardrum.protocol.packets import SoundPacket
from eardrum.terms.errors import PulseError
from eardrum.worker.tracing import BEHIND_BYTES, Watchers


@pytest.fixture
def tracing():
    loop = Loop(lambda now, wall: None, lambda: None)
    yield Watchers(loop, lambda link: None)
    loop.close()


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(5)
        yield ours, theirs


def lines(tracing, theirs):
    tracing.flush()
    return [json.loads(line) for line in theirs.recv(1 << 20).splitlines()]


def test_a_command_and_its_refusal_are_told_with_the_reason(ends, tracing):
    ours, theirs = ends
    tracing.add(10.0, ours, sound=False)
    tracing.asked(10.5, 3, 35, 7, GetServerInfo())
    tracing.said(10.5, 3, 35, 7, Error(code=PulseError.ACCESS), "needs LOOK")
    asked, refused = lines(tracing, theirs)
    assert (asked["time"], asked["connection"], asked["line"]) == (0.5, 3, "> GET_SERVER_INFO tag=7")
    assert refused["line"] == "< ERROR tag=7 code=ACCESS refuses=GET_SERVER_INFO"
    assert refused["why"] == "needs LOOK"


def test_tags_of_different_connections_are_told_apart(ends, tracing):
    ours, theirs = ends
    tracing.add(0.0, ours, sound=False)
    tracing.asked(0.0, 1, 35, 0, GetServerInfo())
    tracing.said(0.0, 2, 35, 0, Ack())
    tracing.left(1)
    tracing.said(0.0, 1, 35, 0, Ack())
    assert ["answers" in told for told in lines(tracing, theirs)] == [False, False, False]


def test_only_who_asked_for_sound_is_told_of_it(ends, tracing):
    ours, theirs = ends
    watcher = tracing.add(0.0, ours, sound=False)
    packet = SoundPacket(0, 0, 0, memoryview(bytes(4)), True, 4)
    tracing.sound(0.0, 1, "client", packet)
    watcher.sound = True
    tracing.sound(0.0, 1, "client", packet)
    tracing.sound(0.0, 1, "client", packet._replace(first=False))
    (told,) = lines(tracing, theirs)
    assert told["line"] == "> SOUND channel=0 bytes=4"


def test_a_watcher_that_does_not_read_misses_lines_and_learns_how_many(ends, tracing):
    ours, theirs = ends
    watcher = tracing.add(0.0, ours, sound=False)
    while watcher.link.queued <= BEHIND_BYTES:
        tracing.said(0.0, 1, 35, NO_TAG, Request(channel=0, nbytes=1))
        assert watcher.link.flush()
    for _ in range(5):
        tracing.said(0.0, 1, 35, NO_TAG, Request(channel=0, nbytes=2))
    assert watcher.missed == 5
    before = watcher.link.queued
    while watcher.link.queued:
        theirs.recv(1 << 20)
        assert watcher.link.flush()
    assert before > BEHIND_BYTES
    tracing.said(0.0, 1, 35, NO_TAG, Request(channel=0, nbytes=3))
    assert watcher.link.flush()
    theirs.shutdown(socket.SHUT_WR)
    ours.shutdown(socket.SHUT_WR)
    rest = b""
    while more := theirs.recv(1 << 20):
        rest += more
    told = [json.loads(line) for line in rest.splitlines()[1:]]
    assert told[-2] == {"missed": 5}
    assert told[-1]["fields"]["nbytes"] == 3
