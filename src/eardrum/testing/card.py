"""A sound card for a test: what programs play on it is heard, and what the test plays comes out of its microphone."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import ArrayLike

from eardrum.cli.control import Control, Opening, Outlet
from eardrum.cli.own_desk import end, started
from eardrum.containers import client_kit
from eardrum.kernel import outlet_directory
from eardrum.protocol.catalog import Auth, SetClientName
from eardrum.protocol.message import NEWEST
from eardrum.sound.block import Block
from eardrum.sound.convert import encode
from eardrum.sound.heard import CLOSE, Heard, listen
from eardrum.sound.report import Wanted, WantedTone, in_words, missing
from eardrum.terms.audio import MONO, STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import Complaint
from eardrum.testing.workers import Caller

RATE = 48_000  # Hz, of every card
CHANNELS = 2
_PATIENCE = 30.0  # seconds
_GLANCE = 0.03  # seconds between two looks at something that is waited for
_LONGEST_PARENT = 60  # bytes; the path of a socket must stay below 108
_COOKIE_BYTES = 256


class PrivateDesk:
    """A desk for the tests of one process. It ends with them, however they end."""

    def __init__(self) -> None:
        """Raises Complaint if no desk can be started."""
        parent = tempfile.gettempdir()
        directory = tempfile.mkdtemp(prefix="eardrum-", dir=parent if len(parent) <= _LONGEST_PARENT else "/tmp")
        self._directory = Path(directory)
        self._numbers = count(1)
        self._runtime = self._directory / "run"
        self.environment = {
            "PULSE_COOKIE": str(self._directory / "cookie"),
            "PULSE_CLIENTCONFIG": str(self._directory / "client.conf"),
        }
        (self._directory / "cookie").write_bytes(bytes(_COOKIE_BYTES))
        (self._directory / "client.conf").write_text("autospawn = no\n")
        readable, self._life = os.pipe()  # the desk ends when nobody has this any more
        try:
            with open(readable, "rb"), (self._directory / "desk.log").open("wb") as log:
                options = ("--upstream", "none", "--config", os.devnull, "--until-fd", str(readable))
                self._desk = started(self._runtime, *options, pass_fds=(readable,), stderr=log)
        except BaseException as error:
            said = (self._directory / "desk.log").read_text(errors="replace").strip()
            self._remove()
            raise Complaint(f"no sound for this test: {said or error}") from error

    def __enter__(self) -> PrivateDesk:
        return self

    def __exit__(self, *_: object) -> None:
        if self._desk:
            end(self._desk)
        self._remove()

    def _remove(self) -> None:
        os.close(self._life)
        shutil.rmtree(self._directory, ignore_errors=True)

    @contextlib.contextmanager
    def card(self, recording: Path) -> Iterator[SoundCard]:
        """A new sound card; what is played on it goes to the WAV file `recording`, which must not be there yet."""
        name = f"test-{next(self._numbers)}"
        room = f"room:{name}-microphone"
        with Control(self._runtime) as control:
            outlet = control.open(Opening(name, f"file:{recording.absolute()}", room, held=True))
            card = SoundCard(outlet, recording, self._runtime, self.environment)
            try:
                yield card
            finally:
                card.unplug()
                control.close(name)


class SoundCard:
    """One test's sound card. Sound is float32, frames by channels (left, right), at 48000 Hz; full scale is 1.0.

    `heard` and every assertion are about all that was played until now, since the test began. A stream that still plays
    is heard up to a quarter of a second ago; one that ended, and was drained, to its last frame. Silence before the
    first sound and after the last is left out, pauses in between are there in their length.
    """

    rate = RATE

    def __init__(self, outlet: Outlet, recording: Path, runtime: Path, environment: dict[str, str]) -> None:
        self.directory = Path(outlet.directory)  # to be mounted into a container at /run/pulse
        self.socket = Path(outlet.socket)
        self.environment = {"PULSE_SERVER": f"unix:{outlet.socket}", **environment}  # for programs on this machine
        self.container_environment = {"PULSE_SERVER": client_kit.server()}  # where the directory is mounted
        self.recording = recording  # the WAV file, kept for listening; there is none before the first program came
        self._outlet = outlet
        self._runtime = runtime
        self._players: list[Playing] = []

    def heard(self) -> Block:
        """All that was heard until now."""
        try:
            samples: Block = soundfile.read(self.recording, dtype="float32", always_2d=True)[0]
        except soundfile.LibsndfileError:
            if self.recording.exists() and self.recording.stat().st_size:
                raise
            samples = np.zeros((0, CHANNELS), np.float32)
        return samples

    def assert_tone(self, frequency: float, channel: str | None = None, *, within: float = CLOSE) -> None:
        """A tone of this frequency (Hz, off by at most the part `within` of it) was heard.

        `channel` is left or right; without it, any channel will do. Other sound may have been heard too.
        """
        __tracebackhide__ = True
        self._assert(Wanted(tones=(WantedTone(frequency, channel),), within=within))

    def assert_silence(self) -> None:
        """Nothing louder than -60 dBFS was heard."""
        __tracebackhide__ = True
        self._assert(Wanted(silent=True))

    def assert_no_gaps(self) -> None:
        """No channel was silent for 5 ms or longer between its first sound and its last."""
        __tracebackhide__ = True
        self._assert(Wanted(silent=False, no_gaps=True))

    def assert_lasts(self, at_least: float | None = None, at_most: float | None = None) -> None:
        """So many seconds are between the first sound and the last."""
        __tracebackhide__ = True
        self._assert(Wanted(at_least=at_least, at_most=at_most))

    def wait_until_heard(
        self,
        frequency: float | None = None,
        channel: str | None = None,
        *,
        seconds: float = 0.1,
        timeout: float = _PATIENCE,
    ) -> None:
        """Wait for a tone, or for any sound, that has lasted for `seconds`. Raises AssertionError after `timeout`."""
        __tracebackhide__ = True
        deadline = time.monotonic() + timeout
        while not _holds(listen(self.heard(), RATE), frequency, channel, seconds):
            if time.monotonic() > deadline:
                what = f"{WantedTone(frequency, channel)}" if frequency else "sound"
                self._fail([f"no {what} of {seconds:g} s within {timeout:g} s"])
            time.sleep(_GLANCE)

    def play_into_microphone(self, sound: str | Path | ArrayLike, rate: int = RATE) -> Playing:
        """Play a sound file, or samples (frames, or frames by channels, at `rate`), into the microphone.

        It returns at once. The sound begins when a program records, so that it misses nothing; sounds that are asked
        for at the same time are heard together. What still plays when the test ends is cut off. Raises OSError or
        ValueError if the sound is none.
        """
        if isinstance(sound, str | Path):
            try:
                samples, rate = soundfile.read(sound, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise OSError(f"{sound}: cannot be read as a sound file: {error.error_string}") from None
        else:
            samples = np.asarray(sound, np.float32)
            samples = samples[:, np.newaxis] if samples.ndim == 1 else samples
        if samples.ndim != 2 or samples.shape[1] not in (1, 2):
            raise ValueError(f"sound of shape {np.shape(samples)}: use frames, or frames by 1 or 2 channels")
        number = len(self._players) + 1
        playing = Playing(self._runtime, self._outlet, f"{self._outlet.name}-player-{number}", samples, rate)
        self._players.append(playing)
        return playing

    def unplug(self) -> None:
        """The test is over: cut off what still plays."""
        for playing in self._players:
            playing.cut_off()

    def _assert(self, wanted: Wanted) -> None:
        __tracebackhide__ = True
        lines = list(missing(listen(self.heard(), RATE), wanted))
        if lines:
            self._fail(lines)

    def _fail(self, lines: list[str]) -> None:
        __tracebackhide__ = True
        heard = "\n  ".join(in_words(listen(self.heard(), RATE)))
        raise AssertionError("\n".join(lines) + f"\nheard: {heard}\nrecording: {self.recording}")


def _holds(heard: Heard, frequency: float | None, channel: str | None, seconds: float) -> bool:
    channels = [each for each in heard.channels if channel in (None, each.name)]
    if frequency is None:
        return any(not each.silent for each in channels) and heard.sounding >= seconds
    tones = [each.tone(frequency) for each in channels]
    return any(tone.seconds >= seconds for tone in tones if tone)


class Playing:
    """A sound on its way into the microphone."""

    def __init__(self, runtime: Path, outlet: Outlet, name: str, samples: Block, rate: int) -> None:
        self._control = Control(runtime)
        assert outlet.input
        self._player = self._control.open(Opening(name, outlet.input, None, held=True))
        self._listener = outlet.name
        self._runtime = runtime
        self._spec = SampleSpec(SampleFormat.FLOAT32LE, samples.shape[1], rate)
        self._data = encode(samples, self._spec)
        self._caller: Caller | None = None
        self._problem: Exception | None = None
        self._cut = threading.Event()
        self._thread = threading.Thread(target=self._play, name=name, daemon=True)
        self._thread.start()

    def wait(self, timeout: float = _PATIENCE) -> None:
        """Return when all of it was played. Raises TimeoutError, also if no program records."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise TimeoutError(
                f"the sound for the microphone was not played within {timeout:g} s; does nothing record?"
            )
        if self._problem:
            raise self._problem

    def cut_off(self) -> None:
        """Play no more of it."""
        self._cut.set()
        if self._caller:
            with contextlib.suppress(OSError):
                self._caller.socket.shutdown(2)
        self._thread.join()
        self._control.__exit__(None, None, None)

    def _play(self) -> None:
        try:
            if self._recorded():
                with Caller(outlet_directory.connect(Path(self._player.socket))) as caller:
                    self._caller = caller
                    if not self._cut.is_set():
                        caller.ask(Auth(version=NEWEST))
                        caller.ask(SetClientName(name=self._thread.name))
                        channels = self._spec.channels
                        more = {"channel_map": STEREO if channels == len(STEREO) else MONO}
                        caller.play_all(self._data, spec=self._spec, volume=(VOLUME_NORM,) * channels, **more)
        except (AssertionError, OSError, Complaint) as problem:
            self._problem = None if self._cut.is_set() else RuntimeError(f"the microphone failed: {problem}")

    def _recorded(self) -> bool:
        """Whether a program records the microphone by now; False if it is too late for that."""
        with Control(self._runtime) as control:
            while not self._cut.wait(_GLANCE):
                if any(each.recording for each in control.outlets() if each.name == self._listener):
                    return True
        return False
