"""The process of `eardrum serve`: a server with every right for those whom it lets in, until a signal ends it.

No desk stands behind it, and it is not confined: it may open what its user may open.
"""

from __future__ import annotations

import gc
import os
import pwd
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from eardrum.kernel import memory
from eardrum.kernel.confinement import Layer
from eardrum.kernel.door import door
from eardrum.kernel.machine import surroundings
from eardrum.kernel.server_socket import ServerSocket
from eardrum.kernel.signals import Signals
from eardrum.kernel.standard_place import user_directory
from eardrum.server.effects import KeepLevel, Listen, WireSays
from eardrum.server.events import INPUT
from eardrum.server.rights import EVERY
from eardrum.server.views import serve_view
from eardrum.terms.budget import SERVE
from eardrum.terms.names import WireEnd
from eardrum.worker.ends import open_ends
from eardrum.worker.openings import Places, Served
from eardrum.worker.owner import Counts
from eardrum.worker.records import Kind, Record
from eardrum.worker.serving import Worker

MODE = 0o777  # of a socket where PulseAudio's would be: who is let in, AUTH says


class Foreground:
    """Whoever started this process, as the `Owner` of its worker: speaks by signals, is told by lines."""

    lingers: float | None = None
    orphan = False
    stale = False
    due: float | None = None

    def __init__(self, ready: Callable[[], None], say: Callable[[str], None]) -> None:
        self._signals = Signals()
        self._ready = ready
        self._say = say
        self.descriptor = self._signals.descriptor

    def receive(self) -> tuple[Record, list[int]] | None:
        return (Record(Kind.FINISH), []) if self._signals.end_asked() else None

    def tell(self, record: Record) -> None:
        if record.kind is Kind.READY:
            self._ready()
        elif record.kind is Kind.FILE_FAILED and record.a == INPUT:
            self._say("the source's file is broken, or cannot be played: it is silent from there on")
        elif record.kind is Kind.FILE_FAILED:
            self._say("the recording ends here: the disk is full, or files may not be longer; all else plays on")

    def keep_level(self, effect: KeepLevel) -> None:
        """Levels last as long as the server."""

    def wire_says(self, effect: WireSays) -> None:
        """No wire leads to another server."""

    def report(self, now: float, count: Callable[[], Counts]) -> None:
        """Nobody counts."""

    def tell_news(self) -> None:
        """There is none."""

    def close(self) -> None:
        self._signals.close()


def make_socket(effect: Listen) -> Served:
    """What a module wants, as PulseAudio makes it: all may open the socket, and who is let in says AUTH's judge.

    Raises Complaint.
    """
    around = surroundings()
    path = Path(effect.path)
    who = door(effect.admission, around)
    return Served(ServerSocket(path if path.is_absolute() else user_directory(around) / path, MODE), who)


def serve(
    served: Sequence[Served],
    output: WireEnd,
    input: WireEnd | None,
    files: Sequence[int],
    *,
    usual_group: str | None,
    ready: Callable[[], None],
    say: Callable[[str], None],
) -> None:
    """Serve until SIGTERM, SIGINT, SIGHUP or a client's EXIT.

    `served` are the sockets from the start, `files` what ends with a path write and read; all become ours.
    `usual_group` is let in at the sockets of modules that name no other. `ready` is
    called when clients are answered, `say` with what a person should know.
    """
    owner = Foreground(ready, say)
    ends = open_ends(output, input, files)
    view = serve_view(user_name(), socket.gethostname(), output, input, usual_group)
    places = Places(served, make_socket)
    worker = Worker("serve", view, owner, rights=EVERY, ends=ends, places=places, budget=SERVE)
    memory.give_back_early()
    gc.collect()
    gc.freeze()
    worker.run(confine=lambda: Layer(0))


def user_name() -> str:
    """The name of this process' user, or its number where it has none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
