"""The process of a device, with cards that do what the test wants, in a time of its own."""

from __future__ import annotations

import errno
import os
import select
import threading
from itertools import pairwise

import numpy as np
import pytest

from eardrum.kernel import seqpacket
from eardrum.kernel.alsa import device_pipe
from eardrum.kernel.device_pipe import SPEC, DeviceReader
from eardrum.sound.convert import decode, encode
from eardrum.terms.audio import SampleFormat, SampleSpec
from eardrum.testing import heard
from eardrum.testing.servers import wait_until
from eardrum.worker import alsa_device
from eardrum.worker.alsa_device import IDLE, RETRY, STEP, Microphone, Speaker
from eardrum.worker.records import FROM_WORKER, RECORD_BYTES, Kind, Record, parse
from eardrum.worker.spec import AlsaSpec

RATE = SPEC.rate
CYCLE = 0.02
TONES = (440, 660)


class Card:
    """A card in simulated time, with a clock that is so much faster. It is there from the start, until `gone`."""

    spec = SampleSpec(SampleFormat.S32LE, 2, RATE)
    frames = 5760

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self.gone = 0  # or the number of the error
        self.opened = self.closed = self.dry = 0
        self.waiting = 0.0  # frames
        self.heard: list[np.ndarray] = []
        self.mouth = heard.stereo_tones(*TONES, 60.0, RATE, 0.5).astype(np.float32)
        self.captured = 0

    def __call__(self, name: str, *, captures: bool) -> Card:
        assert name == "card"
        self._check()
        self.opened += 1
        self.waiting = 0.0
        return self

    def passes(self, seconds: float) -> None:
        self.waiting -= seconds * RATE * self.speed
        if self.waiting < 0 < self.opened - self.closed:
            self.dry += 1
            self.waiting = 0.0

    def captures(self, seconds: float) -> None:
        self.waiting = min(self.frames, self.waiting + seconds * RATE * self.speed)

    def held(self) -> int:
        self._check()
        return round(self.waiting)

    def is_full(self) -> bool:
        return self.waiting >= self.frames

    def write(self, data: bytes) -> int:
        self._check()
        taken = min(len(data) // 8, self.frames - round(self.waiting))
        self.waiting += taken
        self.heard.append(decode(data[: taken * 8], self.spec))
        return taken

    def read(self) -> bytes:
        self._check()
        frames = min(960, int(self.waiting))
        self.waiting -= frames
        self.captured += frames
        return encode(self.mouth[self.captured - frames : self.captured], self.spec)

    def close(self) -> None:
        self.closed += 1

    def _check(self) -> None:
        if self.gone:
            raise OSError(self.gone, "gone")

    @property
    def sound(self) -> np.ndarray:
        return np.concatenate(self.heard)


class Instant(Card):
    """It has no clock: takes everything at once, and always has more."""

    def write(self, data: bytes) -> int:
        self.heard.append(decode(data, self.spec))
        return len(data) // 8

    def held(self) -> int:
        return 0

    def is_full(self) -> bool:
        return True

    def read(self) -> bytes:
        self.waiting = self.frames
        return super().read()


@pytest.fixture
def told():
    return []


@pytest.fixture
def pipe():
    reader, writer = device_pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.fixture
def plays(monkeypatch, pipe, told):
    """Plays blocks into a card: one each cycle, looked at every step, from a second on; None is nothing for a cycle."""

    class Show:
        def __init__(self, card):
            monkeypatch.setattr(alsa_device, "Device", card)
            self.card, self.now = card, 100.0
            self.speaker = Speaker("card", pipe[0], told.append)

        def go_on(self, blocks):
            for block in blocks:
                for step in range(round(CYCLE / STEP)):
                    self.card.passes(STEP)
                    self.now += STEP
                    came = block if block is not None and not step else np.zeros((0, 2), np.float32)
                    if len(came) or self.card.opened > self.card.closed or told:
                        try:
                            self.speaker.play(came, self.now)
                        except OSError as error:
                            self.speaker._lose(error)

    return Show


def cut(seconds: float) -> list[np.ndarray]:
    sound = heard.stereo_tones(*TONES, seconds, RATE, 0.5).astype(np.float32)
    return [sound[begin : begin + 960] for begin in range(0, len(sound), 960)]


def silence(seconds: float) -> list[None]:
    return [None] * round(seconds / CYCLE)


@pytest.mark.parametrize("speed", [1.0, 1.0003, 0.9997])
def test_a_card_with_its_own_clock_never_runs_dry_and_is_never_late(plays, speed):
    show = plays(card := Card(speed))
    show.go_on(cut(60.0))
    assert card.dry == 0
    assert 4000 < show.speaker._waits(card) < 9000
    sound = heard.trimmed(card.sound)
    heard.assert_no_gap(sound[: 20 * RATE], RATE)
    heard.assert_tones(sound[:RATE], RATE, TONES, 0.5)


def test_all_of_a_sound_is_played_and_then_the_card_is_left_to_others(plays):
    show = plays(card := Card())
    show.go_on(cut(1.0) + silence(1.0))
    sound = heard.trimmed(card.sound)
    assert abs(len(sound) - RATE) < 20
    assert (card.opened, card.closed) == (1, 0)
    show.go_on(silence(IDLE))
    assert (card.opened, card.closed) == (1, 1)
    before = len(card.sound)
    show.go_on(cut(0.5) + silence(1.0))
    assert (card.opened, card.closed) == (2, 1)
    assert abs(len(heard.trimmed(card.sound[before:])) - RATE // 2) < 20


def test_after_a_long_silence_sound_begins_with_something_in_hand(plays):
    show = plays(card := Card())
    show.go_on(cut(1.0) + silence(2.0))
    before = len(card.sound)
    sound = cut(2.0)
    show.go_on(sound[:1])
    card.dry = 0
    show.go_on(sound[1:])
    assert card.dry == 0
    assert heard.gaps(heard.trimmed(card.sound[before:])[:, 0], RATE) == []


def test_what_comes_too_late_to_be_heard_soon_is_dropped(plays):
    show = plays(card := Card())
    show.go_on(cut(1.0))
    show.go_on([np.concatenate(cut(3.0))])
    assert show.speaker._waits(card) <= card.frames + 0.3 * RATE
    show.go_on(cut(1.0))
    assert card.dry == 0


def test_a_card_without_a_clock_gets_what_came_as_it_came(plays):
    show = plays(card := Instant())
    show.go_on(cut(1.0) + silence(1.0) + cut(1.0))
    came = np.concatenate(cut(1.0))
    assert np.abs(card.sound[card.frames :] - np.concatenate([came, came])).max() < 1e-6


def test_a_card_that_vanishes_is_tried_every_second_and_plays_when_it_returns(plays, told):
    show = plays(card := Card())
    show.go_on(cut(1.0))
    tries = []
    card.gone = errno.EIO
    show.go_on(cut(0.1))
    assert told == [errno.EIO]
    assert card.closed == 1
    card._check, check = lambda: tries.append(show.now) or check(), card._check
    show.go_on(cut(2.0) + silence(3.0))  # whether there is sound or not
    assert [round(after - before, 1) for before, after in pairwise(tries)] == [RETRY] * 4
    assert told == [errno.EIO]
    card.gone, card._check = 0, check
    before = len(card.sound)
    show.go_on(silence(RETRY) + cut(1.0))
    assert told == [errno.EIO, 0]
    assert abs(len(heard.trimmed(card.sound[before:])) - RATE) < 0.2 * RATE


@pytest.fixture
def listens(monkeypatch, pipe, told):
    """A microphone, and whoever listens to it."""

    class Show:
        def __init__(self, card):
            monkeypatch.setattr(alsa_device, "Device", card)
            self.card, self.now, self.listened = card, 100.0, False
            self.microphone = Microphone("card", pipe[1], told.append)
            self.microphone._fill()
            self.reader = DeviceReader(pipe[0])
            self.reader.begin()

        def go_on(self, seconds, reads=True):
            blocks = [np.zeros((0, 2), np.float32)]
            for step in range(round(seconds / STEP)):
                self.card.captures(STEP)
                self.now += STEP
                if self.listened or select.select([], [pipe[1]], [], 0)[1]:
                    self.listened = self.microphone.go_on(self.now, self.listened)
                if reads and step % 2:
                    block = self.reader.read(960)
                    blocks.append(np.pad(block, ((0, 960 - len(block)), (0, 0))))
            return np.concatenate(blocks)

    return Show


@pytest.mark.parametrize("speed", [1.0, 1.0003, 0.9997])
def test_what_is_captured_is_heard_without_a_gap(listens, speed):
    show = listens(Card(speed))
    sound = heard.trimmed(show.go_on(40.0))
    assert len(sound) > 39.5 * RATE
    heard.assert_no_gap(sound[: 10 * RATE], RATE)
    heard.assert_no_gap(sound[-10 * RATE :], RATE)
    heard.assert_tones(sound[-RATE:], RATE, TONES, 0.5)


def test_a_capture_without_a_clock_is_heard_as_it_is(listens):
    show = listens(Instant())
    sound = heard.trimmed(show.go_on(3.0))
    assert len(sound) > 2.7 * RATE
    heard.assert_no_gap(sound, RATE)
    assert show.card.captured < 3.5 * RATE


def test_when_nobody_listens_the_card_is_left_to_others(listens, pipe):
    show = listens(card := Card())
    show.go_on(1.0)
    assert (card.opened, card.closed) == (1, 0)
    show.go_on(IDLE + 0.1, reads=False)
    assert not show.listened
    assert (card.opened, card.closed) == (1, 1)
    with pytest.raises(BlockingIOError):
        os.write(pipe[1], bytes(4096))
    show.reader.begin()
    sound = heard.trimmed(show.go_on(1.0))
    assert card.opened == 2
    assert len(sound) > 0.8 * RATE
    heard.assert_no_gap(sound, RATE)


def test_a_microphone_that_vanishes_is_silent_until_it_returns(listens, told):
    show = listens(card := Card())
    show.go_on(1.0)
    card.gone = errno.ENODEV
    show.go_on(0.5)
    heard.assert_silence(show.go_on(2.0))
    assert told == [errno.ENODEV]
    card.gone = 0
    show.go_on(RETRY + 0.2)
    assert told == [errno.ENODEV, 0]
    heard.assert_no_gap(show.go_on(1.0), RATE)


@pytest.mark.parametrize("card", [Card, Instant])
def test_who_listens_before_the_pipe_is_full_hears_soon(listens, card):
    show = listens(card())
    show.microphone._fill()
    sound = heard.trimmed(show.go_on(3.0))
    assert len(sound) > 1.8 * RATE
    heard.assert_no_gap(sound, RATE)


def test_who_has_fallen_far_behind_hears_what_is_now(listens):
    show = listens(Card())
    show.go_on(1.0)
    show.go_on(2.0, reads=False)
    assert show.microphone._waits() < 0.5 * RATE
    show.go_on(0.6)
    assert show.microphone._waits() < 0.1 * RATE


@pytest.fixture
def link():
    ours, theirs = seqpacket.pair()
    ours.settimeout(20)
    with ours:
        yield ours, theirs


def said(link) -> Record:
    return parse(seqpacket.receive(link, RECORD_BYTES)[0], FROM_WORKER)


@pytest.mark.parametrize(("name", "number"), [("nothing", 0), ("none", errno.ENOENT), ("card", errno.ECONNREFUSED)])
def test_a_look_is_told_and_over(cards, link, name, number):
    alsa_device.serve(AlsaSpec(name, captures=False), link[1].detach(), None)
    assert said(link[0]) == Record(Kind.DEVICE, number)


def test_it_ends_when_nobody_has_the_pipe_and_has_played_what_was_in_it(cards, link):
    reader, writer = device_pipe()
    os.write(writer, np.concatenate(cut(0.1)).tobytes())
    os.close(writer)
    alsa_device.serve(AlsaSpec("file", captures=False), link[1].detach(), reader)
    samples, _ = heard.load(cards.directory / "card.wav")
    assert np.abs(samples[-4800:] - np.concatenate(cut(0.1))).max() < 1e-6
    with pytest.raises(OSError):
        os.fstat(reader)


def test_a_microphones_process_ends_when_nobody_has_the_pipe(cards, link):
    (cards.directory / "mouth.raw").write_bytes(bytes(800_000))
    reader, writer = device_pipe()
    spec = AlsaSpec("mouth", captures=True)
    process = threading.Thread(target=alsa_device.serve, args=(spec, link[1].detach(), writer))
    process.start()
    os.set_blocking(reader, True)
    os.read(reader, 1 << 20)
    os.close(reader)
    process.join(20)
    assert not process.is_alive()


def test_a_device_that_is_not_there_is_told_to_the_desk(cards, link):
    reader, writer = device_pipe()
    spec = AlsaSpec("none", captures=False)
    process = threading.Thread(target=alsa_device.serve, args=(spec, link[1].detach(), reader))
    process.start()
    os.write(writer, np.concatenate(cut(0.1)).tobytes())
    assert said(link[0]) == Record(Kind.DEVICE, errno.ENOENT)
    os.close(writer)
    process.join(20)
    assert not process.is_alive()
    assert wait_until(lambda: not process.is_alive(), "its end")
