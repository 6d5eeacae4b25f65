"""Streams that were mixed because their wire led nowhere, and are carried from now on, because it leads upstream.

What was mixed goes on as the stand-in of what is carried, so that a client notices nothing but, later, other metrics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.server.carried_playback import CarriedPlayback
from eardrum.server.carried_record import CarriedRecord
from eardrum.server.mixed_playback import MixedPlayback
from eardrum.server.mixed_record import MixedRecord
from eardrum.server.objects import View

if TYPE_CHECKING:
    from eardrum.server.core import Server

_SAME = (
    "index", "channel", "spec", "volume", "muted", "corked", "proplist", "placed", "attr", "latency",
)  # fmt: skip  # what a stream is to its client, beside what was agreed on


def hand_over(server: Server, view: View) -> None:
    """Have all streams carried that are mixed at a device of this view which has no bus any more."""
    for playback in tuple(view.sink_inputs.values()):
        if isinstance(playback, MixedPlayback) and playback.sink.bus is None:
            _carry_playback(server, playback)
    for record in tuple(view.source_outputs.values()):
        if isinstance(record, MixedRecord) and record.source.bus is None:
            _carry_record(server, record)
    server.let_echo()


def _carry_playback(server: Server, mixed: MixedPlayback) -> None:
    client = mixed.client
    carried = CarriedPlayback(server, client, mixed.sink, mixed.agreed)
    _assume(carried, mixed)
    client.view.sink_inputs[carried.index] = client.playback[carried.channel] = carried
    carried.go_on_for(mixed)
    for record in client.view.source_outputs.values():
        if isinstance(record, MixedRecord) and record.only is mixed:
            record.bus.untap(record)
            record.only = carried
            record.start()


def _carry_record(server: Server, mixed: MixedRecord) -> None:
    client = mixed.client
    carried = CarriedRecord(server, client, mixed.source, mixed.agreed)
    _assume(carried, mixed)
    client.view.source_outputs[carried.index] = client.record[carried.channel] = carried
    carried.go_on_for(mixed)


def _assume(carried: CarriedPlayback | CarriedRecord, mixed: MixedPlayback | MixedRecord) -> None:
    """Be the same stream to its client."""
    for name in _SAME:
        setattr(carried, name, getattr(mixed, name))
