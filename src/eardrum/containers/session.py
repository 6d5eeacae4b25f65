"""distrobox, toolbx, flatpak and firejail: engines that share the person's session with a program.

They show it the host's own sound socket, or can. An outlet gives the program other sound; what else it sees is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from eardrum.containers import client_kit, options
from eardrum.containers.way import Way
from eardrum.terms.errors import Complaint

_WHOLE_SESSION = (
    "the container also sees your home and all of /run/user: the host's sound server, session bus and display;"
    " the outlet closes none of them"
)
DISTROBOX_BESIDE = f"distrobox: {_WHOLE_SESSION}"
TOOLBOX_BESIDE = f"toolbox: {_WHOLE_SESSION}"
FLATPAK_BESIDE = (
    "flatpak: the app keeps all else that it may, /dev/snd too if that is --device=all;"
    " `flatpak info --show-permissions APP` tells"
)
FIREJAIL_BESIDE = (
    "firejail: of /run/user the program sees the outlet and what its profile lets it see,"
    " of the host's sound neither socket nor /dev/snd"
)
DISTROBOX_FLAGS = frozenset(
    (
        "dry-run", "d", "headless", "H", "help", "h", "no-tty", "T", "no-workdir", "nw", "root", "r", "verbose", "v",
        "version", "V", "yes", "Y",
    )
)  # fmt: skip
TOOLBOX_FLAGS = frozenset(("assumeyes", "y", "help", "h", "log-podman", "verbose", "v", "version"))
FLATPAK_FLAGS = frozenset(
    (
        "a11y-bus", "devel", "d", "die-with-parent", "p", "file-forwarding", "help", "h", "log-a11y-bus",
        "log-session-bus", "log-system-bus", "no-a11y-bus", "no-documents-portal", "no-session-bus",
        "ostree-verbose", "parent-expose-pids", "parent-share-pids", "sandbox", "session-bus", "system", "user", "u",
        "verbose", "v",
    )
)  # fmt: skip


def distrobox(argv: Sequence[str]) -> Way:
    """It passes its own environment on. Raises Complaint for a command that starts no program."""
    start = 1
    if PurePosixPath(argv[0]).name == "distrobox":
        start, verb = 2, "".join(argv[1:2])
        if verb not in ("enter", "ephemeral"):
            raise Complaint(f"distrobox {verb}: starts no program; use `distrobox enter NAME -- …`", status=125)
    said, length = options.read(argv[start:], DISTROBOX_FLAGS)
    name = said.get("name") or said.get("n") or "".join(argv[start + length : start + length + 1]) or "distrobox"
    return Way(name, lambda directory: argv, distrobox_variables, beside=DISTROBOX_BESIDE)


def distrobox_variables(directory: str) -> dict[str, str]:
    return client_kit.variables(_seen_from_a_box(directory))


def toolbox(argv: Sequence[str]) -> Way:
    """It passes few variables on, so they are set inside. Raises Complaint for a command that runs no program."""
    _, length = options.read(argv[1:], TOOLBOX_FLAGS)
    verb = 1 + length
    if "".join(argv[verb : verb + 1]) != "run":
        raise Complaint(f"{' '.join(argv[: verb + 1])}: passes no variables on; use `toolbox run …`", status=125)
    said, length = options.read(argv[verb + 1 :], TOOLBOX_FLAGS)
    program = verb + 1 + length
    name = said.get("container") or said.get("c") or "toolbox"
    return Way(
        name,
        lambda directory: [*argv[:program], *toolbox_words(directory), *argv[program:]],
        beside=TOOLBOX_BESIDE,
    )


def toolbox_words(directory: str) -> list[str]:
    """What comes before the program's name."""
    return ["env", *client_kit.assignments(_seen_from_a_box(directory))]


def flatpak(argv: Sequence[str]) -> Way:
    """Raises Complaint for a command that runs no app."""
    _, length = options.read(argv[1:], FLATPAK_FLAGS)
    verb = 1 + length
    if "".join(argv[verb : verb + 1]) != "run":
        raise Complaint(f"{' '.join(argv[: verb + 1])}: runs no app; use `flatpak run …`", status=125)
    _, length = options.read(argv[verb + 1 :], FLATPAK_FLAGS)
    app = "".join(argv[verb + 1 + length : verb + 2 + length]) or "flatpak"
    return Way(
        app.partition("/")[0].rpartition(".")[2],
        lambda directory: [*argv[: verb + 1], *flatpak_flags(directory), *argv[verb + 1 :]],
        beside=FLATPAK_BESIDE,
    )


def flatpak_flags(directory: str) -> list[str]:
    variables = (f"--env={said}" for said in client_kit.assignments(directory))
    return ["--nosocket=pulseaudio", f"--filesystem={directory}:ro", *variables]


def firejail(argv: Sequence[str]) -> Way:
    words = [word for word in argv[1:] if not word.startswith("-")]  # its options have their values behind an =
    return Way(
        PurePosixPath(words[0]).name if words else "firejail",
        lambda directory: [argv[0], *firejail_flags(directory), *argv[1:]],
        beside=FIREJAIL_BESIDE,
    )


def firejail_flags(directory: str) -> list[str]:
    variables = (f"--env={said}" for said in client_kit.assignments(directory))
    hidden = (f"--blacklist={path}" for path in ("${RUNUSER}/pulse", "${RUNUSER}/pipewire-*", "/dev/snd"))
    return [*hidden, f"--whitelist={directory}", *variables]


def _seen_from_a_box(directory: str) -> str:
    """Where distrobox and toolbx show it: /run/user is there under its own name, the rest below /run/host."""
    return directory if directory.startswith("/run/user/") else f"/run/host{directory}"
