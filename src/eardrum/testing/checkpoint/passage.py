"""One connection on its way through: all bytes of both directions, cut into packets and judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from eardrum.testing.checkpoint.law import (
    ALLOWED,
    BYTES_OF_SAMPLES,
    VERSION,
    Allowed,
    Known,
    Stream,
    Terms,
    Unlawful,
    demand,
)
from eardrum.testing.checkpoint.wire import HEAD, NOBODY, Reader, Unreadable

LONGEST_COMMAND = 64 * 1024  # bytes; nothing that a worker may say is near that
LONGEST_PACKET = 16 * 1024 * 1024
SEEKS = range(4)
REPLY, CREATE_PLAYBACK, DELETE_PLAYBACK, CREATE_RECORD, DELETE_RECORD, AUTH, NAME = 2, 3, 4, 5, 6, 8, 9
_SHOWN = 200  # bytes of a packet that a fault shows


class Cutter:
    """Cuts a stream of bytes into packets; of sound it keeps nothing but the head."""

    def __init__(self, control: Callable[[bytes], None], head: Callable[[int, int, int, int], None]) -> None:
        self._control = control
        self._head = head  # told length, channel, offset and flags of every packet
        self._begun = bytearray()  # of a head, or of a control packet behind its head
        self._left = 0  # bytes until the end of the packet
        self._is_control = False

    def take(self, data: memoryview) -> None:
        """The next bytes. Raises Unreadable where no packet can be."""
        at = 0
        while at < len(data):
            if not self._left:
                at += self._take_head(data[at:])
                continue
            taken = data[at : at + self._left]
            at += len(taken)
            self._left -= len(taken)
            if self._is_control:
                self._begun += taken
                if not self._left:
                    whole = bytes(self._begun)
                    self._begun.clear()
                    self._control(whole)

    def _take_head(self, data: memoryview) -> int:
        taken = data[: HEAD.size - len(self._begun)]
        self._begun += taken
        if len(self._begun) == HEAD.size:
            length, channel, high, low, flags = HEAD.unpack(self._begun)
            self._begun.clear()
            offset = (high << 32 | low) - (high >> 31 << 64)
            if not 0 < length <= LONGEST_PACKET:
                raise Unreadable(f"a packet of {length} bytes for {channel:#x}, flags {flags:#x}")
            self._head(length, channel, offset, flags)
            self._left, self._is_control = length, channel == NOBODY
        return len(taken)


class Passage:
    """A worker's connection to its upstream. Hears both, says nothing, and notes what should not have been said."""

    def __init__(self, terms: Terms, said: Counter[str], note: Callable[[str], None]) -> None:
        self._terms = terms
        self._said = said  # how often, by the name of the command; SOUND for packets of it
        self.note = note
        self._known = Known()
        self._asked: dict[int, int] = {}  # by tag: the command that has no answer yet
        self._greeted = False  # AUTH was answered
        self._called_auth = False
        self._from_worker: Cutter | None = Cutter(self._command, self._worker_head)
        self._from_upstream: Cutter | None = Cutter(self._answer, lambda *_: None)

    def worker_says(self, data: memoryview) -> None:
        """Bytes on their way to the upstream."""
        if self._from_worker is not None:
            try:
                self._from_worker.take(data)
            except Unreadable as why:
                self._from_worker = None  # nobody knows where the next packet begins
                self.note(f"no packet: {why}")

    def upstream_says(self, data: memoryview) -> None:
        """Bytes on their way to the worker: only what a worker gets to know by them is of interest."""
        if self._from_upstream is not None:
            try:
                self._from_upstream.take(data)
            except Unreadable:
                self._from_upstream = None

    # -- what the worker says

    def _worker_head(self, length: int, channel: int, offset: int, flags: int) -> None:
        if channel == NOBODY:
            if flags or offset or length > LONGEST_COMMAND:
                self.note(f"a command of {length} bytes with flags {flags:#x} and offset {offset}")
            return
        self._said["SOUND"] += 1
        stream = self._known.playback.get(channel)
        if flags not in SEEKS:
            self.note(f"sound with flags {flags:#x}")
        if stream is None:
            self.note(f"sound for channel {channel}, which is no playback stream of this connection")
        elif length % stream.frame_bytes or offset % stream.frame_bytes:
            self.note(f"{length} bytes of sound at {offset}, in frames of {stream.frame_bytes}")

    def _command(self, packet: bytes) -> None:
        try:
            self._judge(packet)
        except (Unreadable, Unlawful) as why:
            self.note(f"{why}: {packet[:_SHOWN].hex()}")

    def _judge(self, packet: bytes) -> None:
        reader = Reader(packet)
        code, tag = reader.expect("L"), reader.expect("L")
        allowed = ALLOWED.get(code)
        self._said[allowed.name if allowed else str(code)] += 1
        if allowed is None:
            raise Unlawful(f"command {code}")
        fields = read(reader, allowed)
        demand(tag != NOBODY and tag not in self._asked, f"{allowed.name}: tag {tag} is taken")
        demand(code == AUTH or self._called_auth, f"{allowed.name} before AUTH")
        demand(code in (AUTH, NAME) or self._greeted, f"{allowed.name} before AUTH was answered")
        demand(code != AUTH or not self._called_auth, "AUTH once more")
        self._called_auth |= code == AUTH
        self._asked[tag] = code
        if allowed.check is not None:
            try:
                allowed.check(fields, self._known, self._terms)
            except Unlawful as why:
                raise Unlawful(f"{allowed.name}: {why}") from None
        if code == DELETE_PLAYBACK:
            del self._known.playback[fields["channel"]]
            self._known.draining.discard(fields["channel"])
        elif code == DELETE_RECORD:
            del self._known.record[fields["channel"]]

    # -- what the upstream says

    def _answer(self, packet: bytes) -> None:
        reader = Reader(packet)
        code, tag = reader.expect("L"), reader.expect("L")
        asked = self._asked.pop(tag, NOBODY)
        if code == REPLY and asked == AUTH:
            self._greeted = True
            if reader.expect("L") & 0xFFFF < VERSION:
                self.note(f"this upstream does not speak version {VERSION}, so nothing here can be judged")
        elif code == REPLY and asked in (CREATE_PLAYBACK, CREATE_RECORD):
            streams, spec = (self._known.playback, 7) if asked == CREATE_PLAYBACK else (self._known.record, 4)
            values = reader.rest()  # its channel and index; after a few numbers its sample spec
            number, channels, rate = values[spec]
            streams[values[0]] = Stream(values[1], BYTES_OF_SAMPLES[number] * channels, channels, rate)


def read(reader: Reader, allowed: Allowed) -> dict[str, Any]:
    """The fields of a command, to the end of the packet. Every value has one way to be written, so that is canonical.

    Raises Unreadable.
    """
    fields: dict[str, Any] = {}
    for part in allowed.layout.split():
        name, _, letters = part.partition(":")
        if name == "formats":
            fields[name] = [reader.expect("f") for _ in range(reader.expect("B"))]
        elif name == "keys":
            fields[name] = [*iter(lambda: reader.expect("tN"), None)]
        else:
            fields[name] = reader.expect(letters)
    if not reader.is_over:
        raise Unreadable(f"{allowed.name}: bytes after the last field")
    return fields
