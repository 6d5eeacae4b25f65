"""Outlets of a real desk under attack: whole conversations of several programs at once, damaged or not.

No worker and no server ends, and the desk tells of no bug. A bystander in another outlet hears every frame that it
plays. What a program is told can be read, and it is hung up on when it has said its last. Before a host's server stands
the checkpoint, and notes nothing. In the end nothing is left of anybody.
"""

from __future__ import annotations

import json
import select
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hunt import Found, Play
from words import RATES, VERSIONS, Words, damaged

from eardrum.protocol import catalog as c
from eardrum.protocol.conversation import Asking
from eardrum.protocol.message import Message, every
from eardrum.protocol.packets import DESCRIPTOR_BYTES, SoundPacket, control, sound_head
from eardrum.protocol.tap import Riddle, Tap
from eardrum.terms.audio import INVALID
from eardrum.testing.arena import BOX, KIT, MIC, Arena
from eardrum.testing.processes import descriptors, family
from eardrum.testing.servers import Stage, wait_until

BACKENDS_BY_NAME = {"mixed": "built-in", "carried": "pulseaudio", "piped": "pipewire-pulse"}  # the targets here
LEAKY = "pipewire-pulse"  # has gaps of its own while many streams come and go: there the bystander only has to live on
FOUND = Path("build/fuzz")  # where conversations are kept that led to something
COMMANDS = [cls for cls in every() if cls.SENDER != "server"]
STREAMS = [cls for cls in COMMANDS if "channel" in cls.__slots__]
CREATING = (c.CreatePlaybackStream, c.CreateRecordStream)
ENDING = (c.KillClient, c.EnableSrbchannel, c.DisableSrbchannel, c.RegisterMemfdShmid)
SOUNDS = (4, 400, 1920, 4096, 70_000)  # bytes
ALARMS = ("broke off", "is killed", "a bug", "Traceback")  # what the desk says when something went wrong
PATIENCE = 30.0  # seconds for a connection to end that has nothing more to say
LAST = 1000  # characters of what a program said before it ended
REMEMBERED = 20  # conversations: what is found may be the fault of an earlier one
TRIALS = 24  # of shorter ones, to find the shortest that leads to it

Ground = Callable[[Play], None]


@dataclass(frozen=True)
class Script:
    """What programs say: the outlet of each, and in order which of them says what; nothing: it leaves."""

    outlets: list[str]
    said: list[tuple[int, bytes]]


# -- making them up


class _Speaker:
    """One program, and how far it has got."""

    def __init__(self, play: Play, words: Words, outlet: str) -> None:
        self._play, self._random, self._words = play, play.random, words
        self._outlet = outlet
        self._asking = Asking()
        self._made = 0  # streams, or nearly
        self._version = play.random.choice((35, 35, 35, *VERSIONS))

    def hello(self) -> bytes:
        if self._random.random() < 0.02:
            self._version = self._asking.version
            return self._packet(c.Stat())
        said = self._packet(c.Auth(version=self._version))
        self._asking.version = self._version
        return said

    def speaks(self) -> bytes:
        """One packet, or something like it."""
        chance = self._random.random()
        if chance < 0.22:
            return self._sound()
        packet = self._command()
        if chance < 0.97:
            return packet
        if chance < 0.985:
            return control(damaged(self._random, packet[DESCRIPTOR_BYTES:]) or b"x")
        return damaged(self._random, packet)

    def _command(self) -> bytes:
        chance = self._random.random()
        if chance < (0.02 if self._made > 6 else 0.3):
            cls: type[Message] = self._random.choice(CREATING)
        elif chance < 0.8:
            cls = self._random.choice(STREAMS)
        else:
            cls = c.LoadModule if chance > 0.97 and self._outlet == KIT else self._random.choice(COMMANDS)
        if self._version < cls.SINCE or (cls in ENDING and self._random.random() < 0.95):
            cls = c.Stat
        message: Any = self._words.message(cls, self._version)
        if isinstance(message, CREATING):
            self._made += 1
            if self._random.random() < 0.85:
                message = self._words.sensible(message)
        if "channel" in cls.__slots__ and self._random.random() < 0.9:
            message.channel = self._random.randrange(self._made + 1)
        if "rate" in cls.__slots__ and self._random.random() < 0.9:
            message.rate = (self._random.choice(RATES) + self._random.choice((0, 0, -2000, 50, 7001))) & INVALID
        return self._packet(message)

    def _packet(self, message: Message) -> bytes:
        _, packet = self._asking.ask(message)
        return packet

    def _sound(self) -> bytes:
        size = self._random.choice(SOUNDS)
        seek, offset = self._random.choice(((0, 0), (0, 0), (0, 0), (1, 0), (0, -8), (2, 4096), (3, -4), (1, 2**62)))
        return sound_head(self._random.randrange(self._made + 1), size, seek, offset) + bytes((size & 0x7F,)) * size


def script(play: Play) -> Script:
    """A conversation of one to four programs."""
    random, words = play.random, Words(play.random)
    outlets = [random.choice((BOX, MIC, KIT)) for _ in range(random.randrange(1, 5))]
    speakers = [_Speaker(play, words, outlet) for outlet in outlets]
    said = [(number, speaker.hello()) for number, speaker in enumerate(speakers)]
    present = list(range(len(speakers)))
    for _ in range(random.randrange(5, 60)):
        if not present:
            break
        number = random.choice(present)
        if random.random() < 0.01:
            present.remove(number)
            said.append((number, b""))
            continue
        packets = [speakers[number].speaks() for _ in range(random.randrange(1, 8))]
        play.messages += len(packets)
        said.append((number, b"".join(packets)))
    return Script(outlets, said)


# -- performing them


class _Program:
    """A program's connection, and what is overheard on it."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        connection.setblocking(False)
        self.over = False  # we were hung up on
        self._tap: Tap | None = Tap()
        self._tags: set[int] = set()
        self._confused = False

    def says(self, data: bytes) -> None:
        """Send all of it, and hear meanwhile."""
        self._overhears("client", data)
        rest = memoryview(data)
        while rest and not self.over:
            readable, writable, _ = select.select([self.socket], [self.socket], [], PATIENCE)
            if not readable and not writable:
                raise Found(f"nothing was read in {PATIENCE:g} s")
            if readable:
                self.hears()
            if writable and not self.over:
                with suppress(BlockingIOError):
                    try:
                        rest = rest[self.socket.send(rest) :]
                    except ConnectionError:
                        self.over = True

    def hears(self) -> None:
        """What has come."""
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionError:
            data = b""
        if not data:
            self.over = True
        self._overhears("server", data)

    def ends(self) -> None:
        """It has nothing more to say, and hears until it is hung up on."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        while not self.over:
            if not select.select([self.socket], [], [], PATIENCE)[0]:
                raise Found(f"a connection that has said its last has not ended in {PATIENCE:g} s")
            self.hears()
        self.socket.close()

    def _overhears(self, by: Any, data: bytes) -> None:
        """Whether all can be read can be told until it said what nobody can read, AUTH again, or a tag again."""
        if self._tap is None:
            return
        for said in self._tap.hear(by, memoryview(data)):
            if by == "client" and not isinstance(said.what, SoundPacket):
                self._confused |= said.tag in self._tags or (isinstance(said.what, c.Auth) and bool(self._tags))
                self._tags.add(said.tag)
            if isinstance(said.what, Riddle) or self._confused:
                if by == "server":
                    raise Found(f"what a program is told cannot be read: {said.what}")
                self._tap = None
                return


def perform(arena: Arena, one: Script) -> None:
    """Say it in these outlets. Raises Found."""
    programs = [_Program(arena.connect(outlet)) for outlet in one.outlets]
    for number, data in one.said:
        if data:
            programs[number].says(data)
        else:
            programs[number].socket.close()
            programs[number].over = True
    for program in programs:
        program.ends()


class _Watch:
    """What must hold after each conversation."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._before = self._descriptors()
        self._log = arena.desk.stage.directory / f"{arena.desk.runtime.name}.log"

    def look(self) -> None:
        """Raises Found."""
        if ended := self._arena.ended():
            logs = self._arena.desk.stage.directory.glob("*.log")
            raise Found(
                f"have ended: {ended}", *(f"{log.name}: {log.read_text(errors='replace')[-LAST:]}" for log in logs)
            )
        if self._arena.bystander.wrong and self._arena.backend != LEAKY:
            raise Found(f"the bystander noticed {self._arena.bystander.wrong}")
        said = self._log.read_text(errors="replace")
        if any(alarm in said for alarm in ALARMS):
            raise Found(f"the desk says: {said}")
        if self._arena.checkpoint and (faults := self._arena.checkpoint.account().faults):
            raise Found(f"the checkpoint notes: {faults[0]}")

    def look_at_the_end(self) -> None:
        """When all attackers are gone: nothing of them is left. Raises Found."""
        self.look()
        with self._expected("descriptors to be as few as before"):
            wait_until(lambda: self._descriptors() <= self._before, "few descriptors")
        if self._arena.backend != LEAKY:
            with self._expected("the bystander to hear on"):
                self._arena.bystander.goes_on()

    def _descriptors(self) -> int:
        """Of the desk and all its workers."""
        return sum(descriptors(pid) for pid in family(self._arena.desk.process.pid))

    @contextmanager
    def _expected(self, what: str) -> Iterator[None]:
        try:
            yield
        except (AssertionError, TimeoutError) as error:
            raise Found(f"waited in vain for {what}: {error}") from error


@contextmanager
def arena(backend: str) -> Iterator[tuple[Arena, _Watch]]:
    """Outlets to be attacked; at the end nothing of the attackers may be left."""
    with Stage() as stage:
        made = Arena(stage, backend, apart=True)
        watch = _Watch(made)
        try:
            yield made, watch
            watch.look_at_the_end()
        finally:
            with suppress(AssertionError):  # of the bystander, who has been asked
                made.close()


@contextmanager
def target(name: str) -> Iterator[Ground]:
    """Episodes against one back end; what is found is kept in a file, as short as it could be made."""
    backend = BACKENDS_BY_NAME[name]
    before: deque[Script] = deque(maxlen=REMEMBERED)
    with arena(backend) as (made, watch):

        def episode(play: Play) -> None:
            before.append(script(play))
            try:
                perform(made, before[-1])
                watch.look()
            except (Found, AssertionError, OSError) as fault:
                play.happens(keep(name, play.seed, list(before), fault))
                raise

        yield episode


# -- keeping what led to something


def keep(name: str, seed: int, scripts: list[Script], fault: Exception) -> str:
    """Write the last conversations into a file, and then fewer of them; where that is, in words."""
    FOUND.mkdir(parents=True, exist_ok=True)
    path = FOUND / f"{name}-{seed}.json"

    def write(scripts: list[Script]) -> None:
        said = [{"outlets": one.outlets, "said": [[who, data.hex()] for who, data in one.said]} for one in scripts]
        path.write_text(json.dumps({"target": name, "seed": seed, "fault": str(fault), "scripts": said}, indent=0))

    write(scripts)
    print(f"{name}: {fault}; kept in {path}, looking for less that leads to it", flush=True)
    trials = [TRIALS]
    shorter = _shorter(scripts[-1:], lambda some: _leads_to_it(name, some, trials))
    if shorter is None:
        return f"only after others, or not each time; fuzz/run.py --replay {path}"
    write(shorter)
    return f"fuzz/run.py --replay {path}"


def replay(path: Path) -> str:
    """What the conversations in this file lead to; empty: nothing."""
    kept = json.loads(path.read_text())
    scripts = [
        Script(one["outlets"], [(who, bytes.fromhex(data)) for who, data in one["said"]]) for one in kept["scripts"]
    ]
    return fault_of(kept["target"], scripts)


def fault_of(name: str, scripts: list[Script]) -> str:
    """What these conversations lead to in outlets of their own; empty: nothing."""
    try:
        with arena(BACKENDS_BY_NAME[name]) as (made, watch):
            for one in scripts:
                perform(made, one)
                watch.look()
    except (Found, AssertionError, OSError) as fault:
        return str(fault) or repr(fault)
    return ""


def _leads_to_it(name: str, scripts: list[Script], trials: list[int]) -> bool:
    trials[0] -= 1
    return trials[0] >= 0 and bool(fault_of(name, scripts))


def _shorter(scripts: list[Script], fails: Callable[[list[Script]], bool]) -> list[Script] | None:
    """The last conversation with as little in it as still `fails`; None if it alone does not."""
    if not fails(scripts):
        return None
    outlets, said = scripts[-1].outlets, scripts[-1].said
    size = len(said) // 2
    while size:
        for at in range(0, len(said), size):
            less = said[:at] + said[at + size :]
            if fails([Script(outlets, less)]):
                said = less
                break
        else:
            size //= 2
    return [Script(outlets, said)]
