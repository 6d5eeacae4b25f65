"""When something is to be done about clients that say too much, or do not end what they began."""

from __future__ import annotations

from collections.abc import Iterator

from eardrum.worker.connection import Connection


class Deadlines:
    """Two lists, looked through only when the first of their times has come. A client in them may be fine by then."""

    def __init__(self, packet_seconds: float) -> None:
        self.due: float | None = None  # when `pass_by` must be called, in seconds
        self._packet_seconds = packet_seconds
        self._late: set[Connection] = set()
        self._begun: set[Connection] = set()

    def note_late(self, client: Connection) -> None:
        """It is not read before its `late_until`."""
        self._late.add(client)
        self._wake_by(client.late_until)

    def note_begun(self, client: Connection) -> None:
        """It has begun a packet at its `begun_at`."""
        self._begun.add(client)
        self._wake_by(client.begun_at + self._packet_seconds)

    def forget(self, client: Connection) -> None:
        """It is gone."""
        self._late.discard(client)
        self._begun.discard(client)

    def _wake_by(self, at: float) -> None:
        if self.due is None or at < self.due:
            self.due = at

    def pass_by(self, now: float) -> tuple[list[Connection], list[Connection]]:
        """The clients that are read again from now on, and those whose packet has taken too long."""
        self.due = None
        again = [client for client in self._late if client.late_until <= now]
        for client in again:
            client.late_until = 0.0
            self._late.discard(client)
        for client in self._late:
            self._wake_by(client.late_until)
        return again, list(self._overdue(now))

    def _overdue(self, now: float) -> Iterator[Connection]:
        for client in tuple(self._begun):
            if not client.begun_at:
                self._begun.discard(client)
                continue
            if client.held_up:
                client.begun_at = now  # that it does not go on is not its fault
            if client.begun_at + self._packet_seconds <= now:
                self._begun.discard(client)
                yield client
            else:
                self._wake_by(client.begun_at + self._packet_seconds)
