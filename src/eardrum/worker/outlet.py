"""The process of one outlet: it accepts on the outlet's socket, parses what the container sends, and plays it."""

from __future__ import annotations

from collections.abc import Sequence

from eardrum.kernel.confinement import confine
from eardrum.server.events import INPUT, OUTPUT
from eardrum.server.knob import Knob
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view
from eardrum.terms.names import input_end, output_end
from eardrum.worker import profiles
from eardrum.worker.desk_link import DeskLink
from eardrum.worker.ends import open_ends
from eardrum.worker.serving import Worker
from eardrum.worker.spec import Knob as SaidKnob
from eardrum.worker.spec import OutletSpec


def serve(spec: OutletSpec, link: int, listening: int, files: Sequence[int]) -> None:
    """Serve until it is over. The descriptors become this worker's.

    `link` leads to the desk, `listening` is the outlet's socket, `files` are what ends with a path write and read.
    """
    output = output_end(spec.output)
    input = input_end(spec.input) if spec.input else None
    rights = Right.CONNECT | Right.LOOK | Right.PLAY
    if input is not None:
        rights |= Right.RECORD
    if spec.hear:
        rights |= Right.HEAR
    if spec.modules:
        rights |= Right.MODULES
    levels = [None if level is None else (level.volume, level.muted) for level in (spec.output_level, spec.input_level)]
    view = outlet_view(spec.name, output, input, *levels, modules=spec.modules)
    ends = open_ends(output, input, files)
    devices = {OUTPUT: output.device, INPUT: input.device if input is not None else ""}
    knobs = _knob(spec.output_knob, spec.ceiling), _knob(spec.input_knob)
    link_to_desk = DeskLink(link)
    Worker(
        spec.name,
        view,
        link_to_desk,
        listening=listening,
        rights=rights,
        ends=ends,
        devices=devices,
        knobs=knobs,
        budget=spec.budget,
    ).run(lambda: confine(profiles.outlet(output, input, spec.budget)))


def _knob(said: SaidKnob | None, ceiling: int | None = None) -> Knob:
    return Knob(ceiling=ceiling) if said is None else Knob(said.volume, said.muted, True, ceiling)
