"""The modules that start-up scripts load, emulated: a name and arguments become sinks, sources and feeds of one view.

Nothing is ever loaded. A module may only make objects inside the view whose client asked for it, from what is in that
view. Where a view `opens`, which no outlet's does, some have a FIFO or a socket opened. What is not in `MODULES` does
not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from eardrum.protocol.catalog import Change, Facility
from eardrum.server.admission import USUAL_COOKIE, Admission
from eardrum.server.effects import CloseFifo, Listen, OpenFifo, StopListening
from eardrum.server.feeds import Feed
from eardrum.server.module_arguments import STREAM_PROPERTIES, Arguments, wrong
from eardrum.server.module_parts import (
    add_sink,
    add_source,
    free_name,
    monitor_of,
    new_bus,
    play,
    show,
    sink_named,
    source_named,
)
from eardrum.server.module_streams import FeedInput, FeedOutput, Through, agreed
from eardrum.server.objects import DEVICE_SPEC, Module, Sink, Source, View
from eardrum.server.playback import SinkInput
from eardrum.server.routing import follow_default
from eardrum.terms.audio import STEREO, SampleSpec
from eardrum.terms.errors import Refused
from eardrum.terms.properties import value

if TYPE_CHECKING:
    from eardrum.server.core import Server
    from eardrum.server.mixed import Bus

LOOPBACK_MSEC = 200


class Kind(NamedTuple):
    """One module that is emulated: the arguments it knows, and what makes its objects."""

    arguments: frozenset[str]
    make: Callable[[Server, View, Module, Arguments], None]


def load(server: Server, view: View, name: str, argument: str, done: Callable[[Module, str | None], None]) -> None:
    """Make a module and all that belongs to it, and then call `done` with it.

    Raises Refused(MODINITFAILED), or calls `done` with why it failed; then nothing was made.
    """
    kind = MODULES.get(name)
    if kind is None:
        raise wrong(f"{name} is not emulated")
    if len(view.modules) >= view.budget.modules:
        raise wrong(f"{view.budget.modules} modules are loaded")
    arguments = Arguments(argument, kind.arguments)
    before = view.default_sink, view.default_source
    module = Module(view.number_for("module"), name, argument)
    view.modules[module.index] = module
    try:
        kind.make(server, view, module, arguments)
    except Refused:
        unload(server, view, module, quietly=True)
        raise

    def made(why: str | None) -> None:
        if why is None:
            view.changed(Facility.MODULE, Change.NEW, module.index)
            _follow_defaults(server, view, before)
        else:
            module.ends.clear()
            unload(server, view, module, quietly=True)
        done(module, why)

    if module.wants is None:
        made(None)
    else:
        server.have_opened(module.wants, made)


def unload(server: Server, view: View, module: Module, *, quietly: bool = False) -> None:
    """Take a module away with all that it made, and with the modules that stand on it."""
    del view.modules[module.index]
    for other in tuple(view.modules.values()):
        if other.index in view.modules and other.stands_on(module):
            unload(server, view, other)
    for stream in module.streams:
        if stream.index in (view.sink_inputs if isinstance(stream, SinkInput) else view.source_outputs):
            server.remove(stream)
    default = view.default_sink, view.default_source
    for source in module.sources:
        server.remove_source(view, source)
    for sink in module.sinks:
        server.remove_sink(view, sink)
    for bus in module.buses:
        server.buses.remove(bus)
    server.effects.extend(module.ends)
    if not quietly:
        view.changed(Facility.MODULE, Change.REMOVED, module.index)
        if (view.default_sink, view.default_source) != default:
            view.server_changed()


def _follow_defaults(server: Server, view: View, before: tuple[Sink | None, Source | None]) -> None:
    """What was made may be the default now."""
    if (view.default_sink, view.default_source) != before:
        view.server_changed()
        for device in before:
            follow_default(server, view, device)


def _null_sink(server: Server, view: View, module: Module, said: Arguments) -> None:
    spec, channel_map = said.spec(DEVICE_SPEC, STEREO)
    name = said.text("sink_name") or "null"
    add_sink(server, view, module, name, "Null Output", said.properties("sink_properties"), spec, channel_map)


def _null_source(server: Server, view: View, module: Module, said: Arguments) -> None:
    spec, channel_map = said.spec(DEVICE_SPEC, STEREO)
    bus = new_bus(server, module, spec, channel_map)
    name = free_name(view.sources, said.text("source_name") or "source.null")
    description = said.text("description") or "Null Input"
    source = Source(view.number_for("source"), name, description, bus)
    add_source(view, module, source, said.properties("source_properties"), spec, channel_map)


def _remapped_sink(suffix: str, what: str, stream: str) -> Callable[[Server, View, Module, Arguments], None]:
    def make(server: Server, view: View, module: Module, said: Arguments) -> None:
        master = sink_named(view, said.text("master") or said.text("sink_master"))
        spec, channel_map = said.spec(master.spec, master.channel_map)
        taken_for = said.channel_map("master_channel_map", channel_map)
        if len(taken_for) != len(channel_map):
            raise wrong("channel_map and master_channel_map have not as many channels")
        name = said.text("sink_name") or f"{master.name}.{suffix}"
        properties = {"device.class": value("filter"), **said.properties("sink_properties")}
        description = f"{what} {master.description}"
        sink = add_sink(server, view, module, name, description, properties, spec, channel_map)
        play(server, view, module, monitor_of(view, sink), master, f"{stream} Stream", taken_for)

    return make


def _remapped_source(suffix: str, what: str, stream: str) -> Callable[[Server, View, Module, Arguments], None]:
    def make(server: Server, view: View, module: Module, said: Arguments) -> None:
        master = source_named(view, said.text("master"))
        spec, channel_map = said.spec(master.spec, master.channel_map)
        taken_for = said.channel_map("master_channel_map", channel_map)
        if len(taken_for) != len(channel_map):
            raise wrong("channel_map and master_channel_map have not as many channels")
        name = free_name(view.sources, said.text("source_name") or f"{master.name}.{suffix}")
        source = Source(view.number_for("source"), name, f"{what} {master.description}", master.bus)
        source.deaf_to, source.master, source.taken_as = master.deaf_to, master, taken_for
        properties = {"device.class": value("sound"), **said.properties("source_properties")}
        add_source(view, module, source, properties, spec, channel_map)
        asked = agreed(master.spec, taken_for, f"{stream} Stream", "filter", {}, no_move=True)
        show(server, view, module, Through(server, view, module, asked, master, source))

    return make


def _loopback(server: Server, view: View, module: Module, said: Arguments) -> None:
    source, sink = source_named(view, said.text("source")), sink_named(view, said.text("sink"))
    if source.bus is None:
        raise wrong(f"source {source.name} is another server's: it cannot be mixed here")
    if sink.bus is None:
        raise wrong(f"sink {sink.name} is another server's: nothing can be mixed into it here")
    delay = said.number("latency_msec", LOOPBACK_MSEC, 1, 2000) / 1000
    feed = Feed(source, sink, delay=max(delay, 0.02))
    ends: tuple[tuple[type[FeedInput | FeedOutput], str, str, str], ...] = (
        (FeedInput, f"Loopback from {source.description}", "sink", "sink_input_properties"),
        (FeedOutput, f"Loopback to {sink.description}", "source", "source_output_properties"),
    )
    for make, name, device, key in ends:
        properties = said.properties(key, STREAM_PROPERTIES)
        stays = said.truth(f"{device}_dont_move", False)
        asked = agreed(source.spec, source.channel_map, name, "abstract", properties, no_move=stays)
        show(server, view, module, make(server, view, module, asked, feed), stays=said.text(device) is not None)


def _combine_sink(server: Server, view: View, module: Module, said: Arguments) -> None:
    names = said.text("slaves")
    slaves = [sink_named(view, name) for name in names.split(",")] if names else list(view.sinks.values())
    spec, channel_map = said.spec(slaves[0].spec, slaves[0].channel_map)
    properties = {"device.class": value("filter"), **said.properties("sink_properties")}
    name = said.text("sink_name") or "combined"
    sink = add_sink(server, view, module, name, "Simultaneous Output", properties, spec, channel_map)
    for slave in dict.fromkeys(slaves):
        name = f"Simultaneous output on {slave.description}"
        play(server, view, module, monitor_of(view, sink), slave, name, no_move=True)


def _pipe_sink(server: Server, view: View, module: Module, said: Arguments) -> None:
    spec, channel_map = said.spec(DEVICE_SPEC, STEREO)
    name = said.text("sink_name") or "fifo_output"
    properties = said.properties("sink_properties")
    path = _path(view, said, "file")
    sink = add_sink(server, view, module, name, f"Unix FIFO sink {path}", properties, spec, channel_map)
    assert sink.bus is not None
    sink.bus.steady = sink.bus.writes_file = True
    _join_fifo(module, sink.bus, path, spec, reads=False)


def _pipe_source(server: Server, view: View, module: Module, said: Arguments) -> None:
    spec, channel_map = said.spec(DEVICE_SPEC, STEREO)
    path = _path(view, said, "file")
    bus = new_bus(server, module, spec, channel_map)
    name = free_name(view.sources, said.text("source_name") or "fifo_input")
    source = Source(view.number_for("source"), name, f"Unix FIFO source {path}", bus)
    add_source(view, module, source, said.properties("source_properties"), spec, channel_map)
    _join_fifo(module, bus, path, spec, reads=True)


def _native_protocol_unix(server: Server, view: View, module: Module, said: Arguments) -> None:
    path = _named(view, said.text("socket") or "native")
    group = said.text("auth-group") or view.usual_group
    cookie = said.text("auth-cookie") or said.text("cookie") or USUAL_COOKIE
    admission = Admission(
        said.truth("auth-anonymous", False),
        group if said.truth("auth-group-enable", True) else None,
        cookie if said.truth("auth-cookie-enabled", True) else None,
    )
    module.wants = lambda token: Listen(token, module.index, path, admission)
    module.ends.append(StopListening(module.index))


def _named(view: View, path: str) -> str:
    """A path that an argument names: outside the view, where only the owner of a server may point."""
    if not view.opens:
        raise wrong("a path means nothing outside the container")
    return path


def _path(view: View, said: Arguments, key: str) -> str:
    path = _named(view, said.text(key) or "")
    if not path.startswith("/"):
        raise wrong(f"{key}={path}: must be an absolute path")
    return path


def _join_fifo(module: Module, bus: Bus, path: str, spec: SampleSpec, *, reads: bool) -> None:
    module.wants = lambda token: OpenFifo(token, bus.number, path, spec, reads)
    module.ends.append(CloseFifo(bus.number))


def _nothing(server: Server, view: View, module: Module, said: Arguments) -> None:
    """Loaded by many scripts; what it does elsewhere there is nothing to be done about here."""


class _AnyKey(frozenset[str]):
    """The arguments of a module about which nothing is done."""

    def __contains__(self, key: object) -> bool:
        return True


def _keys(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SPEC = "format rate channels channel_map "
_FILTER = _SPEC + "master master_channel_map remix resample_method "
_WITHOUT_EFFECT = (
    "always-sink", "always-source", "augment-properties", "card-restore", "console-kit", "default-device-restore",
    "device-restore", "filter-apply", "filter-heuristics", "intended-roles", "position-event-sounds", "rescue-streams",
    "role-cork", "stream-restore", "suspend-on-idle", "switch-on-connect", "switch-on-port-available", "systemd-login",
    "udev-detect",
)  # fmt: skip
MODULES: dict[str, Kind] = {
    "module-null-sink": Kind(_keys(_SPEC + "sink_name sink_properties formats norewinds"), _null_sink),
    "module-null-source": Kind(
        _keys(_SPEC + "source_name source_properties description latency_time max_latency_msec"), _null_source
    ),
    "module-remap-sink": Kind(
        _keys(_FILTER + "sink_name sink_properties sink_master use_volume_sharing"),
        _remapped_sink("remapped", "Remapped", "Remapped"),
    ),
    "module-virtual-sink": Kind(
        _keys(_FILTER + "sink_name sink_properties sink_master use_volume_sharing force_flat_volume"),
        _remapped_sink("vsink", "Virtual Sink on", "Virtual Sink"),
    ),
    "module-remap-source": Kind(
        _keys(_FILTER + "source_name source_properties"), _remapped_source("remapped", "Remapped", "Remapped")
    ),
    "module-virtual-source": Kind(
        _keys(_FILTER + "source_name source_properties uplink_sink use_volume_sharing force_flat_volume"),
        _remapped_source("vsource", "Virtual Source of", "Virtual Source"),
    ),
    "module-loopback": Kind(
        _keys(
            _SPEC + "source sink adjust_time latency_msec max_latency_msec fast_adjust_threshold_msec "
            "adjust_threshold_usec log_interval sink_input_properties source_output_properties source_dont_move "
            "sink_dont_move remix remove resample_method"
        ),
        _loopback,
    ),
    "module-pipe-sink": Kind(_keys(_SPEC + "sink_name sink_properties file use_system_clock_for_timing"), _pipe_sink),
    "module-pipe-source": Kind(_keys(_SPEC + "source_name source_properties file"), _pipe_source),
    "module-native-protocol-unix": Kind(
        _keys("socket auth-anonymous auth-group auth-group-enable auth-cookie cookie auth-cookie-enabled srbchannel"),
        _native_protocol_unix,
    ),
    "module-combine-sink": Kind(
        _keys(_SPEC + "sink_name sink_properties slaves adjust_time resample_method remix"), _combine_sink
    ),
    **{f"module-{name}": Kind(_AnyKey(), _nothing) for name in _WITHOUT_EFFECT},
}
