"""What lies on a root window, asked of a display of a few lines."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading

import pytest

from eardrum.kernel import x11
from eardrum.kernel.x11 import Publication, root_window
from eardrum.terms.errors import Complaint

ROOT = 77
KEY = bytes(range(16))


class Display:
    """Serves one client: lets it in (with the right key, if there is one) and tells properties."""

    def __init__(self, properties, key=b"", status=1):
        self.properties, self.key, self.status = properties, key, status
        self.ours, self.theirs = socket.socketpair()
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *problem):
        self.ours.close()
        self.thread.join()

    def serve(self):
        with self.theirs:
            kind, key = struct.unpack("<6xHHxx", self.theirs.recv(12, socket.MSG_WAITALL))
            said = self.theirs.recv(kind + -kind % 4 + key + -key % 4, socket.MSG_WAITALL) if kind else b""
            if self.status != 1 or said[20 : 20 + key] != self.key:
                self.theirs.sendall(struct.pack("<BBHHH", 0, 7, 11, 0, 2) + b"Not you\0")
                return
            vendor = b"Wall"
            setup = struct.pack("<16xHHBB10x", len(vendor), 65535, 1, 1) + vendor + bytes(8) + struct.pack("<I", ROOT)
            self.theirs.sendall(struct.pack("<BBHHH", 1, 0, 11, 0, len(setup) // 4) + setup)
            names = []
            while head := self.theirs.recv(4, socket.MSG_WAITALL):
                rest = self.theirs.recv(4 * struct.unpack("<xxH", head)[0] - 4, socket.MSG_WAITALL)
                self.theirs.sendall(bytes((2,)) + bytes(31))  # an event
                if head[0] == 16:
                    names.append(rest[4 : 4 + struct.unpack_from("<H", rest)[0]].decode())
                    atom = len(names) if names[-1] in self.properties or not head[1] else 0
                    self.theirs.sendall(struct.pack("<BxHII20x", 1, 0, 0, atom))
                    continue
                window, atom = struct.unpack_from("<II", rest)
                assert window == ROOT
                name = names[atom - 1] if atom else ""
                if head[0] == 18:
                    kind, width, length = struct.unpack_from("<8xIBxxxI", rest)
                    assert (kind, width) == (31, 8)
                    self.properties[name] = rest[20 : 20 + length]
                elif head[0] == 19:
                    self.properties.pop(name)
                else:
                    text = self.properties[name]
                    padded = text + bytes(-len(text) % 4)
                    self.theirs.sendall(
                        struct.pack("<BBHIIII12x", 1, 8, 0, len(padded) // 4, 31, 0, len(text)) + padded
                    )


def ask(monkeypatch, display, *names):
    monkeypatch.setattr(x11, "_connected", lambda name, patience: display.ours)
    return root_window(":5", names, 10)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch, tmp_path):
    monkeypatch.setenv("XAUTHORITY", str(tmp_path / "keys"))
    return tmp_path / "keys"


def test_the_properties_that_are_there(monkeypatch):
    with Display({"A": b"unix:/a", "C": b"tune", "LONG": b"x" * 1024}) as display:
        assert ask(monkeypatch, display, "A", "B", "C", "LONG") == {"A": "unix:/a", "C": "tune"}


def test_the_key_is_of_this_machine_and_this_display(monkeypatch, no_keys):
    def entry(family, address, number, key):
        fields = (address, number, b"MIT-MAGIC-COOKIE-1", key)
        return struct.pack(">H", family) + b"".join(struct.pack(">H", len(field)) + field for field in fields)

    here = socket.gethostname().encode()
    others = entry(256, b"elsewhere", b"5", b"w" * 16) + entry(256, here, b"6", b"w" * 16)
    no_keys.write_bytes(others + entry(256, here, b"5", KEY))
    with Display({"A": b"a"}, KEY) as display:
        assert ask(monkeypatch, display, "A") == {"A": "a"}


def test_who_is_refused_is_told_why(monkeypatch):
    with Display({}, status=0) as display, pytest.raises(Complaint, match="DISPLAY :5: refused us: Not you"):
        ask(monkeypatch, display, "A")


@pytest.mark.parametrize("name", ["wall", ":x", ":1.x", "", "127.0.0.1:1"])
def test_no_display(name):
    with pytest.raises(Complaint, match=f"^DISPLAY {name}: "):
        root_window(name, ("A",), 10)


@pytest.mark.parametrize("still_ours", [True, False])
def test_what_is_published_is_taken_back_while_it_is_ours(monkeypatch, still_ours):
    texts = {"SERVER": "unix:/a", "ID": "1@here/2"}
    with Display({"OTHER": b"stays"}) as display:
        monkeypatch.setattr(x11, "_connected", lambda name, patience: display.ours)
        publication = Publication(":5", texts, "ID", 10)
        assert display.properties == {"OTHER": b"stays", "SERVER": b"unix:/a", "ID": b"1@here/2"}
        if not still_ours:
            display.properties |= {"SERVER": b"unix:/b", "ID": b"1@here/3"}
        publication.withdraw()
        left = {"OTHER": b"stays"} if still_ours else {"OTHER": b"stays", "SERVER": b"unix:/b", "ID": b"1@here/3"}
        assert display.properties == left


def test_a_display_that_is_gone_has_taken_it_along(monkeypatch):
    with Display({}) as display:
        monkeypatch.setattr(x11, "_connected", lambda name, patience: display.ours)
        publication = Publication(":5", {"ID": "1@here/2"}, "ID", 10)
        display.theirs.shutdown(socket.SHUT_RDWR)
        publication.withdraw()


def test_nothing_is_published_on_a_display_that_refuses_us(monkeypatch):
    with Display({}, status=0) as display:
        monkeypatch.setattr(x11, "_connected", lambda name, patience: display.ours)
        with pytest.raises(Complaint, match="DISPLAY :5: refused us: Not you"):
            Publication(":5", {"ID": "1@here/2"}, "ID", 10)


@pytest.mark.parametrize("key", ["fifo", "/dev/zero"])
def test_a_file_of_keys_without_end_or_writer_is_not_waited_for(monkeypatch, tmp_path, key):
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.setenv("XAUTHORITY", str(tmp_path / key))
    with Display({"A": b"a"}) as display:
        assert ask(monkeypatch, display, "A") == {"A": "a"}


def test_a_display_that_says_other_things_without_end_is_not_listened_to_for_ever(monkeypatch):
    ours, theirs = socket.socketpair()
    greeting = struct.pack("<BBHHH", 1, 0, 11, 0, 10) + bytes(40)

    def chatter():
        with contextlib.suppress(OSError), theirs:
            theirs.sendall(greeting)
            while True:
                theirs.sendall((bytes((2,)) + bytes(31)) * 64)  # events

    thread = threading.Thread(target=chatter)
    thread.start()
    monkeypatch.setattr(x11, "_connected", lambda name, patience: ours)
    with pytest.raises(Complaint, match=r"DISPLAY :5: no answer in 0\.2 s"):
        root_window(":5", ("A",), 0.2)
    thread.join()
