"""The short way of sound through a worker: from clients to their upstream, and what that asks for to clients.

In a wake-up that brings nothing else nothing else of the worker is touched, for what a wake-up costs is code and memory
that have to be fetched into the caches. All other things are handed to those whose they are.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

from eardrum.kernel.link import Link, Scratch
from eardrum.kernel.loop import READ, Loop
from eardrum.protocol.catalog import GetServerInfo, Request
from eardrum.protocol.codec import HEAD_BYTES
from eardrum.protocol.message import NO_TAG
from eardrum.protocol.packets import CONTROL, DESCRIPTOR_BYTES, PIECE
from eardrum.server.effects import CloseShortcut, OpenShortcut
from eardrum.worker.clients import Clients
from eardrum.worker.connection import Connection
from eardrum.worker.tracing import Watchers
from eardrum.worker.upstream_links import Upstream, UpstreamLinks

_DESCRIPTOR = struct.Struct(">IIqI")  # length, channel, offset, flags
_describe, _read_descriptor = _DESCRIPTOR.pack, _DESCRIPTOR.unpack_from
_REQUEST = struct.Struct(">25sBIBIBI")  # all until the tag, which means nothing; channel and bytes; letters before them
_REQUEST_BYTES = _REQUEST.size
_REQUEST_HEAD = _describe(_REQUEST_BYTES - DESCRIPTOR_BYTES, CONTROL, 0, 0) + struct.pack(">BI", 76, Request.CODE)
_QUESTION = _describe(HEAD_BYTES, CONTROL, 0, 0) + struct.pack(">BIB", 76, GetServerInfo.CODE, 76)
_TAG = len(_QUESTION)  # where the tag is, in questions and answers
_HEAD_BYTES = DESCRIPTOR_BYTES + HEAD_BYTES
REST = 0.0002  # seconds that several clients are given to answer, so that one wake-up serves all
MOST_RESTS = 3  # in a row
MOST_UNPAID = 64  # questions of one client that are answered before they are counted
MOST_PACKETS = 16  # of one client in one wake-up; whoever says more has its turn as everybody


class _Way:
    """An open shortcut with its two ends."""

    __slots__ = ("channel", "client", "counts", "frame_bytes", "upstream", "upstream_channel")

    def __init__(self, effect: OpenShortcut, client: Connection, upstream: Upstream, upstream_channel: int) -> None:
        self.client = client
        self.channel = effect.channel
        self.frame_bytes = effect.frame_bytes
        self.counts = effect.counts
        self.upstream = upstream
        self.upstream_channel = upstream_channel


class Shortcuts:
    """`read` reads a link into `scratch`."""

    def __init__(
        self,
        loop: Loop,
        clients: Clients,
        upstreams: UpstreamLinks,
        watchers: Watchers,
        scratch: Scratch,
        read: Callable[[Link], memoryview | None],
    ) -> None:
        self._loop = loop
        self._clients = clients
        self._upstreams = upstreams
        self._watchers = watchers
        self._scratch = scratch
        self._read = read
        self._ways: dict[int, _Way] = {}  # by the core's number of the stream
        self._from: dict[int, tuple[Connection, dict[int, _Way]]] = {}  # by descriptor; the ways by channel
        self._to: dict[int, tuple[Upstream, dict[int, _Way]]] = {}
        self._awaited = 0  # clients that were asked for sound and have not said anything since
        self._rests = 0  # how often they may be waited for

    def open(self, effect: OpenShortcut) -> None:
        client = self._clients.connection(effect.client)
        upstream = self._upstreams.connection(effect.wire, effect.stream)
        channel = None if upstream is None else upstream.streams.channel(effect.stream)
        if client is not None and upstream is not None and channel is not None:
            way = self._ways[effect.stream] = _Way(effect, client, upstream, channel)
            self._from.setdefault(client.link.descriptor, (client, {}))[1][way.channel] = way
            self._to.setdefault(upstream.link.descriptor, (upstream, {}))[1][way.upstream_channel] = way

    def close(self, effect: CloseShortcut) -> None:
        way = self._ways.pop(effect.stream, None)
        if way is not None:
            _, beside = self._from[way.client.link.descriptor]
            del beside[way.channel]
            if not beside:
                del self._from[way.client.link.descriptor]
            _, beside = self._to[way.upstream.link.descriptor]
            del beside[way.upstream_channel]
            if not beside:
                del self._to[way.upstream.link.descriptor]

    def take(self, events: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Do what can be done of these events, descriptors and what they are ready for; returns the others."""
        if self._watchers or self._clients.stuck:
            return events
        left = []
        written: list[Upstream] = []
        for event in events:
            descriptor, happened = event
            if happened != READ:
                left.append(event)
            elif descriptor in self._from:
                client, ways = self._from[descriptor]
                if client.plain:
                    self._from_client(client, ways, written)
                else:
                    left.append(event)
            elif descriptor in self._to:
                self._from_upstream(*self._to[descriptor])
            elif descriptor in self._clients.informed:
                client, answer = self._clients.informed[descriptor]
                if client.plain:
                    self._from_informed(client, answer)
                else:
                    left.append(event)
            else:
                left.append(event)
        for upstream in written:
            if not upstream.link.flush() or upstream.link.queued:
                self._loop.begin()  # the rest goes the way of everything
        if not self._loop.begun:
            self._scratch.reset()
        if self._awaited > 1 and self._rests:
            self._rests -= 1
            self._loop.rest = REST
        return left

    def _from_client(self, client: Connection, ways: dict[int, _Way], written: list[Upstream]) -> None:
        """What a client has said; `written` gets the upstreams for which sound of it was queued."""
        self._awaited -= 1
        data = self._read(client.link)
        if not data:
            self._clients.heard(client, self._begun(data))
            return
        position, end = 0, len(data)
        for _ in range(MOST_PACKETS):
            if position + DESCRIPTOR_BYTES >= end:
                break
            length, channel, offset, flags = _read_descriptor(data, position)
            way, start = ways.get(channel), position + DESCRIPTOR_BYTES
            stop = start + length
            if way is None or offset or flags or stop > end or length > PIECE or length % way.frame_bytes or not length:
                break
            counts = way.counts
            if counts.written + length > counts.told + counts.lent:
                break  # nobody has asked for so much
            upstream = way.upstream
            if upstream not in written:
                written.append(upstream)
            upstream.link.queue(_describe(length, way.upstream_channel, 0, 0), data[start:stop])
            counts.written += length
            position = stop
        if position < end:
            self._clients.heard(client, self._begun(data[position:]))

    def _from_informed(self, client: Connection, answer: bytes) -> None:
        """What a client has said that was told of the server: if it asks once more, nothing has changed meanwhile."""
        data = self._read(client.link)
        short = client.unpaid < MOST_UNPAID and not client.mute
        if short and data and len(data) == _HEAD_BYTES and data[:_TAG] == _QUESTION:
            client.unpaid += 1
            self._send(client, b"".join((answer[:_TAG], data[_TAG:], answer[_HEAD_BYTES:])))
        else:
            self._clients.heard(client, self._begun(data))

    def _from_upstream(self, upstream: Upstream, ways: dict[int, _Way]) -> None:
        """What an upstream has said: nothing but requests, or it is heard as always."""
        data = self._read(upstream.link)
        asked = self._asked(ways, data) if data and upstream.streams.whole else []
        if not asked:
            self._upstreams.heard(upstream, self._begun(data))
            return
        upstream.heard_at, upstream.asked = time.monotonic(), False
        for way, nbytes in asked:
            way.counts.told += nbytes
            self._send(way.client, _REQUEST.pack(_REQUEST_HEAD, 76, NO_TAG, 76, way.channel, 76, nbytes))
        self._awaited, self._rests = len(asked), MOST_RESTS

    def _begun(self, data: memoryview | None) -> memoryview | None:
        """Begin with all that a wake-up is; what was read stays, whatever that reads into scratch memory."""
        if data and not self._loop.begun:
            data = memoryview(bytes(data))
        self._loop.begin()
        return data

    def _send(self, client: Connection, packet: bytes) -> None:
        if not client.link.send(packet) or client.link.queued:
            self._loop.begin()
            self._clients.touch(client)

    def _asked(self, ways: dict[int, _Way], data: memoryview) -> list[tuple[_Way, int]]:
        """For which streams the upstream asks for how many bytes; empty if it says anything else."""
        asked: list[tuple[_Way, int]] = []
        if len(data) % _REQUEST_BYTES:
            return asked
        for head, a, _, b, channel, c, nbytes in _REQUEST.iter_unpack(data):
            way = ways.get(channel)
            if (
                head != _REQUEST_HEAD
                or way is None
                or (a, b, c) != (76, 76, 76)
                or way.counts.wanted
                or way.client.mute
            ):
                return []
            asked.append((way, nbytes))
        return asked
