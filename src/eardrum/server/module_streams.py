"""Streams of emulated modules, as clients see them: the ends of a feed, and the way by which one source hears another.

They are of no client. Who moves them leads the feed elsewhere; their levels are those of its sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.server.playback import SinkInput
from eardrum.server.record import SourceOutput
from eardrum.server.stream import Agreed
from eardrum.terms.audio import VOLUME_NORM, ChannelMap, SampleSpec
from eardrum.terms.properties import value

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.feeds import Feed
    from eardrum.server.mixed import Bus
    from eardrum.server.objects import Module, Sink, Source, View


def agreed(
    spec: SampleSpec, channel_map: ChannelMap, name: str, role: str, properties: dict[str, bytes], *, no_move: bool
) -> Agreed:
    """What such a stream is made with; `properties` are those that the script said."""
    spec = spec._replace(channels=len(channel_map))
    proplist = {"media.name": value(name), "media.role": value(role), **properties}
    return Agreed(spec, channel_map, (VOLUME_NORM,) * spec.channels, proplist=proplist, no_move=no_move)


class FeedInput(SinkInput):
    """Where a feed plays."""

    def __init__(self, server: Server, view: View, module: Module, agreed: Agreed, feed: Feed) -> None:
        super().__init__(server, view.nobody, feed.sink, agreed)
        self.module = module.index
        self.feed = feed
        feed.heard_as = self
        feed.gains[0] = self.factors

    @property
    def held_back(self) -> int:
        return self.feed.would_hold_back(self.feed.target)

    def would_hold_back(self, bus: Bus) -> int:
        return self.feed.would_hold_back(bus)

    def announce(self) -> None:
        super().announce()
        _let(self.feed)

    def level_changed(self) -> None:
        self.feed.origin.advance(self.server.now)
        self.feed.gains[0] = self.factors

    def move(self, sink: Sink) -> None:
        self.feed.origin.advance(self.server.now)
        self.feed.move(self.feed.source, sink)
        self.sink = sink
        self.feed.gains[0] = self.factors
        self.suspend()

    def suspend(self) -> None:
        _let(self.feed)

    def end(self) -> None:
        self.feed.let(False)


class FeedOutput(SourceOutput):
    """Where a feed hears."""

    def __init__(self, server: Server, view: View, module: Module, agreed: Agreed, feed: Feed) -> None:
        super().__init__(server, view.nobody, feed.source, agreed)
        self.module = module.index
        self.feed = feed

    def level_changed(self) -> None:
        self.feed.origin.advance(self.server.now)
        self.feed.gains[1] = self.factors

    def move(self, source: Source) -> None:
        self.feed.origin.advance(self.server.now)
        self.feed.move(source, self.feed.sink)
        self.source = source
        self.suspend()

    def suspend(self) -> None:
        _let(self.feed)

    def end(self) -> None:
        self.feed.let(False)


class Through(SourceOutput):
    """How a remapped source hears its master: on the master's bus, from which it cannot be moved."""

    def __init__(
        self, server: Server, view: View, module: Module, agreed: Agreed, master: Source, remapped: Source
    ) -> None:
        super().__init__(server, view.nobody, master, agreed)
        self.module = module.index
        self.remapped = remapped

    def level_changed(self) -> None:
        if self.remapped.bus is not None:
            self.remapped.bus.advance(self.server.now)
        self.remapped.through = self.factors

    def move(self, source: Source) -> None:
        """It was made not to be moved."""

    def suspend(self) -> None:
        """What its master hears goes on."""

    def end(self) -> None:
        """Its source ends with it."""


def _let(feed: Feed) -> None:
    """It runs unless one of its ends is suspended."""
    feed.let(not feed.sink.suspended and not feed.source.suspended)
