"""What is at the ends of a worker's wires, if they end here: files, FIFOs and devices, written to or read from."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from eardrum.kernel.device_pipe import CYCLE, DELAY, DeviceReader, DeviceWriter
from eardrum.kernel.fifo import FifoReader, FifoWriter
from eardrum.kernel.sound_files import FileWriter
from eardrum.kernel.sound_source import FileReader
from eardrum.server.effects import WriteFile
from eardrum.server.events import INPUT, OUTPUT
from eardrum.server.mixed import MAX_PERIOD, RATE
from eardrum.sound.block import Block
from eardrum.terms.audio import STEREO
from eardrum.terms.names import WireEnd
from eardrum.worker.owner import Owner
from eardrum.worker.records import Kind, Record

_TELL_EVERY = 1.0  # seconds between two times that the owner is told to wait for the end of a file
_NOTHING = np.zeros((0, len(STEREO)), np.float32)


class Writer(Protocol):
    """A file or FIFO that takes sound; see `kernel/sound_files.py`. All but `behind` may raise OSError."""

    @property
    def behind(self) -> bool: ...
    def silence(self, frames: int) -> None: ...
    def write(self, block: Block) -> None: ...
    def catch_up(self) -> None: ...
    def finish(self) -> None: ...


class Reader(Protocol):
    """A file or FIFO that gives sound; see `kernel/sound_source.py`. Both may raise OSError."""

    def begin(self) -> None: ...
    def read(self, frames: int) -> Block: ...


class Ends(NamedTuple):
    """`writer` gets what is played, if `steady` without a pause; `reader` gives what the microphone hears.

    `cycles` are the seconds between two cycles of the output and of the microphone, at most; `delay` is the µs
    until what is written is heard.
    """

    writer: Writer | None = None
    reader: Reader | None = None
    steady: bool = False
    cycles: tuple[float, float] = (MAX_PERIOD, MAX_PERIOD)
    delay: int = 0


NONE = Ends()


def open_ends(output: WireEnd, input: WireEnd | None, files: Sequence[int]) -> Ends:
    """What writes and reads `files`, the descriptors of those ends that have one, in this order. Raises OSError."""
    descriptors = iter(files)
    writer = _writer(output, next(descriptors)) if output.has_descriptor else None
    reader = _reader(input, next(descriptors)) if input and input.has_descriptor else None
    output_cycle, input_cycle = (CYCLE if end and end.kind == "alsa" else MAX_PERIOD for end in (output, input))
    delay = DELAY if output.kind == "alsa" else 0
    return Ends(writer, reader, steady=output.kind == "fifo", cycles=(output_cycle, input_cycle), delay=delay)


def _writer(end: WireEnd, descriptor: int) -> Writer:
    if end.kind == "fifo":
        return FifoWriter(descriptor)
    if end.kind == "alsa":
        return DeviceWriter(descriptor)
    return FileWriter(descriptor, end.argument, RATE, len(STEREO))


def _reader(end: WireEnd, descriptor: int) -> Reader:
    if end.kind == "fifo":
        return FifoReader(descriptor)
    if end.kind == "alsa":
        return DeviceReader(descriptor)
    try:
        return FileReader(descriptor, end.argument, RATE, loop=end.kind == "loop")
    except OSError as error:  # it has changed since the outlet was opened
        return Broken(str(error))


class Broken:
    """A file that cannot be played at all."""

    def __init__(self, why: str) -> None:
        self._why = why

    def begin(self) -> None:
        """Nothing is there to begin."""

    def read(self, frames: int) -> Block:
        raise OSError(self._why)


class Output:
    """The file or FIFO of the output wire; once it fails the owner is told, and what comes later is dropped."""

    def __init__(self, writer: Writer | None, owner: Owner) -> None:
        self._writer = writer
        self._owner = owner

    @property
    def writes(self) -> bool:
        return self._writer is not None

    @property
    def behind(self) -> bool:
        """Something is still to be encoded: call `catch_up`."""
        return self._writer is not None and self._writer.behind

    def write(self, effect: WriteFile) -> None:
        with self._watched():
            if self._writer is not None:
                self._writer.silence(effect.silence)
                self._writer.write(effect.block)

    def catch_up(self) -> None:
        """Do some milliseconds of work."""
        with self._watched():
            if self._writer is not None:
                self._writer.catch_up()

    def finish(self) -> None:
        """Complete the file."""
        told = time.monotonic()
        while self.behind:
            self.catch_up()
            if time.monotonic() - told > _TELL_EVERY:
                told = time.monotonic()
                self._owner.tell(Record(Kind.STILL_WRITING))
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.finish()
            self._writer = None

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except OSError:  # the disk is full: what is written is a valid file, and the outlet plays on
            if self._writer is not None:
                with contextlib.suppress(OSError):
                    self._writer.finish()
            self._writer = None
            self._owner.tell(Record(Kind.FILE_FAILED, OUTPUT))


class Input:
    """The file or FIFO of the input wire, as the inflow of a bus; where it is broken the owner is told, once."""

    def __init__(self, reader: Reader, owner: Owner) -> None:
        self._reader = reader
        self._owner = owner
        self._failed = False

    def begin(self) -> None:
        with contextlib.suppress(OSError):  # what cannot begin cannot be read, and that is told
            self._reader.begin()

    def read(self, frames: int) -> Block:
        try:
            return self._reader.read(frames)
        except OSError:
            if not self._failed:
                self._failed = True
                self._owner.tell(Record(Kind.FILE_FAILED, INPUT))
            return _NOTHING
