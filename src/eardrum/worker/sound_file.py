"""The process that looks whether a file is one that can be played: it reads what the desk must not read."""

from __future__ import annotations

from collections.abc import Callable

from eardrum.kernel.confinement import Layer, Profile, confine
from eardrum.kernel.sound_source import FileReader
from eardrum.server.mixed import RATE
from eardrum.worker.desk_link import DeskLink
from eardrum.worker.profiles import SOUND_FILE
from eardrum.worker.records import Kind, Record
from eardrum.worker.spec import SoundFileSpec

_FRAMES = RATE // 10  # that are read


def serve(spec: SoundFileSpec, link: int, file: int, confine: Callable[[Profile], Layer] = confine) -> None:
    """Say READY to the desk if the beginning of the file can be played. The descriptors become this worker's."""
    desk = DeskLink(link)
    held = confine(SOUND_FILE)
    try:
        reader = FileReader(file, spec.name, RATE)
        reader.read(_FRAMES)
    except OSError:
        pass
    else:
        desk.tell(Record(Kind.READY, held))
        reader.close()
    desk.close()
