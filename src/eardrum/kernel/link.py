"""One connected stream socket: reading into shared memory, writing what was queued with one call."""

from __future__ import annotations

import contextlib
import mmap
import os
import socket

from eardrum.terms.audio import Samples

READ_BYTES = 64 * 1024  # at once from one connection
_IOV_MAX = 1000


class Scratch:
    """The memory that all links of a process read into. What was read stays until `reset`."""

    def __init__(self, nbytes: int = 2 * READ_BYTES) -> None:
        self.view = memoryview(mmap.mmap(-1, nbytes))  # pages that were never read into take no memory
        self.used = 0
        self._most = nbytes - READ_BYTES

    @property
    def full(self) -> bool:
        return self.used > self._most

    def reset(self) -> None:
        self.used = 0


class Link:
    """A non-blocking stream socket. Descriptors that a peer sends along are closed by the kernel, never taken."""

    __slots__ = ("_queue", "_rest", "descriptor", "queued", "socket")

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.descriptor = connection.fileno()
        self.queued = 0  # bytes that the peer has not taken, tried or not
        self._queue: list[Samples] = []  # to be written; may lie in scratch memory until `flush`
        self._rest: list[bytes] = []  # what did not go out, ours

    def read(self, scratch: Scratch) -> memoryview | None:
        """What has come, in scratch memory; None at the end of the connection. Empty: nothing yet."""
        used = scratch.used
        room = scratch.view[used : used + READ_BYTES]
        try:
            # recv without room for ancillary data: the kernel closes descriptors that came along
            nbytes = self.socket.recv_into(room)
        except BlockingIOError:
            return room[:0]
        except OSError:
            return None
        if not nbytes:
            return None
        scratch.used = used + nbytes
        return room[:nbytes]

    def queue(self, *parts: Samples) -> None:
        """Write these with the next flush, which must come before the scratch memory they may lie in is used again."""
        self._queue += parts
        self.queued += sum(map(len, parts))

    def send(self, packet: Samples) -> bool:
        """Write this now, or with the next flush if the peer takes no more. False: the connection is over."""
        written = 0
        if not self.queued:
            try:
                written = self.socket.send(packet, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                pass
            except OSError:
                return False
        if written < len(packet):
            self.queue(packet[written:])
        return True

    def flush(self) -> bool:
        """Write what was queued; what the peer does not take is kept. False: the connection is over."""
        if not self.queued:
            return True
        parts, self._queue = (self._rest + self._queue if self._rest else self._queue), []
        try:
            if len(parts) == 1:
                written = self.socket.send(parts[0], socket.MSG_NOSIGNAL)
            else:
                written = self._write(parts)
        except BlockingIOError:
            written = 0
        except OSError:
            return False
        if written < self.queued:
            self._keep(parts, written)
        else:
            self._rest = []
            self.queued = 0
        return True

    def _write(self, parts: list[Samples]) -> int:
        written = 0
        with contextlib.suppress(BlockingIOError):
            for start in range(0, len(parts), _IOV_MAX):
                batch = parts[start : start + _IOV_MAX]
                done = os.writev(self.descriptor, batch)
                written += done
                if done < sum(map(len, batch)):
                    break
        return written

    def _keep(self, parts: list[Samples], written: int) -> None:
        self._rest, self.queued = [], 0
        for part in parts:
            if written >= len(part):
                written -= len(part)
                continue
            self._rest.append(bytes(part[written:]))
            self.queued += len(part) - written
            written = 0

    def shut(self) -> None:
        """End the connection, also for who else has it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.close()
