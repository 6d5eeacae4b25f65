"""What a view of an outlet and a view of a room have: the wiring as objects."""

from __future__ import annotations

from collections.abc import Callable

from eardrum.server.mixed import Bus, Hears
from eardrum.server.objects import Sink, Source, View
from eardrum.terms.audio import VOLUME_NORM, Volume
from eardrum.terms.names import WireEnd

Level = tuple[Volume, bool]  # volume and mute
UNITY: Level = ((VOLUME_NORM,), False)
SINK, MONITOR, INPUT = "output", "output.monitor", "input"


def outlet_view(
    name: str, output: WireEnd, input: WireEnd | None, output_level: Level = UNITY, input_level: Level = UNITY
) -> Callable[[int, Bus], View]:
    """How the one view of an outlet's worker is made; levels are volume and mute."""

    def make(number: int, bus: Bus) -> View:
        carried = output.kind in ("host", "room")
        sink = Sink(
            0, SINK, f"Output of {name}", None if carried else bus, output.argument if output.kind == "host" else ""
        )
        sink.set_level(*output_level)
        sources = [Source(0, MONITOR, f"Monitor of the output of {name}", bus, Hears.OWN, monitor_of=sink)]
        if input is not None:
            own = bus if input.kind == "silence" else None
            source = Source(1, INPUT, f"Input of {name}", own, Hears.NOTHING)
            source.set_level(*input_level)
            sources.append(source)
        return View(number, name, sink, sources)

    return make


def room_view(name: str) -> Callable[[int, Bus], View]:
    """How the view of each outlet in a room's worker is made."""

    def make(number: int, bus: Bus) -> View:
        sink = Sink(0, SINK, f"Room {name}", bus)
        monitor = Source(0, MONITOR, f"Own sound in room {name}", bus, Hears.OWN, monitor_of=sink)
        return View(number, name, sink, [monitor, Source(1, INPUT, f"Room {name}", bus, Hears.OTHERS)])

    return make
