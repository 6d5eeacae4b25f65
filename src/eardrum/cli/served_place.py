"""Where `eardrum serve` listens and whom it lets in there: what a person types, and what becomes of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from eardrum.server.admission import NOBODY_ELSE, USUAL_COOKIE, Admission
from eardrum.terms.errors import Complaint

if TYPE_CHECKING:
    from eardrum.worker.openings import Served

_MODE = re.compile(r"0?[0-7]{3}")
_EVERYBODY = 0o006
_X11_PATIENCE = 5.0  # seconds


@dataclass(frozen=True)
class Place:
    """A socket as it was asked for; `mode` None is the one that suits who is let in."""

    path: Path
    admission: Admission = NOBODY_ELSE
    mode: int | None = None

    @property
    def file_mode(self) -> int:
        if self.mode is not None:
            return self.mode
        if self.admission.anonymous or self.admission.cookie:
            return 0o666
        return 0o660 if self.admission.group else 0o600

    @property
    def given_to(self) -> str | None:
        """The group that the socket is given to, because others cannot open it."""
        return None if self.file_mode & _EVERYBODY == _EVERYBODY else self.admission.group


def parsed(value: str) -> Place:
    """`PATH[,auth=WHO…][,mode=MODE]`. Raises Complaint."""
    path, *words = value.split(",")
    if not path:
        raise Complaint(f"--socket {value}: names no path", status=2)
    place = Place(Path(path).absolute())
    for word in words:
        key, _, said = word.partition("=")
        if key == "auth":
            place = replace(place, admission=_admission(place.admission, said, value))
        elif key == "mode":
            if not _MODE.fullmatch(said) or int(said, 8) & 0o600 != 0o600:
                raise Complaint(f"--socket {value}: {word}: use an octal mode like 0600, 0660 or 0666", status=2)
            place = replace(place, mode=int(said, 8))
        else:
            raise Complaint(f"--socket {value}: {word!r} is neither auth=WHO nor mode=MODE", status=2)
    return place


def _admission(before: Admission, said: str, value: str) -> Admission:
    kind, colon, name = said.partition(":")
    match kind, bool(name):
        case "uid", False if not colon:
            return before
        case "anonymous", False if not colon:
            return replace(before, anonymous=True)
        case "group", True if not before.group:
            return replace(before, group=name)
        case "cookie", True if not before.cookie:
            return replace(before, cookie=str(Path(name).absolute()))
        case (("group" | "cookie"), True):
            raise Complaint(f"--socket {value}: one {kind} can be let in; use a second --socket", status=2)
    raise Complaint(f"--socket {value}: auth={said}: use uid, group:NAME, cookie:FILE or anonymous", status=2)


def usual_place(group: str | None) -> Place:
    """Where clients of this user look first; made as PulseAudio makes it, with `group` let in too. Raises Complaint."""
    from eardrum.kernel.machine import surroundings
    from eardrum.kernel.standard_place import user_directory
    from eardrum.worker.standard import MODE

    return Place(user_directory(surroundings()) / "native", Admission(group=group, cookie=USUAL_COOKIE), MODE)


def published(served: Sequence[Served]) -> Callable[[], None]:
    """Tell all who see the X display where we are, and the cookie; what is returned takes it back. Raises Complaint."""
    from eardrum.kernel.machine import surroundings
    from eardrum.kernel.x11 import Publication
    from eardrum.upstream.discovery import machine_id

    around = surroundings()
    display = around.environment.get("DISPLAY")
    if not display:
        raise Complaint("--x11: there is no DISPLAY; set it, or leave --x11 away")
    machine = machine_id(around)
    cookie = next((one.door.cookie for one in served if one.door.cookie), None)
    texts = {
        "PULSE_SERVER": " ".join(f"{{{machine}}}unix:{one.socket.path}" for one in served),
        "PULSE_ID": f"{os.getuid()}@{machine}/{os.getpid()}",
        "PULSE_SESSION_ID": around.environment.get("XDG_SESSION_ID", ""),
        "PULSE_COOKIE": cookie.hex() if cookie else "",
    }
    said = {name: text for name, text in texts.items() if text}
    return Publication(display, said, "PULSE_ID", _X11_PATIENCE).withdraw


def opened(places: Sequence[Place], say: Callable[[str], None]) -> list[Served]:
    """Sockets that listen, in this order; all or none. `say` hears what lacks. Raises Complaint."""
    from eardrum.kernel.door import door, group_number
    from eardrum.kernel.machine import surroundings
    from eardrum.kernel.server_socket import ServerSocket
    from eardrum.worker.openings import Served

    around = surroundings()
    made: list[Served] = []
    try:
        for place in places:
            who = door(place.admission, around, lambda lack: say(f"{lack}; until then nobody is let in by a cookie"))
            group = group_number(place.given_to)
            socket = ServerSocket(place.path, place.file_mode, -1 if group is None else group)
            made.append(Served(socket, who))
    except Complaint:
        for served in made:
            served.socket.remove()
        raise
    return made
