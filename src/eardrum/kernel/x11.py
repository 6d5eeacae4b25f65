"""The few words of X11 that tell what lies on the root window of a display, and put something there."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from eardrum.terms.errors import Complaint

LONGEST = 1023  # bytes of a property that libpulse takes

_DISPLAY = re.compile(r"(?P<host>.*):(?P<number>[0-9]{1,4})(\.[0-9]+)?")
_FIRST_PORT = 6000
_STRING = 31  # the atom of the type
_INTERN_ATOM, _CHANGE_PROPERTY, _DELETE_PROPERTY, _GET_PROPERTY = 16, 18, 19, 20
_LOCAL, _INTERNET, _ANY = 256, 0, 65535  # families of .Xauthority
_KEY_KIND = b"MIT-MAGIC-COOKIE-1"
_LONGEST_REPLY = 1 << 18


def root_window(display: str, names: Sequence[str], patience: float) -> dict[str, str]:
    """The text of each of these properties that is on the first screen's root window.

    `display` is as in DISPLAY; `patience` is for each wait, in seconds. Raises Complaint.
    """
    with _complaining(display, patience), _connected(display, patience) as connection:
        window = _greet(connection, _key(connection, display))
        found = {name: _property(connection, window, name) for name in names}
    return {name: text for name, text in found.items() if text}


class Publication:
    """Texts that lie on the root window until `withdraw`, or until the display ends.

    The connection is kept: a display whose last client leaves may forget everything.
    """

    def __init__(self, display: str, texts: Mapping[str, str], mark: str, patience: float) -> None:
        """`mark` is the name of the text by which it is known to be still ours. Raises Complaint, as `root_window`."""
        self._texts = texts
        self._mark = mark
        with contextlib.ExitStack() as stack, _complaining(display, patience):
            self._connection = stack.enter_context(_connected(display, patience))
            self._window = _greet(self._connection, _key(self._connection, display))
            for name, text in texts.items():
                _change(self._connection, self._window, name, text)
            _property(self._connection, self._window, mark)  # its reply comes after all errors
            stack.pop_all()

    def withdraw(self) -> None:
        """Take away what is still ours. A display that is gone has taken it along."""
        connection, window = self._connection, self._window
        with connection, contextlib.suppress(OSError, struct.error):
            if _property(connection, window, self._mark) == self._texts[self._mark]:
                for name in self._texts:
                    atom = _atom(connection, name)
                    connection.sendall(struct.pack("<BxHII", _DELETE_PROPERTY, 3, window, atom))
                _property(connection, window, self._mark)


@contextlib.contextmanager
def _complaining(display: str, patience: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Complaint(f"DISPLAY {display}: no answer in {patience:g} s") from None
    except (OSError, UnicodeError, struct.error) as error:
        raise Complaint(f"DISPLAY {display}: {getattr(error, 'strerror', None) or error}") from None


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
    atom = _atom(connection, name)
    if not atom:
        return ""
    connection.sendall(struct.pack("<BxH5I", _GET_PROPERTY, 6, window, atom, _STRING, 0, LONGEST))
    reply = _reply(connection)
    width, length = struct.unpack_from("<xB14xI", reply)
    told = reply[32 : 32 + length] if width == 8 and length <= LONGEST else b""
    return told.partition(b"\0")[0].decode(errors="replace")


def _atom(connection: socket.socket, name: str, *, made: bool = False) -> int:
    """The number of a property's name; 0 if the display does not know it, unless it shall be made."""
    text = name.encode()
    padded = _padded(text)
    connection.sendall(struct.pack("<BBHHxx", _INTERN_ATOM, not made, 2 + len(padded) // 4, len(text)) + padded)
    (atom,) = struct.unpack_from("<8xI", _reply(connection))
    return int(atom)


def _change(connection: socket.socket, window: int, name: str, text: str) -> None:
    data = text.encode()
    padded = _padded(data)
    atom = _atom(connection, name, made=True)
    head = struct.pack("<BxHIIIB3xI", _CHANGE_PROPERTY, 6 + len(padded) // 4, window, atom, _STRING, 8, len(data))
    connection.sendall(head + padded)


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
