"""A server core on stage: a clock that is told the time, and programs that speak in messages.

What must always hold is watched all the time: every command is answered exactly once, and what is said to a program can
be written in the version that it speaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from eardrum.protocol import codec
from eardrum.protocol.catalog import (
    Auth,
    AuthReply,
    ClientNamed,
    CreatePlaybackStream,
    CreateRecordStream,
    PlaybackStreamCreated,
    RecordStreamCreated,
    Request,
    SetClientName,
)
from eardrum.protocol.message import NEWEST, NO_TAG, OLDEST, Message
from eardrum.protocol.packets import PIECE
from eardrum.server.core import Server
from eardrum.server.effects import Answer, Effect, HangUp, Refuse, SendSound, Tell, WakeMe, WriteFile
from eardrum.server.events import Asked, Event, Joined, Left, Sound, Woke
from eardrum.server.rights import Right
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError

FLOAT = SampleSpec(SampleFormat.FLOAT32LE, 2, 48000)
PLAY_ONLY = Right.CONNECT | Right.LOOK | Right.PLAY
ALL = PLAY_ONLY | Right.RECORD


@dataclass
class Program:
    """A client: what it asks, what it is told, what it records."""

    stage: Stage
    number: int
    version: int  # what it says in AUTH
    speaks: int = OLDEST  # what the connection speaks now
    tag: int = 0
    waits_for: list[int] = field(default_factory=list)  # tags without an answer
    told: list[Message] = field(default_factory=list)
    answers: dict[int, Message | PulseError] = field(default_factory=dict)
    sound: dict[int, bytearray] = field(default_factory=dict)
    packets: list[int] = field(default_factory=list)  # bytes of each packet of sound it got
    ended: str = ""

    def say(self, message: Message) -> int:
        """Ask and do not wait; returns the tag."""
        self.tag += 1
        self.waits_for.append(self.tag)
        if isinstance(message, Auth) and message.version & 0xFFFF >= OLDEST:
            self.speaks = min(NEWEST, message.version & 0xFFFF)
        self.stage.happens(Asked(self.number, self.tag, message))
        return self.tag

    def ask(self, message: Message) -> Any:
        """Ask; returns the reply or the error, which must have come at once."""
        return self.answers.pop(self.say(message))

    def hears(self, message: Message, tag: int = NO_TAG) -> None:
        codec.encode(message, tag, self.speaks)
        if tag == NO_TAG:
            self.told.append(message)
        else:
            self.settles(tag, message)

    def settles(self, tag: int, outcome: Message | PulseError) -> None:
        assert tag in self.waits_for, f"nothing waits for the answer {tag}: {outcome}"
        self.waits_for.remove(tag)
        self.answers[tag] = outcome

    def play(self, spec: SampleSpec = FLOAT, **fields: Any) -> PlaybackStreamCreated:
        fields = {"channel_map": STEREO[: spec.channels], "volume": (VOLUME_NORM,) * spec.channels, **fields}
        reply = self.ask(CreatePlaybackStream(**{"sample_spec": spec, "sync_id": self.tag, **fields}))
        assert isinstance(reply, PlaybackStreamCreated), reply
        return reply

    def record(self, spec: SampleSpec = FLOAT, **fields: Any) -> RecordStreamCreated:
        fields = {"channel_map": STEREO[: spec.channels], **fields}
        reply = self.ask(CreateRecordStream(sample_spec=spec, **fields))
        assert isinstance(reply, RecordStreamCreated), reply
        return reply

    def write(self, channel: int, data: bytes, seek: int = 0, offset: int = 0) -> None:
        """Send a packet of sound; a long one comes in pieces."""
        for start in range(0, len(data), PIECE):
            piece = memoryview(data)[start : start + PIECE]
            self.stage.happens(Sound(self.number, channel, seek, offset, piece, not start, len(data)))

    def heard(self, channel: int = 0) -> np.ndarray:
        """All that a float32 stereo record stream got, frames by channels."""
        return np.frombuffer(bytes(self.sound.get(channel, b"")), np.float32).reshape(-1, 2)

    def tell_all(self, kind: type[Message]) -> list[Any]:
        """What it was told of this kind."""
        return [message for message in self.told if isinstance(message, kind)]

    def requested(self) -> int:
        """Bytes it was asked for since the streams were made."""
        return sum(request.nbytes for request in self.tell_all(Request))

    def leave(self) -> None:
        self.stage.happens(Left(self.number))


class Stage:
    """A core and all that happened to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.now = 100.0
        self.programs: dict[int, Program] = {}
        self.due: float | None = None
        self.file: list[np.ndarray] = []
        self.others: list[Effect] = []  # for the upstream
        self.happens(Woke(self.now, 1.7e9))

    def happens(self, event: Event) -> None:
        for effect in self.server.handle(event):
            match effect:
                case Answer(client, tag, message):
                    self.programs[client].hears(message, tag)
                case Refuse(client, tag, error):
                    self.programs[client].settles(tag, error)
                case Tell(client, message):
                    self.programs[client].hears(message)
                case SendSound(client, channel, data):
                    self.programs[client].sound.setdefault(channel, bytearray()).extend(data)
                    self.programs[client].packets.append(len(data))
                case HangUp(client, why):
                    self.programs[client].ended = why
                case WakeMe(at):
                    self.due = at
                case WriteFile(_, silence, block):
                    self.file.append(np.zeros((silence, block.shape[1]), np.float32))
                    self.file.append(block.copy())
                case _:
                    self.others.append(effect)

    def join(self, rights: Right = ALL, view: int = 0, version: int = 35) -> Program:
        """A program that has said AUTH and its name."""
        program = self.connect(rights, view, version)
        assert program.ask(Auth(version=version)) == AuthReply(version=35)
        assert isinstance(program.ask(SetClientName(proplist={"application.name": b"test\0"})), ClientNamed)
        return program

    def connect(self, rights: Right = ALL, view: int = 0, version: int = 35) -> Program:
        """A program that has said nothing yet."""
        number = len(self.programs) + 1
        program = self.programs[number] = Program(self, number, version)
        self.happens(Joined(number, view, rights))
        return program

    def attach(self, rights: Right = ALL, view: int = 0) -> Program:
        """A program that another vouches for: it needs no AUTH."""
        number = len(self.programs) + 1
        program = self.programs[number] = Program(self, number, NEWEST, NEWEST)
        self.happens(Joined(number, view, rights, NEWEST))
        return program

    def passes(self, seconds: float) -> None:
        """Time passes; the core is woken when it asked to be."""
        end = self.now + seconds
        while self.due is not None and self.due <= end:
            self.now = max(self.now, self.due)
            self.happens(Woke(self.now, 1.7e9 + self.now))
        self.now = end
        self.happens(Woke(self.now, 1.7e9 + self.now))

    def sleeps(self, seconds: float) -> None:
        """The machine sleeps: time passes and nobody is woken before it is over."""
        self.now += seconds
        self.happens(Woke(self.now, 1.7e9 + self.now))

    def written(self) -> np.ndarray:
        """What the file has, frames by channels."""
        return np.concatenate(self.file) if self.file else np.zeros((0, 2), np.float32)


def sine(frequency: float, frames: int, amplitude: float = 0.5, rate: int = 48000) -> np.ndarray:
    """A stereo sine, frames by 2, float32."""
    wave = amplitude * np.sin(2 * np.pi * frequency * np.arange(frames) / rate)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)
