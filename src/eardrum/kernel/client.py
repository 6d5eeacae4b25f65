"""A client of any server of this protocol, for a few questions asked one after the other."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from types import TracebackType

from eardrum.kernel.outlet_directory import connect
from eardrum.kernel.upstream_socket import Unreachable, unreachable
from eardrum.protocol.catalog import Auth, AuthReply, ClientNamed, SetClientName
from eardrum.protocol.conversation import Asking, ErrorReply, Reply
from eardrum.protocol.kinds import COOKIE_BYTES
from eardrum.protocol.message import NEWEST, Message
from eardrum.terms.errors import PulseError, Refused, RemoteProtocolError

PATIENCE = 2.0  # seconds for the whole of it
_READ_BYTES = 64 * 1024


class Client:
    """Connected and authenticated. Everything it does raises Unreachable after `patience` seconds.

    Without a `cookie` only its uid counts; a `connection` is one that is made already. `version` is what both speak,
    `index` the number that the server has given this client.

    With `sharing`, kinds of shared memory as flags of Auth, it finds out which of them the server offers (`shared`) and
    can do nothing more: the next answers would come through that memory.
    """

    def __init__(
        self,
        path: Path,
        patience: float = PATIENCE,
        cookie: bytes = bytes(COOKIE_BYTES),
        connection: socket.socket | None = None,
        sharing: int = 0,
    ) -> None:
        self._path = path
        self._patience = patience
        self._end = time.monotonic() + patience
        self._asking = Asking()
        try:
            self._socket = connection or connect(path, patience)
        except OSError as error:
            raise unreachable(str(path), error) from None
        try:
            reply = self.ask(Auth(version=NEWEST | sharing, cookie=cookie))
            assert isinstance(reply, AuthReply)
            self.version = min(reply.version & 0xFFFF, NEWEST)
            self.shared = reply.version & sharing
            if sharing:
                return
            named = self.ask(SetClientName(proplist={"application.name": b"eardrum\0"}))
            assert isinstance(named, ClientNamed)
            self.index = named.index
        except Refused as refusal:
            self.close()
            raise Unreachable(str(path), f"refused us: {refusal.error.name}", refusal.error) from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def ask(self, message: Message) -> Message:
        """The server's reply. Raises Refused and Unreachable."""
        tag, packet = self._asking.ask(message)
        try:
            self._wait_at_most()
            self._socket.sendall(packet)
            while True:
                self._wait_at_most()
                data = self._socket.recv(_READ_BYTES)
                if not data:
                    raise Unreachable(str(self._path), "hung up", PulseError.CONNECTIONTERMINATED)
                for said in self._asking.receive(memoryview(data)):
                    if isinstance(said, ErrorReply) and said.tag == tag:
                        raise Refused(said.code)
                    if isinstance(said, Reply) and said.tag == tag:
                        return said.message
        except TimeoutError:
            why = f"no answer in {self._patience:g} s; is the sound server stuck?"
            raise Unreachable(str(self._path), why, PulseError.TIMEOUT) from None
        except ConnectionError:
            raise Unreachable(str(self._path), "hung up", PulseError.CONNECTIONTERMINATED) from None
        except (OSError, RemoteProtocolError):
            why = "what answers there is not a PulseAudio or PipeWire server"
            raise Unreachable(str(self._path), why, PulseError.PROTOCOL) from None

    def _wait_at_most(self) -> None:
        """Let the socket wait until the end of our patience. Raises TimeoutError when that is over."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
