"""A client that can say anything, well-formed or not, and sees everything that comes back, in its order."""

from __future__ import annotations

import contextlib
import enum
import itertools
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from eardrum.protocol.catalog import (
    Auth,
    AuthReply,
    ClientNamed,
    CreatePlaybackStream,
    CreateRecordStream,
    GetPlaybackLatency,
    PlaybackLatency,
    PlaybackStreamCreated,
    RecordStreamCreated,
    SetClientName,
    Stat,
)
from eardrum.protocol.conversation import Asking, ErrorReply, Reply, Told
from eardrum.protocol.message import NEWEST, Message
from eardrum.protocol.packets import SoundPacket, sound_head
from eardrum.terms.audio import STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError

DEADLINE = 30.0  # seconds for whatever is expected to come
PATIENCE = 0.005  # seconds between two looks at what changes by itself
AT_ONCE = 256 * 1024  # bytes read at once
S16 = SampleSpec(SampleFormat.S16LE, 2, 48_000)

M = TypeVar("M", bound=Message)


class Fate(enum.Enum):
    """What becomes of a connection or of a wait."""

    ALIVE = "nothing happens"
    CLOSED = "the connection ends"
    SILENCE = "nothing comes"


class Unmet(AssertionError):
    """What was seen, `got`, is not what was expected."""

    def __init__(self, got: object, wanted: object) -> None:
        super().__init__(f"expected {wanted!r}, got {got!r}")
        self.got = got


Heard = Reply | ErrorReply | Told | SoundPacket


class Talk:
    """One connection. What cannot be decoded raises RemoteProtocolError, what does not come in time Unmet(SILENCE)."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.conversation = Asking()
        self.log: list[Heard] = []  # all that was heard, in its order
        self.index = -1  # the client's number, once it has a name
        self.sound: dict[int, bytearray] = {}  # what was recorded, by stream number
        self._answers: dict[int, Message | PulseError] = {}
        self._told: list[Message] = []  # what was told and `hear` has not given out
        self._scratch = bytearray(AT_ONCE)
        self._closed = False
        self._others: list[Talk] = []
        self._sync_ids = itertools.count()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # so AUTH says who we are
        self._socket.connect(path)  # blocking: else a full backlog is an error
        self._socket.settimeout(DEADLINE)

    def close(self) -> None:
        """End this connection and those that came from it; the server has seen it when this returns."""
        for other in self._others:
            other.close()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(DEADLINE)
            while self._socket.recv_into(self._scratch):
                pass
        self._socket.close()

    # other connections to the same server

    def stranger(self) -> Talk:
        """Another connection, which has said nothing yet; it ends with this one."""
        self._others.append(Talk(self.path))
        return self._others[-1]

    def another(self, version: int = NEWEST) -> Talk:
        """Another connection that has made itself known."""
        return self.stranger().introduced(version)

    def introduced(self, version: int = NEWEST) -> Talk:
        """This connection, after AUTH and SET_CLIENT_NAME."""
        self.must(AuthReply, Auth(version=version))
        self.index = self.must(ClientNamed, SetClientName(name="test", proplist=NAMED)).index
        return self

    @property
    def version(self) -> int:
        return self.conversation.version

    # saying

    def send(self, *raw: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send bytes as they are. That the server hangs up meanwhile is no error here."""
        data = b"".join(raw)
        try:
            if descriptors:
                data = data[socket.send_fds(self._socket, [data], descriptors) :]
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self._closed = True

    def say(self, command: Message) -> int:
        """Ask and do not wait; returns the tag."""
        tag, packet = self.conversation.ask(command)
        self.send(packet)
        return tag

    def ask(self, command: Message) -> Any:
        """Ask and wait: the reply, the error, or CLOSED."""
        return self.answer(self.say(command))

    def must(self, kind: type[M], command: Message) -> M:
        """Ask for what must be granted."""
        reply = self.ask(command)
        if not isinstance(reply, kind):
            raise Unmet(reply, kind.__name__)
        return reply

    def write(self, channel: int, data: bytes, seek: int = 0, offset: int = 0) -> None:
        """Send a packet of sound."""
        self.send(sound_head(channel, len(data), seek, offset), data)

    # hearing

    def answer(self, tag: int) -> Message | PulseError | Fate:
        """The answer with this tag."""
        end = time.monotonic() + DEADLINE
        while tag not in self._answers:
            if not self._hear(end):
                return Fate.CLOSED
        return self._answers.pop(tag)

    def hear(self, kind: type[M], **fields: object) -> M:
        """The next thing told unasked that is of this kind and has these values; each is given out once."""
        end = time.monotonic() + DEADLINE
        seen = 0
        while True:
            for message in self._told[seen:]:
                if isinstance(message, kind) and all(getattr(message, name) == fields[name] for name in fields):
                    self._told.remove(message)
                    return message
            seen = len(self._told)
            if not self._hear(end):
                raise Unmet(Fate.CLOSED, kind.__name__)

    def told(self, kind: type[M]) -> list[M]:
        """What was told of this kind by now and not given out."""
        return [message for message in self._told if isinstance(message, kind)]

    def log_of(self, kind: type[M]) -> list[M]:
        """All that was told of this kind since `forget`, given out or not."""
        return [entry.message for entry in self.log if isinstance(entry, Told) and isinstance(entry.message, kind)]

    def forget(self) -> None:
        """Begin anew: what was told and recorded by now is of no interest."""
        self._told.clear()
        self.log.clear()
        self.sound.clear()

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Hear, and ask `true` again and again, until it is."""
        end = time.monotonic() + DEADLINE
        while not true():
            if time.monotonic() > end:
                raise Unmet(Fate.SILENCE, what)
            if not self._hear(time.monotonic() + PATIENCE, soon=True):
                raise Unmet(Fate.CLOSED, what)

    def order(self, *kinds: type[Message]) -> list[str]:
        """The names of what was heard of these kinds (none: of all), in its order."""
        said = [entry.message for entry in self.log if isinstance(entry, Reply | Told)]
        return [type(message).__name__ for message in said if not kinds or isinstance(message, kinds)]

    @property
    def fate(self) -> Fate:
        """Whether the server still answers."""
        return Fate.CLOSED if self.ask(Stat()) is Fate.CLOSED else Fate.ALIVE

    def after(self, *raw: bytes) -> Fate:
        """What becomes of the connection when it says this."""
        self.send(*raw)
        return self.fate

    # streams

    def play(self, spec: SampleSpec = S16, **fields: Any) -> PlaybackStreamCreated:
        """A playback stream; what is not said is the server's choice."""
        return self.must(PlaybackStreamCreated, self.playing(spec, **fields))

    def playing(self, spec: SampleSpec = S16, **fields: Any) -> CreatePlaybackStream:
        """The command for it; it is in a sync group of its own."""
        given = {"channel_map": map_of(spec), "volume": (VOLUME_NORM,) * spec.channels, "name": "sound"}
        return CreatePlaybackStream(**{"sample_spec": spec, **given, "sync_id": next(self._sync_ids), **fields})

    def record(self, spec: SampleSpec = S16, **fields: Any) -> RecordStreamCreated:
        """A record stream, of the default source unless said otherwise."""
        return self.must(RecordStreamCreated, self.recording(spec, **fields))

    def recording(self, spec: SampleSpec = S16, **fields: Any) -> CreateRecordStream:
        """The command for it."""
        given = {"channel_map": map_of(spec), "volume": (VOLUME_NORM,) * spec.channels, "name": "sound"}
        return CreateRecordStream(**{"sample_spec": spec, **given, **fields})

    def latency(self, channel: int) -> PlaybackLatency:
        """What a playback stream says of itself now."""
        return self.must(PlaybackLatency, GetPlaybackLatency(channel=channel, client_time=(1, 2)))

    def settle(self, channel: int) -> PlaybackLatency:
        """`latency`, once all that was said about the stream has been done and all that follows from it told.

        The stream's side of a server may be a thread of its own, which answers latency questions in their order and
        whose news comes in their order; the third answer has it behind it.
        """
        for _ in range(2):
            self.latency(channel)
        return self.latency(channel)

    def moment(self, nbytes: int = 19_200) -> None:
        """Let the server play on for as long as `nbytes` of its sink's monitor last (here 0.1 s)."""
        clock = self.another()
        heard = clock.record(source_name="@DEFAULT_MONITOR@", fragsize=1920)
        clock.until(lambda: len(clock.sound.get(heard.channel, b"")) >= nbytes, "the monitor to be heard")
        clock.close()

    # inside

    def _hear(self, end: float, what: str = "an answer", soon: bool = False) -> bool:
        """Read once; False: the server has hung up. Nothing until `end` raises Unmet, unless it may come `soon`."""
        if self._closed:
            return False
        self._socket.settimeout(max(0.001, end - time.monotonic()))
        try:
            size = self._socket.recv_into(self._scratch)
        except ConnectionResetError:
            size = 0
        except TimeoutError:
            if soon:
                return True
            raise Unmet(Fate.SILENCE, what) from None
        if not size:
            self._closed = True
            return False
        for said in self.conversation.receive(memoryview(self._scratch)[:size]):
            self._note(said)
        return True

    def _note(self, said: Heard) -> None:
        match said:
            case Reply(tag, message):
                self._answers[tag] = message
            case ErrorReply(tag, code):
                self._answers[tag] = code
            case Told(message):
                self._told.append(message)
            case SoundPacket():
                said = said._replace(data=memoryview(bytes(said.data)))
                self.sound.setdefault(said.channel, bytearray()).extend(said.data)
        self.log.append(said)


NAMED = {"application.name": b"test\0"}


def map_of(spec: SampleSpec) -> bytes:
    """A channel map for this spec: mono, stereo, else numbered channels."""
    return {1: bytes((0,)), 2: STEREO}.get(spec.channels) or bytes(range(12, 12 + spec.channels))


def expect(got: object, wanted: object) -> None:
    """Raises Unmet unless they are equal."""
    if got != wanted:
        raise Unmet(got, wanted)


def expect_any(got: object, wanted: Sequence[object]) -> None:
    """Raises Unmet unless `got` is one of `wanted`."""
    if got not in wanted:
        raise Unmet(got, " or ".join(map(str, wanted)))
