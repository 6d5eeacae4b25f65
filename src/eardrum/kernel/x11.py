"""The few words of X11 that tell what lies on the root window of a display, and put something there."""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence

from eardrum.kernel.machine import LONGEST_TEXT, read_head
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

    `display` is as in DISPLAY; `patience` is for connecting and then for all answers, in seconds. Raises Complaint.
    """
    with _complaining(display, patience), _connected(display, patience) as connection:
        talk = _Talk(connection, patience)
        window = _greet(talk, _key(connection, display))
        found = {name: _property(talk, window, name) for name in names}
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
            connection = stack.enter_context(_connected(display, patience))
            self._talk = _Talk(connection, patience)
            self._window = _greet(self._talk, _key(connection, display))
            for name, text in texts.items():
                _change(self._talk, self._window, name, text)
            _property(self._talk, self._window, mark)  # its reply comes after all errors
            stack.pop_all()

    def withdraw(self) -> None:
        """Take away what is still ours. A display that is gone has taken it along."""
        talk, window = self._talk, self._window
        with talk.connection, contextlib.suppress(OSError, struct.error):
            talk.begin()
            if _property(talk, window, self._mark) == self._texts[self._mark]:
                for name in self._texts:
                    talk.send(struct.pack("<BxHII", _DELETE_PROPERTY, 3, window, _atom(talk, name)))
                _property(talk, window, self._mark)


class _Talk:
    """What is said on a connection. Raises OSError: TimeoutError when the display has taken more than `patience`
    seconds since `begin`, whatever it says meanwhile.
    """

    def __init__(self, connection: socket.socket, patience: float) -> None:
        self.connection = connection
        self._patience = patience
        self.begin()

    def begin(self) -> None:
        self._end = time.monotonic() + self._patience

    def send(self, data: bytes) -> None:
        self._wait_at_most()
        self.connection.sendall(data)

    def receive(self, nbytes: int) -> bytes:
        """So many bytes, not fewer."""
        if nbytes > _LONGEST_REPLY:
            raise OSError("what answers there is no X server")
        received = b""
        while len(received) < nbytes:
            self._wait_at_most()
            more = self.connection.recv(nbytes - len(received))
            if not more:
                raise OSError("hung up")
            received += more
        return received

    def _wait_at_most(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.connection.settimeout(left)


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
    path = os.environ.get("XAUTHORITY") or posixpath.join(os.environ.get("HOME", "/"), ".Xauthority")
    number = str(int(display.rpartition(":")[2].partition(".")[0])).encode()
    peer = connection.getpeername()
    places = {(_LOCAL, socket.gethostname().encode())}
    if connection.family == socket.AF_INET and not peer[0].startswith("127."):
        places = {(_INTERNET, socket.inet_aton(peer[0]))}
    try:
        entries = [*_entries(read_head(path, LONGEST_TEXT))]
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


def _greet(talk: _Talk, key: bytes) -> int:
    """Begin the conversation; the number of the first screen's root window."""
    kind = _KEY_KIND if key else b""
    talk.send(struct.pack("<cxHHHHxx", b"l", 11, 0, len(kind), len(key)) + _padded(kind) + _padded(key))
    status, reason, length = struct.unpack("<BBxxxxH", talk.receive(8))
    rest = talk.receive(4 * length)
    if status != 1:
        said = rest[:reason].decode(errors="replace").strip()
        raise OSError(f"refused us: {said or 'no reason given'}")
    vendor, formats = struct.unpack_from("<16xHxxxB", rest)
    (window,) = struct.unpack_from("<I", rest, 32 + len(_padded(bytes(vendor))) + 8 * formats)
    return int(window)


def _property(talk: _Talk, window: int, name: str) -> str:
    """The text of one property; empty if there is none that libpulse would take."""
    atom = _atom(talk, name)
    if not atom:
        return ""
    talk.send(struct.pack("<BxH5I", _GET_PROPERTY, 6, window, atom, _STRING, 0, LONGEST))
    reply = _reply(talk)
    width, length = struct.unpack_from("<xB14xI", reply)
    told = reply[32 : 32 + length] if width == 8 and length <= LONGEST else b""
    return told.partition(b"\0")[0].decode(errors="replace")


def _atom(talk: _Talk, name: str, *, made: bool = False) -> int:
    """The number of a property's name; 0 if the display does not know it, unless it shall be made."""
    text = name.encode()
    padded = _padded(text)
    talk.send(struct.pack("<BBHHxx", _INTERN_ATOM, not made, 2 + len(padded) // 4, len(text)) + padded)
    (atom,) = struct.unpack_from("<8xI", _reply(talk))
    return int(atom)


def _change(talk: _Talk, window: int, name: str, text: str) -> None:
    data = text.encode()
    padded = _padded(data)
    atom = _atom(talk, name, made=True)
    head = struct.pack("<BxHIIIB3xI", _CHANGE_PROPERTY, 6 + len(padded) // 4, window, atom, _STRING, 8, len(data))
    talk.send(head + padded)


def _reply(talk: _Talk) -> bytes:
    """The next reply; events are passed over."""
    while True:
        head = talk.receive(32)
        if head[0] == 0:
            raise OSError(f"answers with error {head[1]}")
        if head[0] == 1:
            return head + talk.receive(4 * int.from_bytes(head[4:8], "little"))


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
