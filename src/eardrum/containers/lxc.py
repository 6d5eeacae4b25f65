"""LXC's commands lxc-execute and lxc-start, and the lines of its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from eardrum.containers import client_kit, options
from eardrum.containers.way import Way

FLAGS = frozenset(
    (
        "close-all-fds", "C", "daemon", "d", "foreground", "F", "help", "h", "?", "quiet", "q", "usage", "version",
    )
)  # fmt: skip
_MOUNTED = f"{client_kit.DIRECTORY.lstrip('/')} none bind,ro,nosuid,nodev,noexec,create=dir 0 0"


def way(argv: Sequence[str]) -> Way:
    return Way(suggested_name(argv), lambda directory: spliced(argv, directory), outlives=outlives(argv))


def lines(directory: str) -> list[str]:
    """Lines of a container's configuration that mount the outlet of `directory`."""
    variables = (f"lxc.environment = {said}" for said in client_kit.assignments())
    return [f"lxc.mount.entry = {_fstab_field(directory)} {_MOUNTED}", *variables]


def flags(directory: str) -> list[str]:
    """The same lines as options."""
    return [word for line in lines(directory) for word in ("--define", line.replace(" = ", "=", 1))]


def spliced(argv: Sequence[str], directory: str) -> list[str]:
    """`argv` (lxc-execute or lxc-start and its arguments) with the outlet of `directory` mounted."""
    return [argv[0], *flags(directory), *argv[1:]]


def suggested_name(argv: Sequence[str]) -> str:
    """The container's name."""
    said, length = options.read(argv[1:], FLAGS)
    return said.get("name") or said.get("n") or "".join(argv[1 + length : 2 + length]) or "lxc"


def outlives(argv: Sequence[str]) -> bool:
    """True if the container is still to run when this command has ended."""
    said, _ = options.read(argv[1:], FLAGS)
    if PurePosixPath(argv[0]).name == "lxc-execute":
        return bool(said.keys() & {"daemon", "d"})
    return not said.keys() & {"foreground", "F"}


def with_program(argv: Sequence[str], program: Sequence[str]) -> list[str]:
    """See `engines.with_program`; of lxc-execute."""
    said, length = options.read(argv[1:], FLAGS)
    end = 1 + length - (argv[length] == "--")
    name = [] if said.keys() & {"name", "n"} else [*argv[1 + length : 2 + length]]
    return [*argv[:end], *(["-n", *name] if name else []), "--", *program]


def _fstab_field(text: str) -> str:
    """One field of a line as in fstab."""
    return "".join(f"\\{ord(char):03o}" if char in " \t\n\\#" else char for char in text)
