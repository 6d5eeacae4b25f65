"""The host's sound server: decided once, when the desk starts; connected to whenever a worker needs it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from eardrum.desk.say import say
from eardrum.kernel.machine import surroundings
from eardrum.kernel.upstream_socket import Unreachable, connect
from eardrum.terms.errors import Complaint
from eardrum.terms.names import SPEAKERS
from eardrum.upstream.discovery import find

NONE = "none"


class Host:
    """Sockets of the host's sound server in the order to try them; none at all on a headless machine."""

    def __init__(self, paths: Sequence[str] = (), cookies: Sequence[str] = ()) -> None:
        self.paths = tuple(paths)
        self._cookies = tuple(cookies)

    def __bool__(self) -> bool:
        return bool(self.paths)

    @property
    def address(self) -> str:
        """As in PULSE_SERVER, or `none`."""
        return " ".join(f"unix:{path}" for path in self.paths) or NONE

    async def connect(self) -> tuple[socket.socket, int]:
        """The first address that takes us: an authenticated connection and the version to speak.

        Raises what the first address was unreachable for.
        """
        first: Unreachable | None = None
        for path in self.paths:
            try:
                return await connect(path, self._cookies)
            except Unreachable as unreachable:
                first = first or unreachable
        assert first is not None
        raise first


async def choose(upstream: str | None, own_outlets: Path) -> Host:
    """The host's server as a person named it, or as it is found. Raises Complaint if the name can be nobody's."""
    if upstream == NONE:
        return Host()
    found = find(surroundings(own_outlets), upstream)
    if upstream is not None:
        return await _named(Host(found.paths, found.cookies), upstream, found.notes)
    for note in found.notes if not found.paths else ():
        say(note)
    for path in found.paths:
        host = Host((path,), found.cookies)
        try:
            connection, _ = await host.connect()
        except Unreachable:
            continue
        connection.close()
        return host
    say(f"no sound server answers here; `host` is the room `{SPEAKERS}` (`eardrum up --upstream ADDRESS` names one)")
    return Host()


async def _named(host: Host, upstream: str, notes: Sequence[str]) -> Host:
    for note in notes:
        say(note)
    if not host:
        raise Complaint(f"--upstream {upstream}: names no UNIX socket; use unix:/PATH or none", status=2)
    try:
        connection, _ = await host.connect()
        connection.close()
    except Unreachable as unreachable:
        say(f"{unreachable}; outlets wired to `host` stay silent until it answers")
    return host
