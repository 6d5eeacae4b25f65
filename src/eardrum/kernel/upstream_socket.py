"""A connection to the host's sound server, made and authenticated here so that no worker ever sees the cookie."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

from eardrum.kernel import machine
from eardrum.kernel.outlet_directory import short_path
from eardrum.protocol.kinds import COOKIE_BYTES
from eardrum.protocol.message import NEWEST, REPLY
from eardrum.protocol.packets import CONTROL, DESCRIPTOR_BYTES
from eardrum.terms.errors import Complaint, PulseError, RemoteProtocolError

PATIENCE = 5.0  # seconds for connecting and the answer to AUTH together
OLDEST_SERVER = 13  # older ones know no property lists

_DESCRIPTOR = struct.Struct(">5I")
_LONGEST_ANSWER = 256  # bytes; the answer to AUTH has 15
_RETRY = 0.05  # seconds until a server with a full backlog is asked again


class Unreachable(Complaint):
    """No connection to this address: one line for a person, and the code for programs.

    `answered`: somebody was there and did not take us, so it is not worth a hurry to try again.
    """

    def __init__(
        self, path: str, why: str, error: PulseError = PulseError.CONNECTIONREFUSED, *, answered: bool = False
    ) -> None:
        super().__init__(f"unix:{path}: {why}" if path else why)
        self.why = why
        self.error = error
        self.answered = answered


class _HungUp(Exception):
    """The server closed the connection."""


async def connect(path: str, cookies: Sequence[str], patience: float | None = PATIENCE) -> tuple[socket.socket, int]:
    """An authenticated, non-blocking connection and the version to speak on it; its next byte is the server's next
    packet. Without `patience` it waits as long as nobody hangs up. Raises Unreachable.
    """
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise Unreachable(path, f"no socket for a connection: {error.strerror}") from None
    try:
        async with asyncio.timeout(patience):
            await reach(connection, path)
            return connection, await _authenticate(connection, path, cookies)
    except BaseException as problem:
        connection.close()
        if isinstance(problem, TimeoutError):
            raise no_answer(path, patience or 0) from None
        if isinstance(problem, _HungUp | ConnectionError):
            why = "hangs up; a sound server does so when it has no connection left (PulseAudio: 64), or ends"
            raise Unreachable(path, why, PulseError.BUSY, answered=True) from None
        if isinstance(problem, OSError | RemoteProtocolError):
            why = "what answers there is not a PulseAudio or PipeWire server"
            raise Unreachable(path, why, answered=True) from None
        raise


async def reach(connection: socket.socket, path: str) -> None:
    """Connect a non-blocking socket. Raises Unreachable."""
    while True:
        try:
            with short_path(Path(path)) as address:
                return connection.connect(address)
        except BlockingIOError:  # its backlog is full; a UNIX socket never connects later by itself
            await asyncio.sleep(_RETRY)
        except OSError as error:
            raise unreachable(path, error) from None


def no_answer(path: str, seconds: float) -> Unreachable:
    """Somebody is there, or was, and says nothing."""
    return Unreachable(path, f"no answer in {seconds:g} s; is the sound server stuck?")


def unreachable(path: str, error: OSError) -> Unreachable:
    """Why nobody could be connected to there."""
    match error:
        case TimeoutError() | BlockingIOError():
            return Unreachable(path, "more wait to be served than it takes; is the sound server stuck?")
        case FileNotFoundError():
            return Unreachable(path, "no such socket; is the sound server running?")
        case ConnectionRefusedError():
            return Unreachable(path, "nobody serves this socket; start the sound server")
        case PermissionError():
            why = f"uid {os.geteuid()} may not connect; it belongs to another user"
            return Unreachable(path, why, PulseError.ACCESS, answered=True)
    return Unreachable(path, f"{error.strerror}; is it the socket of a sound server?")


async def _authenticate(connection: socket.socket, path: str, cookies: Sequence[str]) -> int:
    from eardrum.protocol.catalog import Auth, AuthReply, Error  # a headless desk needs no message at all
    from eardrum.protocol.codec import packet, read, read_head

    loop = asyncio.get_running_loop()
    # No flag bits: shared memory stays off, so no descriptor will ever come down this connection.
    await loop.sock_sendall(connection, packet(Auth(version=NEWEST, cookie=first_cookie(cookies)), 0, NEWEST))
    length, channel, *offset_and_flags = _DESCRIPTOR.unpack(await _exactly(connection, DESCRIPTOR_BYTES))
    if channel != CONTROL or any(offset_and_flags) or length > _LONGEST_ANSWER:
        raise RemoteProtocolError("no control packet")
    answer = await _exactly(connection, length)
    code, _ = read_head(answer)
    if code == Error.CODE:
        why = "refused us: neither our uid nor our cookie counts there; set PULSE_COOKIE to the server's cookie file"
        raise Unreachable(path, why, PulseError.ACCESS, answered=True)
    if code != REPLY:
        raise RemoteProtocolError("no reply")
    reply = read(AuthReply, answer, NEWEST)
    assert isinstance(reply, AuthReply)
    version = min(reply.version & 0xFFFF, NEWEST)
    if version < OLDEST_SERVER:
        raise Unreachable(path, f"speaks protocol {version}, Eardrum needs {OLDEST_SERVER} or newer", answered=True)
    return version


async def _exactly(connection: socket.socket, nbytes: int) -> bytes:
    """Never a byte more: what follows is for the worker."""
    loop = asyncio.get_running_loop()
    received = b""
    while len(received) < nbytes:
        more = await loop.sock_recv(connection, nbytes - len(received))
        if not more:
            raise _HungUp
        received += more
    return received


def first_cookie(candidates: Sequence[str]) -> bytes:
    """The first cookie that is there; zeros otherwise, for servers that know us by our uid."""
    for path in candidates:
        try:
            cookie = machine.read_head(path, COOKIE_BYTES)
        except OSError:
            continue
        if len(cookie) == COOKIE_BYTES:
            return cookie
    return bytes(COOKIE_BYTES)
