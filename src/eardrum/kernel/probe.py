"""Who answers at an address: asked as a client asks, once, and without anything that a server remembers."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eardrum.kernel.client import Client
from eardrum.kernel.outlet_directory import LONGEST_PATH
from eardrum.kernel.upstream_socket import Unreachable, unreachable
from eardrum.protocol.catalog import GetServerInfo, ServerInfo
from eardrum.terms.errors import PulseError, Refused
from eardrum.upstream.addresses import Address

PATIENCE = 1.0  # seconds

_FAMILIES = {0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(frozen=True)
class Answer:
    """`connects`: the connection is taken, and then a client tries no further place, whatever is said on it.

    Without a `problem` the server says its name, its version and the number of the protocol that it speaks with us.
    `error` is the problem for programs.
    """

    connects: bool
    problem: str = ""
    server: str = ""
    version: str = ""
    protocol: int = 0
    error: PulseError | None = None


def ask(address: Address, cookie: bytes, patience: float = PATIENCE) -> Answer:
    """Who answers there. Connecting takes at most `patience` seconds, and so do the answers together. Never raises
    what is the server's fault.
    """
    try:
        connection = connected(address, patience)
    except OSError as error:
        waits = isinstance(error, BlockingIOError | TimeoutError)
        denied = PulseError.ACCESS if isinstance(error, PermissionError) else PulseError.CONNECTIONREFUSED
        return Answer(False, why_not(address, error), error=PulseError.TIMEOUT if waits else denied)
    try:
        with Client(Path(address.path or ""), patience, cookie, connection) as client:
            info = client.ask(GetServerInfo())
            assert isinstance(info, ServerInfo)
            return Answer(True, "", info.package_name or "", info.package_version or "", client.version)
    except Refused as refusal:
        return Answer(True, f"refuses to tell its name: {refusal.error.name}", error=refusal.error)
    except Unreachable as problem:
        if problem.error is PulseError.ACCESS:
            why = "refuses us: neither our uid nor our cookie counts there (`Access denied`)"
            return Answer(True, why, error=problem.error)
        return Answer(True, problem.why, error=problem.error)


def connected(address: Address, patience: float) -> socket.socket:
    """A connection, made as libpulse makes it. Raises OSError."""
    if address.path is None:
        return _connected_over_network(address, patience)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)  # as libpulse: where too many wait, it goes on to the next server
    try:
        connection.connect(os.fsencode(address.path)[:LONGEST_PATH])  # libpulse cuts it so, without a word
    except OSError:
        connection.close()
        raise
    return connection


def _connected_over_network(address: Address, patience: float) -> socket.socket:
    """To the first of the host's addresses, as libpulse."""
    found: list[Any] = []

    def look_up() -> None:
        try:
            family = _FAMILIES[address.version]
            found.extend(socket.getaddrinfo(address.host or None, address.port, family, socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            pass

    asking = threading.Thread(target=look_up, daemon=True)
    asking.start()
    asking.join(patience)
    if not address.host or not found:
        raise OSError(None, "no such host")
    family, kind, protocol, _, where = found[0]
    connection = socket.socket(family, kind, protocol)
    connection.settimeout(patience)
    try:
        connection.connect(where)
    except OSError:
        connection.close()
        raise
    return connection


def why_not(address: Address, error: OSError) -> str:
    """Why nobody could be connected to there, for a person."""
    if address.path is None:
        return f"no connection: {error.strerror or 'no answer'}"
    length = len(os.fsencode(address.path))
    why = unreachable(address.path, error).why
    return f"{why} (the path has {length} bytes, a client cuts it to {LONGEST_PATH})" if length > LONGEST_PATH else why
