"""The few words of X11 that tell what lies on the root window of a display."""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from eardrum.terms.errors import Complaint

LONGEST = 1023  # bytes of a property that libpulse takes

_DISPLAY = re.compile(r"(?P<host>.*):(?P<number>[0-9]+)(\.[0-9]+)?")
_FIRST_PORT = 6000
_STRING = 31  # the atom of the type
_INTERN_ATOM, _GET_PROPERTY = 16, 20
_LOCAL, _INTERNET, _ANY = 256, 0, 65535  # families of .Xauthority
_KEY_KIND = b"MIT-MAGIC-COOKIE-1"
_LONGEST_REPLY = 1 << 18


def root_window(display: str, names: Sequence[str], patience: float) -> dict[str, str]:
    """The text of each of these properties that is on the first screen's root window.

    `display` is as in DISPLAY; `patience` is for each wait, in seconds. Raises Complaint.
    """
    try:
        with _connected(display, patience) as connection:
            window = _greet(connection, _key(connection, display))
            found = {name: _property(connection, window, name) for name in names}
    except TimeoutError:
        raise Complaint(f"DISPLAY {display}: no answer in {patience:g} s") from None
    except (OSError, struct.error) as error:
        raise Complaint(f"DISPLAY {display}: {getattr(error, 'strerror', None) or error}") from None
    return {name: text for name, text in found.items() if text}


def _connected(display: str, patience: float) -> socket.socket:
    parts = _DISPLAY.fullmatch(display)
    if not parts:
        raise OSError("is no display; use :0 or HOST:0")
    number = int(parts["number"])
    if parts["host"] not in ("", "unix"):
        return socket.create_connection((parts["host"].strip("[]"), _FIRST_PORT + number), patience)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(patience)
    path = f"/tmp/.X11-unix/X{number}"
    try:
        try:
            connection.connect(f"\0{path}")
        except OSError:
            connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _key(connection: socket.socket, display: str) -> bytes:
    """The key for this display from the user's .Xauthority; none if there is none."""
    path = os.environ.get("XAUTHORITY") or Path(os.environ.get("HOME", "/"), ".Xauthority")
    number = str(int(display.rpartition(":")[2].partition(".")[0])).encode()
    peer = connection.getpeername()
    places = {(_LOCAL, socket.gethostname().encode())}
    if connection.family == socket.AF_INET and not peer[0].startswith("127."):
        places = {(_INTERNET, socket.inet_aton(peer[0]))}
    try:
        entries = [*_entries(Path(path).read_bytes())]
    except (OSError, struct.error):
        return b""
    for family, address, its_number, kind, key in entries:
        here = family == _ANY or (family, address) in places
        if here and its_number in (b"", number) and kind == _KEY_KIND:
            return key
    return b""


def _entries(data: bytes) -> Iterator[tuple[int, bytes, bytes, bytes, bytes]]:
    at = 0
    while at < len(data):
        (family,) = struct.unpack_from(">H", data, at)
        at += 2
        fields = []
        for _ in range(4):
            (length,) = struct.unpack_from(">H", data, at)
            fields.append(data[at + 2 : at + 2 + length])
            at += 2 + length
        yield family, fields[0], fields[1], fields[2], fields[3]


def _greet(connection: socket.socket, key: bytes) -> int:
    """Begin the conversation; the number of the first screen's root window."""
    kind = _KEY_KIND if key else b""
    connection.sendall(struct.pack("<cxHHHHxx", b"l", 11, 0, len(kind), len(key)) + _padded(kind) + _padded(key))
    status, reason, length = struct.unpack("<BBxxxxH", _exactly(connection, 8))
    rest = _exactly(connection, 4 * length)
    if status != 1:
        said = rest[:reason].decode(errors="replace").strip()
        raise OSError(f"refused us: {said or 'no reason given'}")
    vendor, formats = struct.unpack_from("<16xHxxxB", rest)
    (window,) = struct.unpack_from("<I", rest, 32 + len(_padded(bytes(vendor))) + 8 * formats)
    return int(window)


def _property(connection: socket.socket, window: int, name: str) -> str:
    """The text of one property; empty if there is none that libpulse would take."""
    text = name.encode()
    padded = _padded(text)
    connection.sendall(struct.pack("<BBHHxx", _INTERN_ATOM, 1, 2 + len(padded) // 4, len(text)) + padded)
    (atom,) = struct.unpack_from("<8xI", _reply(connection))
    if not atom:
        return ""
    connection.sendall(struct.pack("<BxH5I", _GET_PROPERTY, 6, window, atom, _STRING, 0, LONGEST))
    reply = _reply(connection)
    width, length = struct.unpack_from("<xB14xI", reply)
    return reply[32 : 32 + length].decode(errors="replace") if width == 8 and length <= LONGEST else ""


def _reply(connection: socket.socket) -> bytes:
    """The next reply; events are passed over."""
    while True:
        head = _exactly(connection, 32)
        if head[0] == 0:
            raise OSError(f"answers with error {head[1]}")
        if head[0] == 1:
            return head + _exactly(connection, 4 * int.from_bytes(head[4:8], "little"))


def _exactly(connection: socket.socket, nbytes: int) -> bytes:
    if nbytes > _LONGEST_REPLY:
        raise OSError("what answers there is no X server")
    received = b""
    while len(received) < nbytes:
        more = connection.recv(nbytes - len(received))
        if not more:
            raise OSError("hung up")
        received += more
    return received


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
