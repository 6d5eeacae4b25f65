"""Options and arguments that several verbs take, checked before the desk hears of them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import click

from eardrum.cli.place import Place, place_of_level
from eardrum.terms.budget import Said, parsed
from eardrum.terms.errors import Complaint
from eardrum.terms.levels import absolute
from eardrum.terms.names import INPUTS, OUTPUTS, WireEnd, checked_name, input_end, output_end


def default_runtime(environ: Mapping[str, str], uid: int) -> Path:
    """The runtime directory that is meant when nobody names one. Raises Complaint if it is another user's."""
    if environ.get("XDG_RUNTIME_DIR"):
        return Path(environ["XDG_RUNTIME_DIR"], "eardrum")
    if uid == 0:
        return Path("/run/eardrum")
    runtime = _makeshift(uid)  # anybody may have made it, to be taken for our desk
    try:
        owner = runtime.lstat().st_uid
    except FileNotFoundError:
        owner = uid
    if owner != uid:
        raise Complaint(f"{runtime} belongs to user {owner}; set XDG_RUNTIME_DIR or use --runtime-dir")
    return runtime


def _makeshift(uid: int) -> Path:
    return Path(f"/tmp/eardrum-{uid}")


def is_makeshift(runtime: Path, environ: Mapping[str, str], uid: int) -> bool:
    """True if outlets are in /tmp for want of a better place."""
    return not environ.get("XDG_RUNTIME_DIR") and runtime == _makeshift(uid)


_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|h|)")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "": 1.0}


def seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A length of time as people write it."""
    if value is None:
        return None
    found = _TIME.fullmatch(value)
    if not found:
        raise click.BadParameter(f"{value!r} is no time; use 2s, 1.5s, 500ms, 3min or 1h", ctx, param)
    return float(found[1]) * _UNITS[found[2]]


def _runtime(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path:
    return (value or default_runtime(os.environ, os.getuid())).absolute()


def _name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return None if value is None else checked_name(value)


def checked_output(value: str) -> str:
    """An output's wire end as typed, with its path made absolute. Raises Complaint."""
    return _absolute(output_end(value), f"output {value!r}")


def checked_input(value: str) -> str:
    """An input's wire end as typed, with its path made absolute. Raises Complaint."""
    return _absolute(input_end(value), f"input {value!r}")


def _output(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return None if value is None else checked_output(value)


def _input(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return None if value is None else checked_input(value)


def _ceiling(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        absolute(value)
    return value


def _budget(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> Said:
    return parsed(value)


def _level_place(ctx: click.Context, param: click.Parameter, value: str) -> Place:
    return place_of_level(value)


def _absolute(end: WireEnd, what: str) -> str:
    """The end as the desk must know it: a relative path is the caller's."""
    if not end.has_path:
        return str(end)
    path = str(Path(end.argument).absolute())
    if not path.isprintable():  # also what is not UTF-8: it could neither be told to the desk nor shown
        raise Complaint(f"{what}: the file's name has characters that cannot be shown", status=2)
    return f"{end.kind}:{path}"


def say_ready(descriptor: int | None) -> None:
    """Tell whoever waits at --ready-fd."""
    if descriptor is not None:
        os.write(descriptor, b"\n")
        os.close(descriptor)


runtime_dir = click.option(
    "--runtime-dir",
    "runtime",
    envvar="EARDRUM_RUNTIME_DIR",
    metavar="DIR",
    type=click.Path(path_type=Path, readable=False),  # /run/eardrum may be entered by all, and read by its desk
    callback=_runtime,
    help="Where the desk is.  [default: $XDG_RUNTIME_DIR/eardrum]",
)
ready_fd = click.option("--ready-fd", type=int, metavar="N", help="Write a newline to this descriptor when serving.")
name_argument = click.argument("name", callback=_name)
name_option = click.option("--name", callback=_name, help="The outlet's name.  [default: from the command]")
output = click.option(
    "--output",
    default="host",
    metavar="END",
    callback=_output,
    show_default=True,
    help=f"Where the sound goes: {OUTPUTS}.",
)
input_ = click.option(
    "--input",
    "input_",
    metavar="END",
    callback=_input,
    help=f"Where the microphone comes from: {INPUTS}.  [default: no microphone]",
)
hear = click.option(
    "--hear", is_flag=True, help="Let the input be a monitor of the host, which hears all that others play there."
)
new_output = click.option("--output", metavar="END", callback=_output, help=f"Where the sound shall go: {OUTPUTS}.")
new_input = click.option(
    "--input", "input_", metavar="END", callback=_input, help=f"Where the microphone shall come from: {INPUTS}."
)
ceiling = click.option(
    "--ceiling",
    metavar="LEVEL",
    callback=_ceiling,
    help="No program is louder than this: 80%, -6dB.  [default: as loud as it likes]",
)
budget = click.option(
    "--budget",
    metavar="LIMIT=NUMBER",
    multiple=True,
    callback=_budget,
    help="What the outlet may use, as streams=16; may be repeated.",
)
gate = click.option(
    "--gate/--no-gate",
    default=None,
    help="Let a second process judge all that is said to the host's sound server, so that not even a worker that was"
    " taken over can say more than the outlet may.  [default: as the desk is set]",
)
level_place = click.argument("place", metavar="NAME[/in|/out]", callback=_level_place)
modules = click.option(
    "--modules", is_flag=True, help="Let programs load emulated modules: null-sink, remap-source, loopback, …"
)
