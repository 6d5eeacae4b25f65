"""The monitor of a carried output: what the outlet plays upstream is played here as well, for those who record it.

An upstream's own monitor would let an outlet hear everybody else, so it is never asked for one. An echo is a stream on
this worker's bus that gets the same samples as the carried one and about which nobody is told; it exists only while
somebody records the monitor. It follows the clock of the worker, not the upstream's.
"""

from __future__ import annotations

from eardrum.protocol.message import Message
from eardrum.server.mixed import Bus
from eardrum.server.mixed_playback import MixedPlayback
from eardrum.server.playback import PlaybackStream, SinkInput
from eardrum.server.stream import Agreed
from eardrum.terms.audio import INVALID, MAX_QUEUE, BufferAttr


class Echo(MixedPlayback):
    """The echo of one carried stream."""

    def __init__(self, of: PlaybackStream, bus: Bus) -> None:
        attr = BufferAttr(maxlength=MAX_QUEUE, tlength=INVALID, prebuf=of.spec.frame_bytes)
        agreed = Agreed(
            of.spec,
            of.channel_map,
            of.volume,
            muted=of.muted,
            corked=of.corked,
            attr=attr,
            no_remap=of.agreed.no_remap,
            no_remix=of.agreed.no_remix,
        )
        super().__init__(of.server, of.client, of.sink, agreed, bus)
        self._of = of

    @property
    def heard_as(self) -> SinkInput:
        return self._of

    def tell(self, message: Message) -> None:
        """The client has been told of the carried stream."""
