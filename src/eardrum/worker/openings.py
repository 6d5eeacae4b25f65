"""What the emulated modules of a standard server have opened: further sockets to listen on."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from eardrum.kernel.loop import READ, Loop
from eardrum.kernel.server_socket import ServerSocket
from eardrum.server.effects import Listen, OpenFifo, StopListening
from eardrum.server.events import Event, Opened
from eardrum.terms.errors import Complaint


class Openings:
    """`accept` is called when somebody connects to one of the sockets, `do` with what became of an opening."""

    def __init__(self, loop: Loop, accept: Callable[[socket.socket], None], do: Callable[[Event], None]) -> None:
        self._loop = loop
        self._accept = accept
        self._do = do
        self._sockets: dict[int, ServerSocket] = {}

    def listen(self, effect: Listen) -> None:
        """Make the socket. The kernel lets in root and our user only, or everybody who is not kept out by the path."""
        try:
            served = ServerSocket(Path(effect.path), 0o666 if effect.anonymous else 0o600)
        except Complaint as complaint:
            self._do(Opened(effect.token, str(complaint)))
            return
        self._sockets[effect.number] = served
        self._loop.watch(served.listening.fileno(), READ, lambda events: self._accept(served.listening))
        self._do(Opened(effect.token))

    def open_fifo(self, effect: OpenFifo) -> None:
        self._do(Opened(effect.token, f"{effect.path}: FIFOs are not opened by this server"))

    def stop_listening(self, effect: StopListening) -> None:
        served = self._sockets.pop(effect.number, None)
        if served is not None:
            self._loop.forget(served.listening.fileno())
            served.remove()

    def close(self) -> None:
        """Stop listening everywhere."""
        for number in tuple(self._sockets):
            self.stop_listening(StopListening(number))
