"""`eardrum run`: a command with an outlet of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import click
import msgspec

from eardrum.cli import child, options
from eardrum.cli.control import Control, NoOutlet, Opening, Outlet
from eardrum.cli.own_desk import desk_at_hand
from eardrum.containers import client_kit, engines
from eardrum.containers.way import Way
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
@options.gate
@options.budget
@options.modules
@click.option("--dry-run", is_flag=True, help="Print what would be run, as it would be typed; open nothing.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def verb(
    runtime: Path,
    name: str | None,
    output: str,
    input_: str | None,
    hear: bool,
    ceiling: str | None,
    gate: bool | None,
    budget: Said,
    modules: bool,
    dry_run: bool,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND with an outlet that is open as long as it runs.

    Container engines get it mounted into the container: podman, docker, nerdctl, bwrap, systemd-nspawn, lxc-execute,
    lxc-start, distrobox, toolbox, flatpak, firejail. Any other command gets PULSE_SERVER and ALSA_CONFIG_PATH.
    The exit status is the command's; 125 if Eardrum failed, 126 if COMMAND cannot be executed, 127 if there is none.
    """
    if not dry_run:
        child.located(command[0])
    way = _way_of(command)
    if way.beside:
        click.echo(f"eardrum: {way.beside}", err=True)
    if dry_run:
        click.echo(_typed(way, str(runtime / "outlets" / (name or valid_name(way.suggested_name)))))
        return 0
    with contextlib.ExitStack() as stack:
        stack.enter_context(_unwinding_on_signals())
        if not way.outlives:
            stack.enter_context(desk_at_hand(runtime))
        control = stack.enter_context(Control(runtime))
        wanted = name or valid_name(way.suggested_name)
        opening = Opening(
            wanted,
            output,
            input_,
            modules=modules,
            hear=hear,
            ceiling=ceiling,
            gate=gate,
            budget=budget,
            held=not way.outlives,
        )
        outlet = control.open(opening) if name else opened_under_a_free_name(control, opening)
        if outlet.note:
            click.echo(f"eardrum: {outlet.name}: {outlet.note}", err=True)
        return _run(control, outlet, way)


def _way_of(command: Sequence[str]) -> Way:
    return engines.way_of(command) or Way(Path(command[0]).name, lambda directory: command, _for_a_program_here)


def _for_a_program_here(directory: str) -> dict[str, str]:
    """Its client.conf stays the person's own; ALSA reads one more file, whose `default` is the outlet."""
    kit = client_kit.variables(directory)
    before = os.environ.get("ALSA_CONFIG_PATH", client_kit.ALSA_CONF)
    return {"PULSE_SERVER": kit["PULSE_SERVER"], "ALSA_CONFIG_PATH": f"{before}:{directory}/asound.conf"}


def valid_name(text: str) -> str:
    """The nearest that an outlet may be called, with room for a number behind."""
    return re.sub("[^A-Za-z0-9_.-]+", "-", text).strip(".-")[:56] or "outlet"


def opened_under_a_free_name(control: Control, opening: Opening) -> Outlet:
    """Open this, under its name or that with a number behind. Raises Complaint."""
    wanted, number = opening.name, 1
    while True:
        try:
            return control.open(opening)
        except Complaint:
            if opening.name not in [outlet.name for outlet in control.outlets()]:
                raise
        number += 1
        opening = msgspec.structs.replace(opening, name=f"{wanted}-{number}")


def _typed(way: Way, directory: str) -> str:
    """What a person types in a shell to run the same."""
    variables = [f"{name}={shlex.quote(value)}" for name, value in way.variables(directory).items()]
    return " ".join((*variables, shlex.join(way.wired(directory))))


def _run(control: Control, outlet: Outlet, way: Way) -> int:
    try:
        status = child.run(way.wired(outlet.directory), {**os.environ, **way.variables(outlet.directory)})
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
