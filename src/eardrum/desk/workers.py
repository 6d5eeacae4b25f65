"""Workers as the desk sees them: what it asks the nursery to fork, says to them and hears from them.

A worker may have been taken over. It is known by its pidfd, never by a number that could be somebody else's by now, and
is killed for anything that is not one of the few records it may say, or too many of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from eardrum.desk.say import say
from eardrum.kernel import seqpacket
from eardrum.kernel.confinement import ALL, Layer
from eardrum.terms.errors import RemoteProtocolError
from eardrum.worker import nursery
from eardrum.worker.nursery import Nursery, Told
from eardrum.worker.records import FROM_WORKER, RECORD_BYTES, Kind, Record, parse
from eardrum.worker.spec import WorkerSpec

PATIENCE = 5.0  # seconds until a worker that was told to finish, and says nothing of writing, is killed
LONGEST_WRITING = 120.0  # seconds until it is killed whatever it says
LINGER = 1.0  # seconds between the end of a worker's link and the end of the worker
RECORDS_PER_SECOND = 50.0
RECORDS_AT_ONCE = 200.0


class Worker:
    """One process that serves an outlet or a room. `asks` is called with what it says about its wires and its file."""

    def __init__(
        self,
        what: str,
        link: socket.socket,
        asks: Callable[[Worker, Record], None],
        ended: Callable[[Worker], None],
    ) -> None:
        self.what = what  # for people: outlet NAME, room NAME
        self.pid: int | None = None
        self.ready = False
        self.confinement = Layer(0)  # what it says that holds
        self.connections = self.playing = self.recording = 0
        self.over = asyncio.Event()
        self._decided = asyncio.Event()  # it was asked to retire, and has ended or stays
        self._finishing = False
        self._writing = False  # said so, since we waited for its end
        self._asks = asks
        self._ended = ended
        self._pidfd = -1
        self._doomed = False
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._allowance = RECORDS_AT_ONCE
        self._counted = self._loop.time()
        self._loop.add_reader(link, self._hear)

    def tell(self, record: Record, descriptors: Sequence[int] = ()) -> bool:
        """Say something to the worker; False if it is gone. One that does not listen is killed."""
        try:
            seqpacket.send(self._link, bytes(record), descriptors)
        except BlockingIOError:
            self.kill("does not listen to the desk")
        except OSError:
            return False
        return True

    async def finish(self) -> None:
        """Let it finish its file and end; kill it when that takes too long."""
        if not self._finishing:
            self._finishing = True
            self.tell(Record(Kind.FINISH))
        if not await self._ends(self.over):
            self.kill("does not finish")
            await self.ended_within(PATIENCE)

    async def retire(self) -> bool:
        """Let it finish its file and end if nobody is connected; False if it stays."""
        self._decided.clear()
        self.tell(Record(Kind.RETIRE))
        await self._ends(self._decided)
        return self.over.is_set()

    async def _ends(self, decided: asyncio.Event) -> bool:
        """Wait for this as long as it writes its file, but not for ever; False if that was in vain."""
        longest = self._loop.time() + LONGEST_WRITING
        self._writing = True
        while self._writing and self._loop.time() < longest:
            self._writing = False
            with suppress(TimeoutError):
                await asyncio.wait_for(decided.wait(), PATIENCE)
                return True
        return False

    async def ended_within(self, seconds: float) -> bool:
        """Wait for its end, but no longer than this; True if it is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)
        return self.over.is_set()

    def kill(self, why: str = "") -> None:
        """End it at once, and say why."""
        if not self._doomed and not self.over.is_set():
            if why:
                say(f"{self.what}: its worker is killed: it {why}")
            self._doomed = True
            self._loop.remove_reader(self._link)
            self._strike()

    def forked(self, pid: int, pidfd: int) -> None:
        """The nursery tells who it is."""
        self.pid, self._pidfd = pid, pidfd
        if self._doomed:
            self._strike()

    def watch(self) -> None:
        """Nobody will tell us of its end: look at it ourselves."""
        if self._pidfd < 0:
            self.end(nursery.BUG)
        else:
            self._loop.add_reader(self._pidfd, self.end, 0)

    def end(self, status: int) -> None:
        """It is gone, with this exit status or minus this signal."""
        if self.over.is_set():
            return
        self._loop.remove_reader(self._link)
        self._link.close()
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
        if status and not self._doomed:
            how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
            say(f"{self.what}: its worker broke off ({how}); the next connection starts another")
        self.connections = self.playing = self.recording = 0
        self.over.set()
        self._decided.set()
        self._ended(self)

    def _strike(self) -> None:
        if self._pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _hear(self) -> None:
        try:
            packet, _ = seqpacket.receive(self._link, RECORD_BYTES)
            if not packet:
                self._loop.remove_reader(self._link)
                self._loop.call_later(LINGER, self.kill)
                return
            record = parse(packet, FROM_WORKER)
        except BlockingIOError:
            return
        except (OSError, RemoteProtocolError) as problem:
            self.kill(f"said what no worker says: {problem}")
            return
        if self._too_fast():
            self.kill("says too much")
        else:
            self._heed(record)

    def _too_fast(self) -> bool:
        now = self._loop.time()
        earned = (now - self._counted) * RECORDS_PER_SECOND
        self._allowance = min(RECORDS_AT_ONCE, self._allowance + earned) - 1
        self._counted = now
        return self._allowance < 0

    def _heed(self, record: Record) -> None:
        match record.kind:
            case Kind.READY if self.ready:
                self.kill("said twice that it is ready")
            case Kind.READY:
                self.ready = True
                self.confinement = Layer(record.a & ALL)
            case Kind.COUNTS:
                self.connections, self.playing, self.recording = record[1:]
            case Kind.STAYS:
                self._decided.set()
            case Kind.STILL_WRITING:
                self._writing = True
            case Kind.WANT | Kind.LEVEL | Kind.WIRE | Kind.FILE_FAILED | Kind.DEVICE | Kind.REFUSED:
                self._asks(self, record)


class Workers:
    """All workers, and the nursery that they are forked from."""

    def __init__(self, start: Callable[[], Nursery], first: Nursery, failed: Callable[[], None]) -> None:
        """`start` makes another nursery than the first. `failed` is called when no nursery can be had any more."""
        self._start = start
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._workers: dict[int, Worker] = {}
        self._number = 0
        self._orders: deque[tuple[bytes, list[int]]] = deque()
        self._adopt(first)

    def spawn(
        self,
        what: str,
        spec: WorkerSpec,
        descriptors: Sequence[int],
        asks: Callable[[Worker, Record], None],
        ended: Callable[[Worker], None],
    ) -> Worker:
        """Start a worker. After its link it gets `descriptors`, which are closed here. Raises OSError."""
        try:
            ours, theirs = seqpacket.pair()
        except OSError:
            _close(descriptors)
            raise
        ours.setblocking(False)
        self._number += 1
        number = self._number

        def gone(worker: Worker) -> None:
            del self._workers[number]
            ended(worker)

        worker = self._workers[number] = Worker(what, ours, asks, gone)
        self._orders.append((nursery.order(number, spec), [theirs.detach(), *descriptors]))
        self._send_orders()
        return worker

    def close(self) -> None:
        """Let the nursery end; workers that still live go on."""
        if self._nursery.socket.fileno() < 0:
            return
        self._loop.remove_reader(self._nursery.socket)
        self._loop.remove_writer(self._nursery.socket)
        self._nursery.socket.close()
        with suppress(ChildProcessError):
            os.waitpid(self._nursery.pid, 0)

    def _adopt(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._was_ready = False
        self._loop.add_reader(nursery.socket, self._hear)

    def _send_orders(self) -> None:
        """Orders wait here while the nursery is busy, as it is during its first moments."""
        while self._orders:
            packet, descriptors = self._orders[0]
            try:
                seqpacket.send(self._nursery.socket, packet, descriptors)
            except BlockingIOError:
                self._loop.add_writer(self._nursery.socket, self._send_orders)
                return
            except OSError:  # it is gone, which `_hear` is about to learn; the next one gets the order
                break
            self._orders.popleft()
            _close(descriptors)
        self._loop.remove_writer(self._nursery.socket)

    def _hear(self) -> None:
        try:
            packet, descriptors = seqpacket.receive(self._nursery.socket, nursery.REPORT_BYTES, 1)
        except BlockingIOError:
            return
        except OSError:
            packet, descriptors = b"", []
        if not packet:
            self._replace_nursery()
            return
        told, number, value = nursery.parse_report(packet)
        worker = self._workers.get(number)
        if told is Told.READY:
            self._was_ready = True
        elif told is Told.FORKED and worker:
            worker.forked(value, descriptors.pop())
        elif told is Told.ENDED and worker:
            worker.end(value)
        _close(descriptors)

    def _replace_nursery(self) -> None:
        """The nursery is gone. Its workers live on, their ends are now ours to see."""
        self.close()
        waiting = len(self._orders)
        for worker in list(self._workers.values())[: len(self._workers) - waiting]:
            worker.watch()
        if self._was_ready:
            say("the nursery was killed; a new one is started")
            self._adopt(self._start())
            self._send_orders()
        else:
            self._failed()


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
