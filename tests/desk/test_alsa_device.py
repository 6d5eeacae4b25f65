"""A device at the end of a wire, as the desk sees it: its process is one that the test plays."""

from __future__ import annotations

import asyncio
import errno
import os

import pytest

from eardrum.desk import alsa_device
from eardrum.desk.alsa_device import AlsaDevice, check_device, why
from eardrum.terms.errors import Complaint
from eardrum.terms.names import WireEnd
from eardrum.worker.records import Kind, Record
from eardrum.worker.spec import AlsaSpec

END = WireEnd("alsa", "hw:0")


class Process:
    def __init__(self, spec, descriptors, asks, ended):
        self.spec, self.descriptors, self.asks, self.ended = spec, list(descriptors), asks, ended
        self.killed = False

    def tells(self, number):
        self.asks(self, Record(Kind.DEVICE, number))

    def ends(self):
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.ended(self)

    def kill(self, why=""):
        self.killed = True

    async def ended_within(self, seconds):
        return not self.killed


class Workers:
    """Grows processes; `says` are what each tells at once, if anything."""

    def __init__(self, says=None):
        self.grown = []
        self.more = asyncio.Event()  # another than the first
        self.says = says

    def spawn(self, what, spec, descriptors, asks, ended):
        process = Process(spec, descriptors, asks, ended)
        if self.grown:
            self.more.set()
        self.grown.append(process)
        if self.says is not None:
            process.tells(self.says)
        return process


@pytest.mark.parametrize("captures", [False, True])
def test_the_worker_and_the_process_have_a_pipe(captures):
    async def play():
        device = AlsaDevice("outlet radio", END, workers := Workers(), captures=captures)
        device.begin(True)
        assert not workers.grown
        name, worker = device.take()
        (process,) = workers.grown
        assert name == "hw:0"
        assert process.spec == AlsaSpec("hw:0", captures)
        (other,) = process.descriptors
        reader, writer = (worker, other) if captures else (other, worker)
        os.write(writer, b"sound")
        assert os.read(reader, 10) == b"sound"
        _, another = device.take()
        assert len(workers.grown) == 1
        for descriptor in (worker, another):
            os.close(descriptor)
        device.end()
        process.ends()

    asyncio.run(play())


def test_what_becomes_of_the_device_is_noted_and_said(capsys):
    async def play():
        device = AlsaDevice("outlet radio", END, workers := Workers(), captures=False)
        device.begin(False)
        os.close(device.take()[1])
        (process,) = workers.grown
        process.tells(errno.EIO)
        assert device.note == f"alsa:hw:0: cannot be had: {os.strerror(errno.EIO)}; it is tried again every second"
        process.tells(0)
        assert device.note == ""
        process.asks(process, Record(Kind.WANT, 0))
        assert process.killed
        device.end()
        process.ends()

    asyncio.run(play())
    assert capsys.readouterr().err.splitlines() == [
        "eardrum: outlet radio: alsa:hw:0: cannot be had: Input/output error; it is tried again every second",
        "eardrum: outlet radio: alsa:hw:0 is there again",
    ]


def test_a_process_that_breaks_off_is_replaced_and_gets_the_same_pipe(monkeypatch):
    monkeypatch.setattr(alsa_device, "RESTART", 0)

    async def play():
        device = AlsaDevice("outlet radio", END, workers := Workers(), captures=False)
        device.begin(True)
        _, worker = device.take()
        os.write(worker, b"sound")
        workers.grown[0].ends()
        await workers.more.wait()
        assert os.read(workers.grown[1].descriptors[0], 10) == b"sound"
        os.close(worker)
        device.end()
        workers.grown[1].ends()
        await asyncio.sleep(0.01)
        assert len(workers.grown) == 2

    asyncio.run(play())


@pytest.mark.parametrize("number", [0, errno.EBUSY])
def test_a_device_that_is_there_or_in_use_is_good_enough(number):
    asyncio.run(check_device(Workers(says=number), END, captures=False))


def test_other_ends_are_not_looked_at():
    for end in (None, WireEnd("null"), WireEnd("file", "/x")):
        asyncio.run(check_device(Workers(), end, captures=True))


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOPKG, "pip install 'eardrum[alsa]'"),
        (errno.ENOENT, "`aplay -L`"),
        (errno.EINVAL, "plughw:"),
        (errno.EBUSY, "end that"),
        (errno.ECONNREFUSED, "Connection refused"),
        (errno.ETIMEDOUT, "timed out"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(number, advice):
    line = why(END, number)
    assert line.startswith("alsa:hw:0: ")
    assert advice in line
    assert "\n" not in line
    if number != errno.EBUSY:
        with pytest.raises(Complaint) as complaint:
            asyncio.run(check_device(Workers(says=number), END, captures=True))
        assert str(complaint.value) == line


def test_a_look_that_tells_nothing_is_a_complaint():
    with pytest.raises(Complaint, match="timed out"):
        asyncio.run(check_device(Workers(), END, captures=False))
