"""What a worker will do, done once in the nursery: a short conversation with a core, played and recorded.

Workers are forks of the nursery. What is written, specialised and touched here, before the fork, is shared by all of
them; what each did first by itself would cost every one of them time and private memory.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from eardrum.kernel import seqpacket
from eardrum.kernel.confinement import Layer
from eardrum.protocol import catalog as c
from eardrum.protocol.conversation import Asking, Command, Serving
from eardrum.protocol.message import NEWEST, Message
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.server.core import Server
from eardrum.server.effects import Answer, KeepLevel, Reissue, SendSound, Tell, WireSays
from eardrum.server.events import OUTPUT, OWN_VIEW, Asked, Joined, Left, Sound, UpstreamAnswered, UpstreamReady, Woke
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view, room_view
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.upstream.streams import Answered, Streams
from eardrum.worker.desk_link import DeskLink
from eardrum.worker.owner import Counts
from eardrum.worker.records import Kind, Record
from eardrum.worker.serving import Worker

ROUNDS = 12  # the interpreter specialises code after it has run about eight times
ALL = Right.CONNECT | Right.LOOK | Right.PLAY | Right.RECORD
SPEC = SampleSpec(SampleFormat.S16LE, 2, 44100)
TIME = (0, 0)
CYCLES = 30  # of what is carried
MOST_BYTES = 65_536  # are read at once


def rehearse() -> None:
    """Play every common part once or a few times; nothing of it is heard."""
    room, name = WireEnd("room", "rehearsal"), "rehearsal"
    for _ in range(ROUNDS):
        _play(Server(outlet_view(name, WireEnd("null"), WireEnd("silence")), writes_file=(0,)), 0)
        _play(Server(outlet_view(name, room, room)), 0)
        _play(Server(room_view(name)), NEWEST)
        _serve(name)
        _carry(name)


def _play(core: Server, version: int) -> None:
    """One program connects, looks round, plays and records."""
    scene = _Scene(core, version)
    if not version:
        scene.say(c.Auth(version=NEWEST))
    before: tuple[Message, ...] = (
        c.SetClientName(proplist={"application.name": b"rehearsal\0", "application.process.id": b"1\0"}),
        c.GetServerInfo(),
        c.GetSinkInfo(),
        c.GetSinkInfoList(),
        c.GetSourceInfoList(),
        c.Subscribe(mask=c.MASK_ALL),
        c.CreatePlaybackStream(
            sample_spec=SPEC, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, proplist={"media.name": b"rehearsal\0"}
        ),
        c.CreateRecordStream(sample_spec=SPEC, channel_map=STEREO, fragsize=4096, adjust_latency=True),
    )
    for message in before:
        scene.say(message)
    scene.sound(bytes(SPEC.bytes_for(2_000_000)))
    during: tuple[Message, ...] = (
        c.GetModuleInfoList(),
        c.GetCardInfoList(),
        c.GetSampleInfoList(),
        c.GetClientInfoList(),
        c.GetSinkInputInfoList(),
        c.GetSourceOutputInfoList(),
        c.GetPlaybackLatency(channel=0, client_time=TIME),
        c.GetRecordLatency(channel=0, client_time=TIME),
        c.CorkPlaybackStream(channel=0, cork=True),
        c.CorkPlaybackStream(channel=0, cork=False),
        c.SetSinkInputVolume(index=0, volume=(VOLUME_NORM // 2,) * 2),
        c.DrainPlaybackStream(channel=0),
    )
    for message in during:
        scene.say(message)
        scene.passes(0.1)
    scene.passes(2.0)
    scene.say(c.DeletePlaybackStream(channel=0))
    scene.say(c.DeleteRecordStream(channel=0))
    core.handle(Left(1))


def _serve(name: str) -> None:
    """A worker's real loop and sockets: one connection, which has said all it has to say before the worker looks."""
    desk, link = seqpacket.pair()
    ours, theirs = socket.socketpair()
    with desk, ours, theirs:
        seqpacket.send(desk, bytes(Record(Kind.ATTACH, 1, ALL.value)), (theirs.fileno(),))
        program = Asking(NEWEST)
        for message in (c.SetClientName(), c.GetServerInfo(), c.GetSinkInfoList()):
            ours.sendall(program.ask(message)[1])
    Worker(name, room_view(name), DeskLink(link.detach())).run(confine=lambda: Layer(0))


def _carry(name: str) -> None:
    """A worker's real loop and sockets, between a program and an upstream."""
    Worker(name, outlet_view(name, WireEnd("host"), None), Host(), rights=ALL).run(confine=lambda: Layer(0))


class Host:
    """The owner of a worker that is both its program and its upstream. All of them act when the worker looks for what
    its owner says.
    """

    lingers: float | None = None
    orphan = False
    stale = False
    due: float | None = None

    def __init__(self) -> None:
        self._always_ready, self._ready = socket.socketpair()
        self._ready.send(b"!")
        self.descriptor = self._always_ready.fileno()
        self._program, self._upstream = Asking(NEWEST), Serving(NEWEST)
        self._plays, program = socket.socketpair()
        self._hosts, upstream = socket.socketpair()
        self._records = [
            (Record(Kind.UPSTREAM, OUTPUT, NEWEST), [upstream.detach()]),
            (Record(Kind.ATTACH, OWN_VIEW, ALL.value), [program.detach()]),
        ]
        self._begun = False
        self._cycles = 0
        self.heard = 0  # packets of sound that came upstream

    def receive(self) -> tuple[Record, list[int]] | None:
        if self._records:
            return self._records.pop(0)
        if not self._begun:
            self._begun = True
            create = c.CreatePlaybackStream(sample_spec=SPEC, channel_map=STEREO, volume=(VOLUME_NORM,) * 2)
            for message in (c.SetClientName(), c.GetServerInfo(), create):
                self._plays.sendall(self._program.ask(message)[1])
        self._act()
        self._cycles += 1
        return (Record(Kind.FINISH), []) if self._cycles == CYCLES else None

    def _act(self) -> None:
        with suppress(BlockingIOError):
            for heard in self._upstream.receive(memoryview(self._hosts.recv(MOST_BYTES, socket.MSG_DONTWAIT))):
                if isinstance(heard, Command):
                    reply, wanted = _yes(heard.message), heard.message.ANSWER
                    says = self._upstream.say(reply, heard.tag) if isinstance(reply, wanted or c.Ack) else b""
                    self._hosts.sendall(says or self._upstream.refuse(heard.tag, PulseError.NOENTITY))
                else:
                    self.heard += 1
        with suppress(BlockingIOError):
            self._program.receive(memoryview(self._plays.recv(MOST_BYTES, socket.MSG_DONTWAIT)))
            self._plays.sendall(sound_head(0, 4) + bytes(4))
        self._hosts.sendall(self._upstream.say(c.Request(channel=0, nbytes=4)))

    def tell(self, record: Record) -> None: ...

    def keep_level(self, effect: KeepLevel) -> None: ...

    def wire_says(self, effect: WireSays) -> None: ...

    def report(self, now: float, count: Callable[[], Counts]) -> None: ...

    def tell_news(self) -> None: ...

    def close(self) -> None:
        for end in (self._always_ready, self._ready, self._plays, self._hosts):
            end.close()


class _Scene:
    """Program, conversation, core, and an upstream that says yes to everything."""

    def __init__(self, core: Server, version: int) -> None:
        self._core = core
        self._program = Asking(NEWEST)
        self._serving = Serving(version) if version else Serving()
        self._streams = Streams(NEWEST)
        self._upstream = Serving(NEWEST)
        self._now = 0.0
        self._streams.hello("rehearsal")
        self._do(Joined(1, 0, ALL, version))
        for wire in (0, 1):
            self._do(UpstreamReady(wire))

    def say(self, message: Message) -> None:
        _, packet = self._program.ask(message)
        self._hear(packet)

    def sound(self, samples: bytes) -> None:
        self._hear(sound_head(0, len(samples)) + samples)

    def passes(self, seconds: float) -> None:
        self._now += seconds
        self._do(Woke(self._now, self._now))

    def _hear(self, data: bytes) -> None:
        for item in self._serving.receive(memoryview(data)):
            if isinstance(item, SoundPacket):
                self._do(Sound(1, *item))
            else:
                self._do(Asked(1, item.tag, item.message))

    def _do(self, event: object) -> None:
        for effect in self._core.handle(event):  # type: ignore[arg-type]
            match effect:
                case Answer():
                    self._program.receive(memoryview(self._serving.say(effect.message, effect.tag)))
                case Tell():
                    self._program.receive(memoryview(self._serving.say(effect.message)))
                case SendSound():
                    sound_head(effect.channel, len(effect.data))
                case Reissue():
                    self._reissue(effect)

    def _reissue(self, effect: Reissue) -> None:
        packet = self._streams.say(effect.stream, effect.token, effect.message)
        for command in self._upstream.receive(memoryview(packet)):
            assert isinstance(command, Command)
            reply = self._upstream.say(_yes(command.message), command.tag)
            for outcome in self._streams.receive(memoryview(reply)):
                if isinstance(outcome, Answered):
                    self._do(UpstreamAnswered(outcome.token, outcome.message))


def _yes(message: Message) -> Message:
    """A friendly upstream's reply."""
    match message:
        case c.GetSinkInfo():
            return c.SinkInfo(
                index=0, name="sink", description="", sample_spec=SPEC, channel_map=STEREO, volume=(0, 0), muted=False,
                driver="",
            )  # fmt: skip
        case c.CreatePlaybackStream():
            return c.PlaybackStreamCreated(
                channel=0, sink_input=0, missing=0, sample_spec=message.sample_spec, channel_map=message.channel_map
            )
        case c.CreateRecordStream():
            return c.RecordStreamCreated(
                channel=0, source_output=0, sample_spec=message.sample_spec, channel_map=message.channel_map
            )
        case c.GetPlaybackLatency():
            return c.PlaybackLatency(
                sink_latency=0, playing=True, client_time=TIME, server_time=TIME, write_index=0, read_index=0
            )
        case c.GetRecordLatency():
            return c.RecordLatency(
                monitor_latency=0, source_latency=0, playing=True, client_time=TIME, server_time=TIME, write_index=0,
                read_index=0,
            )  # fmt: skip
    return c.Ack()
