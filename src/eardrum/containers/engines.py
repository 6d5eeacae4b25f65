"""Which engine a command is one of; only the file that knows it is imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from eardrum.containers.way import Way
from eardrum.terms.errors import Complaint


def way_of(argv: Sequence[str]) -> Way | None:
    """How this command gets its outlet; None if it is no engine's. Raises Complaint if it makes no container."""
    match PurePosixPath(argv[0]).name:
        case "podman" | "docker" | "nerdctl":
            from eardrum.containers import oci

            return oci.way(argv)
        case "bwrap":
            from eardrum.containers import bubblewrap

            return bubblewrap.way(argv)
        case "systemd-nspawn":
            from eardrum.containers import nspawn

            return nspawn.way(argv)
        case "lxc-execute" | "lxc-start":
            from eardrum.containers import lxc

            return lxc.way(argv)
        case "distrobox" | "distrobox-enter" | "distrobox-ephemeral":
            from eardrum.containers import session

            return session.distrobox(argv)
        case "toolbox" | "flatpak" | "firejail" as engine:
            from eardrum.containers import session

            ways = {"toolbox": session.toolbox, "flatpak": session.flatpak, "firejail": session.firejail}
            return ways[engine](argv)
        case "docker-compose" | "podman-compose" as engine:
            raise Complaint(
                f"{engine}: its file says what a container gets; `eardrum open NAME`, and then"
                " `eardrum flags compose NAME` prints what goes into it",
                status=125,
            )
        case "incus" | "lxc" as engine:
            raise Complaint(
                f"{engine}: its containers get devices by commands of their own; `eardrum open NAME`, and then"
                " `eardrum flags incus NAME` prints them",
                status=125,
            )
    return None


def with_program(argv: Sequence[str], program: Sequence[str]) -> list[str]:
    """The same command with this program in the container in place of its own, in the foreground, from no terminal.

    Raises Complaint if that cannot be said on this engine's command line.
    """
    match PurePosixPath(argv[0]).name:
        case "podman" | "docker" | "nerdctl":
            from eardrum.containers import oci

            return oci.with_program(argv, program)
        case "bwrap":
            from eardrum.containers import bubblewrap

            return bubblewrap.with_program(argv, program)
        case "systemd-nspawn":
            from eardrum.containers import nspawn

            return nspawn.with_program(argv, program)
        case "lxc-execute":
            from eardrum.containers import lxc

            return lxc.with_program(argv, program)
    raise Complaint(
        f"{argv[0]}: cannot be tried with another program; start it with `eardrum run`, then `eardrum doctor`",
        status=125,
    )
