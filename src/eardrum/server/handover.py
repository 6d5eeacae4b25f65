"""Streams that were mixed because their wire led nowhere, and are carried from now on, because it leads upstream.

What was mixed goes on as the stand-in of what is carried, so that a client notices nothing but, later, other metrics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.protocol.catalog import CreatePlaybackStream, CreateRecordStream
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
    client, agreed = mixed.client, mixed.agreed
    carried = CarriedPlayback(server, client, mixed.sink, agreed)
    _assume(carried, mixed)
    carried.clean(
        CreatePlaybackStream(
            sample_spec=mixed.spec,
            channel_map=mixed.channel_map,
            volume=mixed.volume,
            maxlength=agreed.attr.maxlength,
            tlength=agreed.attr.tlength,
            prebuf=agreed.attr.prebuf,
            minreq=agreed.attr.minreq,
            sync_id=mixed.sync_id or 0,
            no_remap=agreed.no_remap,
            no_remix=agreed.no_remix,
            variable_rate=agreed.variable_rate,
            adjust_latency=agreed.adjust_latency,
            early_requests=agreed.early_requests,
        )
    )
    client.view.sink_inputs[carried.index] = client.playback[carried.channel] = carried
    carried.go_on_for(mixed)
    for record in client.view.source_outputs.values():
        if isinstance(record, MixedRecord) and record.only is mixed:
            record.bus.untap(record)
            record.only = carried
            record.start()


def _carry_record(server: Server, mixed: MixedRecord) -> None:
    client, agreed = mixed.client, mixed.agreed
    carried = CarriedRecord(server, client, mixed.source, agreed)
    _assume(carried, mixed)
    carried.clean(
        CreateRecordStream(
            sample_spec=mixed.spec,
            channel_map=mixed.channel_map,
            maxlength=agreed.attr.maxlength,
            fragsize=agreed.attr.fragsize,
            no_remap=agreed.no_remap,
            no_remix=agreed.no_remix,
            variable_rate=agreed.variable_rate,
            peak_detect=mixed.peaks,
            adjust_latency=agreed.adjust_latency,
            early_requests=agreed.early_requests,
        )
    )
    client.view.source_outputs[carried.index] = client.record[carried.channel] = carried
    carried.go_on_for(mixed)


def _assume(carried: CarriedPlayback | CarriedRecord, mixed: MixedPlayback | MixedRecord) -> None:
    """Be the same stream to its client."""
    for name in _SAME:
        setattr(carried, name, getattr(mixed, name))
