"""podman's command line: where an outlet goes, what the container is called, whether it outlives the command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from eardrum.containers import client_kit
from eardrum.terms.errors import Complaint

# Options that take no value. Every other one takes the next word, unless it has an = or, short, its value right behind.
GLOBAL_FLAGS = frozenset(("help", "noout", "remote", "r", "syslog", "trace", "transient-store", "version", "v"))
FLAGS = frozenset(
    (
        "detach", "d", "disable-content-trust", "env-host", "help", "http-proxy", "init", "interactive", "i",
        "no-healthcheck", "no-hostname", "no-hosts", "oom-kill-disable", "passwd", "privileged", "publish-all", "P",
        "quiet", "q", "read-only", "read-only-tmpfs", "replace", "rm", "rmi", "rootfs", "sig-proxy", "tls-verify",
        "tty", "t", "unsetenv-all",
    )
)  # fmt: skip
MAKES_CONTAINERS = ("run", "create")


def spliced(argv: Sequence[str], directory: str) -> list[str]:
    """`argv` (podman and its arguments) with the outlet of `directory` mounted.

    Raises Complaint if the command makes no container.
    """
    after = _options_start(argv)
    mount = f"type=bind,{_csv_field(f'src={directory}')},dst={client_kit.DIRECTORY},ro"
    return [*argv[:after], "--mount", mount, "--env", f"PULSE_SERVER={client_kit.server()}", *argv[after:]]


def suggested_name(argv: Sequence[str]) -> str:
    """What the person calls this container: its --name, or the last part of its image without tag and digest."""
    start = _options_start(argv)
    options, length = _options(argv[start:], FLAGS)
    if "name" in options:
        return options["name"]
    image = "".join(argv[start + length : start + length + 1]) or "podman"
    return PurePosixPath(image.partition("@")[0]).name.partition(":")[0]


def outlives(argv: Sequence[str]) -> bool:
    """True if the container is still to run when this command has ended."""
    start = _options_start(argv)
    options, _ = _options(argv[start:], FLAGS)
    detached = options.get("detach", options.get("d", "false"))
    return argv[start - 1] == "create" or detached.lower() in ("", "true", "t", "1")


def _options_start(argv: Sequence[str]) -> int:
    """Where the options of `run` or `create` begin."""
    _, length = _options(argv[1:], GLOBAL_FLAGS)
    verb = 1 + length
    if "".join(argv[verb : verb + 1]) == "container":
        verb += 1
    if verb < len(argv) and argv[verb] in MAKES_CONTAINERS:
        return verb + 1
    said = " ".join(argv[: verb + 1])
    raise Complaint(f"{said}: makes no container; use `podman run …` or `podman create …`", status=125)


def _options(words: Sequence[str], flags: frozenset[str]) -> tuple[dict[str, str], int]:
    """The options that `words` begin with (a flag's value is ""), and how many words they are."""
    found: dict[str, str] = {}
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        word = words[at]
        at += 1
        if word == "--":
            break
        for name, value in _parts(word, flags):
            if value is None:
                value = "".join(words[at : at + 1])
                at += 1
            found[name] = value
    return found, at


def _parts(word: str, flags: frozenset[str]) -> list[tuple[str, str | None]]:
    """The options in one word, `--name=value` or a group such as `-itv…`; None: the value is the next word."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        return [(name, value if equals or name in flags else None)]
    found: list[tuple[str, str | None]] = []
    for at, letter in enumerate(word[1:], start=1):
        rest = word[at + 1 :]
        if letter not in flags or rest.startswith("="):
            return [*found, (letter, rest.removeprefix("=") or None)]
        found.append((letter, ""))
    return found


def _csv_field(text: str) -> str:
    """One field of the line of CSV that --mount takes."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text
