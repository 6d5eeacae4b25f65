"""Streams between devices: moved, suspended, and what becomes of them when a device goes.

As in PulseAudio 16.1. A grouped stream, and one that said no_move, stays where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.protocol.catalog import Change, Facility
from eardrum.server.events import INPUT, OUTPUT
from eardrum.server.objects import Sink, Source, View
from eardrum.server.playback import SinkInput
from eardrum.server.record import SourceOutput
from eardrum.server.stream import Agreed, Stream
from eardrum.server.voice import held_back
from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.core import Server


def move(server: Server, stream: Stream, device: Sink | Source) -> None:
    """Let a stream go on at another device of its view. Raises Refused."""
    if stream.device is device:
        return
    if stream.agreed.no_move or len(streams_at(stream.client.view, device)) >= server.budget.streams:
        raise Refused(PulseError.INVALID, "this stream stays where it is")
    if isinstance(stream, SinkInput) and isinstance(device, Sink):
        if stream.grouped or _passes_through(stream.client.view, device, stream):
            raise Refused(PulseError.INVALID, "its group or a stream that passes through keeps it where it is")
        if device.bus is not None:
            stream.client.view.ledger.claim(stream.would_hold_back(device.bus) - stream.held_back)
        stream.move(device)
        for record in tuple(stream.client.view.source_outputs.values()):
            if record.only is stream:
                server.kill(record)
    elif isinstance(stream, SourceOutput) and isinstance(device, Source):
        if stream.only is not None:
            raise Refused(PulseError.INVALID, "it records one sink input, which is played elsewhere")
        stream.move(device)
    server.stream_changed(stream)
    server.let_echo()


def suspend(server: Server, view: View, device: Sink | Source, suspended: bool) -> None:
    """Suspend a device, or let it go on; a sink's monitor goes with it. Its streams stop and are told."""
    if device.suspended == suspended:
        return
    if device.bus is not None:
        device.bus.advance(server.now)
    device.suspended = suspended
    for stream in streams_at(view, device):
        if suspended and stream.agreed.fail_on_suspend:
            server.kill(stream)
        else:
            stream.suspend()
    view.changed(Facility.SINK if isinstance(device, Sink) else Facility.SOURCE, Change.CHANGED, device.index)
    monitor = view.monitor_of(device) if isinstance(device, Sink) else None
    if monitor is not None:
        suspend(server, view, monitor, suspended)


def rescue(server: Server, view: View, device: Sink | Source) -> None:
    """A device is gone from its view: its streams go to the default device, or are killed if they cannot."""
    for stream in streams_at(view, device):
        target = view.default_sink if isinstance(device, Sink) else view.default_source
        if stream.index not in (view.sink_inputs if isinstance(device, Sink) else view.source_outputs):
            continue  # it recorded one that was moved
        try:
            if target is None:
                raise Refused(PulseError.NOENTITY, "there is no other device")
            move(server, stream, target)
        except Refused:
            server.kill(stream)


def follow_default(server: Server, view: View, before: Sink | Source | None) -> None:
    """Another device than `before` is the default now: its streams go there, but for those that somebody moved."""
    target = view.default_sink if isinstance(before, Sink) else view.default_source
    if before is None or target is None or target is before:
        return
    for stream in streams_at(view, before):
        if not stream.placed:
            try:
                move(server, stream, target)
            except Refused:
                continue


def note_running(view: View, gone: Stream | None = None) -> None:
    """A stream came or is `gone`, or was corked: devices may run now, or no longer."""
    streams: list[Stream] = [*view.sink_inputs.values(), *view.source_outputs.values()]
    running = {stream.device for stream in streams if not stream.corked and stream is not gone}
    devices: list[Sink | Source] = [*view.sinks.values(), *view.sources.values()]
    for device in devices:
        if device.running != (device in running):
            device.running = not device.running
            view.changed(Facility.SINK if isinstance(device, Sink) else Facility.SOURCE, Change.CHANGED, device.index)


def streams_at(view: View, device: Sink | Source) -> list[Stream]:
    """The streams of a view that play into this sink, or record this source."""
    streams: list[Stream] = [*view.sink_inputs.values(), *view.source_outputs.values()]
    return [stream for stream in streams if stream.device is device]


def check_room(server: Server, view: View, device: Sink | Source, agreed: Agreed, nbytes: int = 0) -> None:
    """Whether one more stream can be made at this device, which claims so many bytes. Raises Refused."""
    if device.suspended and agreed.fail_on_suspend:
        raise Refused(PulseError.BADSTATE, f"{device.name} is suspended")
    others = streams_at(view, device)
    awaited = server.wires.awaited(OUTPUT if isinstance(device, Sink) else INPUT) if device.bus is None else 0
    if len(others) + awaited >= server.budget.streams:
        raise Refused(PulseError.TOOLARGE, f"{server.budget.streams} streams at {device.name}")
    if isinstance(device, Sink) and (_passes_through(view, device) or (agreed.passthrough and others)):
        raise Refused(PulseError.BUSY, "who passes through is alone")
    if isinstance(device, Sink) and device.bus is not None:
        nbytes += held_back(agreed.spec, device.bus)
    view.ledger.claim(nbytes)


def _passes_through(view: View, sink: Sink, stream: Stream | None = None) -> bool:
    others = streams_at(view, sink)
    return any(other.agreed.passthrough for other in others) or bool(stream and stream.agreed.passthrough and others)
