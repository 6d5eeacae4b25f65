"""The process of one room: outlets' workers are attached to it by the desk, each over a socketpair of its own."""

from __future__ import annotations

from eardrum.kernel.confinement import confine
from eardrum.server.views import room_view
from eardrum.terms.budget import ROOM
from eardrum.worker import profiles
from eardrum.worker.desk_link import DeskLink
from eardrum.worker.serving import Worker
from eardrum.worker.spec import RoomSpec


def serve(spec: RoomSpec, link: int) -> None:
    """Serve until it is over. `link` leads to the desk and becomes this worker's."""
    Worker(spec.name, room_view(spec.name), DeskLink(link), budget=ROOM).run(lambda: confine(profiles.ROOM_WORKER))
