"""Source outputs: all of them are record streams, by which a client listens."""

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


class RecordStream(Stream, OfClient):
    """One source output. `only` is the sink input that it hears, None: all that its source has."""

    def __init__(
        self, server: Server, client: Client, source: Source, agreed: Agreed, only: SinkInput | None = None
    ) -> None:
        super().__init__(server, client, agreed)
        self.source = source
        self.only = only
        self.attr = BufferAttr()
        self.latency = 0
        self.channel = -1

    def announce(self) -> None:
        view = self.client.view
        self.index = view.number_for("source_output")
        view.source_outputs[self.index] = self
        view.changed(Facility.SOURCE_OUTPUT, Change.NEW, self.index)
        self.channel = self.client.record_numbers
        self.client.record_numbers += 1
        self.client.record[self.channel] = self

    def withdraw(self) -> None:
        view = self.client.view
        view.source_outputs.pop(self.index, None)
        view.changed(Facility.SOURCE_OUTPUT, Change.REMOVED, self.index)
        self.client.record.pop(self.channel, None)

    def tell_killed(self) -> None:
        self.tell(RecordStreamKilled(channel=self.channel))

    @abstractmethod
    def move(self, source: Source) -> None:
        """Go on from another source. Raises Refused(NOTSUPPORTED) where only one of the two is mixed here."""
