"""The files, FIFOs and devices at the ends of an outlet's wires: opened for workers, which write and read them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from eardrum.desk.alsa_device import AlsaDevice
from eardrum.desk.recording import Recording
from eardrum.desk.workers import PATIENCE, Workers
from eardrum.kernel.fifo_place import Fifo
from eardrum.server.events import OUTPUT
from eardrum.terms.errors import Complaint
from eardrum.terms.names import WireEnd
from eardrum.worker.spec import SoundFileSpec

_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC


class WireFile(Protocol):
    def begin(self, fresh: bool) -> None:
        """The outlet is opened, or served again by another desk. Raises Complaint if it cannot be."""

    def take(self) -> tuple[Path | str, int]:
        """What a new worker gets: the path or name, and a descriptor to keep. Raises Complaint."""

    def end(self) -> None:
        """The outlet is closed, and its worker is gone."""


class WireFiles:
    """What the wires of one outlet write to and read from, as far as its workers get descriptors for that."""

    def __init__(self, ends: Mapping[int, WireEnd | None], device: Callable[[int, WireEnd], WireFile]) -> None:
        """`device` makes what has the device at the end of a wire."""
        self._device = device
        self._ends = {wire: end for wire, end in ends.items() if end and end.has_descriptor}
        self._files = {wire: self._file(wire, end) for wire, end in self._ends.items()}

    def begin(self, fresh: bool) -> None:
        """The outlet is opened, or served again by another desk. Raises Complaint if a file is not fit for it."""
        _begin(self._files.values(), fresh)

    def change(self, ends: Mapping[int, WireEnd | None]) -> None:
        """These wires have new ends, and there is no worker. Raises Complaint if one is not fit; then all stays."""
        new = {wire: end for wire, end in ends.items() if end and end.has_descriptor}
        files = {wire: self._file(wire, end) for wire, end in new.items()}
        _begin(files.values(), fresh=True)
        for wire in ends:
            if old := self._files.pop(wire, None):
                old.end()
        self._ends = dict(sorted((self._ends | new).items()))
        self._files = dict(sorted((self._files | files).items()))

    @property
    def notes(self) -> Iterator[str]:
        """What is wrong with its devices, or nothing, for each."""
        return (file.note for file in self._files.values() if isinstance(file, AlsaDevice))

    def take(self) -> tuple[dict[int, WireEnd], list[int]]:
        """For a new worker: the ends with their paths of now, and their descriptors, to keep. Raises Complaint."""
        ends: dict[int, WireEnd] = {}
        descriptors: list[int] = []
        try:
            for wire, file in self._files.items():
                path, descriptor = file.take()
                descriptors.append(descriptor)
                ends[wire] = WireEnd(self._ends[wire].kind, str(path))
        except Complaint:
            for descriptor in descriptors:
                os.close(descriptor)
            raise
        return ends, descriptors

    def failed(self, wire: int) -> str | None:
        """The worker says that its file failed: that as a line for people; None if it has none."""
        file = self._files.get(wire)
        if isinstance(file, Recording):
            return f"{file.path}: nothing more can be written; what is in it is complete"
        if isinstance(file, SoundFile):
            return f"{file.path}: is broken; the microphone is silent from there on"
        return None

    def end(self) -> None:
        """The outlet is closed, and its worker is gone."""
        for file in self._files.values():
            file.end()

    def _file(self, wire: int, end: WireEnd) -> WireFile:
        path = Path(end.argument)
        if end.kind == "alsa":
            return self._device(wire, end)
        if end.kind == "fifo":
            return Fifo(path, reads=wire != OUTPUT)
        return Recording(path) if wire == OUTPUT else SoundFile(path)


def _begin(files: Iterable[WireFile], fresh: bool) -> None:
    begun: list[WireFile] = []
    try:
        for file in files:
            begun.append(file)
            file.begin(fresh)
    except Complaint:
        for file in begun:
            file.end()
        raise


class SoundFile:
    """A file that a microphone plays. It is opened anew for each worker."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, fresh: bool) -> None:
        """Raises Complaint if it is no file that can be opened; whether it can be played only a worker finds out."""
        if fresh:
            os.close(self.take()[1])

    def take(self) -> tuple[Path, int]:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | _FLAGS)
        except OSError as error:
            raise Complaint(f"{self.path}: {error.strerror}; choose another file for the microphone") from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Complaint(f"{self.path}: is no regular file; choose another file for the microphone")
        return self.path, descriptor

    def end(self) -> None:
        """It is the owner's and stays."""


async def check_sound(workers: Workers, end: WireEnd | None) -> None:
    """Raises Complaint if the microphone's file cannot be played. A confined process reads it; the desk does not."""
    if end is None or end.kind not in ("file", "loop"):
        return
    path, descriptor = SoundFile(Path(end.argument)).take()
    try:
        worker = workers.spawn(
            f"a look at {path}", SoundFileSpec(path.name), [descriptor], lambda *_: None, lambda _: None
        )
    except OSError as error:
        raise Complaint(f"{path}: cannot be looked at: {error.strerror}") from None
    if not await worker.ended_within(PATIENCE) or not worker.ready:
        raise Complaint(f"{path}: cannot be played; use a sound file, such as WAV, FLAC, Ogg Opus or MP3")
