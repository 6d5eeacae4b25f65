"""The process of one outlet: it accepts on the outlet's socket, parses what the container sends, and plays it."""

from __future__ import annotations

from eardrum.kernel.sound_files import FileWriter
from eardrum.server.mixed import RATE
from eardrum.server.rights import Right
from eardrum.server.views import outlet_view
from eardrum.terms.audio import STEREO
from eardrum.terms.names import input_end, output_end
from eardrum.worker.desk_link import DeskLink
from eardrum.worker.serving import Worker
from eardrum.worker.spec import OutletSpec


def serve(spec: OutletSpec, link: int, listening: int, file: int | None) -> None:
    """Serve until it is over. The descriptors become this worker's.

    `link` leads to the desk, `listening` is the outlet's socket, `file` is what a `file:` end writes.
    """
    output = output_end(spec.output)
    input = input_end(spec.input) if spec.input else None
    rights = Right.CONNECT | Right.LOOK | Right.PLAY
    if input is not None:
        rights |= Right.RECORD
    if spec.modules:
        rights |= Right.MODULES
    writer = FileWriter(file, output.argument, RATE, len(STEREO)) if file is not None else None
    levels = [(level.volume, level.muted) for level in (spec.output_level, spec.input_level)]
    view = outlet_view(spec.name, output, input, *levels, modules=spec.modules)
    Worker(spec.name, view, DeskLink(link), listening=listening, rights=rights, writer=writer).run()
