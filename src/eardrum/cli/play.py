"""`eardrum play`: a file into a virtual microphone or a room."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import click
import soundfile

from eardrum.cli import options
from eardrum.cli.guest import Guest, Over, guest
from eardrum.cli.place import Place, place_to_play
from eardrum.cli.progress import EVERY, Progress, clock
from eardrum.protocol.catalog import (
    CreatePlaybackStream,
    DrainPlaybackStream,
    PlaybackStreamCreated,
    PlaybackStreamKilled,
    Request,
)
from eardrum.protocol.conversation import ErrorReply, Reply, Told
from eardrum.terms.audio import (
    MAX_CHANNELS,
    MAX_RATE,
    MONO,
    STEREO,
    VOLUME_NORM,
    ChannelMap,
    Position,
    SampleFormat,
    SampleSpec,
)
from eardrum.terms.errors import Complaint

AHEAD = 2_000_000  # µs of a file that wait in the worker
AHEAD_LIVE = 200_000  # µs of what comes through a pipe
TRIES = 3  # a worker may just have been ending
_PACKET = 32 * 1024  # bytes
_AUX = 12  # the first position of no direction
_REAR = bytes((Position.REAR_LEFT, Position.REAR_RIGHT))
_SIDES = bytes((Position.SIDE_LEFT, Position.SIDE_RIGHT))
_CENTER, _LFE, _BACK = (bytes((p,)) for p in (Position.FRONT_CENTER, Position.LFE, Position.REAR_CENTER))
_MAPS: dict[int, ChannelMap] = {
    1: MONO,
    2: STEREO,
    3: STEREO + _CENTER,
    4: STEREO + _REAR,
    5: STEREO + _CENTER + _REAR,
    6: STEREO + _CENTER + _LFE + _REAR,
    7: STEREO + _CENTER + _LFE + _BACK + _SIDES,
    8: STEREO + _CENTER + _LFE + _REAR + _SIDES,
}  # what the channels of a sound file are, in order


def _place(ctx: click.Context, param: click.Parameter, value: str) -> Place:
    return place_to_play(value)


@click.command("play", short_help="Play a sound file into a microphone or a room.")
@options.runtime_dir
@click.option("--loop", is_flag=True, help="Play it again and again, until Ctrl-C.")
@click.option("--raw", is_flag=True, help="FILE is raw sound: 16 bit little-endian, stereo, 48 kHz.")
@click.argument("file", metavar="FILE")
@click.argument("place", metavar="NAME/in | room:NAME", callback=_place)
def verb(runtime: Path, loop: bool, raw: bool, file: str, place: Place) -> None:
    """Play a sound file into the microphone of outlet NAME, or into a room.

    It ends when all of FILE was heard; Ctrl-C stops it at once. Any format that libsndfile reads will do. - is standard
    input, which may be a WAV or, with --raw, any stream.
    """
    if loop and file == "-":
        raise click.UsageError("--loop needs a file: standard input cannot be read twice")
    with _sound_file(file, raw) as sound:
        player = _Player(sound, file, loop=loop)
        for _ in range(TRIES):
            with guest(runtime, place, "play") as host:
                try:
                    return player.play(host)
                except Over:
                    if player.begun:
                        break
    raise Complaint(f"{place}: has ended before {file} was heard")


class _Player:
    """One sound on its way into a worker."""

    def __init__(self, sound: soundfile.SoundFile, name: str, *, loop: bool) -> None:
        self.begun = False
        self._name = name
        self._sound = sound
        self._spec = SampleSpec(SampleFormat.FLOAT32LE, sound.channels, sound.samplerate)
        self._loop = loop
        self._live = name == "-"
        self._progress = Progress()
        self._channel = 0
        self._wanted = 0  # bytes that may be written
        self._since = 0.0  # when the sound began, in monotonic seconds

    def play(self, host: Guest) -> None:
        """Until it was heard. Raises Over, Complaint."""
        created = host.ask(self._creation())
        assert isinstance(created, PlaybackStreamCreated)
        self._channel, self._wanted = created.channel, created.missing
        self._since = time.monotonic()
        try:
            self._play(host)
        finally:
            self._progress.over()

    def _play(self, host: Guest) -> None:
        for samples in self._pieces():
            self.begun = True
            while self._wanted <= 0:
                self._hear(host)
            host.play(self._channel, samples)
            self._wanted -= len(samples)
        drained = host.say(DrainPlaybackStream(channel=self._channel))
        while not self._hear(host, drained):
            pass

    def _creation(self) -> CreatePlaybackStream:
        channels = self._spec.channels
        return CreatePlaybackStream(
            sample_spec=self._spec,
            channel_map=_MAPS.get(channels, bytes(range(_AUX, _AUX + channels))),
            tlength=self._spec.bytes_for(AHEAD_LIVE if self._live else AHEAD),
            volume=(VOLUME_NORM,) * channels,
        )

    def _pieces(self) -> Iterator[bytes]:
        """The sound in packets; of a stream that is still to come, as it comes."""
        frames = max(1, min(_PACKET // self._spec.frame_bytes, self._spec.rate // 20))
        empty = True
        while True:
            while len(block := self._read(frames)):
                yield block
                empty = False
            if empty:
                raise Complaint(f"{self._name}: has no sound in it")
            if not self._loop:
                return
            self._sound.seek(0)

    def _read(self, frames: int) -> bytes:
        try:
            samples: bytes = self._sound.read(frames, dtype="float32", always_2d=True).tobytes()
        except soundfile.SoundFileError as error:
            raise Complaint(f"{self._name}: is broken: {_words(error)}") from None
        return samples

    def _hear(self, host: Guest, awaited: int = -1) -> bool:
        """Take in what comes next; true if it is the answer with this tag. Raises Over."""
        answered = False
        for heard in host.hear(EVERY if self._progress.shown else None):
            match heard:
                case Told(Request(channel=self._channel, nbytes=nbytes)):
                    self._wanted += nbytes
                case Told(PlaybackStreamKilled()):
                    raise Over
                case Reply() | ErrorReply():
                    answered |= heard.tag == awaited
        if self._progress.due:
            self._progress.show(self._line())
        return answered

    def _line(self) -> str:
        heard = time.monotonic() - self._since
        length = self._sound.frames / self._spec.rate
        if self._live or not 0 < length < 1e8:  # of a stream, libsndfile does not know
            return clock(heard)
        return f"{clock(heard % length if self._loop else min(heard, length))} of {clock(length)}"


@contextlib.contextmanager
def _sound_file(name: str, raw: bool) -> Iterator[soundfile.SoundFile]:
    """The sound file of this name. Raises Complaint if there is none, or no sound in it."""
    how = {"format": "RAW", "subtype": "PCM_16", "endian": "LITTLE", "samplerate": 48_000, "channels": 2} if raw else {}
    before = signal.getsignal(signal.SIGINT)
    if name == "-":  # libsndfile reads on when a signal comes
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        descriptor = os.dup(0) if name == "-" else os.open(name, os.O_RDONLY | os.O_CLOEXEC)
        with soundfile.SoundFile(descriptor, **how) as sound:
            if sound.channels > MAX_CHANNELS or sound.samplerate > MAX_RATE:
                raise Complaint(f"{name}: {sound.channels} channels of {sound.samplerate} Hz cannot be played")
            yield sound
    except OSError as error:
        raise Complaint(f"{name}: {error.strerror}") from None
    except soundfile.SoundFileError as error:
        raise Complaint(f"{name}: is no sound file that can be read: {_words(error)}") from None
    finally:
        signal.signal(signal.SIGINT, before)


def _words(error: soundfile.SoundFileError) -> str:
    """What libsndfile says, without its name for the file, which is a number here."""
    return str(getattr(error, "error_string", error)).rstrip(".")
