"""The mixed backend: a bus sums what its streams play, one block a cycle, on a clock that it is told.

A bus consumes sound up to the present, never ahead: after `advance(now)` all that was heard until `now` has been taken
from the streams. How often it is called decides only how finely requests and recordings are cut; it asks to be called
as seldom as its tightest stream allows, and not at all while nothing plays and nobody records.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import numpy as np

from eardrum.server.effects import Effect, WriteFile
from eardrum.server.objects import Sink
from eardrum.sound import convert
from eardrum.sound.block import Block
from eardrum.sound.mix import add, total
from eardrum.terms.audio import STEREO, ChannelMap, Samples, SampleSpec

if TYPE_CHECKING:
    from eardrum.server.feeds import Feed
    from eardrum.server.mixed_record import MixedRecord
    from eardrum.server.playback import SinkInput
    from eardrum.server.player import Player

RATE = 48_000  # Hz
MIN_PERIOD = 0.005  # seconds between cycles
MAX_PERIOD = 0.25  # seconds; so a stream with a long buffer wakes its client four times a second, as in PulseAudio
FRAME_SLACK = 0.001  # frames; a time that is a whole frame but for rounding counts as that frame
MIN_REST = 0.001  # seconds that a stream which drains is left alone at least
MAX_LATE = 2.0  # seconds; after a longer stop (the machine slept) the sound that was due is not played in one burst


class Clock:
    """What the buses of a worker have in common: they count frames from the same moment on."""

    def __init__(self) -> None:
        self._began: float | None = None  # seconds

    def frames(self, now: float, rate: int) -> int:
        """Frames at `rate` Hz that have passed by now."""
        if self._began is None:
            self._began = now
        return int((now - self._began) * rate + FRAME_SLACK)


class Inflow(Protocol):
    """What the worker plays into a bus from a file or a FIFO, at the bus's rate and channels. It raises nothing."""

    def begin(self) -> None:
        """Somebody begins to record, and nobody did."""

    def read(self, frames: int) -> Block:
        """The next `frames` frames, or fewer: the rest is silence."""


class Bus:
    """One place where sound meets: a null sink, the sink of a `file:` end, a room, a microphone.

    `feeds` play the sums of other buses into this one, `onward` play its sum into others. The `inflow` runs only while
    somebody records. Once a `steady` bus has begun it never rests, and all of its time is written.
    """

    def __init__(
        self,
        number: int,
        effects: list[Effect],
        clock: Clock,
        *,
        rate: int = RATE,
        channel_map: ChannelMap = STEREO,
        writes_file: bool = False,
    ) -> None:
        self.number = number
        self.rate = rate
        self.channel_map = channel_map
        self.channels = len(channel_map)
        self.feeds: list[Feed] = []
        self.onward: list[Feed] = []
        self.inflow: Inflow | None = None
        self.steady = False
        self.longest = MAX_PERIOD  # seconds between two cycles, at most
        self.delay = 0  # µs until what it gives away is heard
        self.due: float | None = None  # when the next cycle should be, in seconds
        self._effects = effects
        self._clock = clock
        self.writes_file = writes_file
        self._flows = False  # the inflow has begun
        self._inlet = Sink(0, "inflow", "", self)  # what it is played into
        self._wrote = False
        self._quiet = 0  # frames of silence since the last sound that was written
        self._streams: dict[Player, None] = {}  # in the order in which they joined
        self._taps: list[MixedRecord] = []
        self._soloists: set[SinkInput] = set()  # those that somebody records alone
        self._position: int | None = None  # frames consumed since the clock began; None before the first

    def plays(self, stream: Player) -> bool:
        return stream in self._streams

    def join(self, stream: Player) -> None:
        """Play this stream from now on; its client hears soon that it has started."""
        now = stream.server.now
        self.advance(now)
        self._streams[stream] = None
        if self.due is None or self.due > now + MIN_PERIOD or self.onward:
            self.due = None
            self._rouse(now)

    def _rouse(self, now: float) -> None:
        """Sound will come: it and those it plays into have a cycle soon."""
        if self.due is None:
            self.advance(now)
            self.due = now + MIN_PERIOD
            for feed in self.onward:
                feed.target._rouse(now)

    def sounding(self) -> bool:
        """Something is played here, or comes from a bus that feeds this one by whatever way."""
        if not self.feeds:
            return self._begins_sound()
        return any(
            bus._begins_sound() or any(feed.held for feed in bus.feeds) for bus in self._with_origins(delayed=True)
        )

    def _begins_sound(self) -> bool:
        """Something is played here that comes from no other bus."""
        return bool(self._streams) or (self.inflow is not None and self.recorded())

    def _with_origins(self, *, delayed: bool) -> list[Bus]:
        """All that feed this bus, with a delay only if `delayed`: each once, before those it feeds; at last this."""
        seen: set[Bus] = {self}
        ordered: list[Bus] = []

        def visit(bus: Bus) -> None:
            for feed in bus.feeds:
                if feed.origin not in seen and (delayed or not feed.delayed):
                    seen.add(feed.origin)
                    visit(feed.origin)
            ordered.append(bus)

        visit(self)
        return ordered

    def hears(self, other: Bus) -> bool:
        """What is played on the other is heard here at once: it is this one, or feeds it."""
        return other in self._with_origins(delayed=False)

    def recorded(self) -> bool:
        """Somebody records this bus, or one that it plays into."""
        return bool(self._taps) or any(feed.delayed or feed.target.recorded() for feed in self.onward)

    def leave(self, stream: Player) -> None:
        """Play it no longer; it may not have been playing."""
        self._streams.pop(stream, None)

    def tap(self, record: MixedRecord) -> None:
        """Give this record stream what it hears from now on."""
        self.advance(record.server.now)
        self._taps.append(record)
        self._soloists = {each.only for each in self._taps if each.only}
        self._schedule(record.server.now)

    def untap(self, record: MixedRecord) -> None:
        if record in self._taps:
            self._taps.remove(record)
            self._soloists = {each.only for each in self._taps if each.only}

    def ahead(self, frames: int, rate: int) -> int:
        """How many frames of this bus lie between what it has consumed and a moment in another's frames."""
        return 0 if self._position is None else frames * self.rate // rate - self._position

    def frames_due(self, now: float) -> int:
        """Frames that were heard by now and not yet taken from the streams."""
        if self._position is None:
            return 0
        return max(0, self._clock.frames(now, self.rate) - self._position)

    def advance(self, now: float) -> None:
        """Take from the streams what was heard until `now`, and give it to those who record."""
        for bus in self._with_origins(delayed=False) if self.feeds else (self,):
            bus._go_on(now)

    def _go_on(self, now: float) -> None:
        """As `advance`, when all that feed this bus have gone on."""
        if self._position is None:
            self._position = self._clock.frames(now, self.rate)
        if self.inflow is not None and not self.recorded():
            self._flows = False
        frames = self.frames_due(now)
        if not frames and self.due is not None and self.due > now:
            return
        self._position += frames
        late = frames - int(MAX_LATE * self.rate)
        if late > 0:
            self._quiet += late
            frames -= late
        if self._taps or self.steady or self.sounding():
            most = int(MAX_PERIOD * self.rate)
            for start in range(0, frames, most):
                self._cycle(min(most, frames - start), self._position - frames + start)
        else:
            self._quiet += frames
            for feed in self.onward:
                feed.rest(frames)
        self._schedule(now)

    def _schedule(self, now: float) -> None:
        sounding = self.sounding()
        if not sounding and not self._taps and not self.steady:
            self.due = None
            return
        waiting: Iterable[Player | MixedRecord | Feed] = chain(self._streams, self._taps)
        if sounding and (self.feeds or self.onward):
            waiting = chain(waiting, self.feeds, self.onward)
        wait = self.longest
        for one in waiting:
            wait = min(wait, one.period)
        wait = max(MIN_PERIOD, wait)
        for stream in self._streams:
            if (rest := stream.rest) is not None:
                wait = max(MIN_REST, min(wait, rest))
        self.due = now + wait

    def _cycle(self, frames: int, begins: int) -> None:
        """One block of sound, which begins so many frames after the clock."""
        if not (self._taps or self.writes_file or self.feeds or self.onward):
            for stream in tuple(self._streams):
                stream.skip(frames)
            return
        sums: dict[Sink, Block] = {}
        alone: dict[SinkInput, Block] = {}
        alike: dict[tuple[Sink, SampleSpec], list[Samples]] = {}  # whole blocks that can be converted together
        sounding = 0

        def sounds(sink: Sink, block: Block) -> None:
            nonlocal sounding
            if (loudest := sink.loudest) is not None:
                block = np.clip(block, -loudest, loudest)
            sounding = max(sounding, len(block))
            if sink not in sums:
                sums[sink] = np.zeros((frames, self.channels), np.float32)
            add(sums[sink], block)

        for stream in tuple(self._streams):
            sink = stream.sink
            if stream.voice.plain and sink.loudest is None and not self._soloists:
                data = stream.take_bytes(frames)
                if len(data) == frames * stream.spec.frame_bytes:
                    alike.setdefault((sink, stream.spec), []).append(data)
                    continue
                block = convert.decode(data, stream.spec)
            else:
                block = stream.take(frames)
            if len(block):
                if stream.heard_as in self._soloists:
                    alone[stream.heard_as] = padded(block, frames)
                sounds(sink, block)
        for (sink, spec), parts in alike.items():
            sounds(sink, total(parts, spec))
        for feed in self.feeds:
            if feed.active:
                block = feed.take(frames)
                if feed.heard_as in self._soloists:
                    alone[feed.heard_as] = block
                sounds(feed.sink, block)
        if self.inflow is not None and self.recorded():
            if not self._flows:
                self._flows = True
                self.inflow.begin()
            sums[self._inlet] = padded(self.inflow.read(frames), frames)
        for sink, block in sums.items():
            if sink.gain is not None:
                block *= sink.gain
        if sums and self.onward:
            everything = sum_of(list(sums.values()), frames, self.channels)
            for feed in self.onward:
                feed.give(everything, begins)
        if self.writes_file:
            self._write(sums, sounding, frames)
        if self._taps:
            self._feed_taps(sums, alone, frames)

    def _write(self, sums: dict[Sink, Block], sounding: int, frames: int) -> None:
        """The file begins with the first sound and ends with the last; silence is written when sound follows it."""
        if self.steady:
            block = sum_of(list(sums.values()), frames, self.channels)
            self._effects.append(WriteFile(self.number, 0, block))
        elif sounding:
            silence = self._quiet if self._wrote else 0
            block = sum_of(list(sums.values()), sounding, self.channels)
            self._effects.append(WriteFile(self.number, silence, block))
            self._wrote = True
            self._quiet = frames - sounding
        else:
            self._quiet += frames

    def _feed_taps(self, sums: dict[Sink, Block], alone: dict[SinkInput, Block], frames: int) -> None:
        nothing = np.zeros((frames, self.channels), np.float32)
        made: dict[tuple[Sink | None, Sink | None], Block] = {}
        for record in tuple(self._taps):
            if record.only is not None:
                record.give(alone.get(record.only, nothing))
                continue
            source = record.source
            heard = (source.monitor_of, source.deaf_to)
            if heard not in made:
                made[heard] = self._heard(*heard, sums, frames)
            record.give(made[heard])

    def _heard(self, only: Sink | None, but: Sink | None, sums: dict[Sink, Block], frames: int) -> Block:
        # summed anew, not total minus own: what an outlet plays itself must not remain as rounding noise
        parts = [block for sink, block in sums.items() if sink is not but and only in (None, sink)]
        return sum_of(parts, frames, self.channels)


class Buses:
    """The buses of a worker: what is played into it, its microphone, and those that emulated modules make."""

    def __init__(self, effects: list[Effect], writes_file: Container[int] = ()) -> None:
        """`writes_file` are the numbers of those whose sound goes to a file: 0 is the output, 1 the microphone."""
        self._effects = effects
        self._writes_file = writes_file
        self._buses: list[Bus] = []
        self._number = 0
        self._clock = Clock()
        self.output = self.add()
        self.input = self.add()

    def add(self, rate: int = RATE, channel_map: ChannelMap = STEREO) -> Bus:
        number = self._number
        self._number += 1
        writes_file = number in self._writes_file
        bus = Bus(number, self._effects, self._clock, rate=rate, channel_map=channel_map, writes_file=writes_file)
        self._buses.append(bus)
        return bus

    def __iter__(self) -> Iterator[Bus]:
        return iter(self._buses)

    def remove(self, bus: Bus) -> None:
        """Forget a bus on which nothing plays and nobody records."""
        self._buses.remove(bus)

    @property
    def due(self) -> float | None:
        """When the next cycle of any should be, in seconds."""
        first = None
        for bus in self._buses:
            if bus.due is not None and (first is None or bus.due < first):
                first = bus.due
        return first

    def advance(self, now: float) -> None:
        """Let those go on whose time has come; those whose time will come very soon go with them.

        Who is woken late makes up for it in steps so short that no feed with a delay runs out in between.
        """
        if (due := self.due) is None or due > now:
            return
        step = min((feed.period for bus in self._buses for feed in bus.feeds), default=MAX_LATE)
        while due is not None and due <= now:
            due = max(due, now - MAX_LATE)
            moment = due if now - due > step else now
            for bus in self._buses:
                if bus.due is not None and bus.due < moment + MIN_PERIOD:
                    bus.advance(moment)
            due = self.due


def padded(block: Block, frames: int) -> Block:
    """`block` with silence up to `frames` frames."""
    return np.pad(block, ((0, frames - len(block)), (0, 0))) if len(block) < frames else block


def sum_of(blocks: list[Block], frames: int, channels: int) -> Block:
    """The sum of blocks (their first `frames` frames)."""
    if len(blocks) == 1:
        return blocks[0][:frames]
    total = np.zeros((frames, channels), np.float32)
    for block in blocks:
        total += block[:frames]
    return total
