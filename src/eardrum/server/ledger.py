"""What the streams of a view hold of sound, all together: an outlet is refused before it has more than its budget.

A stream *claims* what it must have room for: the queue that its client is asked to fill, a resampler, a cycle of what
it records. Who would claim more than is left is not made. What comes unasked, and what is recorded and not read, is
*lent* as long as something is left, and lost when nothing is. What is lent and no longer needed comes back when it is
missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eardrum.terms.errors import PulseError, Refused

if TYPE_CHECKING:
    from eardrum.server.objects import View
    from eardrum.server.record import RecordStream
    from eardrum.server.stream import Stream

LOAN = 256 * 1024  # bytes that are lent at once, if there are so many


class Ledger:
    """The ledger of one view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._called_back = -1.0  # when that was done last, in seconds

    def _streams(self) -> list[Stream]:
        return [*self._view.sink_inputs.values(), *self._view.source_outputs.values()]

    @property
    def left(self) -> int:
        """Bytes that nobody has claimed or borrowed; below zero if the budget was larger before."""
        return self._view.budget.sound_bytes - sum(each.claimed + each.borrowed for each in self._streams())

    def claim(self, nbytes: int) -> None:
        """Whether a stream may have so many bytes more. Raises Refused(TOOLARGE)."""
        if nbytes > 0 and self.left < nbytes:
            self._call_back()
            if self.left < nbytes:
                raise Refused(PulseError.TOOLARGE, "the streams hold too much sound")

    def borrow(self, stream: Stream, needed: int, most: int) -> bool:
        """Lend this stream the bytes that it needs and some more, `most` at most. False: there are not so many."""
        if needed <= 0:
            return True
        if needed > most:
            return False
        left = self.left
        if left < needed and self._called_back != stream.server.now:
            self._called_back = stream.server.now
            self._call_back()
            left = self.left
        if left < needed:
            return False
        stream.lent += min(max(needed, LOAN), most, left)
        return True

    def unread_room(self, stream: RecordStream, waiting: int) -> int:
        """How much of `waiting` bytes may wait for the client of a record stream, which does not read."""
        if waiting > stream.lent:
            others = sum(each.borrowed for each in stream.client.record.values()) - stream.lent
            most = min(stream.attr.maxlength, self._view.budget.unread_sound_bytes - others) - stream.lent
            self.borrow(stream, min(waiting - stream.lent, most), most)
        return stream.lent

    def _call_back(self) -> None:
        for stream in self._streams():
            stream.give_back()
