"""systemd-nspawn's command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from eardrum.containers import client_kit, options
from eardrum.containers.way import Way
from eardrum.terms.errors import Complaint

# Options that take no value, or only behind an =.
FLAGS = frozenset(
    (
        "as-pid2", "a", "boot", "b", "ephemeral", "x", "help", "h", "j", "keep-unit", "network-veth", "n",
        "no-new-privileges", "no-pager", "pipe", "P", "private-network", "private-users", "U", "quiet", "q",
        "read-only", "share-system", "version", "volatile",
    )
)  # fmt: skip
NAMES = ("machine", "M", "directory", "D", "image", "i")  # options that tell what the container is called


def way(argv: Sequence[str]) -> Way:
    return Way(suggested_name(argv), lambda directory: spliced(argv, directory))


def flags(directory: str) -> list[str]:
    """Options that mount the outlet of `directory`."""
    source = directory.replace("\\", r"\\").replace(":", r"\:")
    return [f"--bind-ro={source}:{client_kit.DIRECTORY}", *(f"--setenv={said}" for said in client_kit.assignments())]


def spliced(argv: Sequence[str], directory: str) -> list[str]:
    """`argv` (systemd-nspawn and its arguments) with the outlet of `directory` mounted."""
    return [argv[0], *flags(directory), *argv[1:]]


def suggested_name(argv: Sequence[str]) -> str:
    """The machine's name, or what its directory or image is called."""
    said, _ = options.read(argv[1:], FLAGS)
    named = [said[option] for option in NAMES if option in said]
    return PurePosixPath(named[0]).name if named else "nspawn"


def with_program(argv: Sequence[str], program: Sequence[str]) -> list[str]:
    """See `engines.with_program`."""
    said, length = options.read(argv[1:], FLAGS)
    if said.keys() & {"boot", "b"}:
        raise Complaint(
            "systemd-nspawn --boot: starts no program; look at it while it runs: `eardrum doctor`", status=125
        )
    return [*argv[: 1 + length], *program]
