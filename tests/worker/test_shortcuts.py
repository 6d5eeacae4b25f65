"""What passes without the core comes out as what does not, however it was cut."""

from __future__ import annotations

import socket
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from eardrum.kernel.link import Link, Scratch
from eardrum.kernel.loop import READ
from eardrum.protocol.catalog import (
    Ack,
    CreatePlaybackStream,
    DeletePlaybackStream,
    FlushPlaybackStream,
    GetPlaybackLatency,
    GetServerInfo,
    PlaybackLatency,
    PlaybackStreamCreated,
    Request,
    SetDefaultSink,
    Started,
    Underflow,
)
from eardrum.protocol.packets import sound_head
from eardrum.server.core import Server
from eardrum.server.effects import OpenShortcut
from eardrum.server.events import OUTPUT, UpstreamTold
from eardrum.server.indexes import Indexes
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.workers import S16, Upstream, floods
from eardrum.worker import rehearsal
from eardrum.worker.serving import Worker
from eardrum.worker.shortcuts import Shortcuts

CREATE = CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2)
NOISE = np.random.default_rng(1).integers(-(2**15), 2**15, (50_000, 2)).astype("<i2").tobytes()
ALL = len(NOISE)


@pytest.fixture
def played(grow):
    """A program with a stream that its upstream has; both."""
    worker = grow("host")
    with worker.join() as caller:
        tag = caller.say(CREATE)
        upstream = Upstream(worker, OUTPUT)
        with upstream.socket:
            upstream.makes_a_stream()
            assert isinstance(caller.answer(tag), PlaybackStreamCreated)
            yield caller, upstream


def hears(upstream: Upstream, nbytes: int) -> bytes:
    while len(upstream.sound) < nbytes:
        upstream.hear()
    return upstream.sound


@pytest.mark.parametrize("size", [1, 19, 20, 21, 4000, 4020, 70_000, 1 << 20])
def test_sound_is_the_same_however_it_is_cut(played, size):
    caller, upstream = played
    sizes = [4, 400, 4000, 40, 65_536, 8, 70_000, 4]  # some longer than what is given out at once
    packets, position = b"", 0
    for nbytes in sizes:
        packets += sound_head(0, nbytes) + NOISE[position : position + nbytes]
        position += nbytes
    if size < 100:  # one by one is slow
        packets, position = packets[: 4 + 400 + 4000 + 40 + 4 * 20], 4444
    for start in range(0, len(packets), size):
        caller.socket.sendall(packets[start : start + size])
    assert hears(upstream, position) == NOISE[:position]


def test_commands_between_sound_stay_where_they_are(played):
    caller, upstream = played
    _, flush = caller.asking.ask(FlushPlaybackStream(channel=0))
    caller.socket.sendall(sound_head(0, 400) + NOISE[:400] + flush + sound_head(0, 400) + NOISE[400:800])
    asked = upstream.hears(FlushPlaybackStream)
    assert upstream.sound[:400] == NOISE[:400]
    assert hears(upstream, 800) == NOISE[:800]
    upstream.says(Ack(), asked.tag)


def test_what_is_not_whole_frames_is_dropped_whole(played):
    caller, upstream = played
    caller.socket.sendall(sound_head(0, 401) + NOISE[:401] + sound_head(0, 4) + NOISE[:4])
    assert hears(upstream, 4) == NOISE[:4]


def test_sound_for_no_stream_goes_nowhere(played):
    caller, upstream = played
    caller.socket.sendall(sound_head(7, 400) + NOISE[:400] + sound_head(0, 4) + NOISE[:4])
    assert hears(upstream, 4) == NOISE[:4]


@pytest.mark.parametrize("head", [sound_head(0, 4)[:16] + b"\xa0\0\0\0", b"\0\0\0\0" + sound_head(0, 4)[4:]])
def test_nonsense_ends_the_connection(played, head):
    caller, _ = played
    caller.write(0, NOISE[:4])
    caller.socket.sendall(head + NOISE[:4])
    assert caller.ends()


def test_requests_among_other_news_are_told_in_order(played):
    caller, upstream = played
    upstream.says(Request(channel=5, nbytes=4))
    upstream.socket.sendall(
        b"".join(
            upstream.serving.say(message)
            for message in (
                Request(channel=5, nbytes=8),
                Started(channel=5),
                Request(channel=5, nbytes=12),
                Request(channel=6, nbytes=1000),
                Underflow(channel=5, read_index=0),
            )
        )
    )
    upstream.says(Request(channel=5, nbytes=16))
    caller.until(lambda: len(caller.told) == 6, "all of it")
    sizes = [message.nbytes for message in caller.tell_all(Request)]
    assert sizes == [4, 8, 12, 16]


def test_what_passed_counts_for_the_write_index(played):
    caller, upstream = played
    caller.write(0, NOISE[:4000])
    hears(upstream, 4000)
    tag = caller.say(GetPlaybackLatency(channel=0, client_time=(1, 2)))
    reply = PlaybackLatency(
        sink_latency=0, playing=True, client_time=(1, 2), server_time=(1, 2), write_index=4000, read_index=0
    )
    upstream.says(reply, upstream.hears(GetPlaybackLatency).tag)
    assert caller.answer(tag).write_index == 4000
    upstream.socket.close()  # what stands in goes on from there
    latency = caller.ask(GetPlaybackLatency(channel=0, client_time=(1, 2)))
    assert latency.write_index == 4000


def test_a_client_that_does_not_read_is_asked_for_all_at_once_when_it_does(played):
    caller, upstream = played
    count = 20_000
    request = upstream.serving.say(Request(channel=5, nbytes=4))
    for _ in range(0, count, 1000):
        upstream.socket.sendall(request * 1000)
    caller.until(lambda: caller.requested(0) == 4 * count, "all that was asked for")


def test_an_upstream_that_does_not_read_is_waited_for(played):
    caller, upstream = played
    packet = sound_head(0, 40_000) + NOISE[:40_000]
    sent = floods(caller.socket, packet)
    whole = sent // len(packet)
    assert hears(upstream, 40_000 * whole)[: 40_000 * whole] == NOISE[:40_000] * whole


def test_streams_of_several_clients_do_not_meet(grow):
    worker = grow("host")
    callers = [worker.join() for _ in range(4)]
    tags = [caller.say(CREATE) for caller in callers]
    upstream = Upstream(worker, OUTPUT)
    with upstream.socket:
        for number in range(4):
            create = upstream.hears(CreatePlaybackStream)
            made = PlaybackStreamCreated(channel=10 + number, sink_input=number, missing=4000, minreq=4)
            upstream.says(made, create.tag)
        for caller, tag in zip(callers, tags, strict=True):
            assert caller.answer(tag).missing == 4000
        upstream.socket.sendall(
            b"".join(upstream.serving.say(Request(channel=10 + number, nbytes=4 + number)) for number in range(4))
        )
        sizes = []
        for caller in callers:
            caller.until(lambda caller=caller: caller.told, "its request")
            sizes += [(request.channel, request.nbytes) for request in caller.tell_all(Request)]
        assert sorted(sizes) == [(0, 4), (0, 5), (0, 6), (0, 7)]
        callers[0].close()
        callers[1].write(0, NOISE[:4])
        assert hears(upstream, 4) == NOISE[:4]
        upstream.hears(DeletePlaybackStream)
        for caller in callers[1:]:
            caller.close()


def test_who_asks_again_for_the_server_is_answered_as_before_until_something_changes(grow):
    worker = grow("null")
    with worker.join() as caller, worker.join() as other:
        first = caller.ask(GetServerInfo())
        assert [caller.ask(GetServerInfo()) for _ in range(3)] == [first] * 3
        assert other.ask(GetServerInfo()) == replace(first, cookie=other.ask(GetServerInfo()).cookie)
        other.ask(SetDefaultSink(name="output"))
        assert caller.ask(GetServerInfo()) == first
        assert caller.ask(FlushPlaybackStream(channel=9)) is PulseError.NOENTITY


def test_sound_and_requests_do_not_come_before_the_core(monkeypatch):
    seen: list[type] = []
    handle = Server.handle

    def note(core, event):
        seen.append(type(event))
        return handle(core, event)

    monkeypatch.setattr(Server, "handle", note)
    host = rehearsal.Host()
    Worker("x", outlet_view("x", WireEnd("host"), None), host, rights=Right.PLAY | Right.CONNECT).run(lambda: None)
    assert host.heard > rehearsal.CYCLES // 2
    assert seen.count(UpstreamTold) < rehearsal.CYCLES // 2


class Bare:
    """Shortcuts with nothing around them: streams of one client, each carried by an upstream of its own."""

    def __init__(self, streams: int) -> None:
        self.scratch = Scratch()
        self.program, near = socket.socketpair()
        pairs = [socket.socketpair() for _ in range(streams)]
        self.ears = [ear for ear, _ in pairs]
        self.sockets = [self.program, near, *(each for pair in pairs for each in pair)]
        self.heard: list[bytes] = []  # what was left to be heard as always
        self.near = near.fileno()
        client = SimpleNamespace(link=Link(near), plain=True)
        ups = [SimpleNamespace(link=Link(up), streams=SimpleNamespace(channel=lambda stream: 0)) for _, up in pairs]
        clients = SimpleNamespace(connection=lambda number: client, stuck=False, informed={}, heard=self._hear)
        upstreams = SimpleNamespace(connection=lambda wire, stream: ups[stream])
        loop = SimpleNamespace(begun=False, begin=self._begin)
        self.shortcuts = Shortcuts(loop, clients, upstreams, [], self.scratch, lambda link: link.read(self.scratch))
        self.counts = [Indexes() for _ in range(streams)]
        for stream, counts in enumerate(self.counts):
            counts.told = 4000
            self.shortcuts.open(OpenShortcut(0, stream, OUTPUT, stream, 4, counts))

    def _begin(self) -> None:
        """Others are read into the same memory."""
        self.scratch.view[:1000] = bytes(1000)

    def _hear(self, client: object, data: memoryview) -> None:
        self.heard.append(bytes(data))


@pytest.fixture
def bare():
    made = []

    def make(streams: int) -> Bare:
        made.append(Bare(streams))
        return made[-1]

    yield make
    for each in made:
        for connection in each.sockets:
            connection.close()


def test_what_was_read_stays_while_a_wake_up_begins(bare):
    one = bare(streams=1)
    part = sound_head(0, 800) + NOISE[:300]
    one.program.sendall(part)
    one.shortcuts.take([(one.near, READ)])
    assert one.heard == [part]


def test_sound_that_nobody_asked_for_goes_the_way_of_everything_unless_it_is_lent(bare):
    one = bare(streams=1)
    packet = sound_head(0, 400) + NOISE[:400]
    one.counts[0].told = 399
    one.program.sendall(packet)
    one.shortcuts.take([(one.near, READ)])
    assert one.heard == [packet]
    one.counts[0].lent = 1
    one.program.sendall(packet)
    one.shortcuts.take([(one.near, READ)])
    assert one.heard == [packet]
    assert one.ears[0].recv(1000) == packet


def test_all_upstreams_get_what_was_read_at_once(bare):
    both = bare(streams=2)
    both.program.sendall(sound_head(0, 400) + NOISE[:400] + sound_head(1, 400) + NOISE[400:800])
    both.shortcuts.take([(both.near, READ)])
    for ear, sound in zip(both.ears, (NOISE[:400], NOISE[400:800]), strict=True):
        ear.setblocking(False)
        assert ear.recv(1000) == sound_head(0, 400) + sound
