"""The host's sound server: where it is now, for whoever needs it, as long as it takes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from eardrum.desk.say import say
from eardrum.kernel.machine import surroundings
from eardrum.kernel.upstream_socket import Unreachable, connect, no_answer
from eardrum.server.events import OUTPUT
from eardrum.terms.errors import Complaint
from eardrum.terms.names import SPEAKERS, WireEnd
from eardrum.upstream.discovery import Found, find

NONE = "none"
RETRY = 0.1  # seconds until the addresses are tried again, where nobody is there
LONGEST_PAUSE = 2.0  # seconds, where somebody is there again and again, but does not take us
LOOK_EVERY = 0.5  # seconds between two looks for a server on a machine that has had none
PATIENCE = 2.0  # seconds without an answer until the next address is tried
FIND_EVERY = 1.0  # seconds that addresses count before they are looked up anew

Failed = Callable[[Unreachable], None]
Connected = tuple[socket.socket, int]  # an authenticated connection, and the version to speak


class Host:
    """Sockets of the host's sound server in the order to try them.

    `there` is False on a machine on which no server has answered yet, and none was named: the room `speakers` plays its
    part. Once it is True it stays so, and who is not connected waits.
    """

    def __init__(self, looked_up: Callable[[], Found] | None = None, named: bool = False) -> None:
        """`looked_up` tells where a server may be now; without it there is none, for ever."""
        self.there = named
        self.trouble: Unreachable | None = None  # why nobody took us the last time
        self.appeared: Callable[[], None] = lambda: None  # `there` has become True
        self._looked_up = looked_up
        self._found = looked_up() if looked_up else Found((), ())
        self._address = _address(self._found.paths) if named else NONE
        self._named = named
        self._turn = asyncio.Lock()
        self._pause = RETRY
        self._looking: asyncio.Task[None] | None = None
        self._waiting = 0  # who wants to be connected
        self._pending: dict[str, _Attempt] = {}  # by path: where an answer is still to come
        loop = asyncio.get_running_loop()
        self._now = loop.time
        self._found_at = self._tried_at = loop.time()

    @property
    def address(self) -> str:
        """As in PULSE_SERVER; `none` before the first server has answered."""
        return self._address

    def place_of(self, wire: int, end: WireEnd) -> WireEnd:
        """What this end of a wire is on this machine now. A room plays the host's part, but is no microphone of it."""
        if end.kind != "host" or self.there:
            return end
        if wire == OUTPUT:
            return WireEnd("room", SPEAKERS)
        return end if self._looked_up else WireEnd("silence")

    async def connect(self, failed: Failed) -> Connected:
        """An authenticated connection and the version to speak, as soon as the server at one of the addresses takes us.

        `failed` is told why it takes longer. However many wait and however long, a server that hangs gets one
        connection.
        """
        with self._wanting():
            while True:
                async with self._turn:
                    if self.trouble is None or self._now() - self._tried_at >= self._pause:
                        try:
                            return await self._try()
                        except Unreachable:
                            pass
                    if self.trouble is not None:
                        failed(self.trouble)
                await asyncio.sleep(self._pause)

    def look_out(self, needed: Callable[[], bool]) -> None:
        """Look for a first server from now on, as long as one is `needed`."""
        if self._looked_up and not self.there and (self._looking is None or self._looking.done()):
            self._looking = asyncio.get_running_loop().create_task(self._look(needed))

    async def connect_once(self) -> Connected:
        """The same after one attempt. Raises what the first address was unreachable for."""
        with self._wanting():
            async with self._turn:
                return await self._try()

    async def probe(self) -> None:
        """Try all addresses once. Raises what the first one was unreachable for."""
        connection, _ = await self.connect_once()
        connection.close()

    async def look(self) -> None:
        """Know whether there is a first server by now, if there was none before."""
        if self._looked_up and not self.there:
            with suppress(Unreachable):
                await self.probe()

    async def _look(self, needed: Callable[[], bool]) -> None:
        while needed() and not self.there:
            try:
                await self.probe()
            except Unreachable:
                await asyncio.sleep(LOOK_EVERY)

    @contextmanager
    def _wanting(self) -> Iterator[None]:
        """Somebody wants to be connected. When nobody does any more, no answer is waited for."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            while not self._waiting and self._pending:
                self._pending.popitem()[1].give_up()

    async def _try(self) -> Connected:
        """The first address that takes us. Raises what the first one was unreachable for."""
        first: Unreachable | None = None
        for path in self._paths():
            try:
                connected = await self._ask(path)
            except Unreachable as unreachable:
                first = first or unreachable
            else:
                self._answered(path)
                return connected
        self._unreachable(first or Unreachable("", "no address is known; `eardrum up --upstream ADDRESS` names one"))
        assert self.trouble
        raise self.trouble

    async def _ask(self, path: str) -> Connected:
        """Connect to this address, or wait on for its answer. Raises Unreachable."""
        attempt = self._pending.pop(path, None)
        if attempt is not None and attempt.place != _place(path):
            attempt.give_up()  # another server has taken the path over
            attempt = None
        attempt = self._pending[path] = attempt or _Attempt(path, self._found.cookies)
        await asyncio.wait([attempt.task], timeout=PATIENCE)
        if not attempt.task.done():
            raise no_answer(path, PATIENCE)
        del self._pending[path]
        return attempt.task.result()

    def _paths(self) -> Sequence[str]:
        if self._looked_up and self._now() - self._found_at >= FIND_EVERY:
            self._found, self._found_at = self._looked_up(), self._now()
        return self._found.paths

    def _answered(self, path: str) -> None:
        if self.trouble and self.there:
            say(f"unix:{path}: the sound server answers again")
        self.trouble, self._pause = None, RETRY
        if not self._named:
            self._address = _address([path])
        if not self.there:
            self.there = True
            self.appeared()

    def _unreachable(self, why: Unreachable) -> None:
        if self.there and (self.trouble is None or self.trouble.why != why.why):
            say(f"{why}; outlets wired to `host` are silent until it answers")
        self._pause = min(self._pause * 2, LONGEST_PAUSE) if why.answered else RETRY
        self.trouble, self._tried_at = why, self._now()


class _Attempt:
    """A connection to a path, whose answer may take as long as it likes."""

    def __init__(self, path: str, cookies: Sequence[str]) -> None:
        self.place = _place(path)
        self.task = asyncio.get_running_loop().create_task(connect(path, cookies, patience=None))

    def give_up(self) -> None:
        """Hang up, also if the answer has come."""
        self.task.cancel()
        self.task.add_done_callback(_hang_up)


def _hang_up(task: asyncio.Task[Connected]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result()[0].close()


def _place(path: str) -> tuple[int, int] | None:
    """Device and inode of what lies there."""
    try:
        there = Path(path).stat()
    except OSError:
        return None
    return there.st_dev, there.st_ino


def _address(paths: Sequence[str]) -> str:
    return " ".join(f"unix:{path}" for path in paths)


async def choose(upstream: str | None, own_outlets: Path) -> Host:
    """The host's server as a person named it, or as it is found. Raises Complaint if the name can be nobody's."""
    if upstream == NONE:
        return Host()
    found = find(surroundings(own_outlets), upstream)
    if upstream is not None and not found.paths:
        _say_all(found.notes)
        raise Complaint(f"--upstream {upstream}: names no UNIX socket; use unix:/PATH or none", status=2)
    if upstream is not None or not found.paths:
        _say_all(found.notes)
    host = Host(lambda: find(surroundings(own_outlets), upstream), named=upstream is not None)
    try:
        await host.probe()
    except Unreachable:
        if upstream is None:
            say(f"no sound server answers here; `host` is the room `{SPEAKERS}` until one does")
    return host


def _say_all(notes: Sequence[str]) -> None:
    for note in notes:
        say(note)
