"""Where a client looks for its sound server: the places that libpulse tries, in its order, and the cookies it says.

Nothing here looks at the machine by itself: `Surroundings` answers what is asked.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eardrum.protocol.kinds import COOKIE_BYTES
from eardrum.upstream import client_conf
from eardrum.upstream.addresses import Address, Unusable, parse
from eardrum.upstream.client_conf import ClientConf, boolean
from eardrum.upstream.surroundings import Surroundings

SYSTEM_DIRECTORY = "/var/run/pulse"
SYSTEM_SOCKET = f"{SYSTEM_DIRECTORY}/native"
MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")


@dataclass(frozen=True)
class Place:
    """Where a client may look. `at` lacks where no client can make sense of the address, or no path can be told.

    `note` says why a client passes it over; it tries a place without a note.
    """

    address: str  # as libpulse writes it: a path, or an item of a list
    because: str  # the setting that leads here
    at: Address | None
    note: str = ""


@dataclass(frozen=True)
class CookieFile:
    """Where a cookie may be: a file, or (`content`) the X display. `made`: libpulse makes one that lacks."""

    path: str
    because: str
    made: bool = False
    content: bytes | None = None


@dataclass(frozen=True)
class Search:
    """What a client of libpulse does: `places` in the order of its attempts, `elsewhere` what its settings hide."""

    places: tuple[Place, ...]
    elsewhere: tuple[Place, ...]
    named_by: str  # the setting that names the servers; empty: the usual places count
    cookies: tuple[CookieFile, ...]
    autospawn: str  # the program that it starts when nobody answers and `autospawns`; empty: it starts none
    autospawns: bool | None  # None: client.conf does not say, and libpulse's own default differs: yes, in Debian no
    conf: ClientConf


@dataclass(frozen=True)
class Found:
    """Paths of sockets to try in this order, files that may hold the cookie, and a line for each address left out."""

    paths: tuple[str, ...]
    cookies: tuple[str, ...]
    notes: tuple[str, ...] = ()


def find(around: Surroundings, given: str | None = None) -> Found:
    """UNIX sockets that Eardrum may take for an upstream. `given` is what a person typed as --upstream."""
    looked = search(around, given)
    paths: list[str] = []
    notes: list[str] = []
    for place in looked.places:
        path = place.at.path if place.at else None
        if place.note:
            notes.append(f"{place.address}: {place.note}")
        elif path is None:
            note = "is a network address; Eardrum connects to UNIX sockets only, use unix:/PATH"
            notes.append(f"{place.address}: {note}")
        elif not path.startswith("/"):
            notes.append(f"{place.address}: no absolute path; use unix:/PATH")
        elif _is_ours(around, path):
            notes.append(f"{path}: is an outlet of this desk, so it cannot be its upstream")
        elif path not in paths:
            paths.append(path)
    cookies = dict.fromkeys(cookie.path for cookie in looked.cookies if cookie.path)
    return Found(tuple(paths), tuple(cookies), tuple(notes))


def search(around: Surroundings, given: str | None = None) -> Search:
    """What a client does; `given` is what a person named as its server, else the settings count."""
    conf = client_conf.read(around)
    lists = [(given, "the command line")] if given else [*_lists(around, conf)]
    usual = tuple(_usual(around, conf))
    cookies, autospawn = tuple(_cookies(around, conf)), "" if given else _autospawn(around, conf)
    autospawns = boolean(conf.text("autospawn")) if autospawn else False
    if not lists:
        return Search(usual, tuple(_hidden(around)), "", cookies, autospawn, autospawns, conf)
    (listed, named_by), *rest = lists
    elsewhere = [place for text, because in rest for place in _listed(around, text, because)]
    elsewhere += [*usual, *_hidden(around)]
    hidden = tuple(_passed_over(place, f"{named_by} names the server") for place in elsewhere)
    return Search(tuple(_listed(around, listed, named_by)), hidden, named_by, cookies, autospawn, autospawns, conf)


def x11_heeded(around: Surroundings) -> bool:
    """Whether libpulse asks the X display: only in a session that came over SSH."""
    return "SSH_CONNECTION" in around.environment and bool(around.environment.get("DISPLAY"))


def runtime_link(around: Surroundings) -> str:
    """The link to a user's directory of sockets, where no environment variable names one."""
    return posixpath.join(_state_directory(around), f"{machine_id(around)}-runtime")


def machine_id(around: Surroundings) -> str:
    """What stands between braces in an address, and in the name of `runtime_link`."""
    for path in MACHINE_IDS:
        try:
            text = around.files.text(path)
        except OSError:
            continue
        return text.partition("\n")[0][:32] or around.host_name
    return around.host_name


def runtime_directory(around: Surroundings) -> tuple[str, str, str]:
    """The user's own directory of sockets, the setting that says so, and why libpulse does without it (or nothing)."""
    if (path := around.environment.get("PULSE_RUNTIME_PATH")) is not None:
        return path, "PULSE_RUNTIME_PATH", _unfit(around, path)
    if (base := around.environment.get("XDG_RUNTIME_DIR")) is not None:
        path = f"{base}/pulse"
        try:
            owner = around.files.look(base, follow=True).uid
        except OSError:
            owner = around.uid
        if owner != around.uid:
            return path, "XDG_RUNTIME_DIR", f"XDG_RUNTIME_DIR belongs to uid {owner}, we are {around.uid}"
        return path, "XDG_RUNTIME_DIR", _unfit(around, path)
    return _linked_directory(around)


def _linked_directory(around: Surroundings) -> tuple[str, str, str]:
    because = "the link in the home directory"
    if around.home is None:
        return "", because, "no home directory; set HOME or XDG_RUNTIME_DIR"
    try:
        owner = around.files.look(around.home, follow=True).uid
    except FileNotFoundError:
        owner = around.uid
    except OSError as problem:
        return "", because, f"home directory {around.home}: {problem.strerror}"
    link = runtime_link(around)
    if owner not in (around.uid, 0):
        return link, because, f"home directory {around.home} belongs to uid {owner}, we are {around.uid}"
    if why := _unfit(around, posixpath.dirname(link)):
        return link, because, why
    try:
        target = around.files.link(link)
    except FileNotFoundError:
        return link, because, "no such link; libpulse makes one, to a new directory without a socket"
    except OSError:
        return link, because, "is no link"
    if not target.startswith("/"):
        return link, because, f"leads to {target}, which is no absolute path"
    # Anybody may make a directory in /tmp: only one that nobody else can enter is the user's server.
    try:
        there = around.files.look(target)
        ours = (there.kind, there.uid, there.mode & 0o777) == ("directory", around.uid, 0o700)
    except OSError:
        ours = False
    if not ours:
        why = "does not lead to a directory that is ours alone; libpulse makes a new one without a socket"
        return link, because, why
    return _shorter(around, link), because, ""


def _unfit(around: Surroundings, path: str) -> str:
    """Why libpulse cannot make or take this directory for its own, with mode 0700; empty if it can."""
    if not path:
        return "is set but empty"
    try:
        there = around.files.look(path)
    except FileNotFoundError:
        return "" if around.files.creatable(path) else f"directory {path} lacks and libpulse cannot make it"
    except OSError as problem:
        return f"directory {path}: {problem.strerror}"
    if there.kind != "directory":
        return f"{path} is a {there.kind}, libpulse wants a directory"
    if not around.files.readable(path):
        return f"directory {path} cannot be read"
    wanted = (around.uid, around.gid, mode_of_ours(around.environment))
    if (there.uid, there.gid, there.mode) != wanted and not around.files.adoptable(path):
        now = f"{there.uid}:{there.gid} {there.mode:04o}"
        return f"directory {path} is {now} and libpulse cannot make it {wanted[0]}:{wanted[1]} {wanted[2]:04o}"
    return ""


def mode_of_ours(environment: Mapping[str, str]) -> int:
    """Of the directories of a server: for its user alone, or for those of a server for all users to see."""
    return 0o755 if environment.get("PULSE_SYSTEM", "0") not in ("", "0") else 0o700


def _lists(around: Surroundings, conf: ClientConf) -> Iterator[tuple[str, str]]:
    """Every list of servers that is there, with what says it; the first counts."""
    if (listed := around.environment.get("PULSE_SERVER")) is not None:
        yield listed, "PULSE_SERVER"
    if x11_heeded(around) and (listed := around.root_window.get("PULSE_SERVER")):
        yield listed, "the X11 property PULSE_SERVER"
    if setting := conf.settings.get("default-server"):
        yield setting.value, f"default-server in {setting.where}"


def _listed(around: Surroundings, listed: str, because: str) -> Iterator[Place]:
    """Each address of a list."""
    if not listed:
        yield Place('""', because, None, "names nothing: libpulse gives up with `Invalid server`; unset it")
    for item in listed.split():
        try:
            yield Place(item, because, parse(item, machine_id(around)))
        except Unusable as problem:
            yield Place(item, because, None, str(problem))


def _usual(around: Surroundings, conf: ClientConf) -> Iterator[Place]:
    directory, because, note = runtime_directory(around)
    if directory:
        path = _shorter(around, directory) + "/native"
        yield Place(path, because, Address(path), note)
    else:
        yield Place("the user's own socket", because, None, note)
    yield Place(SYSTEM_SOCKET, "always", Address(SYSTEM_SOCKET))
    if conf.switch("auto-connect-localhost", default=False):
        for address in ("tcp4:127.0.0.1", "tcp6:[::1]"):
            yield Place(address, "auto-connect-localhost", parse(address, ""))
    host = around.environment.get("DISPLAY", "").partition(":")[0]
    if host and conf.switch("auto-connect-display", default=False):
        yield from _listed(around, host, "auto-connect-display")


def _shorter(around: Surroundings, directory: str) -> str:
    real = around.files.real(directory)
    return real if len(real) < len(directory) else directory


def _hidden(around: Surroundings) -> Iterator[Place]:
    """Sockets of this user that other settings hide, and the X display's, that is asked in a session over SSH only."""
    counts, by, _ = runtime_directory(around)
    if by == "PULSE_RUNTIME_PATH" and (base := around.environment.get("XDG_RUNTIME_DIR")):
        path = f"{base}/pulse/native"
        if f"{counts}/native" != path:
            yield Place(path, "XDG_RUNTIME_DIR", Address(path), f"{by} names another directory")
    if by in ("PULSE_RUNTIME_PATH", "XDG_RUNTIME_DIR") and around.home is not None:
        directory, because, note = _linked_directory(around)
        path = f"{directory}/native"
        yield Place(path, because, Address(path), note or f"{by} names another directory")
    if (listed := around.root_window.get("PULSE_SERVER")) and not x11_heeded(around):
        note = "libpulse asks the X display only where SSH_CONNECTION is set"
        for place in _listed(around, listed, "the X11 property PULSE_SERVER"):
            yield _passed_over(place, note)


def _passed_over(place: Place, why: str) -> Place:
    return Place(place.address, place.because, place.at, place.note or why)


def _autospawn(around: Surroundings, conf: ClientConf) -> str:
    window = around.root_window if x11_heeded(around) else {}
    foreign = "PULSE_SERVER" in window and (
        window.get("PULSE_SESSION_ID", "") != around.environment.get("XDG_SESSION_ID")
    )
    if "PULSE_SERVER" in around.environment or foreign or around.uid == 0 or not conf.switch("autospawn", default=True):
        return ""
    return around.environment.get("PULSE_BINARY") or conf.text("daemon-binary") or "/usr/bin/pulseaudio"


def _state_directory(around: Surroundings) -> str:
    old = posixpath.join(around.home or "/", ".pulse")
    try:
        around.files.look(old, follow=True)
    except OSError:
        return config_home(around)
    return old


def config_home(around: Surroundings) -> str:
    """Where a user's cookie lies. PULSE_CONFIG_PATH moves client.conf only."""
    configs = around.environment.get("XDG_CONFIG_HOME") or posixpath.join(around.home or "/", ".config")
    return posixpath.join(configs, "pulse")


def _is_ours(around: Surroundings, path: str) -> bool:
    outlets = around.files.real(around.own_outlets)
    return around.files.real(path).startswith(outlets.rstrip("/") + "/")


def _cookies(around: Surroundings, conf: ClientConf) -> Iterator[CookieFile]:
    home = config_home(around) if around.home or around.environment.get("XDG_CONFIG_HOME") else ""
    if (path := around.environment.get("PULSE_COOKIE", ""))[:1] == "/" or (path and home):
        yield CookieFile(posixpath.join(home, path), "PULSE_COOKIE", made=True)
    if x11_heeded(around) and (text := around.root_window.get("PULSE_COOKIE")):
        try:
            content = bytes.fromhex(text)
        except ValueError:
            content = b""
        if len(content) == COOKIE_BYTES:
            yield CookieFile("", "the X11 property PULSE_COOKIE", content=content)
    if (setting := conf.settings.get("cookie-file")) and (setting.value.startswith("/") or home):
        yield CookieFile(posixpath.join(home, setting.value), f"cookie-file in {setting.where}", made=True)
    if home:
        yield CookieFile(posixpath.join(home, "cookie"), "always")
    if around.home:
        yield CookieFile(posixpath.join(around.home, ".pulse-cookie"), "always")
    if home:
        yield CookieFile(posixpath.join(home, "cookie"), "always", made=True)
