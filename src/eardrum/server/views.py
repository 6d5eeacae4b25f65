"""What a view of an outlet and a view of a room have: the wiring as objects."""

from __future__ import annotations

from collections.abc import Callable

from eardrum.server import events
from eardrum.server.events import OWN_VIEW
from eardrum.server.mixed import Buses
from eardrum.server.objects import Sink, Source, View
from eardrum.terms.audio import Volume
from eardrum.terms.names import WireEnd

Level = tuple[Volume, bool]  # volume and mute
MakeView = Callable[[int, Buses], View]  # the view with this number, on the buses of its worker
OUTPUT, INPUT = "output", "input"


def outlet_view(
    name: str,
    output: WireEnd,
    input: WireEnd | None,
    output_level: Level | None = None,
    input_level: Level | None = None,
    *,
    modules: bool = False,
) -> MakeView:
    """How the views of an outlet's worker are made; levels are volume and mute as programs have set them, if they did.

    The outlet's own view has its wires as one sink and one source. Every other view is a guest's, whom the desk lets
    in: it hears what the outlet plays, and hears or plays what its microphone gives, as far as it has the rights.
    """

    def make(number: int, buses: Buses) -> View:
        if number != OWN_VIEW:
            return _guest_view(number, name, input, buses)
        carried = output.is_carried
        bus = None if carried else buses.output
        sink = Sink(0, OUTPUT, f"Output of {name}", bus, upstream_name=output.device)
        sink.makeshift = modules and output.kind == "null"
        sink.wire = events.OUTPUT
        if output_level is not None:
            sink.set_level(*output_level)
        sources = [Source(0, f"{OUTPUT}.monitor", f"Monitor of the output of {name}", buses.output, monitor_of=sink)]
        if input is not None:
            bus = None if input.is_carried else buses.input
            source = Source(1, INPUT, f"Input of {name}", bus, upstream_name=input.device)
            source.wire = events.INPUT
            if input_level is not None:
                source.set_level(*input_level)
            sources.append(source)
        return View(number, name, [sink], sources, hears_itself=modules)

    return make


def serve_view(
    user_name: str, host_name: str, output: WireEnd, input: WireEnd | None, usual_group: str | None = None
) -> MakeView:
    """How the view of a standard server's worker is made: one for all clients."""

    def make(number: int, buses: Buses) -> View:
        name, description = ("auto_null", "Dummy Output") if output.kind == "null" else (OUTPUT, "Output")
        sink = Sink(0, name, description, buses.output, makeshift=output.kind == "null")
        sources = [Source(0, f"{name}.monitor", f"Monitor of {description}", buses.output, monitor_of=sink)]
        if input is not None:
            sources.append(Source(1, INPUT, "Input", buses.input))
        return View(
            number, host_name, [sink], sources,
            hears_itself=True, opens=True, usual_group=usual_group, user_name=user_name,
        )  # fmt: skip

    return make


def _guest_view(number: int, name: str, input: WireEnd | None, buses: Buses) -> View:
    carried, device = (input.is_carried, input.device) if input is not None else (False, "")
    sources = [
        Source(0, OUTPUT, f"What {name} plays", buses.output, follows=True),
        Source(
            1, INPUT, f"What {name} hears", None if carried else buses.input, upstream_name=device, wire=events.INPUT
        ),
    ]
    return View(number, name, [Sink(0, INPUT, f"Microphone of {name}", buses.input)], sources)


def room_view(name: str) -> MakeView:
    """How the view of each outlet in a room's worker is made."""

    def make(number: int, buses: Buses) -> View:
        bus = buses.output
        sink = Sink(0, OUTPUT, f"Room {name}", bus)
        monitor = Source(0, f"{OUTPUT}.monitor", f"Own sound in room {name}", bus, monitor_of=sink)
        return View(number, name, [sink], [monitor, Source(1, INPUT, f"Room {name}", bus, deaf_to=sink)])

    return make
