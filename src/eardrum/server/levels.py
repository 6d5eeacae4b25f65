"""Levels of devices: what programs set, and what the person sets behind that. Both act at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from eardrum.protocol.catalog import Change, Facility
from eardrum.server.objects import Sink, Source, View
from eardrum.server.routing import streams_at
from eardrum.terms.audio import Volume

if TYPE_CHECKING:
    from eardrum.server.core import Server


def set_level(server: Server, view: View, device: Sink | Source, volume: Volume, muted: bool) -> None:
    """A program sets volume (a single channel counts for all) and mute of a device."""
    with _change(server, view, device):
        device.set_level(volume, muted)
    if device.wire is not None:
        server.keep_level(view, device.wire, device)


def turn(server: Server, wire: int, volume: int, muted: bool) -> None:
    """The person turns the knob of a wire. Programs are shown that their device is silent, and nothing else of it."""
    knob = server.knobs[wire] = replace(server.knobs[wire], volume=volume, muted=muted, turned=True)
    for view in server.views.values():
        devices: list[Sink | Source] = [*view.sinks.values(), *view.sources.values()]
        for device in devices:
            if device.wire == wire:
                with _change(server, view, device):
                    device.turn(knob)


@contextmanager
def _change(server: Server, view: View, device: Sink | Source) -> Iterator[None]:
    """What sounded until now keeps its level; afterwards streams follow, and programs hear of what they can see."""
    if device.bus is not None:
        device.bus.advance(server.now)
    before, most = (device.volume, device.silent), device.most
    yield
    if device.bus is None or device.most != most:  # what is mixed here gets the device's level as a whole
        for stream in streams_at(view, device):
            stream.level_changed()
    if before != (device.volume, device.silent):
        facility = Facility.SINK if isinstance(device, Sink) else Facility.SOURCE
        view.changed(facility, Change.CHANGED, device.index)
