"""The command lines of podman, docker and nerdctl: where an outlet goes, and what they tell of the container."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from eardrum.containers import client_kit, options
from eardrum.containers.way import Way
from eardrum.terms.errors import Complaint

# Options that take no value, of all three: no name that is a flag of one takes a value in another.
GLOBAL_FLAGS = frozenset(
    (
        "debug", "D", "debug-full", "experimental", "help", "h", "insecure-registry", "kube-hide-dupe", "noout",
        "remote", "r", "syslog", "tls", "tlsverify", "trace", "transient-store", "version", "v",
    )
)  # fmt: skip
FLAGS = frozenset(
    (
        "detach", "d", "disable-content-trust", "env-host", "help", "http-proxy", "init", "interactive", "i",
        "no-healthcheck", "no-hostname", "no-hosts", "oom-kill-disable", "passwd", "privileged", "publish-all", "P",
        "quiet", "q", "read-only", "read-only-tmpfs", "replace", "rm", "rmi", "rootfs", "sig-proxy", "tls-verify",
        "tty", "t", "unsetenv-all", "use-api-socket",
    )
)  # fmt: skip
MAKES_CONTAINERS = ("run", "create")


def way(argv: Sequence[str]) -> Way:
    """Raises Complaint if the command makes no container."""
    return Way(suggested_name(argv), lambda directory: spliced(argv, directory), outlives=outlives(argv))


def flags(directory: str) -> list[str]:
    """Options of `run` and `create` that mount the outlet of `directory`."""
    mount = f"type=bind,{_csv_field(f'src={directory}')},dst={client_kit.DIRECTORY},ro"
    variables = (("--env", variable) for variable in client_kit.assignments())
    return ["--mount", mount, *(word for pair in variables for word in pair)]


def spliced(argv: Sequence[str], directory: str) -> list[str]:
    """`argv` (the engine and its arguments) with the outlet of `directory` mounted.

    What the person says of the same comes behind it, and counts. Raises Complaint if the command makes no container.
    """
    after = _options_start(argv)
    return [*argv[:after], *flags(directory), *argv[after:]]


def suggested_name(argv: Sequence[str]) -> str:
    """What the person calls this container: its --name, or the last part of its image without tag and digest."""
    start = _options_start(argv)
    said, length = options.read(argv[start:], FLAGS)
    if "name" in said:
        return said["name"]
    image = "".join(argv[start + length : start + length + 1]) or PurePosixPath(argv[0]).name
    return PurePosixPath(image.partition("@")[0]).name.partition(":")[0]


def outlives(argv: Sequence[str]) -> bool:
    """True if the container is still to run when this command has ended."""
    start = _options_start(argv)
    said, _ = options.read(argv[start:], FLAGS)
    detached = said.get("detach", said.get("d", "false"))
    return argv[start - 1] == "create" or detached.lower() in ("", "true", "t", "1")


def with_program(argv: Sequence[str], program: Sequence[str]) -> list[str]:
    """See `engines.with_program`. The container is a new one that is removed afterwards."""
    start = _options_start(argv)
    said, length = options.read(argv[start:], FLAGS)
    image = start + length
    if image >= len(argv):
        raise Complaint(f"{' '.join(argv)}: names no image", status=125)
    end = image - 1 if argv[image - 1] == "--" else image
    name = [f"--name={said['name']}-doctor"] if "name" in said else []
    # What is said last counts.
    own = ["--detach=false", "--tty=false", "--interactive=false", "--rm", *name, f"--entrypoint={program[0]}"]
    return [*argv[: start - 1], "run", *argv[start:end], *own, *argv[end : image + 1], *program[1:]]


def _options_start(argv: Sequence[str]) -> int:
    """Where the options of `run` or `create` begin."""
    _, length = options.read(argv[1:], GLOBAL_FLAGS)
    verb = 1 + length
    if "".join(argv[verb : verb + 1]) == "container":
        verb += 1
    if verb < len(argv) and argv[verb] in MAKES_CONTAINERS:
        return verb + 1
    said, engine = " ".join(argv[: verb + 1]), PurePosixPath(argv[0]).name
    if "".join(argv[verb : verb + 1]) == "compose":
        raise Complaint(f"{said}: its file says what a container gets; see `eardrum flags compose NAME`", status=125)
    raise Complaint(f"{said}: makes no container; use `{engine} run …` or `{engine} create …`", status=125)


def _csv_field(text: str) -> str:
    """One field of the line of CSV that --mount takes."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text
