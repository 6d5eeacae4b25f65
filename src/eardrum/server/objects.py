"""What exists in a view: its sink, sources, clients and streams, each with a number of its own.

Numbers count from 0 in every view and are never used twice, so they tell nothing about other views.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from eardrum.protocol.catalog import Change, Facility
from eardrum.server.admission import Entry
from eardrum.server.formats import refitted
from eardrum.server.knob import UNTURNED, Knob
from eardrum.server.ledger import Ledger
from eardrum.server.rights import Right
from eardrum.server.samples import Sample, Upload
from eardrum.sound import remap
from eardrum.sound.block import Block
from eardrum.sound.volume import Gains, gains
from eardrum.terms.audio import (
    INVALID,
    STEREO,
    VOLUME_NORM,
    ChannelMap,
    SampleFormat,
    SampleSpec,
    Volume,
    linear,
    multiply,
)
from eardrum.terms.budget import USUAL

if TYPE_CHECKING:
    from eardrum.server.effects import Effect
    from eardrum.server.mixed import Bus
    from eardrum.server.playback import PlaybackStream, SinkInput
    from eardrum.server.record import RecordStream, SourceOutput
    from eardrum.server.stream import Stream

DEVICE_SPEC = SampleSpec(SampleFormat.S16LE, 2, 48000)


@dataclass(eq=False, slots=True)
class Device:
    """What sinks and sources share. Without a bus it is another server's, and its streams are carried.

    `volume` and `muted` are what programs have set, as they see it; the `knob` of its wire is behind that.
    """

    index: int
    name: str
    description: str
    bus: Bus | None
    spec: SampleSpec = DEVICE_SPEC
    channel_map: ChannelMap = STEREO
    volume: Volume = (VOLUME_NORM, VOLUME_NORM)
    muted: bool = False
    levelled: bool = False  # a program has set volume or mute, now or before
    wire: int | None = None  # that it is the end of
    knob: Knob = UNTURNED
    gain: Gains | None = None
    most: int | None = None  # the highest volume that a stream may have here, None: any
    loudest: float | None = None  # the same as a factor: the largest sample
    module: int | None = None  # the number of the emulated module that made it
    suspended: bool = False
    running: bool = False  # a stream is there that is not corked
    proplist: dict[str, bytes] = field(default_factory=dict)  # what was said of it when it was made
    upstream_name: str = ""  # carried: the device to ask for by name, "" for the upstream's default

    def set_level(self, volume: Volume, muted: bool) -> None:
        """Set volume (a single channel counts for all) and mute."""
        self.volume, self.muted = volume * (len(self.channel_map) // len(volume)), muted
        self.levelled = True
        self._tune()

    def turn(self, knob: Knob) -> None:
        """The person's level is another."""
        self.knob = knob
        self._tune()

    def _tune(self) -> None:
        heard = self.level if self.bus else refitted(self.level, self.channel_map, STEREO)  # what is carried is echoed
        self.gain = gains(heard, self.silent)
        ceiling, level = self.knob.ceiling, max(self.level)
        self.most = None if ceiling is None or not level else ceiling * VOLUME_NORM // level
        self.loudest = None if self.most is None else linear(self.most)

    @property
    def set_here(self) -> bool:
        """Its level is decided here: what an upstream remembers of levels does not count."""
        return self.levelled or self.knob.turned or self.knob.ceiling is not None

    @property
    def silent(self) -> bool:
        """Muted by a program or by the person; programs are not told by whom."""
        return self.muted or self.knob.muted

    @property
    def level(self) -> Volume:
        """Its volume and its knob's in series."""
        return multiply(self.volume, (self.knob.volume,))

    def reshape(self, spec: SampleSpec, channel_map: ChannelMap) -> bool:
        """Take over how the device upstream is made; each channel keeps its volume. False: it is so already."""
        if (spec, channel_map) == (self.spec, self.channel_map):
            return False
        self.volume = refitted(self.volume, self.channel_map, channel_map)
        self.spec, self.channel_map = spec, channel_map
        self._tune()
        return True


@dataclass(eq=False, slots=True)
class Sink(Device):
    """Where a view's sound goes: mixed on `bus`, or carried over the output wire."""

    makeshift: bool = False  # leads nowhere, and is not the default beside another

    def bounded(self, volume: Volume) -> Volume:
        """The volume that a stream has here which asks for `volume`: as loud as the ceiling lets it be."""
        most = self.most
        return volume if most is None else tuple(min(level, most) for level in volume)


@dataclass(eq=False, slots=True)
class Source(Device):
    """Where a view's sound comes from: a tap of `bus`, or carried over the input wire."""

    monitor_of: Sink | None = None  # on a bus: only this sink is heard
    deaf_to: Sink | None = None  # on a bus: all but this sink is heard
    follows: bool = False  # a guest's: it hears the default sink of the outlet
    taken_as: ChannelMap | None = None  # what is heard is brought to these channels, which then count as `channel_map`
    master: Source | None = None  # the source that it hears
    through: Gains | None = None  # the level of the stream by which it does

    def hear(self, block: Block, channel_map: ChannelMap) -> tuple[Block, ChannelMap]:
        """What of a block of its bus is heard, and in which channels; the block must not be changed."""
        if self.master is not None:
            block, channel_map = self.master.hear(block, channel_map)
        if self.taken_as is not None:
            block, channel_map = remap.remap(block, channel_map, self.taken_as), self.channel_map
        for gain in (self.through, self.gain):
            if gain is not None:
                block = block * gain
        return block, channel_map


@dataclass(eq=False, slots=True)
class Module:
    """An emulated module, and all that it made."""

    index: int
    name: str
    argument: str
    sinks: list[Sink] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    buses: list[Bus] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)  # the ends of its feeds, and those by which its sources hear
    wants: Callable[[int], Effect] | None = None  # what must be opened for it, given a token
    ends: list[Effect] = field(default_factory=list)  # what is to be done when it is gone

    def stands_on(self, other: Module) -> bool:
        """It hears or feeds a device that the other made."""
        made = (*other.sinks, *other.sources)
        return any(stream.device in made for stream in self.streams)


AnyDevice = TypeVar("AnyDevice", Sink, Source)


class Changes:
    """What happened to objects and was not told yet: of several changes of one object the last that matters."""

    __slots__ = ("_noted",)

    def __init__(self) -> None:
        self._noted: dict[tuple[Facility, int], Change] = {}

    def __bool__(self) -> bool:
        return bool(self._noted)

    def note(self, facility: Facility, change: Change, index: int) -> None:
        key = (facility, index)
        if change is not Change.REMOVED:
            self._noted.setdefault(key, change)
        elif self._noted.pop(key, None) is not Change.NEW:  # one that came and went was never there
            self._noted[key] = change

    def take(self, most: int | None = None) -> Iterator[tuple[Facility, Change, int]]:
        """What was noted and not taken yet, oldest first; all of it, or the first `most`."""
        if self._noted:
            taken = list(islice(self._noted.items(), most))
            self._noted = dict(islice(self._noted.items(), len(taken), None))
            for (facility, index), change in taken:
                yield facility, change, index


@dataclass(eq=False, slots=True)
class Client:
    """One connection."""

    number: int  # the worker's number of the connection
    index: int  # its number in the view
    view: View
    rights: Right
    version: int  # of the protocol, 0 before AUTH
    entry: Entry | None = None  # what AUTH is judged by; None: whoever holds the socket is let in
    proplist: dict[str, bytes] = field(default_factory=dict)
    mask: int = 0  # facilities it subscribed to
    clogged: bool = False
    untold: Changes = field(default_factory=Changes)  # what it subscribed to and was not told yet
    events: int = 0  # how many it was told until `quiet_at`
    quiet_at: float = 0.0  # when it may be told as many again, in seconds
    unanswered: int = 0  # commands whose answer is still to come
    playback: dict[int, PlaybackStream] = field(default_factory=dict)  # by stream number
    record: dict[int, RecordStream] = field(default_factory=dict)
    uploads: dict[int, Upload] = field(default_factory=dict)
    output_numbers: int = 0  # the next stream number; playback and upload streams count together, record streams apart
    record_numbers: int = 0

    def next_output_channel(self) -> int:
        self.output_numbers += 1
        return self.output_numbers - 1


class View:
    """One outlet as its clients see it: a complete small sound server.

    Its owner wired `sinks` and `sources`; only emulated modules add others. Who names no device gets the default.
    """

    def __init__(
        self,
        number: int,
        name: str,
        sinks: Iterable[Sink],
        sources: Iterable[Source],
        *,
        hears_itself: bool = False,
        opens: bool = False,
        usual_group: str | None = None,
        user_name: str = "eardrum",
    ) -> None:
        """With `hears_itself` the monitor of the default sink is the default source if there is no input.

        With `opens` its modules may have FIFOs and sockets opened, with the rights of the user who runs the server;
        `usual_group` is let in at such a socket if nothing else is said.
        `name` is told as the host's, `user_name` as that of the user whose server this is.
        """
        self.number = number
        self.name = name
        self.user_name = user_name
        self.sinks = {sink.index: sink for sink in sinks}
        self.sources = {source.index: source for source in sources}
        self.chosen_sink: str | None = None  # the name that a program made the default
        self.chosen_source: str | None = None
        self.clients: dict[int, Client] = {}
        self.sink_inputs: dict[int, SinkInput] = {}
        self.source_outputs: dict[int, SourceOutput] = {}
        self.modules: dict[int, Module] = {}
        self.samples: dict[str, Sample] = {}  # by name
        self.nobody = Client(-1, INVALID, self, Right.NONE, 0)  # whose streams are of no client; it is told nothing
        self.changes = Changes()
        self.budget = USUAL
        self.ledger = Ledger(self)
        self.opens = opens
        self.usual_group = usual_group
        self._hears_itself = hears_itself
        self._next = {"sink": len(self.sinks), "source": len(self.sources)}

    def number_for(self, what: str) -> int:
        """The next number for a sink, source, client, sink_input, source_output, …"""
        number = self._next.get(what, 0)
        self._next[what] = number + 1
        return number

    @property
    def default_sink(self) -> Sink | None:
        """The sink for those who name none: the chosen one while it is there, else the oldest that is not makeshift."""
        oldest = min(self.sinks.values(), key=lambda sink: (sink.makeshift, sink.index), default=None)
        return self._chosen(self.sinks, self.chosen_sink) or oldest

    @property
    def default_source(self) -> Source | None:
        """The source for those who name none: the chosen one while it is there, else the oldest that is no monitor.

        A monitor is the default only where a standard server stands (`hears_itself`): elsewhere a program that records
        unasked would hear itself.
        """
        default = self._chosen(self.sources, self.chosen_source)
        if default is None:
            default = next((source for source in self.sources.values() if source.monitor_of is None), None)
        if default is None and self._hears_itself:
            default = self.monitor_of(self.default_sink)
        return default

    def monitor_of(self, sink: Sink | None) -> Source | None:
        return next((source for source in self.sources.values() if sink and source.monitor_of is sink), None)

    def _chosen(self, devices: Mapping[int, AnyDevice], name: str | None) -> AnyDevice | None:
        return next((device for device in devices.values() if device.name == name), None) if name else None

    def server_changed(self) -> None:
        """Note that a default is another now."""
        self.changes.note(Facility.SERVER, Change.CHANGED, INVALID)

    def changed(self, facility: Facility, change: Change, index: int) -> None:
        """Note an event for the subscribers."""
        self.changes.note(facility, change, index)
