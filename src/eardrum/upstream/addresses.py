"""An address of a sound server as people write it in PULSE_SERVER."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

PORT = 4713
_FAMILIES = {"tcp:": 4, "tcp4:": 4, "tcp6:": 6}


class Unusable(ValueError):
    """libpulse passes over this address; the text says why."""


@dataclass(frozen=True)
class Address:
    """A UNIX socket's `path`; else a `host` and `port`, and the IP version that its name is looked up for (0: any)."""

    path: str | None = None
    host: str = ""
    port: int = PORT
    version: int = 0


def parse(text: str, machine_id: str) -> Address:
    """Raises Unusable."""
    address = text
    if text.startswith("{"):
        machine, closed, address = text[1:].partition("}")
        if not closed:
            raise Unusable("no address; use unix:/PATH")
        if machine != machine_id:
            raise Unusable("is for another machine")
    if address.startswith("/"):
        return Address(address)
    if address.startswith("unix:"):
        return Address(address.removeprefix("unix:"))
    for prefix, version in _FAMILIES.items():
        if address.startswith(prefix):
            return _network(address.removeprefix(prefix), version)
    return _network(address, 0)


def _network(text: str, version: int) -> Address:
    if version == 0 and _is_ipv6(text):
        return Address(host=text)
    bracketed = re.fullmatch(r"\[([^]]*)\](?::(.*))?", text)
    if bracketed:
        host, port = bracketed[1], bracketed[2]
    elif text.startswith("["):
        raise Unusable("no address; a ] lacks")
    else:
        host, colon, last = text.rpartition(":")
        host, port = (host, last) if colon else (text, None)
    if port is not None and not re.fullmatch("[0-9]{1,9}", port):
        raise Unusable(f"{port or 'nothing'!r} is no port")
    return Address(host=host, port=int(port or 0) & 0xFFFF or PORT, version=version)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text
