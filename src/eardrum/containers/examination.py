"""What keeps a program in a container from its sound, or gives it more than sound: found by looking at its process.

In: a process as `kernel.process_view` shows it. Out: findings, each with what to do. Never: changes anything; believes
what the container says of itself further than its own sound depends on it.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from eardrum.containers import client_kit
from eardrum.kernel.probe import PATIENCE, Answer
from eardrum.kernel.process_view import ProcessView
from eardrum.terms.errors import PulseError
from eardrum.upstream import discovery
from eardrum.upstream.discovery import Place, Search

OURS = "eardrum"  # what outlets are called in their own words
MOST_ASKED = 32  # sockets of a kind: a container may have made any number, of which none answers
GONE = "//deleted"  # behind the root of a mount whose file or directory was removed
_MOUNT_IT = f"mount the directory that `eardrum open` prints at {client_kit.DIRECTORY}"
_NAME_IT = f"set PULSE_SERVER={client_kit.server()}"
_LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/app/lib")
_ALSA_DIRECTORIES = ("/etc/alsa/conf.d", "/usr/share/alsa/alsa.conf.d")
_PLUGIN = "libasound_module_pcm_pulse.so"
_TAME = re.compile(r"unconfined|docker-default|containers-default|lxc-container-default|crio-default")


class Finding(NamedTuple):
    """Something wrong: a word for programs, what it is, and what mends it."""

    code: str
    what: str
    mend: str


class _Tried(NamedTuple):
    """What becomes of a client's attempt at a place; without a finding it gets through."""

    path: str
    answer: Answer
    finding: Finding | None


def examine(view: ProcessView, patience: float = PATIENCE) -> Iterator[Finding]:
    """All that is wrong with the sound of a process that ought to have an outlet and no more.

    `patience` is for each server, in seconds; servers see one short visit.
    """
    search = discovery.search(view.surroundings())
    for complaint in search.conf.complaints if search.conf.files else ():
        yield Finding("client-conf", complaint, "mend that line, or have PULSE_CLIENTCONFIG name another file")
    tried = list(_attempts(view, search, patience))
    winner = tried[-1] if tried and tried[-1].finding is None else None
    if winner is None:
        yield from _in_vain(view, search, tried)
    else:
        yield from _mounted_alone(view, winner.path)
        if winner.answer.server != OURS:
            yield from _at_a_raw_server(view, search, winner)
    if search.autospawn and search.autospawns and view.files.there(search.autospawn):
        what = f"client.conf lets programs start {search.autospawn}; whenever nobody answers, sound goes there, unheard"
        yield Finding("autospawn", what, f"{_NAME_IT}, or autospawn = no in client.conf")
    yield from _lacking(view)
    yield from _guarded(view)
    yield from _besides(view, {view.files.real(one.path) for one in tried}, patience)


# -- where a client ends up


def _attempts(view: ProcessView, search: Search, patience: float) -> Iterator[_Tried]:
    """What a client tries, up to the place that takes it."""
    for place in search.places[:MOST_ASKED]:
        tried = _attempt(view, place, patience)
        yield tried
        if tried.finding is None:
            return


def _attempt(view: ProcessView, place: Place, patience: float) -> _Tried:
    path = place.at.path if place.at else None
    if place.note:
        what = f"{place.address} ({place.because}): {place.note}"
        return _Tried(path or "", Answer(False), Finding("passed-over", what, f"{_MOUNT_IT}, {_NAME_IT}"))
    if path is None:
        what = f"{place.because} names {place.address}, which leads over a network; an outlet is a path"
        return _Tried("", Answer(False), Finding("network-address", what, f"{_MOUNT_IT}, {_NAME_IT}"))
    answer = Answer(False)
    finding: Finding | None
    finding = _unreachable(view, path, f"{path} ({place.because})")
    if finding is None:
        answer = view.ask(path, patience)
        finding = _unanswered(view, path, f"{path} ({place.because})", answer)
    return _Tried(path, answer, finding)


def _unreachable(view: ProcessView, path: str, named: str) -> Finding | None:
    """What keeps the program from connecting, before anybody is asked."""
    try:
        there = view.files.stat(path)
    except OSError:
        mount = view.mount_at(path.rpartition("/")[0])
        if mount is not None and mount.root.endswith(GONE):
            what = f"{named}: the directory that is mounted there was removed; the one made since is another"
            return Finding("stale-directory-mount", what, "start the container again; never remove that directory")
        return Finding("no-socket", f"nothing lies at {named}: `Connection refused`", f"{_MOUNT_IT}, {_NAME_IT}")
    if not stat.S_ISSOCK(there.st_mode):
        what = f"{named} is a {view.files.look(path, follow=True).kind}, no socket"
        mend = "open the outlet before the container starts (an engine makes directories where a source is missing)"
        return Finding("no-socket-but", what, f"{mend}; {_MOUNT_IT}")
    if not view.files.reaches(path):
        whose = f"{there.st_uid}:{there.st_gid} {stat.S_IMODE(there.st_mode):04o}"
        what = f"uid {view.user.uid} may not connect to {named}, which is {whose}: `Access denied`"
        mend = "open the outlet with --mode 0666, the default, or run the program with the uid or group that may"
        return Finding("wrong-uid", what, mend)
    return None


def _unanswered(view: ProcessView, path: str, named: str, answer: Answer) -> Finding | None:
    """Why nobody serves the program there."""
    mount = view.mount_at(path)
    match answer.error:
        case None:
            return None
        case _ if mount is not None and mount.root.endswith(GONE):
            what = f"{named} was mounted by itself, and its server has made another since: `Connection refused`"
            return Finding("stale-socket-mount", what, f"never mount a socket's file; {_MOUNT_IT}")
        case PulseError.CONNECTIONREFUSED:
            what = f"nobody serves {named}: `Connection refused`"
            return Finding("refused", what, "`eardrum up` serves what was open; or start that server again")
        case PulseError.TIMEOUT:
            what = f"who serves {named} does not answer: `Timeout`"
            return Finding("timeout", what, "see on the host whether that server hangs, and start it again")
        case PulseError.ACCESS:
            what = f"who serves {named} lets in its own user, or who knows its cookie: `Access denied`"
            return Finding("access-denied", what, f"an outlet asks for neither: {_MOUNT_IT}, {_NAME_IT}")
        case PulseError.CONNECTIONTERMINATED:
            what = f"who serves {named} hangs up: it has as many clients as it takes (PulseAudio: 64)"
            return Finding("too-many-clients", what, "end some; an outlet has a larger budget of its own (--budget)")
    what = f"what answers at {named} is no sound server: `Protocol error`"
    return Finding("protocol-error", what, f"give PULSE_SERVER a socket called native, as {client_kit.server()}")


def _in_vain(view: ProcessView, search: Search, tried: list[_Tried]) -> Iterator[Finding]:
    """Of all attempts those at places where there is something; of the others that there is nothing."""
    told = False
    for path, _, finding in tried:
        assert finding is not None
        match finding.code:
            case "no-socket":
                telling = len(tried) == 1
            case "passed-over" if not search.named_by:
                telling = view.files.there(path)
                what = f"{finding.what}: `Failed to create secure directory`"
                finding = Finding("secure-directory", what, finding.mend)
            case _:
                telling = True
        if telling:
            told = True
            yield finding
    if told:
        return
    looked, at = ", ".join(one.path for one in tried if one.path), f"{client_kit.DIRECTORY}/native"
    if view.files.there(at):
        what = f"the outlet is at {at}, but /var/run is no link to /run here, and programs look at {looked}"
        yield Finding("var-run", what, _NAME_IT)
    else:
        yield Finding("no-socket", f"no sound socket; programs look at {looked}: `Connection refused`", _MOUNT_IT)


def _mounted_alone(view: ProcessView, path: str) -> Iterator[Finding]:
    if view.mount_at(path) is not None:
        what = f"{path} is a mount of the socket alone: after the next start of its server it leads nowhere"
        yield Finding("socket-mount", what, f"{_MOUNT_IT} instead")


def _at_a_raw_server(view: ProcessView, search: Search, winner: _Tried) -> Iterator[Finding]:
    server, owner = winner.answer.server or "a sound server", view.files.stat(winner.path).st_uid
    what = f"the program's server is {server} itself, at {winner.path}: who holds that socket has your account"
    yield Finding("raw-socket", what, f"take that mount away; {_MOUNT_IT}, {_NAME_IT}")
    if view.user.uid != owner and not any(view.files.readable(cookie.path) for cookie in search.cookies):
        what = f"uid {view.user.uid} is not uid {owner}, whose server is at {winner.path}, and has no cookie"
        yield Finding("access-denied", f"{what}: `Access denied`", f"an outlet asks for neither: {_MOUNT_IT}")
    if search.conf.switch("enable-shm", default=True) and not _shares_memory(view):
        what = f"{server} hands sound over in /dev/shm, and this one is another: `shm_open() failed`"
        yield Finding("shm-open", what, "an outlet needs none; else enable-shm = no in client.conf")


def _shares_memory(view: ProcessView) -> bool:
    try:
        return view.files.stat("/dev/shm").st_dev == Path("/dev/shm").stat().st_dev
    except OSError:
        return False


# -- what a program needs besides


def _lacking(view: ProcessView) -> Iterator[Finding]:
    """Libraries that the image has not."""
    libraries = list(_directories_of_libraries(view))
    if not any(_has(view, directory, "libpulse.so.0") for directory in libraries):
        mend = "install it in the image (Debian: libpulse0, Fedora: pulseaudio-libs, Alpine: libpulse)"
        yield Finding("no-libpulse", "there is no libpulse.so.0, so no program can speak to a sound server", mend)
    if not any(_has(view, directory, "libasound.so.2") for directory in libraries):
        return
    if not any(_has(view, f"{directory}/alsa-lib", _PLUGIN) for directory in libraries):
        what = f"programs of ALSA find no {_PLUGIN}, so they reach no sound server"
        names = "Debian: libasound2-plugins, Fedora: alsa-plugins-pulseaudio, Alpine: alsa-plugins-pulse"
        mend = f"install it in the image ({names})"
        yield Finding("no-alsa-plugin", what, mend)
    elif not any(_leads_to_pulse(view, path) for path in _alsa_files(view)):
        what = "ALSA's default device leads to no sound server: `Unknown PCM default`, `cannot find card '0'`"
        kit = f"{client_kit.DIRECTORY}/asound.conf"
        yield Finding("alsa-default", what, f"set ALSA_CONFIG_PATH=/usr/share/alsa/alsa.conf:{kit}")


def _directories_of_libraries(view: ProcessView) -> Iterator[str]:
    for directory in _LIBRARIES:
        yield directory
        yield from (f"{directory}/{name}" for name in view.files.names(directory) if "linux" in name)


def _has(view: ProcessView, directory: str, name: str) -> bool:
    return view.files.there(f"{directory}/{name}")


def _alsa_files(view: ProcessView) -> Iterator[str]:
    yield from filter(None, view.environment.get("ALSA_CONFIG_PATH", "").split(":"))
    yield "/etc/asound.conf"
    yield f"{view.surroundings().home or ''}/.asoundrc"
    for directory in _ALSA_DIRECTORIES:
        yield from (f"{directory}/{name}" for name in view.files.names(directory) if name.endswith(".conf"))


def _leads_to_pulse(view: ProcessView, path: str) -> bool:
    try:
        text = view.files.text(path)
    except OSError:
        return False
    if re.search(r"pcm\.!?default\s+pulse", text):
        return True
    blocks = (
        re.split(r"pcm\.!?default\s*\{", part, maxsplit=1) for part in text.split("}")
    )  # each text is gone through once
    return any(re.search(r"type\s+pulse", found) for _, *rest in blocks for found in rest)


def _guarded(view: ProcessView) -> Iterator[Finding]:
    """Security modules that judge connections by more than owner and mode."""
    if view.label.count(":") >= 3:
        domain = view.label.split(":")[2]
        if domain not in ("spc_t", "unconfined_t"):
            what = f"SELinux confines the program to {domain}, which may connect only where a rule lets it (connectto)"
            mend = "if it is refused: --security-opt label=disable, or a rule for the domain that Eardrum runs in"
            yield Finding("selinux", what, mend)
    elif view.label and not _TAME.match(view.label):
        what = f"AppArmor confines the program by {view.label}, and its rules may not name the outlet"
        yield Finding("apparmor", what, f"if it is refused, let the profile have `{client_kit.DIRECTORY}/* rw,`")


# -- what it should not have


def _besides(view: ProcessView, known: set[str], patience: float) -> Iterator[Finding]:
    """Other ways to the host's sound and to the person's desktop, past the outlet. `known` sockets were told of."""
    past = "the outlet is then decoration"
    if any(name.startswith("pcm") for name in view.files.names("/dev/snd")):
        what = f"/dev/snd is in the container, so it plays and records on the card itself; {past}"
        yield Finding("sound-card", what, "leave --device /dev/snd, --privileged or the mount of /dev away")
    for path in _sockets(view, _pipewires(view)):
        what = f"{path} is PipeWire's own socket: sound, and often cameras and screens; {past}"
        yield Finding("pipewire", what, "take that mount away; an outlet needs none of $XDG_RUNTIME_DIR")
    for path in _sockets(view, _buses(view)):
        what = f"{path} is the session bus, over which programs are started outside; {past}"
        yield Finding("session-bus", what, "take that mount away, or put xdg-dbus-proxy before it")
    for path in _sockets(view, _native_sockets(view)):
        if view.files.real(path) not in known and _is_raw(view.ask(path, patience)):
            what = f"{path} is the sound server's own socket: who holds it has your account; {past}"
            yield Finding("raw-socket", what, "take that mount away; an outlet needs none of $XDG_RUNTIME_DIR")
    for path in _sockets(view, _controls(view)):
        what = f"{path} is the control socket of Eardrum's desk: the container can open what it likes; {past}"
        yield Finding("control-socket", what, "mount the directory of one outlet, never one above it")


def _is_raw(answer: Answer) -> bool:
    return answer.error is PulseError.ACCESS or (answer.error is None and answer.server != OURS)


def _sockets(view: ProcessView, paths: Iterator[str]) -> Iterator[str]:
    """Those that are sockets, each once, and no more than can be asked."""
    seen: set[tuple[int, int]] = set()
    for path in paths:
        if len(seen) == MOST_ASKED:
            return
        try:
            there = view.files.stat(path)
        except OSError:
            continue
        if stat.S_ISSOCK(there.st_mode) and (there.st_dev, there.st_ino) not in seen:
            seen.add((there.st_dev, there.st_ino))
            yield path


def _runtime_directories(view: ProcessView) -> Iterator[str]:
    yield from filter(None, (view.environment.get("XDG_RUNTIME_DIR"), view.environment.get("PIPEWIRE_RUNTIME_DIR")))
    yield from (f"/run/user/{name}" for name in view.files.names("/run/user"))


def _pipewires(view: ProcessView) -> Iterator[str]:
    named = view.environment.get("PIPEWIRE_REMOTE", "pipewire-0")
    if named.startswith("/"):
        yield named
    for directory in (*_runtime_directories(view), "/run/pipewire"):
        yield from (
            f"{directory}/{name}" for name in view.files.names(directory) if re.fullmatch("pipewire-[0-9]+", name)
        )
        yield f"{directory}/{named}"


def _buses(view: ProcessView) -> Iterator[str]:
    for address in view.environment.get("DBUS_SESSION_BUS_ADDRESS", "").split(";"):
        if address.startswith("unix:path="):
            yield address.removeprefix("unix:path=").partition(",")[0]
    yield from (f"{directory}/bus" for directory in _runtime_directories(view))


def _native_sockets(view: ProcessView) -> Iterator[str]:
    yield from (f"{directory}/pulse/native" for directory in _runtime_directories(view))
    yield from (f"{client_kit.DIRECTORY}/native", discovery.SYSTEM_SOCKET)
    yield from (f"/tmp/{name}/native" for name in view.files.names("/tmp") if name.startswith("pulse-"))


def _controls(view: ProcessView) -> Iterator[str]:
    for directory in (*_runtime_directories(view), "/run", "/tmp"):
        yield from (f"{directory}/{name}/control" for name in view.files.names(directory) if "eardrum" in name)
    for mount in view.mounts:
        if view.files.there(f"{mount.point}/outlets"):
            yield f"{mount.point}/control"
