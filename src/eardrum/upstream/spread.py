"""Which connection of a wire carries which stream: some upstreams take only so many streams from one client."""

from __future__ import annotations

from eardrum.protocol.catalog import CreatePlaybackStream, CreateRecordStream
from eardrum.terms.errors import PulseError

FULL = PulseError.UNKNOWN  # what pipewire-pulse says for the stream after the last that it takes from one client

Create = CreatePlaybackStream | CreateRecordStream


class Spread:
    """The streams of one wire. Its connections have numbers from 0 on.

    A new stream goes to the first connection that has not said that it is full, or to where its sync group is.
    """

    def __init__(self, most: int) -> None:
        """There are at most so many connections."""
        self._most = most
        self._at: dict[int, int] = {}  # connection by stream
        self._groups: dict[int, int] = {}  # sync group by playback stream
        self._asked: dict[int, tuple[int, Create]] = {}  # streams that were asked for, by token
        self._full: set[int] = set()

    def place(self, stream: int, token: int, create: Create) -> int:
        """The number of the connection that is to make this stream; the number of all of them: none has room."""
        self._asked[token] = stream, create
        if isinstance(create, CreatePlaybackStream):
            self._groups[stream] = create.sync_id
        group = self._group_at(stream)
        free = (number for number in range(self._most + 1) if number not in self._full)
        self._at[stream] = next(free) if group is None else group
        return self._at[stream]

    def at(self, stream: int) -> int:
        """The number of the connection that has this stream; 0 for what is no stream."""
        return self._at.get(stream, 0)

    def made(self, token: int) -> None:
        """What was asked for with this token is answered."""
        self._asked.pop(token, None)

    def refused(self, token: int, error: PulseError) -> tuple[int, Create] | None:
        """The stream that must be asked for once more, elsewhere; None: the refusal holds."""
        stream, create = self._asked.pop(token, (0, None))
        if create is None:
            return None
        number = self._at[stream]
        others = any(at == number for other, at in self._at.items() if other != stream)
        again = error is FULL and others and self._group_at(stream) is None
        self._drop(stream)
        if again:
            self._full.add(number)
        return (stream, create) if again else None

    def forget(self, stream: int) -> None:
        """This stream is gone; where it was there is room again."""
        if stream in self._at:
            self._full.discard(self._at[stream])
            self._drop(stream)

    def _drop(self, stream: int) -> None:
        del self._at[stream]
        self._groups.pop(stream, None)

    def _group_at(self, stream: int) -> int | None:
        group = self._groups.get(stream)
        others = (other for other, its in self._groups.items() if its == group and other != stream)
        return next((self._at[other] for other in others), None) if group is not None else None
