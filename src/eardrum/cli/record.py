"""`eardrum record`: what a room, an outlet or its microphone hears, into a file of the caller's."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import click
import numpy as np

from eardrum.cli import options
from eardrum.cli.control import Control, NoDesk, NoOutlet
from eardrum.cli.guest import Guest, Over, guest
from eardrum.cli.place import ROOM, Place, place_to_record
from eardrum.cli.progress import Progress, clock, size
from eardrum.cli.stop import Stop
from eardrum.kernel.sound_files import FileWriter
from eardrum.protocol.catalog import CreateRecordStream, RecordStreamCreated, RecordStreamKilled
from eardrum.protocol.conversation import Told
from eardrum.protocol.packets import SoundPacket
from eardrum.sound import convert
from eardrum.sound.block import Block
from eardrum.terms.audio import STEREO, SampleFormat, SampleSpec
from eardrum.terms.errors import Complaint
from eardrum.terms.names import SOUND_FILES

SPEC = SampleSpec(SampleFormat.S16LE, 2, 48_000)
FRAGMENT = 50_000  # µs of sound in a packet
AGAIN = 0.5  # seconds until a worker that has ended is looked for again
_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


def _place(ctx: click.Context, param: click.Parameter, value: str) -> Place:
    return place_to_record(value)


def _file(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value != "-" and not value.lower().endswith(SOUND_FILES):
        raise Complaint(f"{value}: the file's name must end in {', '.join(SOUND_FILES)}; or use -", status=2)
    return value


@click.command("record", short_help="Record a room, an outlet or a microphone.")
@options.runtime_dir
@click.option(
    "--length", metavar="TIME", callback=options.seconds, help="Record so much, as 10s or 5min.  [default: to the end]"
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@click.argument("place", metavar="room:NAME | OUTLET | OUTLET/in", callback=_place)
@click.argument("file", metavar="FILE", callback=_file)
def verb(runtime: Path, length: float | None, force: bool, place: Place, file: str) -> int:
    """Record a room, what OUTLET plays, or what its microphone hears, silence included.

    It ends with Ctrl-C, after --length, or when the outlet or the room is closed; FILE is complete then. FILE is
    48 kHz, stereo, 16 bit; its name says which format. - is raw sound to standard output.

    The exit status is 1 if less than --length could be recorded.
    """
    with Stop() as stop:
        hearing = _Hearing(runtime, place, stop)
        first = next(hearing.pieces, None)  # nothing is opened before there is something to hear
        if first is None:
            return stop.status
        recording = _Recording(_opened(file, force), file, None if length is None else round(length * SPEC.rate))
        try:
            recording.take(first)
            while not recording.complete and (piece := next(hearing.pieces, None)) is not None:
                recording.take(piece)
        except BrokenPipeError:  # who reads our standard output has enough
            return 0
        finally:
            recording.finish()
            hearing.pieces.close()
    click.echo(f"eardrum: {file}: {recording.told}{hearing.why and f'; {hearing.why}'}", err=True)
    return stop.status or int(length is not None and not recording.complete)


class _Hearing:
    """What is heard at a place; if its worker ends and another begins, what is heard of that one."""

    def __init__(self, runtime: Path, place: Place, stop: Stop) -> None:
        self.why = ""  # it is over
        self.pieces = self._pieces()
        self._runtime = runtime
        self._place = place
        self._stop = stop

    def _pieces(self) -> Generator[bytes, None, None]:
        """Sound in SPEC, whole frames, as it comes. Raises Complaint if it cannot be heard at all."""
        heard_at = 0.0  # the end of what was heard, in monotonic seconds
        while not self._stop.number:
            try:
                with guest(self._runtime, self._place, "record") as host:
                    gap = bool(heard_at)
                    for piece in self._of(host):
                        now = time.monotonic()
                        if gap:
                            yield from _silence(now - heard_at - len(piece) / SPEC.frame_bytes / SPEC.rate)
                        heard_at, gap = now, False
                        yield piece
            except Over:
                pass
            except (NoOutlet, NoDesk) as gone:
                if not heard_at:
                    raise
                self.why = "the desk has ended" if isinstance(gone, NoDesk) else f"outlet {self._place.name} is closed"
                return
            if self._closed_room() or self._stop.wait(timeout=AGAIN):
                return

    def _of(self, host: Guest) -> Iterator[bytes]:
        created = host.ask(
            CreateRecordStream(
                sample_spec=SPEC,
                channel_map=STEREO,
                source_name=self._place.source,
                fragsize=SPEC.bytes_for(FRAGMENT),
            )
        )
        assert isinstance(created, RecordStreamCreated)
        rest = b""
        while True:
            for heard in host.hear():
                match heard:
                    case SoundPacket():
                        data = rest + heard.data
                        whole = len(data) - len(data) % SPEC.frame_bytes
                        rest = data[whole:]
                        yield data[:whole]
                    case Told(RecordStreamKilled()):
                        raise Over
            if self._stop.wait(host):
                return

    def _closed_room(self) -> bool:
        """A room that ends while others have it, or while it is kept, is only starting anew."""
        if self._place.kind != ROOM or self._stop.number:
            return False
        with contextlib.suppress(NoDesk), Control(self._runtime) as control:
            if self._place.name in [room.name for room in control.rooms()]:
                return False
            self.why = f"room {self._place.name} is closed"
            return True
        self.why = "the desk has ended"
        return True


class _Recording:
    """The file, and how far it is."""

    def __init__(self, descriptor: int, name: str, wanted: int | None) -> None:
        """Takes over the descriptor; `wanted` are the frames after which it is complete. Raises Complaint."""
        self.frames = 0
        self._wanted = wanted
        self._descriptor = descriptor
        self._name = name
        self._progress = Progress()
        self._peak = 0.0  # since the last line
        with _complaining(name):
            self._file = None if name == "-" else FileWriter(descriptor, name, SPEC.rate, SPEC.channels)

    @property
    def complete(self) -> bool:
        return self._wanted is not None and self.frames >= self._wanted

    @property
    def told(self) -> str:
        return f"{clock(self.frames / SPEC.rate)} recorded, {size(self._bytes)}"

    def take(self, data: bytes) -> None:
        """Write sound. Raises Complaint if the file cannot be written on, BrokenPipeError if nobody reads it."""
        if self._wanted is not None:
            data = data[: (self._wanted - self.frames) * SPEC.frame_bytes]
        block = convert.decode(data, SPEC)
        with _complaining(self._name):
            if self._file is not None:
                self._file.write(block)
            else:
                _write(self._descriptor, data)
        self.frames += len(block)
        if self._progress.shown:
            self._show(block)

    def finish(self) -> None:
        """Complete the file. Raises Complaint."""
        self._progress.over()
        if self._file is not None:
            with _complaining(self._name):
                self._file.finish()

    @property
    def _bytes(self) -> int:
        return Path(self._name).stat().st_size if self._file else self.frames * SPEC.frame_bytes

    def _show(self, block: Block) -> None:
        self._peak = max(self._peak, float(np.abs(block).max(initial=0)))
        if self._progress.due:
            level = f"{20 * np.log10(self._peak):6.1f} dB" if self._peak else "  silence"
            self._progress.show(f"{clock(self.frames / SPEC.rate)}  {level}  {size(self._bytes)}")
            self._peak = 0.0


def _silence(seconds: float) -> Iterator[bytes]:
    """What could not be heard for so long, in pieces of a second."""
    frames = max(0, round(seconds * SPEC.rate))
    for start in range(0, frames, SPEC.rate):
        yield bytes(min(SPEC.rate, frames - start) * SPEC.frame_bytes)


def _opened(name: str, force: bool) -> int:
    """The descriptor of an empty file, or of standard output. Raises Complaint."""
    if name == "-":
        return os.dup(1)
    with _complaining(name):
        descriptor = os.open(name, _OPEN | os.O_NONBLOCK, 0o666)  # a FIFO that nobody reads must not hold us up
    there = os.fstat(descriptor)
    fault = ""
    if not stat.S_ISREG(there.st_mode):
        fault = "is no regular file; choose another name"
    elif there.st_size and not force:
        fault = "is there already; choose another name, or --force replaces it"
    if fault:
        os.close(descriptor)
        raise Complaint(f"{name}: {fault}")
    os.ftruncate(descriptor, 0)
    return descriptor


def _write(descriptor: int, data: bytes) -> None:
    """All of it, however much a pipe takes at once."""
    while data:
        data = data[os.write(descriptor, data) :]


@contextlib.contextmanager
def _complaining(name: str) -> Iterator[None]:
    """An OSError of the file becomes one line."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Complaint(f"{name}: {error.strerror}" if error.errno else str(error)) from None
