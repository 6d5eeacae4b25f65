"""The process that workers are forked from.

It is started before the desk has a loop or a thread, imports what workers need (after their start they import
nothing), freezes the garbage collector so that pages stay shared, and then only forks and tells how its children
ended. It ends when the desk's end of the socket closes; the workers go on.
"""

from __future__ import annotations

import enum
import gc
import os
import select
import signal
import socket
import struct
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple, NoReturn

import msgspec

from eardrum.kernel import seqpacket
from eardrum.terms.errors import RemoteProtocolError
from eardrum.worker.spec import AlsaSpec, GateSpec, OutletSpec, SoundFileSpec, WorkerSpec

Serve = Callable[[WorkerSpec, Sequence[int]], None]  # returns when the worker is over

LONGEST_ORDER = 16 * 1024  # bytes
MOST_DESCRIPTORS = 4
BUG = 70  # exit status of a worker that ended by an exception

_REPORT = struct.Struct("<B3xIi")
REPORT_BYTES = _REPORT.size


class Order(msgspec.Struct, frozen=True):
    """Fork a worker. Its descriptors come along, in the order that `worker/spec.py` tells."""

    number: int
    spec: WorkerSpec


class Told(enum.IntEnum):
    READY = 1  # everything is imported
    FORKED = 2  # value: the pid; a pidfd comes along
    ENDED = 3  # value: the exit status, or minus the number of the signal; also if it could not be forked


class Report(NamedTuple):
    """What the nursery says about the worker with this number."""

    told: Told
    number: int = 0
    value: int = 0

    def __bytes__(self) -> bytes:
        return _REPORT.pack(*self)


def parse_report(data: bytes) -> Report:
    """Raises RemoteProtocolError for anything that is not one report."""
    if len(data) != REPORT_BYTES:
        raise RemoteProtocolError(f"a report of {len(data)} bytes")
    told, number, value = _REPORT.unpack(data)
    if told not in list(Told):
        raise RemoteProtocolError(f"report {told}")
    return Report(Told(told), number, value)


class Nursery(NamedTuple):
    """The desk's side: a non-blocking SOCK_SEQPACKET socket, and the pid."""

    socket: socket.socket
    pid: int


def load() -> Serve:
    """Import everything that a worker will ever need."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read once, when numpy is imported
    import numpy  # noqa: F401
    import soundfile  # noqa: F401
    import soxr  # noqa: F401

    from eardrum.kernel import confinement, memory
    from eardrum.worker import alsa_device, gate, outlet, rehearsal, room, sound_file

    rehearsal.rehearse()
    memory.give_back_early()
    confinement.prepare(confinement.WORKER_CALLS, confinement.FILE_CALLS, confinement.GATE_CALLS)

    def serve(spec: WorkerSpec, descriptors: Sequence[int]) -> None:
        if isinstance(spec, OutletSpec):
            link, listening, *files = descriptors
            outlet.serve(spec, link, listening, files)
        elif isinstance(spec, SoundFileSpec):
            link, file = descriptors
            sound_file.serve(spec, link, file)
        elif isinstance(spec, AlsaSpec):
            link, *pipe = descriptors
            alsa_device.serve(spec, link, pipe[0] if pipe else None)
        elif isinstance(spec, GateSpec):
            gate.serve(spec, descriptors[0])
        else:
            room.serve(spec, descriptors[0])

    return serve


def start(load: Callable[[], Serve] = load, errors: int = 2) -> Nursery:
    """Fork the nursery, whose standard error and that of its workers is `errors`.

    The calling process must have no thread and must not have imported numpy. It may have a loop: the child never
    returns to it, and closes all descriptors but its own.
    """
    ours, theirs = seqpacket.pair()
    pid = os.fork()
    if pid == 0:
        as_child("nursery", lambda: _live(theirs, load, errors))
    theirs.close()
    ours.setblocking(False)
    return Nursery(ours, pid)


def order(number: int, spec: WorkerSpec) -> bytes:
    """The packet that asks for a worker; its descriptors are to be sent along."""
    return msgspec.json.encode(Order(number, spec))


def _live(link: socket.socket, load: Callable[[], Serve], errors: int) -> None:
    os.dup2(errors, 2)
    keep_only((link.fileno(),))
    own_signals()
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    serve = load()
    os.chdir("/")
    gc.collect()
    gc.freeze()
    with suppress(BrokenPipeError, ConnectionResetError):  # the desk is gone
        seqpacket.send(link, bytes(Report(Told.READY)))
        _Brood(link, serve).watch()


class _Brood:
    """The nursery's children, each known by its number and watched through its pidfd."""

    def __init__(self, link: socket.socket, serve: Serve) -> None:
        self._link = link
        self._serve = serve
        self._decode = msgspec.json.Decoder(Order).decode
        self._children: dict[int, tuple[int, int]] = {}  # pidfd: number, pid
        self._poll = select.poll()

    def watch(self) -> None:
        """Fork and report until the desk is gone."""
        self._poll.register(self._link, select.POLLIN)
        while True:
            for ready, _ in self._poll.poll():
                if ready != self._link.fileno():
                    self._bury(ready)
                elif not self._obey():
                    return

    def _obey(self) -> bool:
        packet, descriptors = seqpacket.receive(self._link, LONGEST_ORDER, MOST_DESCRIPTORS)
        if not packet:
            return False
        order = self._decode(packet)
        try:
            self._fork(order, descriptors)
        except OSError as error:
            with suppress(OSError):
                os.write(2, f"eardrum: no worker for {order.spec.name}: {error.strerror}\n".encode())
            seqpacket.send(self._link, bytes(Report(Told.ENDED, order.number, BUG)))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _fork(self, order: Order, descriptors: Sequence[int]) -> None:
        pid = os.fork()
        if pid == 0:
            as_child(order.spec.name, lambda: self._become(order.spec, descriptors))
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        self._children[pidfd] = order.number, pid
        self._poll.register(pidfd, select.POLLIN)
        seqpacket.send(self._link, bytes(Report(Told.FORKED, order.number, pid)), (pidfd,))

    def _become(self, spec: WorkerSpec, descriptors: Sequence[int]) -> None:
        keep_only(descriptors)
        self._serve(spec, descriptors)

    def _bury(self, pidfd: int) -> None:
        number, pid = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(pid, 0)
        seqpacket.send(self._link, bytes(Report(Told.ENDED, number, os.waitstatus_to_exitcode(status))))


def as_child(name: str, live: Callable[[], None]) -> NoReturn:
    """The life of a forked child: nothing that the parent would do at its end may happen here."""
    status = BUG
    try:
        with suppress(OSError), open("/proc/self/comm", "w") as comm:
            comm.write(f"eardrum:{name}")
        live()
        status = 0
    except BaseException:
        with suppress(OSError):
            os.write(2, f"eardrum:{name}: {traceback.format_exc()}".encode())
    finally:
        os._exit(status)


def own_signals() -> None:
    """Ctrl-C and a closed terminal reach the whole foreground group; the desk decides what they mean for workers."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def keep_only(kept: Iterable[int]) -> None:
    """Close every descriptor but standard input, output, error and these."""
    lowest = 3
    for descriptor in sorted(kept):
        os.closerange(lowest, descriptor)
        lowest = max(lowest, descriptor + 1)
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))
