"""The desk's life: take the runtime directory, start the nursery, serve until a signal, finish recordings, end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from eardrum.containers import client_kit
from eardrum.desk import confined
from eardrum.desk.api import served
from eardrum.desk.config import Config
from eardrum.desk.host import choose
from eardrum.desk.outlets import Outlets
from eardrum.desk.overheard import Overheard
from eardrum.desk.say import say
from eardrum.desk.workers import Workers
from eardrum.kernel import descriptors, service, system_user
from eardrum.kernel.outlet_directory import ONLY_OWNER, Access, Runtime
from eardrum.kernel.signals import ENDS
from eardrum.terms.budget import USUAL
from eardrum.worker import nursery
from eardrum.worker.nursery import Nursery, Serve


def run_desk(
    runtime: Path,
    upstream: str | None,
    ready: Callable[[str], object],
    config: Config,
    *,
    system: bool = False,
    until: int | None = None,
    load: Callable[[], Serve] = nursery.load,
) -> int:
    """Be the desk of this runtime directory until SIGTERM, SIGINT or SIGHUP, or until `until`; the exit status.

    `upstream` is an address as in PULSE_SERVER, `none`, or None to look for a server. `ready` is called when the
    control socket answers, with the address of the host's server or `none`. With `system` it serves all users, and
    the group `eardrum` may give orders. `until` is a descriptor that becomes readable when the desk is to end. `load`
    runs in the nursery and gives what workers do. The calling process must have no threads and must not have imported
    numpy. Raises Complaint if the desk cannot start.
    """
    descriptors.raise_limit()
    if descriptors.connections() < USUAL.connections:
        say(f"only {descriptors.connections()} programs fit on one outlet, because `ulimit -Hn` is low")
    confined.check(require=config.confinement.require)
    given = service.handed_over()
    control = Access(0o660, system_user.DESK) if system else ONLY_OWNER
    directory = Runtime(runtime, shared=system or None, control=control, kit=client_kit.files())
    try:
        if given is not None:
            directory.check_control(given)
        overheard = Overheard()

        def start() -> Nursery:
            return nursery.start(load, overheard.writer)

        first = start()  # before the loop: it must inherit neither loop nor thread
        return asyncio.run(_serve(directory, given, upstream, ready, config, until, start, first, overheard))
    finally:
        directory.close()


async def _serve(
    runtime: Runtime,
    given: socket.socket | None,
    upstream: str | None,
    ready: Callable[[str], object],
    config: Config,
    until: int | None,
    start: Callable[[], Nursery],
    first: Nursery,
    overheard: Overheard,
) -> int:
    end = asyncio.Event()
    failed = asyncio.Event()

    def fail() -> None:
        say("the nursery cannot start; is Eardrum completely installed?")
        failed.set()
        end.set()

    for number in ENDS:
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    if until is not None:
        asyncio.get_running_loop().add_reader(until, end.set)
    overheard.listen()
    workers = Workers(start, first, fail)
    try:
        outlets = Outlets(runtime, workers, await choose(upstream, runtime.outlets), config)
        outlets.open_first()
        async with served(given or runtime.listen_control(), outlets):
            ready(outlets.host.address)
            service.notify(READY="1", STATUS=f"Serves outlets; host is {outlets.host.address}")
            await end.wait()
            service.notify(STOPPING="1", STATUS="Completes recordings")
            if given is None:  # else it is the service manager's, which goes on to listen
                runtime.remove_control()
            await outlets.end()
    finally:
        workers.close()
        overheard.close()
    return 1 if failed.is_set() else 0
