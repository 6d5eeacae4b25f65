"""The loop of a worker: descriptors to watch and one time to wake at. Wake-ups are what costs, so all that is ready is
done in one.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
_GONE = select.EPOLLHUP | select.EPOLLERR

Events = list[tuple[int, int]]  # descriptors and what they are ready for
First = Callable[[Events], Events]  # does some of them; returns the others
Ready = Callable[[int], None]  # called with the events that are ready


class Loop:
    """Calls back when descriptors are ready, after telling the time.

    `woke(now, wall)` is called first in every wake-up (seconds of the monotonic clock, seconds since 1970), `settled()`
    last; `wake_at` (monotonic seconds) may be set at any time, None to sleep until something is ready. `rest` (seconds)
    may be set when several answers will come soon: for so long nothing is looked at, so that one wake-up serves all.
    """

    def __init__(self, woke: Callable[[float, float], None], settled: Callable[[], None]) -> None:
        self.wake_at: float | None = None
        self.rest = 0.0
        self.running = True
        self.begun = False
        self.first: First | None = None
        self._woke = woke
        self._settled = settled
        self._epoll = select.epoll()
        self._ready: dict[int, Ready] = {}

    def watch(self, descriptor: int, events: int, ready: Ready) -> None:
        self._ready[descriptor] = ready
        self._epoll.register(descriptor, events)

    def change(self, descriptor: int, events: int) -> None:
        """Wait for other events; 0 waits for none but the end of the connection."""
        self._epoll.modify(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Call before the descriptor is closed; nothing that is ready on it is called any more."""
        if self._ready.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def close(self) -> None:
        """Watch nothing any more; the descriptors stay open."""
        self._epoll.close()
        self._ready.clear()

    def begin(self) -> None:
        """Tell the time, if that was not done in this wake-up."""
        if not self.begun:
            self.begun = True
            self._woke(time.monotonic(), time.time())

    def run(self) -> None:
        """Until `running` is false."""
        poll, ready, monotonic = self._epoll.poll, self._ready, time.monotonic
        while self.running:
            if self.rest:
                time.sleep(self.rest)
                self.rest = 0.0
            at = self.wake_at
            events = poll(None if at is None else max(0.0, at - monotonic()))
            self.begun = False
            if events and self.first is not None:
                events = self.first(events)
                if not (events or self.begun or (at is not None and monotonic() >= at)):
                    continue
            self.begin()
            for descriptor, happened in events:
                call = ready.get(descriptor)
                if call is not None:  # forgotten by one that was called before it
                    call(happened)
            self._settled()


def readable(events: int) -> bool:
    """There is something to read, if only the end."""
    return bool(events & (READ | _GONE))


def gone(events: int) -> bool:
    """The other end is closed, both ways: this is ready until the descriptor is forgotten."""
    return bool(events & _GONE)
