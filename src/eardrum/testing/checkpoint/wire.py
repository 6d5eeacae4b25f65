"""The checkpoint's own reading of the wire: tagged values, and the one way in which each may be written.

Written from a description of the protocol and from nothing of ours: a fault that the product's codec has must not be
here too. It knows version 35 only, which is what both ends are made to speak.
"""

from __future__ import annotations

import struct
from typing import Any

HEAD = struct.Struct(">IIIII")  # length, channel, high and low half of the offset, flags
NOBODY = 0xFFFFFFFF  # no index; as a channel: a control packet; as a tag: nobody's
MOST_CHANNELS = 32
MOST_BYTES_OF_A_VALUE = 65_536

Properties = list[tuple[str, bytes]]


class Unreadable(Exception):
    """These bytes are no values of the protocol."""


class Reader:
    """Reads one control packet value by value; each method raises Unreadable when something else is there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_over(self) -> bool:
        return self._at == len(self._data)

    def value(self) -> Any:
        """The next value, whatever it is; a format is read as the two values that it consists of."""
        letter = chr(self._peek())
        if letter not in _READ:
            raise Unreadable(f"letter {letter!r} at {self._at}")
        return _READ[letter](self)

    def expect(self, letters: str) -> Any:
        """The next value, which must begin with one of these letters."""
        if chr(self._peek()) not in letters:
            raise Unreadable(f"letter {chr(self._peek())!r} at {self._at}, not one of {letters!r}")
        return self.value()

    def rest(self) -> list[Any]:
        """All values to the end."""
        values = []
        while not self.is_over:
            values.append(self.value())
        return values

    def _peek(self) -> int:
        if self.is_over:
            raise Unreadable("it ends too early")
        return self._data[self._at]

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise Unreadable("it ends too early")
        self._at += count
        return taken

    def _unpack(self, layout: str) -> Any:
        (number,) = struct.unpack(layout, self._take(struct.calcsize(layout)))
        return number

    def _after_letter(self, layout: str) -> Any:
        self._at += 1
        return self._unpack(layout)

    def _text(self) -> str:
        self._at += 1
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise Unreadable("a string without an end")
        words = self._take(end - self._at)
        self._at += 1
        try:
            return words.decode()
        except UnicodeDecodeError:
            raise Unreadable(f"a string that is no text: {words!r}") from None

    def _constant(self, what: Any) -> Any:
        self._at += 1
        return what

    def _time(self) -> tuple[int, int]:
        return self._after_letter(">I"), self._unpack(">I")

    def _spec(self) -> tuple[int, int, int]:
        return self._after_letter(">B"), self._unpack(">B"), self._unpack(">I")

    def _channels(self) -> int:
        count: int = self._after_letter(">B")
        if count > MOST_CHANNELS:
            raise Unreadable(f"{count} channels")
        return count

    def _map(self) -> bytes:
        return self._take(self._channels())

    def _levels(self) -> tuple[int, ...]:
        count = self._channels()
        return struct.unpack(f">{count}I", self._take(4 * count))

    def _bytes(self) -> bytes:
        return self._take(self._after_letter(">I"))

    def _properties(self) -> Properties:
        self._at += 1
        found: Properties = []
        while (key := self.expect("tN")) is not None:
            length, value = self.expect("L"), self.expect("x")
            if not key or not key.isascii() or length != len(value) or length > MOST_BYTES_OF_A_VALUE:
                raise Unreadable(f"property {key!r} of {len(value)} bytes, {length} announced")
            found.append((key, value))
        return found

    def _format(self) -> tuple[int, Properties]:
        self._at += 1
        return self.expect("B"), self.expect("P")


_READ: dict[str, Any] = {
    "t": Reader._text,
    "N": lambda reader: reader._constant(None),
    "L": lambda reader: reader._after_letter(">I"),
    "B": lambda reader: reader._after_letter(">B"),
    "R": lambda reader: reader._after_letter(">Q"),
    "r": lambda reader: reader._after_letter(">q"),
    "U": lambda reader: reader._after_letter(">Q"),
    "T": Reader._time,
    "1": lambda reader: reader._constant(True),
    "0": lambda reader: reader._constant(False),
    "a": Reader._spec,
    "m": Reader._map,
    "v": Reader._levels,
    "V": lambda reader: reader._after_letter(">I"),
    "x": Reader._bytes,
    "P": Reader._properties,
    "f": Reader._format,
}
