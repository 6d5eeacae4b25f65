"""bwrap's command line: where an outlet goes, and which program is run inside.

bwrap carries out its options in their order, so the outlet has to be mounted after all that the user mounts. Where the
user's options end is only known from how many words each takes; `bwrap --help` says that of the bwrap that is here.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eardrum.containers import client_kit
from eardrum.containers.way import Way
from eardrum.terms.errors import Complaint

Operands = Mapping[str, tuple[str, ...]]  # what follows an option: "--bind" has ("SRC", "DEST")

_HELP_LINE = re.compile(r"^ +(--[a-z0-9-]+)((?: [A-Z][A-Z0-9]*\b)*)", re.MULTILINE)


def read_help(program: str) -> str:
    """What `program --help` prints. Raises Complaint if it cannot be run."""
    try:
        return subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Complaint(f"{program} --help: {error}; is it bubblewrap?", status=126) from None


def operands(help_text: str) -> dict[str, tuple[str, ...]]:
    """Every option in the text of `bwrap --help` with the words it takes."""
    return {option: tuple(words.split()) for option, words in _HELP_LINE.findall(help_text)}


def way(argv: Sequence[str]) -> Way:
    """Raises Complaint if bwrap cannot be asked for its options, or it cannot be told where the program begins."""
    known = operands(read_help(argv[0]))
    return Way(suggested_name(argv, known), lambda directory: spliced(argv, directory, known))


def flags(directory: str) -> list[str]:
    """Options that mount the outlet of `directory`, after those that make /run."""
    return ["--ro-bind", directory, client_kit.DIRECTORY, *_variables(client_kit.DIRECTORY)]


def with_program(argv: Sequence[str], program: Sequence[str]) -> list[str]:
    """See `engines.with_program`."""
    return [*argv[: _plan(argv, operands(read_help(argv[0]))).program], "--", *program]


@dataclass
class _Plan:
    """What the user's options mean for us."""

    mounts_end: int = 1  # after the last option that mounts something
    program: int = 1  # the `--`, or the program where there is none
    run_is_ours: bool = True  # /run is the sandbox's own
    host_run: Path | None = None  # else the host's directory that is seen there, if known
    run_is_used: bool = False  # something is mounted below /run


def spliced(argv: Sequence[str], directory: str, known: Operands) -> list[str]:
    """`argv` (bwrap and its arguments) with the outlet of `directory` mounted; `known` comes from `operands`.

    Raises Complaint if it cannot be told where the program begins.
    """
    plan = _plan(argv, known)
    before, inside = _place(plan, directory)
    mount = [*before, "--ro-bind", directory, inside]
    between = argv[plan.mounts_end : plan.program]
    return [*argv[: plan.mounts_end], *mount, *between, *_variables(inside), *argv[plan.program :]]


def _variables(inside: str) -> list[str]:
    return [word for pair in client_kit.variables(inside).items() for word in ("--setenv", *pair)]


def _place(plan: _Plan, directory: str) -> tuple[list[str], str]:
    """Options that make room for the mount, and its path in the sandbox."""
    if plan.run_is_ours:
        # Without this bwrap makes /run with mode 0700, and a program that changes its uid cannot pass.
        return ["--dir", "/run"], client_kit.DIRECTORY
    if plan.host_run and _is_directory(plan.host_run / "pulse"):
        return [], client_kit.DIRECTORY
    if plan.host_run and not plan.run_is_used and _is_empty(plan.host_run):
        return ["--tmpfs", "/run"], client_kit.DIRECTORY
    # In the host's own /run a directory cannot be made (read-only) or must not (writable), and a tmpfs over it would
    # hide the user's other sockets. The outlet's path is there as well, and where it is hidden bwrap can make it.
    return [], directory


def suggested_name(argv: Sequence[str], known: Operands) -> str:
    """The program that is run inside, without its directory."""
    words = [word for word in argv[_plan(argv, known).program :] if word != "--"]
    return Path(words[0]).name if words else "bwrap"


def _plan(argv: Sequence[str], known: Operands) -> _Plan:
    plan = _Plan()
    at = 1
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "--":
        option = argv[at]
        if option not in known:
            return _plan_by_dashes(argv, option)
        words = argv[at + 1 : at + 1 + len(known[option])]
        at += 1 + len(words)
        if option == "--args":  # what that descriptor holds cannot be read twice
            plan.run_is_ours, plan.host_run, plan.mounts_end = False, None, at
        elif known[option][-1:] == ("DEST",) and words:
            # The outlet goes before a closing --remount-ro, behind which nothing could be made.
            plan.mounts_end = at if option != "--remount-ro" else plan.mounts_end
            _note_mount(plan, option, words, _normal(words[-1]))
    plan.program = at
    return plan


def _note_mount(plan: _Plan, option: str, words: Sequence[str], target: str) -> None:
    plan.run_is_used = plan.run_is_used or target.startswith("/run/")
    if target not in ("/", "/run") or option in ("--dir", "--remount-ro"):
        return
    plan.run_is_ours = option == "--tmpfs"
    plan.host_run = None
    if option.removesuffix("-try") in ("--bind", "--ro-bind", "--dev-bind"):
        plan.host_run = Path(words[0]) if target == "/run" else Path(words[0], "run")


def _plan_by_dashes(argv: Sequence[str], unknown: str) -> _Plan:
    if "--" not in argv:
        raise Complaint(f"bwrap option {unknown}: not in bwrap --help; put -- before the program", status=125)
    program = list(argv).index("--")
    return _Plan(program, program, run_is_ours=False)


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_empty(path: Path) -> bool:
    try:
        return not any(path.iterdir())
    except OSError:
        return False


def _normal(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
