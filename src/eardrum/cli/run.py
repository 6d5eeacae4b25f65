"""`eardrum run`: a command with an outlet of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import click
import msgspec

from eardrum.cli import child, options
from eardrum.cli.control import Control, NoOutlet, Opening, Outlet
from eardrum.cli.own_desk import desk_at_hand
from eardrum.containers import bubblewrap, podman
from eardrum.terms.budget import Said
from eardrum.terms.errors import Complaint

FAILED = 125  # Eardrum itself, as podman has it


class _Misused(click.UsageError):
    exit_code = FAILED


class Running(click.Command):
    """A usage error or a Complaint must not look like the command's own status."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _failing_as_engines_do():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _failing_as_engines_do():
            return super().invoke(ctx)


@contextlib.contextmanager
def _failing_as_engines_do() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        raise _Misused(error.format_message(), error.ctx) from None
    except Complaint as complaint:
        if complaint.status not in (child.NOT_EXECUTABLE, child.NOT_FOUND):
            complaint.status = FAILED
        raise


@click.command("run", cls=Running, context_settings={"allow_interspersed_args": False})
@options.runtime_dir
@options.name_option
@options.output
@options.input_
@options.hear
@options.ceiling
@options.budget
@options.modules
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def verb(
    runtime: Path,
    name: str | None,
    output: str,
    input_: str | None,
    hear: bool,
    ceiling: str | None,
    budget: Said,
    modules: bool,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND with an outlet that is open as long as it runs.

    podman run, podman create and bwrap get the outlet mounted into the container; any other command gets PULSE_SERVER.
    The exit status is the command's; 125 if Eardrum failed, 126 if COMMAND cannot be executed, 127 if there is none.
    """
    child.located(command[0])
    way = _way_of(command)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_unwinding_on_signals())
        if not way.outlives:
            stack.enter_context(desk_at_hand(runtime))
        control = stack.enter_context(Control(runtime))
        wanted = name or valid_name(way.suggested_name)
        opening = Opening(
            wanted, output, input_, modules=modules, hear=hear, ceiling=ceiling, budget=budget, held=not way.outlives
        )
        outlet = control.open(opening) if name else _opened_under_a_free_name(control, opening)
        if outlet.note:
            click.echo(f"eardrum: {outlet.name}: {outlet.note}", err=True)
        return _run(control, outlet, way)


class _Way(NamedTuple):
    """How a command gets its outlet."""

    suggested_name: str
    outlives: bool  # what it starts is still there when it has ended
    wired: Callable[[Outlet], tuple[Sequence[str], dict[str, str]]]  # the command line, and variables to be set


def _way_of(command: Sequence[str]) -> _Way:
    match Path(command[0]).name:
        case "podman":
            return _Way(
                podman.suggested_name(command),
                podman.outlives(command),
                lambda outlet: (podman.spliced(command, outlet.directory), {}),
            )
        case "bwrap":
            known = bubblewrap.operands(bubblewrap.read_help(command[0]))
            return _Way(
                bubblewrap.suggested_name(command, known),
                False,
                lambda outlet: (bubblewrap.spliced(command, outlet.directory, known), {}),
            )
        case "docker" | "nerdctl" | "systemd-nspawn" | "lxc-execute" | "lxc-start" as engine:
            raise Complaint(
                f"{engine}: run cannot wire it yet; `eardrum open NAME` prints a directory to mount at /run/pulse"
            )
        case program:
            return _Way(program, False, lambda outlet: (command, {"PULSE_SERVER": f"unix:{outlet.socket}"}))


def valid_name(text: str) -> str:
    """The nearest that an outlet may be called, with room for a number behind."""
    return re.sub("[^A-Za-z0-9_.-]+", "-", text).strip(".-")[:56] or "outlet"


def _opened_under_a_free_name(control: Control, opening: Opening) -> Outlet:
    wanted, number = opening.name, 1
    while True:
        try:
            return control.open(opening)
        except Complaint:
            if opening.name not in [outlet.name for outlet in control.outlets()]:
                raise
        number += 1
        opening = msgspec.structs.replace(opening, name=f"{wanted}-{number}")


def _run(control: Control, outlet: Outlet, way: _Way) -> int:
    argv, variables = way.wired(outlet)
    try:
        status = child.run(argv, {**os.environ, **variables})
    except BaseException:
        control.close(outlet.name)
        raise
    if way.outlives and status == 0:
        click.echo(f"eardrum: outlet {outlet.name} stays open; `eardrum close {outlet.name}` closes it", err=True)
        return 0
    try:
        control.close(outlet.name)
    except NoOutlet:  # somebody closed it
        pass
    except Complaint as complaint:  # then the recording may lack its end
        click.echo(f"eardrum: {complaint}", err=True)
        return status or FAILED
    return status


@contextlib.contextmanager
def _unwinding_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP close what is open on the way out, as Ctrl-C does."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
