"""A device of ALSA at the end of a wire: a pipe for the worker, and the process at its other end."""

from __future__ import annotations

import asyncio
import errno
import os

from eardrum.desk.say import say
from eardrum.desk.workers import PATIENCE, Worker, Workers
from eardrum.kernel.alsa import device_pipe
from eardrum.terms.errors import Complaint
from eardrum.terms.names import WireEnd
from eardrum.worker.records import Kind, Record
from eardrum.worker.spec import AlsaSpec

RESTART = 1.0  # seconds until another process is started for one that broke off


class AlsaDevice:
    """One end `alsa:DEVICE` of the outlet called `what`. Its process is started with its first worker."""

    def __init__(self, what: str, end: WireEnd, workers: Workers, *, captures: bool) -> None:
        self.note = ""  # why nothing is heard, or nothing
        self._what = what
        self._end = end
        self._workers = workers
        self._captures = captures
        self._ours: int | None = None  # the worker's end of the pipe
        self._theirs: int | None = None
        self._process: Worker | None = None

    def begin(self, fresh: bool) -> None:
        """Raises Complaint. Whether the device is there `check_device` finds out; one that has gone may return."""
        try:
            reader, writer = device_pipe()
        except OSError as error:
            raise Complaint(f"{self._end}: no pipe can be made: {error.strerror}") from None
        self._ours, self._theirs = (reader, writer) if self._captures else (writer, reader)

    def take(self) -> tuple[str, int]:
        assert self._ours is not None
        if self._process is None:
            self._start()
        return self._end.argument, os.dup(self._ours)

    def end(self) -> None:
        """The outlet is closed: the process plays what is left, and ends."""
        for descriptor in (self._ours, self._theirs):
            if descriptor is not None:
                os.close(descriptor)
        self._ours = self._theirs = None
        if self._process is not None:
            asyncio.get_running_loop().call_later(PATIENCE, self._process.kill)

    def _start(self) -> None:
        if self._theirs is None or self._process is not None:
            return
        spec = AlsaSpec(self._end.argument, self._captures)
        try:
            self._process = self._workers.spawn(
                f"{self._what}, {self._end}", spec, [os.dup(self._theirs)], self._heed, self._ended
            )
        except OSError as error:
            self.note = f"{self._end}: cannot be served: {error.strerror}"
            asyncio.get_running_loop().call_later(RESTART, self._start)

    def _heed(self, process: Worker, record: Record) -> None:
        if record.kind is not Kind.DEVICE:
            process.kill("says what no device's process says")
        elif record.a:
            self.note = f"{why(self._end, record.a)}; it is tried again every second"
            say(f"{self._what}: {self.note}")
        else:
            self.note = ""
            say(f"{self._what}: {self._end} is there again")

    def _ended(self, process: Worker) -> None:
        self._process = None
        if self._theirs is not None:
            asyncio.get_running_loop().call_later(RESTART, self._start)


async def check_device(workers: Workers, end: WireEnd | None, *, captures: bool) -> None:
    """Raises Complaint if the end is a device that cannot be opened now; one that others use may come free."""
    if end is None or end.kind != "alsa":
        return
    said: list[int] = []
    try:
        process = workers.spawn(
            f"a look at {end}",
            AlsaSpec(end.argument, captures),
            (),
            lambda _, record: said.append(record.a) if record.kind is Kind.DEVICE else None,
            lambda _: None,
        )
    except OSError as error:
        raise Complaint(f"{end}: cannot be looked at: {error.strerror}") from None
    if not await process.ended_within(PATIENCE):
        process.kill()
    refuse(end, said[-1] if said else errno.ETIMEDOUT)


def refuse(end: WireEnd, number: int) -> None:
    """Raises Complaint if this error, or none, is a reason not to begin with the device."""
    if number not in (0, errno.EBUSY):
        raise Complaint(why(end, number))


def why(end: WireEnd, number: int) -> str:
    """What is wrong with a device, and what to do."""
    match number:
        case errno.ENOPKG:
            return f"{end}: needs pip install 'eardrum[alsa]', which needs gcc and libasound2-dev"
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return f"{end}: ALSA knows no such device now; `aplay -L` and `arecord -L` list what is there"
        case errno.EINVAL:
            return f"{end}: does not take stereo at 48 kHz; ALSA converts for it in plughw:… or default"
        case errno.EBUSY:
            return f"{end}: another program has it; end that, or use a device that mixes, such as default"
        case _:
            return f"{end}: cannot be had: {os.strerror(number)}"
