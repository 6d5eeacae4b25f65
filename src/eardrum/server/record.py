"""Source outputs, and those by which a client listens: record streams."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from eardrum.protocol.catalog import Change, Facility, RecordStreamKilled
from eardrum.server.stream import Agreed, OfClient, Stream
from eardrum.terms.audio import BufferAttr

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.objects import Client, Source
    from eardrum.server.playback import SinkInput


class SourceOutput(Stream):
    """Of a client, or of nobody: a module's. `only` is the sink input that it hears, None: all that its source has."""

    def __init__(
        self, server: Server, client: Client, source: Source, agreed: Agreed, only: SinkInput | None = None
    ) -> None:
        super().__init__(server, client, agreed)
        self.source = source
        self.only = only

    @property
    def device(self) -> Source:
        return self.source

    def announce(self) -> None:
        view = self.client.view
        self.index = view.number_for("source_output")
        view.source_outputs[self.index] = self
        view.changed(Facility.SOURCE_OUTPUT, Change.NEW, self.index)

    def withdraw(self) -> None:
        view = self.client.view
        view.source_outputs.pop(self.index, None)
        view.changed(Facility.SOURCE_OUTPUT, Change.REMOVED, self.index)

    def tell_killed(self) -> None:
        """There is nobody to tell."""

    @abstractmethod
    def move(self, source: Source) -> None:
        """Go on from another source. Raises Refused(NOTSUPPORTED) where only one of the two is mixed here."""


class RecordStream(SourceOutput, OfClient):
    """A source output with a number on its client's connection, over which its sound goes."""

    def __init__(
        self, server: Server, client: Client, source: Source, agreed: Agreed, only: SinkInput | None = None
    ) -> None:
        super().__init__(server, client, source, agreed, only)
        self.attr = BufferAttr()
        self.latency = 0
        self.channel = -1

    def announce(self) -> None:
        super().announce()
        self.channel = self.client.record_numbers
        self.client.record_numbers += 1
        self.client.record[self.channel] = self

    def withdraw(self) -> None:
        super().withdraw()
        self.client.record.pop(self.channel, None)

    def tell_killed(self) -> None:
        self.tell(RecordStreamKilled(channel=self.channel))
