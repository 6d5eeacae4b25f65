"""The gate of one outlet, as the desk has it: whether there is one, and what is led through it."""

from __future__ import annotations

import asyncio
import os
import socket

from eardrum.desk.knobs import Knobs
from eardrum.desk.say import say
from eardrum.desk.wiring import Wiring
from eardrum.desk.workers import Worker, Workers
from eardrum.protocol.message import CATALOG, wire_name
from eardrum.terms.names import WireEnd
from eardrum.worker.records import Kind, Record, end_in_pipe
from eardrum.worker.spec import GateSpec


class OutletGate:
    """A process that begins with the first connection which is led through it, and ends with the outlet's worker."""

    def __init__(self, workers: Workers, wiring: Wiring, knobs: Knobs) -> None:
        self._workers = workers
        self._wiring = wiring
        self._knobs = knobs
        self._process: Worker | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._told = False  # that something was refused

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def lead(self, wire: int, end: WireEnd, connection: socket.socket, version: int) -> socket.socket:
        """Have it pass on what may be said at this connection to the host's server, which leads to this end of a wire.

        Returns what the worker gets instead. Raises OSError.
        """
        process = self._running()
        pipe = end_in_pipe(end)
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                process.tell(Record(Kind.PASS, wire, version), (connection.fileno(), theirs.fileno(), pipe))
        finally:
            os.close(pipe)
        return ours

    def turn(self, record: Record) -> None:
        """The person has turned a knob."""
        if self._process:
            self._process.tell(record)

    def end(self) -> None:
        """The outlet's worker is gone."""
        self._told = False
        if self._process:
            ending = asyncio.get_running_loop().create_task(self._process.finish())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            self._process = None

    def _running(self) -> Worker:
        if self._process is None:
            wiring, microphone = self._wiring, self._knobs.input
            hushed = microphone is not None and microphone.muted
            spec = GateSpec(wiring.name, wiring.hear, wiring.highest(), hushed)
            self._process = self._workers.spawn(f"gate of outlet {wiring.name}", spec, (), self._heed, self._ended)
        return self._process

    def _ended(self, process: Worker) -> None:
        if process is self._process:
            self._process = None

    def _heed(self, process: Worker, record: Record) -> None:
        if record.kind is not Kind.REFUSED:
            process.kill("says what no gate says")
        elif not self._told:
            self._told = True
            said = CATALOG.get(record.b)
            what = wire_name(said) if said else "no command"
            say(
                f"outlet {self._wiring.name}: its worker, which is taken over, said to the host what no worker says"
                f" ({what}); its gate let nothing of that pass"
            )
