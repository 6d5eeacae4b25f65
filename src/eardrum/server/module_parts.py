"""What emulated modules are made of: sinks, sources, buses and streams that belong to a module of one view.

All of it raises Refused(MODINITFAILED) for what cannot be; what was made by then goes with the module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.protocol.catalog import Change, Facility
from eardrum.server.feeds import Feed
from eardrum.server.module_arguments import wrong
from eardrum.server.module_streams import FeedInput, agreed
from eardrum.server.objects import AnyDevice, Module, Sink, Source, View
from eardrum.server.stream import Stream
from eardrum.terms.audio import VOLUME_NORM, ChannelMap, SampleSpec
from eardrum.terms.errors import Refused
from eardrum.terms.names import valid_device_name
from eardrum.terms.properties import text, value

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.mixed import Bus

_UNITY = (VOLUME_NORM,)


def free_name(devices: dict[int, AnyDevice], wanted: str) -> str:
    """The name itself, or with a number behind it, as PulseAudio has it."""
    if not valid_device_name(wanted):
        raise wrong(f"{wanted!r} is no name for a device")
    taken = {device.name for device in devices.values()}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}.{number}"
    return name


def _found(devices: dict[int, AnyDevice], default: AnyDevice | None, name: str | None) -> AnyDevice:
    """The device that an argument names; the default if it names none or says so."""
    if name is not None and not name.startswith("@DEFAULT_"):
        index = int(name) if name.isascii() and name.isdigit() and len(name) < 10 else -1
        default = next((device for device in devices.values() if name == device.name or index == device.index), None)
    if default is None:
        raise wrong(f"no device {name}" if name else "no device")
    return default


def sink_named(view: View, name: str | None) -> Sink:
    return _found(view.sinks, view.default_sink, name)


def source_named(view: View, name: str | None) -> Source:
    return _found(view.sources, view.default_source, name)


def monitor_of(view: View, sink: Sink) -> Source:
    monitor = view.monitor_of(sink)
    assert monitor is not None
    return monitor


def new_bus(server: Server, module: Module, spec: SampleSpec, channel_map: ChannelMap) -> Bus:
    bus = server.buses.add(spec.rate, channel_map)
    module.buses.append(bus)
    return bus


def add_sink(
    server: Server,
    view: View,
    module: Module,
    name: str,
    description: str,
    properties: dict[str, bytes],
    spec: SampleSpec,
    channel_map: ChannelMap,
) -> Sink:
    """A sink with a bus of its own, and its monitor."""
    bus = new_bus(server, module, spec, channel_map)
    name = free_name(view.sinks, name)
    description = text(properties, "device.description", description)
    properties = {"device.class": value("abstract"), **properties}
    sink = Sink(view.number_for("sink"), name, description, bus)
    monitor = Source(view.number_for("source"), f"{name}.monitor", f"Monitor of {description}", bus, monitor_of=sink)
    for device in (monitor, sink):
        device.spec, device.channel_map, device.module = spec, channel_map, module.index
        device.set_level(_UNITY, False)
    sink.proplist = properties
    view.sinks[sink.index], view.sources[monitor.index] = sink, monitor
    module.sinks.append(sink)
    module.sources.append(monitor)
    view.changed(Facility.SOURCE, Change.NEW, monitor.index)
    view.changed(Facility.SINK, Change.NEW, sink.index)
    return sink


def add_source(
    view: View, module: Module, source: Source, properties: dict[str, bytes], spec: SampleSpec, channel_map: ChannelMap
) -> None:
    source.spec, source.channel_map, source.module = spec, channel_map, module.index
    source.description = text(properties, "device.description", source.description)
    source.proplist = properties
    source.set_level(_UNITY, False)
    view.sources[source.index] = source
    module.sources.append(source)
    view.changed(Facility.SOURCE, Change.NEW, source.index)


def show(server: Server, view: View, module: Module, stream: Stream, *, stays: bool = True) -> None:
    """A stream of the module is there. One that stays does so when the default changes."""
    streams = sum(len(each.streams) for each in view.modules.values())
    if streams >= view.budget.module_streams:
        raise wrong(f"{view.budget.module_streams} streams of modules are there")
    if isinstance(stream, FeedInput):
        try:
            view.ledger.claim(stream.held_back)
        except Refused as refusal:
            raise wrong(refusal.why) from None
    stream.placed = stays
    module.streams.append(stream)
    server.add(stream)


def play(
    server: Server, view: View, module: Module, source: Source, sink: Sink, name: str,
    channel_map: ChannelMap | None = None, *, no_move: bool = False,
) -> None:  # fmt: skip
    """A filter's sink, whose monitor is the source, plays into another."""
    if sink.bus is None:
        raise wrong(f"sink {sink.name} is another server's: nothing can be mixed into it here")
    asked = agreed(source.spec, channel_map or source.channel_map, name, "filter", {}, no_move=no_move)
    show(server, view, module, FeedInput(server, view, module, asked, Feed(source, sink, channel_map)))
