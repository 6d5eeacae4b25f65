"""All about the places where a sound socket could be: what lies there, who answers, and where a client ends up.

Nothing here starts a server or changes a file; the servers see one short visit.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace

from eardrum.kernel import probe
from eardrum.kernel.machine import MachineFiles, read_head, surroundings
from eardrum.kernel.peer import group_name, user_name
from eardrum.kernel.probe import PATIENCE, Answer
from eardrum.kernel.x11 import root_window
from eardrum.protocol.kinds import COOKIE_BYTES
from eardrum.terms.errors import Complaint
from eardrum.upstream import discovery
from eardrum.upstream.client_conf import ConfFile, Setting
from eardrum.upstream.discovery import CookieFile, Place, Search
from eardrum.upstream.surroundings import Surroundings

X11_PROPERTIES = ("PULSE_SERVER", "PULSE_COOKIE", "PULSE_SESSION_ID")


@dataclass(frozen=True)
class Lying:
    """What lies at a path, or where the `link` there leads; a problem instead if that is nothing we can look at."""

    kind: str = ""
    owner: str = ""  # names, or numbers that have none
    group: str = ""
    mode: str = ""  # octal
    problem: str = ""
    link: str = ""  # where it leads, if it is one


@dataclass(frozen=True)
class Spot:
    """One place: `number` is its turn, None if a client passes it over, and then `note` says why."""

    address: str
    because: str
    number: int | None = None
    note: str = ""
    path: str | None = None
    lying: Lying | None = None
    directory: Lying | None = None
    answer: Answer | None = None


@dataclass(frozen=True)
class Cookie:
    """A file (or X11 property) that may hold the cookie. `sent`: its content is what a client says to servers."""

    path: str
    because: str
    state: str
    sent: bool


@dataclass(frozen=True)
class Report:
    """`winner` is where a client's connection is taken, None if nowhere. `complaints` are lines about wrong input.

    `autospawn` is what a client starts then; whether it does is not known if `autospawns` is None.
    """

    uid: int
    user: str
    home: str | None
    machine_id: str
    winner: Spot | None
    why: str
    autospawn: str
    autospawns: bool | None
    places: tuple[Spot, ...]
    passed_over: tuple[Spot, ...]
    others: tuple[Spot, ...]
    variables: dict[str, str | None]
    client_conf: tuple[ConfFile, ...]
    settings: dict[str, Setting]
    cookies: tuple[Cookie, ...]
    complaints: tuple[str, ...]


VARIABLES = (
    "PULSE_SERVER", "PULSE_RUNTIME_PATH", "XDG_RUNTIME_DIR", "HOME", "PULSE_CLIENTCONFIG", "PULSE_CONFIG_PATH",
    "XDG_CONFIG_HOME", "PULSE_COOKIE", "PULSE_BINARY", "DISPLAY", "SSH_CONNECTION", "PULSE_DBUS_SERVER",
    "PIPEWIRE_REMOTE", "PIPEWIRE_RUNTIME_DIR",
)  # fmt: skip


def look_around(patience: float = PATIENCE) -> Report:
    """What this process' user would find. `patience` is for the display and for each server, in seconds."""
    around, complaints = _around(patience)
    search = discovery.search(around)
    complaints += search.conf.complaints
    complaints += [
        f"{place.because}: {place.address}: {place.note}" for place in search.places if not place.at and search.named_by
    ]
    cookies, content = _cookies(around, search.cookies)
    places, passed_over = _spots(search, content, patience)
    winner = next((spot for spot in places if spot.answer and spot.answer.connects), None)
    return Report(
        around.uid, user_name(around.uid), around.home, discovery.machine_id(around),
        winner, _why(search, places, winner), search.autospawn, search.autospawns,
        places, passed_over, tuple(_others(around, search)),
        {name: around.environment.get(name) for name in VARIABLES},
        search.conf.files, dict(search.conf.settings), cookies, tuple(complaints),
    )  # fmt: skip


def way_to_server(given: str | None, patience: float = PATIENCE) -> tuple[Search, bytes]:
    """Where a client of this user looks, or what it makes of a `given` address; and the cookie that it says."""
    around, _ = _around(patience)
    search = discovery.search(around, given)
    return search, _cookies(around, search.cookies)[1]


def _around(patience: float) -> tuple[Surroundings, list[str]]:
    """With what the X display says; else a line that tells why it does not."""
    around = surroundings()
    display = around.environment.get("DISPLAY")
    if not display:
        return around, []
    try:
        return replace(around, root_window=root_window(display, X11_PROPERTIES, patience)), []
    except Complaint as complaint:
        return around, [str(complaint)]


def _spots(search: Search, cookie: bytes, patience: float) -> tuple[tuple[Spot, ...], tuple[Spot, ...]]:
    """The places in their turn, and those that are passed over. To these the cookie is not said, nor is any network
    asked for them: no client would do that.
    """
    places: list[Spot] = []
    passed_over: list[Spot] = []
    for place in (*search.places, *search.elsewhere):
        if not place.note:
            assert place.at is not None
            spot = replace(_spot(place), number=len(places) + 1, answer=probe.ask(place.at, cookie, patience))
            places.append(spot)
        elif place.at and place.at.path and place.at.path in [spot.path for spot in (*places, *passed_over)]:
            continue
        else:
            spot = _spot(place)
            if spot.lying and spot.lying.kind == "socket" and place.at:
                spot = replace(spot, answer=probe.ask(place.at, bytes(COOKIE_BYTES), patience))
            passed_over.append(spot)
    return tuple(places), tuple(passed_over)


def _spot(place: Place) -> Spot:
    path = place.at.path if place.at else None
    if path is None:
        return Spot(place.address, place.because, note=place.note)
    directory = _lying(posixpath.dirname(path) or ".")
    return Spot(place.address, place.because, None, place.note, path, _lying(path), directory)


def _why(search: Search, places: tuple[Spot, ...], winner: Spot | None) -> str:
    if winner is None:
        tried = "none of them takes a connection" if places else "there is no place to try"
        return f"{search.named_by} names the server, and {tried}" if search.named_by else tried
    first = "it is the first" if winner.number == 1 else f"number {winner.number} is the first that takes a connection"
    if search.named_by:
        return f"{search.named_by} names it" + ("" if winner.number == 1 else f", and {first}")
    return f"neither PULSE_SERVER nor client.conf names a server, and {first} of the usual places"


def _others(around: Surroundings, search: Search) -> Iterator[Spot]:
    """Sockets that people take for sound servers of this protocol."""
    environment = around.environment
    name = environment.get("PIPEWIRE_REMOTE") or "pipewire-0"
    bases = [environment.get(key) for key in ("PIPEWIRE_RUNTIME_DIR", "XDG_RUNTIME_DIR", "USERPROFILE")]
    base = next((base for base in bases if base), "/run/pipewire")
    pipewire = posixpath.join(base, name)
    yield _other(pipewire, "PipeWire", "PipeWire's own protocol; libpulse does not speak it, nor does Eardrum")
    note = "PulseAudio's D-Bus protocol: control, no sound; libpulse does not use it"
    directory, _, _ = discovery.runtime_directory(around)
    if given := environment.get("PULSE_DBUS_SERVER"):
        yield _other(given, "PULSE_DBUS_SERVER", note)
    elif setting := search.conf.settings.get("default-dbus-server"):
        yield _other(setting.value, f"default-dbus-server in {setting.where}", note)
    elif directory:
        yield _other(f"{directory}/dbus-socket", "module-dbus-protocol", note)


def _other(address: str, because: str, note: str) -> Spot:
    path = address.removeprefix("unix:path=")
    if not path.startswith("/"):
        return Spot(address, because, note=note)
    return Spot(path, because, note=note, path=path, lying=_lying(path))


def _cookies(around: Surroundings, files: tuple[CookieFile, ...]) -> tuple[tuple[Cookie, ...], bytes]:
    """What there is, each file once, and what a client says: zeros where it would first make a new one."""
    told: dict[str, Cookie] = {}
    sent: bytes | None = None
    for file in files:
        state, content = _cookie(around, file)
        is_sent = sent is None and content is not None
        if is_sent or file.path not in told:
            because = told[file.path].because if file.path in told else file.because
            told[file.path] = Cookie(file.path, because, state, is_sent)
        sent = content if sent is None else sent
    return tuple(told.values()), sent or bytes(COOKIE_BYTES)


def _cookie(around: Surroundings, file: CookieFile) -> tuple[str, bytes | None]:
    if file.content is not None:
        return "256 bytes", file.content
    try:
        content = read_head(file.path, COOKIE_BYTES)
    except FileNotFoundError:
        if file.made and around.files.creatable(file.path):
            return "not there; a client makes it, of random bytes", bytes(COOKIE_BYTES)
        return "not there", None
    except OSError as error:
        return str(error.strerror), None
    lying = _lying(file.path)
    whose = f"{lying.owner}:{lying.group} {lying.mode}, "
    if len(content) == COOKIE_BYTES:
        return f"{whose}256 bytes", content
    if file.made and os.access(file.path, os.W_OK):
        return f"{whose}{len(content)} bytes, too short; a client writes it anew, of random bytes", bytes(COOKIE_BYTES)
    return f"{whose}{len(content)} bytes, too short", None


def _lying(path: str) -> Lying:
    files = MachineFiles()
    link = ""
    try:
        if files.look(path).kind == "link":
            link = files.link(path)
        there = files.look(path, follow=True)
    except FileNotFoundError:
        return Lying(problem="nothing there", link=link)
    except OSError as error:
        return Lying(problem=str(error.strerror), link=link)
    return Lying(there.kind, user_name(there.uid), group_name(there.gid), f"{there.mode:04o}", link=link)
