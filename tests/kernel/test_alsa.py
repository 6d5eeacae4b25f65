"""Devices of ALSA: its own plugins, and a library that tells what the test wants."""

from __future__ import annotations

import errno
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from eardrum.kernel.alsa import Device, look
from eardrum.terms.audio import SampleFormat, SampleSpec
from eardrum.testing import heard
from eardrum.testing.servers import end


def test_a_device_takes_the_best_format_at_48_khz(cards):
    device = Device("nothing", captures=False)
    assert device.spec == SampleSpec(SampleFormat.S32LE, 2, 48_000)
    assert device.frames >= 4800
    device.close()


def test_what_is_written_is_played(cards):
    tones = heard.stereo_tones(440, 660, 0.5, 48_000, 0.5)
    device = Device("file", captures=False)
    data = np.rint(tones * 2**31).astype("<i4").tobytes()
    while data:
        data = data[device.write(data) * device.spec.frame_bytes :]
    assert device.held() == 0  # this one has no clock
    device.close()
    samples, rate = heard.load(cards.directory / "card.wav")
    assert rate == 48_000
    assert np.abs(samples - tones).max() < 1e-6


def test_what_is_captured_is_read(cards):
    tones = np.rint(heard.stereo_tones(440, 660, 0.5, 48_000, 0.5) * 2**31).astype("<i4")
    tones.tofile(cards.directory / "mouth.raw")
    device = Device("mouth", captures=True)
    data = b"".join(device.read() for _ in range(10))
    assert device.is_full()
    device.close()
    assert data == tones.tobytes()[: len(data)]
    assert len(data) == 10 * 960 * 8


@pytest.mark.parametrize("captures", [True, False])
def test_a_device_that_is_not_there_is_an_error_without_a_word(cards, captures, capfd):
    with pytest.raises(OSError) as caught:
        Device("none", captures=captures)
    assert caught.value.errno == errno.ENOENT
    assert look("none", captures=captures) == errno.ENOENT
    assert look("card", captures=captures) == errno.ECONNREFUSED
    assert look("nothing", captures=captures) == 0
    assert capfd.readouterr().err == ""


def read_on(device):
    """What it has captured already may still come."""
    while True:
        device.read()


def test_a_card_that_vanishes_is_an_error(cards):
    cards.pulseaudio("card")
    ends = [Device("card", captures=captures) for captures in (False, True)]
    ends[0].write(bytes(960 * 8))
    ends[1].read()
    end(cards.processes[0])
    with pytest.raises(OSError):
        ends[0].write(bytes(960 * 8))
    with pytest.raises(OSError):
        read_on(ends[1])
    for device in ends:
        device.close()


def test_without_the_library_or_with_an_old_one(monkeypatch):
    for library in (None, SimpleNamespace(PCM=object)):
        monkeypatch.setitem(sys.modules, "alsaaudio", library)
        assert look("default", captures=False) == errno.ENOPKG


class Library:
    """Has one device, of one format and rate; its streams run dry after the first period."""

    PCM_PLAYBACK, PCM_CAPTURE, PCM_NONBLOCK = 0, 1, 1
    PCM_FORMAT_S32_LE, PCM_FORMAT_S24_3LE, PCM_FORMAT_S16_LE = "S32_LE", "S24_3LE", "S16_LE"

    class ALSAAudioError(Exception):
        pass

    def __init__(self, format_name: str, rate: int = 48_000, channels: int = 2) -> None:
        self.about = {"format_name": format_name, "rate": rate, "channels": channels, "buffer_size": 4000}
        self.opened = self.closed = 0
        self.dry = True
        self.waiting = -errno.EPIPE
        self.PCM = type("PCM", (), {"__new__": lambda cls, **asked: self.open(), "avail": None})

    def open(self) -> SimpleNamespace:
        self.opened += 1
        return SimpleNamespace(
            info=lambda: self.about, close=self.close, avail=lambda: self.waiting, write=self.write, read=self.read
        )

    def close(self) -> None:
        self.closed += 1

    def write(self, data: bytes) -> int:
        was_dry, self.dry = self.dry, False
        return -errno.EPIPE if was_dry else len(data) // 4

    def read(self) -> tuple[int, bytes]:
        was_dry, self.dry = self.dry, False
        return (-errno.EPIPE, b"") if was_dry else (1, b"data")


@pytest.mark.parametrize(
    ("format_name", "sample_format", "tries"),
    [("S32_LE", SampleFormat.S32LE, 1), ("S24_3LE", SampleFormat.S24LE, 2), ("S16_LE", SampleFormat.S16LE, 3)],
)
def test_the_format_is_one_that_the_device_has(monkeypatch, format_name, sample_format, tries):
    library = Library(format_name)
    monkeypatch.setitem(sys.modules, "alsaaudio", library)
    assert Device("hw:0", captures=False).spec.format == sample_format
    assert (library.opened, library.closed) == (tries, tries - 1)


@pytest.mark.parametrize("about", [("U8",), ("S16_LE", 44_100), ("S16_LE", 48_000, 6)])
def test_a_device_of_another_kind_is_refused(monkeypatch, about):
    library = Library(*about)
    monkeypatch.setitem(sys.modules, "alsaaudio", library)
    assert look("hw:0", captures=False) == errno.EINVAL
    assert library.closed >= library.opened


def test_a_device_that_ran_dry_or_over_begins_anew(monkeypatch):
    library = Library("S16_LE")
    monkeypatch.setitem(sys.modules, "alsaaudio", library)
    device = Device("hw:0", captures=False)
    assert device.held() == 0
    assert device.write(bytes(40)) == 10
    library.dry, library.waiting = True, 3000
    assert device.read() == b"data"
    assert device.held() == 1000


def test_errors_keep_their_number(monkeypatch):
    library = Library("S16_LE")
    monkeypatch.setitem(sys.modules, "alsaaudio", library)
    device = Device("hw:0", captures=False)
    for text, number in (("No such device [hw:0]", errno.ENODEV), ("Broken configuration [x]", errno.EIO)):
        library.write = lambda data, text=text: (_ for _ in ()).throw(Library.ALSAAudioError(text))
        device._pcm.write = library.write
        with pytest.raises(OSError) as caught:
            device.write(b"")
        assert caught.value.errno == number
