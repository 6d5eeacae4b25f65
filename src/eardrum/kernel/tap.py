"""A socket that passes everything on to a sound server, and tells what went by."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence

from eardrum.kernel.upstream_socket import PATIENCE, Unreachable, reach
from eardrum.protocol.tap import Said, Side, Tap

READ_BYTES = 64 * 1024  # at once from one side
LAST_WORDS = 1.0  # seconds for what is still under way when it is over

Heard = Callable[[int, Said], None]  # told of each packet before it is passed on; connections count from 1
Lost = Callable[[int, Unreachable], None]  # told of a connection for which no server was there


async def server_at(paths: Sequence[str]) -> socket.socket:
    """A connection to the first server that takes one. Raises what the first was Unreachable for."""
    first: Unreachable | None = None
    for path in paths:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            async with asyncio.timeout(PATIENCE):
                await reach(connection, path)
                return connection
        except TimeoutError:
            problem = Unreachable(path, f"takes no connection in {PATIENCE:g} s; is the sound server stuck?")
        except Unreachable as unreachable:
            problem = unreachable
        connection.close()
        first = first or problem
    assert first is not None
    raise first


async def pass_on(listening: socket.socket, paths: Sequence[str], over: int, heard: Heard, lost: Lost) -> None:
    """Serve `listening`, a non-blocking socket, with the server at one of `paths` behind each connection.

    Ends when the other end of the pipe `over` is closed, and what the programs had said by then is passed on.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(over, ended.set)
    under_way: set[asyncio.Task[None]] = set()

    async def accept() -> None:
        number = 0
        while True:
            client, _ = await loop.sock_accept(listening)
            number += 1
            task = asyncio.create_task(_connection(number, client, paths, heard, lost))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    accepting = asyncio.create_task(accept())
    await ended.wait()
    loop.remove_reader(over)
    accepting.cancel()
    if under_way:
        await asyncio.wait(under_way, timeout=LAST_WORDS)
    for task in under_way:
        task.cancel()


async def _connection(number: int, client: socket.socket, paths: Sequence[str], heard: Heard, lost: Lost) -> None:
    with client:
        try:
            server = await server_at(paths)
        except Unreachable as unreachable:
            lost(number, unreachable)
            return
        tap = Tap()

        def tell(said: Said) -> None:
            heard(number, said)

        with server:
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(_one_way("client", client, server, tap, tell))
                    both.create_task(_one_way("server", server, client, tap, tell))
            except* OSError:  # one of them is gone
                pass


async def _one_way(
    by: Side, source: socket.socket, target: socket.socket, tap: Tap, heard: Callable[[Said], None]
) -> None:
    """Descriptors that come along are not taken, so the kernel closes them."""
    loop = asyncio.get_running_loop()
    while not tap.broken and (data := await loop.sock_recv(source, READ_BYTES)):
        for said in tap.hear(by, memoryview(data)):
            heard(said)
            await loop.sock_sendall(target, said.passes)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR if tap.broken else socket.SHUT_WR)
