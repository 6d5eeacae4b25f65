"""A whole server core: several programs, well-behaved or not, in an outlet or a room, while time passes.

Only RemoteProtocolError comes out of a conversation, and nothing out of the core. Each command is answered once, in the
end. What is said can be written, and the program can read it. Each wake-up that is asked for lies ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hunt import Found, Play
from words import VERSIONS, Words, damaged, pieces

from eardrum.protocol import catalog as c
from eardrum.protocol import codec
from eardrum.protocol.conversation import Asking, Command, Serving
from eardrum.protocol.message import NEWEST, OLDEST, Message, every, fields_of
from eardrum.protocol.packets import MAX_SOUND, SoundPacket, sound_head
from eardrum.server.core import Server
from eardrum.server.effects import (
    Answer,
    Effect,
    HangUp,
    Refuse,
    Reissue,
    ReissueSound,
    SendSound,
    Tell,
    WakeMe,
    WantUpstream,
)
from eardrum.server.events import (
    OWN_VIEW,
    Asked,
    Clogged,
    Event,
    Joined,
    Left,
    Sound,
    Turned,
    Unclogged,
    UpstreamAnswered,
    UpstreamLost,
    UpstreamReady,
    UpstreamRefused,
    UpstreamSound,
    UpstreamTold,
    Woke,
)
from eardrum.server.knob import Knob
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view, room_view
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.terms.levels import HIGHEST
from eardrum.terms.names import input_end, output_end
from eardrum.upstream.streams import Answered, Recorded, RefusedThat, Said, Streams

COMMANDS = [cls for cls in every() if cls.SENDER != "server"]
STREAMS = [cls for cls in COMMANDS if "channel" in cls.__slots__]
CREATING = (c.CreatePlaybackStream, c.CreateRecordStream)
ENDING = (
    c.DeletePlaybackStream, c.DeleteRecordStream, c.KillClient, c.KillSinkInput, c.KillSourceOutput,
    c.EnableSrbchannel, c.DisableSrbchannel, c.RegisterMemfdShmid,
)  # fmt: skip
NEWS = [cls for cls in every() if cls.SENDER == "server" and "channel" in cls.__slots__]
WIRES = (
    ("null", ""),
    ("null", "silence"),
    ("file:/x.wav", ""),
    ("host", ""),
    ("host:sink", "room:a"),
    ("room:a", "silence"),
)
BOTH = Right.CONNECT | Right.LOOK | Right.PLAY | Right.RECORD
SCRIPT = BOTH | Right.MODULES
RETRIES = 50  # wake-ups until the next attempt upstream is due
LAST_CYCLES = 1000  # when all have left: feeds still hold up to 2 s of sound
RIGHTS = (BOTH, BOTH, SCRIPT, SCRIPT, BOTH & ~Right.RECORD, BOTH & ~Right.PLAY, Right.CONNECT | Right.LOOK, ~Right.NONE)
PLACES = ((0, 0), (0, 0), (0, 0), (0, -8), (0, 8), (1, 0), (2, 4096), (3, -4096), (1, 2**62))  # seek, offset
ROOM_VIEWS = (1, 2, 3)
MOST_PROGRAMS = 5
STEPS = 300


def episode(play: Play) -> None:
    """The life of one worker."""
    world = _World(play)
    for _ in range(play.random.randrange(STEPS)):
        world.step()
    world.end()


class _Program:
    """One connection: our side of its conversation, and its own."""

    def __init__(self, number: int, version: int, rights: Right) -> None:
        self.number = number
        self.serving = Serving(version or OLDEST, once=not rights & Right.OWN)
        self.asking = Asking(version) if version else Asking()
        self.waits_for: list[tuple[int, type[Message]]] = []  # tags and commands
        self.clogged = False
        self.sane = True  # it has said no nonsense, so it can tell whether it is told any


class _Upstream:
    """The other end of a wire: it answers in order, when it is its turn."""

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self.serving = Serving(NEWEST)
        self.commands: list[Command] = []
        self.channels = 0


class _World:
    def __init__(self, play: Play) -> None:
        self.play, self.random, self.words = play, play.random, Words(play.random)
        self.now = 10.0
        self.due: float | None = None
        self.programs: dict[int, _Program] = {}
        self.numbers = 0
        self.wanted: list[int] = []  # wires
        self.upstreams: dict[int, _Upstream] = {}
        output, input = self.random.choice(WIRES)
        self.room = self.random.random() < 0.4
        view = (
            room_view("studio")
            if self.room
            else outlet_view("box", output_end(output), input_end(input) if input else None, modules=True)
        )
        play.happens("a room" if self.room else f"an outlet, output {output}, input {input or 'none'}")
        knobs = Knob(ceiling=self.random.choice((None, VOLUME_NORM // 2))), Knob()
        writes_file = (0,) if not self.room and output.startswith("file") else ()
        self.core = Server(view, writes_file=writes_file, knobs=knobs)
        self.do(Woke(self.now, self.now))
        self.join()

    # -- what may happen

    def step(self) -> None:
        chance = self.random.random()
        if chance < 0.15:
            self.passes()
            return
        if chance < 0.17 or not self.programs:
            self.join()
            return
        if chance < 0.35 and (self.wanted or self.upstreams):
            self.upstream()
            return
        if chance < 0.37 and not self.room:
            self.turn()
            return
        program = self.random.choice([*self.programs.values()])
        if chance < 0.75:
            self.command(program)
        elif chance < 0.93:
            self.sound(program)
        elif chance < 0.95:
            self.nonsense(program)
        elif chance < 0.96:
            self.leave(program)
        else:
            program.clogged = not program.clogged
            self.play.happens(f"program {program.number} {'does not read' if program.clogged else 'reads again'}")
            self.do((Clogged if program.clogged else Unclogged)(program.number))

    def passes(self) -> None:
        """Time: to the next wake-up, a little, or long."""
        if self.due is not None and self.random.random() < 0.7:
            self.now = max(self.now, self.due)
        else:
            self.now += self.random.choice((0.0, 0.0001, 0.001, 0.01, 0.3, 30.0))
        self.play.happens(f"it is {self.now!r}")
        self.do(Woke(self.now, self.now))
        if self.due is not None and self.due <= self.now:
            raise Found(f"at {self.now} the next wake-up is to be at {self.due}")

    def turn(self) -> None:
        """The person sets a level."""
        wire, volume = self.random.randrange(2), self.random.choice((0, 1, 39322, VOLUME_NORM, HIGHEST))
        muted = self.random.random() < 0.4
        self.play.happens(f"knob of wire {wire}: {volume}{', muted' if muted else ''}")
        self.do(Turned(wire, volume, muted))

    def join(self) -> None:
        if len(self.programs) >= MOST_PROGRAMS:
            return
        self.numbers += 1
        version = NEWEST if self.room else 0
        rights = self.random.choice(RIGHTS)
        program = self.programs[self.numbers] = _Program(self.numbers, version, rights)
        view = self.random.choice(ROOM_VIEWS) if self.room else OWN_VIEW
        self.play.happens(f"program {program.number} joins view {view} with {rights}")
        self.do(Joined(program.number, view, rights, version))
        if not version and self.random.random() < 0.95:
            self.says(program, c.Auth(version=self.random.choice(VERSIONS)))

    def leave(self, program: _Program) -> None:
        del self.programs[program.number]
        self.play.happens(f"program {program.number} leaves")
        self.do(Left(program.number))

    def command(self, program: _Program) -> None:
        version = program.asking.version
        client = self.core.clients[program.number]
        chance = self.random.random()
        if chance < (0.05 if client.playback and client.record else 0.5):
            cls: type[Message] = self.random.choice(CREATING)
        else:
            cls = self.random.choice(STREAMS if chance < 0.8 else COMMANDS)
        if chance > 0.97 and client.rights & Right.MODULES:
            cls = c.LoadModule
        ends = cls in ENDING and self.random.random() < 0.8  # seldom, so that there is something to talk about
        if ends or version < cls.SINCE:
            return
        message: Any = self.aimed(program, self.words.message(cls, version))
        if isinstance(message, CREATING) and self.random.random() < 0.8:
            message = self.words.sensible(message)
        self.says(program, message)

    def aimed(self, program: _Program, message: Any) -> Any:
        """The same, mostly about something that is there."""
        client = self.core.clients[program.number]
        view = client.view
        there: dict[str, Sequence[int]] = {
            "playback_stream": [*client.playback],
            "record_stream": [*client.record],
            "sink_input": [*view.sink_inputs],
            "source_output": [*view.source_outputs],
            "client": [*view.clients],
            "module": [*view.modules],
        }
        aims = {}
        for field in fields_of(type(message)):
            numbers = there.get(field.ref.to, ()) if field.ref else ()
            if numbers and field.name not in ("direct_on_input", "name", "module_name") and self.random.random() < 0.85:
                aims[field.name] = self.random.choice(numbers)
        return replace(message, **aims)

    def says(self, program: _Program, message: Message) -> None:
        _, packet = program.asking.ask(message)
        self.hear(program, packet)

    def sound(self, program: _Program) -> None:
        size = self.random.choice((1, 3, 4, 8, 1920, 4096, 17_640, 70_000))
        seek, offset = self.random.choice(
            ((0, 0), (0, 0), (0, 0), (0, -8), (0, 8), (1, 0), (2, 4096), (3, -4096), (1, 2**62))
        )
        head = sound_head(self.random.choice((0, 0, 1, 2, 9)), size, seek, offset)
        self.hear(program, head + bytes(size))

    def nonsense(self, program: _Program) -> None:
        program.sane = False
        message = self.words.message(self.random.choice(COMMANDS), program.asking.version)
        self.hear(program, damaged(self.random, codec.packet(message, 5, program.asking.version)) or b"x")

    def hear(self, program: _Program, data: bytes) -> None:
        """The worker reads this from the program's socket."""
        self.play.feeds(f"program {program.number}: ", data)
        for piece in pieces(self.random, data):
            try:
                heard = program.serving.receive(memoryview(piece))
            except RemoteProtocolError:
                self.leave(program)
                return
            for item in heard:
                if isinstance(item, SoundPacket):
                    self.do(Sound(program.number, *item))
                else:
                    program.waits_for.append((item.tag, type(item.message)))
                    self.do(Asked(program.number, item.tag, item.message))
                if program.number not in self.programs:
                    return

    # -- the upstream

    def upstream(self) -> None:
        """What is wanted comes, or does not; what is there answers, says something, records, or goes."""
        if self.wanted and self.random.random() < 0.7:
            wire = self.wanted.pop(0)
            if self.random.random() < 0.8:
                self.play.happens(f"upstream {wire} is there")
                upstream = self.upstreams[wire] = _Upstream(Streams(NEWEST))
                upstream.serving.receive(memoryview(upstream.streams.hello("box")))
                self.do(UpstreamReady(wire))
            else:
                self.loses(wire)
            return
        if not self.upstreams:
            return
        wire = self.random.choice([*self.upstreams])
        upstream = self.upstreams[wire]
        chance = self.random.random()
        if upstream.commands and chance < 0.75:
            self.reacts(upstream, upstream.commands.pop(0))
        elif chance < 0.85:
            news: Any = self.words.message(self.random.choice(NEWS), NEWEST)
            self.told(
                upstream, upstream.serving.say(replace(news, channel=self.random.randrange(upstream.channels + 1)))
            )
        elif chance < 0.97:
            size = self.random.choice((4, 1920, 70_000))
            channel = self.random.randrange(upstream.channels + 1)
            self.told(upstream, sound_head(channel, size) + bytes(size))
        else:
            self.loses(wire)

    def reacts(self, upstream: _Upstream, command: Command) -> None:
        assert command.message.ANSWER
        if self.random.random() < 0.15:
            self.told(upstream, upstream.serving.refuse(command.tag, self.random.choice([*PulseError])))
            return
        reply: Any = self.words.message(command.message.ANSWER, NEWEST)
        if isinstance(reply, c.PlaybackStreamCreated | c.RecordStreamCreated):
            reply = replace(reply, channel=upstream.channels)
            upstream.channels += 1
        self.told(upstream, upstream.serving.say(reply, command.tag))

    def told(self, upstream: _Upstream, data: bytes) -> None:
        """The worker reads this from its upstream."""
        self.play.feeds("upstream: ", data)
        for outcome in upstream.streams.receive(memoryview(data)):
            match outcome:
                case Recorded(stream, samples):
                    self.do(UpstreamSound(stream, samples))
                case Said(stream, message):
                    self.do(UpstreamTold(stream, message))
                case Answered(token, message):
                    self.do(UpstreamAnswered(token, message))
                case RefusedThat(token, error):
                    self.do(UpstreamRefused(token, error))

    def loses(self, wire: int) -> None:
        self.play.happens(f"upstream {wire} is lost")
        self.upstreams.pop(wire, None)
        self.do(UpstreamLost(wire, self.random.choice((PulseError.CONNECTIONREFUSED, PulseError.CONNECTIONTERMINATED))))

    # -- what comes of it

    def do(self, event: Event) -> None:
        for effect in self.core.handle(event):
            self.carry_out(effect)

    def carry_out(self, effect: Effect) -> None:
        match effect:
            case Answer(number, tag, message):
                if program := self.answered(number, tag):
                    self.tells(program, program.serving.say(message, tag))
            case Refuse(number, tag, error):
                if program := self.answered(number, tag):
                    self.tells(program, program.serving.refuse(tag, error))
            case Tell(number, message):
                if program := self.programs.get(number):
                    self.tells(program, program.serving.say(message))
            case SendSound(_, channel, samples):
                if not 0 < len(samples) <= MAX_SOUND or not 0 <= channel < 2**32:
                    raise Found(f"{len(samples)} bytes of sound for stream {channel}")
            case HangUp(number):
                if number in self.programs:
                    self.leave(self.programs[number])
            case WakeMe(at):
                self.due = at
            case WantUpstream(wire):
                if wire not in self.wanted and wire not in self.upstreams:
                    self.wanted.append(wire)
            case Reissue(wire, stream, token, message):
                if upstream := self.upstreams.get(wire):
                    data = upstream.streams.say(stream, token, message)
                    heard = upstream.serving.receive(memoryview(data))
                    upstream.commands += [item for item in heard if isinstance(item, Command)]
            case ReissueSound(wire, stream, seek, offset, samples):
                if upstream := self.upstreams.get(wire):
                    head = upstream.streams.sound_head(stream, len(samples), seek, offset)
                    upstream.serving.receive(memoryview(head + bytes(samples)) if head else memoryview(b""))

    def answered(self, number: int, tag: int) -> _Program | None:
        """The program that waits for this answer, if it is still there."""
        program = self.programs.get(number)
        if program is not None:
            said = [one for one in program.waits_for if one[0] == tag]  # a damaged command may have the tag of another
            waits = min(said, key=lambda one: one[1] is c.DrainPlaybackStream, default=None)
            if waits is None:
                raise Found(f"program {number} is answered with tag {tag}, but waits for {program.waits_for}")
            program.waits_for.remove(waits)
        return program

    def tells(self, program: _Program, data: bytes) -> None:
        """The program reads what it is sent."""
        if not program.sane:
            return
        try:
            program.asking.receive(memoryview(data))
        except RemoteProtocolError as fault:
            raise Found(f"program {program.number} cannot read what it is told: {fault}: {data.hex()}") from fault

    def end(self) -> None:
        """All upstreams go, then every command has its answer; all leave, then nothing wants to be woken."""
        for _ in range(RETRIES):  # one that was just lost is wanted again a little later
            for wire in {*self.wanted, *self.upstreams}:
                self.loses(wire)
            self.wanted.clear()
            if self.due is not None:
                self.now = max(self.now, self.due)
                self.do(Woke(self.now, self.now))
        for wire in {*self.wanted, *self.upstreams}:
            self.loses(wire)
        for program in [*self.programs.values()]:
            waits = [one for one in program.waits_for if one[1] is not c.DrainPlaybackStream]
            if waits:
                raise Found(f"program {program.number} still waits for {waits}")
            self.leave(program)
        for _ in range(LAST_CYCLES):
            if self.due is not None:
                self.now = max(self.now, self.due)
                self.do(Woke(self.now, self.now))
        sample_plays = any(view.sink_inputs for view in self.core.views.values())
        circle = any(feed.delayed for bus in self.core.buses for feed in bus.feeds)  # there sound may go round for ever
        if self.due is not None and not sample_plays and not circle:
            raise Found(f"nobody is there, and the next wake-up is to be at {self.due}")
