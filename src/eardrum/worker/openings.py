"""What a standard server has open: the sockets that it listens at, and its modules' FIFOs."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from eardrum.kernel.fifo import FifoReader, FifoWriter
from eardrum.kernel.fifo_place import Fifo
from eardrum.kernel.loop import READ, Loop
from eardrum.kernel.server_socket import ServerSocket
from eardrum.server.admission import Door
from eardrum.server.effects import CloseFifo, Listen, OpenFifo, StopListening, WriteFile
from eardrum.server.events import Event, Opened
from eardrum.server.mixed import Buses
from eardrum.terms.errors import Complaint


class Served(NamedTuple):
    """A socket to listen at, and who is let in there."""

    socket: ServerSocket
    door: Door


class Places(NamedTuple):
    """The sockets that a server has from the start, and how it makes those that its modules want."""

    served: Sequence[Served]
    make: Callable[[Listen], Served]  # raises Complaint


class Openings:
    """`accept` is called when somebody connects to one of the sockets, `do` with what became of an opening.

    Without `places` nobody asks for sockets.
    """

    def __init__(
        self,
        loop: Loop,
        buses: Buses,
        accept: Callable[[socket.socket, Door], None],
        do: Callable[[Event], None],
        places: Places | None,
    ) -> None:
        self._loop = loop
        self._accept = accept
        self._do = do
        self._buses = buses
        self._fifos: dict[int, Fifo] = {}  # by the number of the bus
        self._writers: dict[int, FifoWriter] = {}
        self._ours: dict[int, FifoReader | FifoWriter] = {}  # our ends of them
        self._sockets: dict[int, ServerSocket] = {}  # by the number of the module; below 0 those from the start
        self._places = places
        for number, served in enumerate(places.served if places else ()):
            self._serve(-1 - number, served)

    def listen(self, effect: Listen) -> None:
        """Make the socket."""
        assert self._places is not None
        try:
            served = self._places.make(effect)
        except Complaint as complaint:
            self._do(Opened(effect.token, str(complaint)))
            return
        self._serve(effect.number, served)
        self._do(Opened(effect.token))

    def _serve(self, number: int, served: Served) -> None:
        self._sockets[number] = served.socket
        listening, door = served.socket.listening, served.door
        self._loop.watch(listening.fileno(), READ, lambda events: self._accept(listening, door))

    def open_fifo(self, effect: OpenFifo) -> None:
        """Make the FIFO if it is not there, and join it to its bus."""
        fifo = Fifo(Path(effect.path), reads=effect.reads)
        try:
            fifo.begin(fresh=True)
        except Complaint as complaint:
            self._do(Opened(effect.token, str(complaint)))
            return
        bus = next(bus for bus in self._buses if bus.number == effect.bus)
        self._fifos[bus.number] = fifo
        _, descriptor = fifo.take()
        if effect.reads:
            self._ours[bus.number] = bus.inflow = FifoReader(descriptor, effect.spec)
        else:
            self._ours[bus.number] = self._writers[bus.number] = FifoWriter(descriptor, effect.spec)
        self._do(Opened(effect.token))

    def write(self, effect: WriteFile) -> None:
        """A bus' sound for its FIFO."""
        self._writers[effect.bus].write(effect.block)

    def close_fifo(self, effect: CloseFifo) -> None:
        if effect.bus in self._fifos:
            self._writers.pop(effect.bus, None)
            self._ours.pop(effect.bus).finish()
            self._fifos.pop(effect.bus).end()

    def stop_listening(self, effect: StopListening) -> None:
        served = self._sockets.pop(effect.number, None)
        if served is not None:
            self._loop.forget(served.listening.fileno())
            served.remove()

    def close(self) -> None:
        """Stop listening everywhere, and leave all FIFOs."""
        for number in tuple(self._sockets):
            self.stop_listening(StopListening(number))
        for bus in tuple(self._fifos):
            self.close_fifo(CloseFifo(bus))
