"""The upstream's devices, as far as an outlet has to do with them.

In: what the upstream says of its sinks and sources. Out: questions, the shape of the device at the end of the wire, and
which record streams may be heard. Of all that is said only numbers go on; names are compared and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from eardrum.protocol.catalog import (
    Change,
    Facility,
    GetSinkInfo,
    GetSourceInfo,
    SinkInfo,
    SourceInfo,
    Subscribe,
    SubscribeEvent,
)
from eardrum.protocol.message import Message
from eardrum.terms.audio import MAX_QUEUE, ChannelMap, SampleSpec, valid_map

Ask = Callable[[Message, Callable[[Message | None], None]], None]  # a question, and what gets its answer, None: refused

HELD_UPSTREAM = 250_000  # µs of sound that can be on its way through an upstream, besides what its queue gathers
_FACILITY, _CHANGE = 0x0F, 0x30  # the two parts of an event
_DEFAULT_SINK, _DEFAULT_SOURCE = "@DEFAULT_SINK@", "@DEFAULT_SOURCE@"


class Shape(NamedTuple):
    """How the device at the end of a wire is made."""

    spec: SampleSpec
    channel_map: ChannelMap


def subscription(records: bool) -> Subscribe:
    """By which an upstream tells what happens at the end of a wire, which records or plays."""
    return Subscribe(mask=1 << _facility(records) | 1 << Facility.SERVER)


def question(records: bool, name: str) -> GetSinkInfo | GetSourceInfo:
    """By which an upstream tells of the device at the end of a wire; `name` is as in `Devices`."""
    return GetSourceInfo(name=name or _DEFAULT_SOURCE) if records else GetSinkInfo(name=name or _DEFAULT_SINK)


def behind(spec: SampleSpec, fragsize: int) -> int:
    """The most bytes of what a record stream heard before that may come after it was said that it hears another."""
    return min(fragsize, MAX_QUEUE) + spec.bytes_for(HELD_UPSTREAM)


def _facility(records: bool) -> Facility:
    return Facility.SOURCE if records else Facility.SINK


class _Subject:
    """One device that is asked about. However often it changes, one answer at most is awaited."""

    def __init__(
        self, question: GetSinkInfo | GetSourceInfo, ask: Ask, learn: Callable[[Message | None], None]
    ) -> None:
        self._question = question
        self._ask = ask
        self._learn = learn
        self._asked = False
        self._again = False

    def look(self) -> None:
        """Ask; if it was asked already, once more when that is answered."""
        self._again = self._asked
        if not self._asked:
            self._asked = True
            self._ask(self._question, self._answered)

    def _answered(self, answer: Message | None) -> None:
        self._asked = False
        self._learn(answer)
        if self._again:
            self.look()


class _Source(_Subject):
    """A source that record streams hear, by its number upstream; `right` if the wire may lead to it."""

    def __init__(self, index: int, ask: Ask, learn: Callable[[_Source, Message | None], None]) -> None:
        super().__init__(GetSourceInfo(index=index), ask, lambda answer: learn(self, answer))
        self.index = index
        self.right = False


class Devices:
    """All that one upstream connection is asked about devices.

    A wire that `records` leads to the source `name` and to no other; without a name it leads to the upstream's default
    source. `may_hear`: that may be a monitor, by which everybody is heard who plays on the host.

    `heard` are the record streams whose samples may be passed on. A stream is one of them when the upstream has said
    what source it hears and that this is a right one; a wire without a name needs a right default source as well.
    `stale` are streams that heard another source before, and how many bytes of that may still come from the upstream.
    """

    def __init__(
        self,
        records: bool,
        name: str,
        may_hear: bool,
        ask: Ask,
        shaped: Callable[[Shape], None],
        found: Callable[[bool], None] = lambda there: None,
    ) -> None:
        """`ask` says a question; `shaped` is told how the device at the end of the wire is made, and made anew; `found`
        whether it is there, as soon as that is known, and when it changes.
        """
        self.heard: frozenset[int] = frozenset()
        self.stale: dict[int, int] = {}
        self._records = records
        self._name = name
        self._may_hear = may_hear
        self._ask = ask
        self._shaped = shaped
        self._found = found
        self._there: bool | None = None
        self._shape: Shape | None = None
        self._end = _Subject(question(records, name), ask, self._learn_end)
        self._end_index: int | None = None
        self._end_right = False
        self._streams: dict[int, int | None] = {}  # record streams and the number of the source that each hears
        self._behind: dict[int, int] = {}  # how many bytes upstream holds of each
        self._sources: dict[int, _Source] = {}  # those

    def begin(self) -> None:
        """Ask about the end of the wire, and to be told what happens there."""
        self._ask(subscription(self._records), lambda answer: None)
        self._end.look()

    def heed(self, event: SubscribeEvent) -> None:
        """The upstream tells of an event."""
        facility, change, index = event.event & _FACILITY, event.event & _CHANGE, event.index
        if facility == Facility.SERVER:  # another device may be the default
            self._end_right = False
            self._end.look()
        elif facility == _facility(self._records):
            if self._end_index in (None, index):
                self._end.look()
            source = self._sources.get(index)
            if source is not None:
                if change != Change.CHANGED:  # what a source is does not change while it is there
                    source.right = False
                    for stream in (stream for stream, heard in self._streams.items() if heard == index):
                        self.stale[stream] = self._behind[stream]
                source.look()
        self._settle()

    def listens(self, stream: int, index: int | None, behind: int) -> None:
        """This record stream was made, or moved: from now on it hears the source with this number, None: unknown.

        `behind`: so many bytes of what it heard before may come after this was said.
        """
        if stream in self._streams and not self._is_at_right_source(stream):
            self.stale[stream] = behind
        self._streams[stream], self._behind[stream] = index, behind
        if index is not None and index not in self._sources:
            self._sources[index] = _Source(index, self._ask, self._learn_source)
            self._sources[index].look()
        self._settle()

    def lets_pass(self, stream: int, nbytes: int) -> bool:
        """The upstream sends so many bytes of what this record stream hears: whether they may be passed on."""
        if stream not in self.heard:
            return False
        if stream not in self.stale:
            return True
        self.stale[stream] -= nbytes
        if self.stale[stream] <= 0:
            del self.stale[stream]
        return False

    def forget(self, stream: int) -> None:
        """This record stream is gone."""
        if stream in self._streams:
            del self._streams[stream], self._behind[stream]
            self.stale.pop(stream, None)
            self._settle()

    def _learn_end(self, answer: Message | None) -> None:
        self._end_right = self._is_right(answer)
        self._end_index = answer.index if isinstance(answer, SinkInfo | SourceInfo) else None
        self._settle()
        if isinstance(answer, SinkInfo) or (isinstance(answer, SourceInfo) and self._end_right):
            shape = Shape(answer.sample_spec, answer.channel_map)
            if shape != self._shape and shape.spec.valid and valid_map(shape.channel_map, shape.spec.channels):
                self._shape = shape
                self._shaped(shape)
        there = isinstance(answer, SinkInfo) or self._end_right
        if there is not self._there:
            self._there = there
            self._found(there)

    def _learn_source(self, source: _Source, answer: Message | None) -> None:
        source.right = isinstance(answer, SourceInfo) and answer.index == source.index and self._is_right(answer)
        self._settle()

    def _is_right(self, info: Message | None) -> bool:
        """This is a source to which the wire may lead."""
        if not isinstance(info, SourceInfo):
            return False
        monitor = info.monitor_of_sink_index is not None or info.monitor_of_sink_name is not None
        return self._name in ("", info.name) and (self._may_hear or not monitor)

    def _is_at_right_source(self, stream: int) -> bool:
        index = self._streams[stream]
        return index is not None and self._sources[index].right

    def _settle(self) -> None:
        """Find anew which streams may be heard, and forget sources that none hears."""
        used = set(self._streams.values())
        self._sources = {index: source for index, source in self._sources.items() if index in used}
        leads = self._end_right or bool(self._name)
        self.heard = frozenset(stream for stream in self._streams if leads and self._is_at_right_source(stream))
