"""`eardrum list`: which outlets are open, how they are wired and what they do."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import msgspec

from eardrum.cli import options
from eardrum.cli.control import Control, Level, Outlet, Wire
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.levels import percent

HEADER = ("NAME", "OUTPUT", "INPUT", "SOCKET", "STATE", "NOTE")


@click.command("list")
@options.runtime_dir
@click.option("--json", "as_json", is_flag=True, help="Print what the control socket says, as JSON.")
def verb(runtime: Path, as_json: bool) -> None:
    """List the open outlets.

    Of each, whose its socket is, what its programs do, what its wires do, and what is wrong.

    On a terminal as a table; else one outlet a line with tabs between the columns, - for an empty one.
    """
    with Control(runtime) as control:
        if as_json:
            click.echo(msgspec.json.format(control.outlets_json(), indent=2).decode())
            return
        rows = [HEADER, *(_row(outlet) for outlet in control.outlets())]
    for line in table(rows) if sys.stdout.isatty() else map("\t".join, rows):
        click.echo(line)


def state(outlet: Outlet) -> str:
    """What goes on in an outlet, in words, and the levels that a person has set."""
    connections = f"{outlet.connections} connection{'s' if outlet.connections > 1 else ''}"
    words = [connections if outlet.connections else "idle"]
    words += [f"{outlet.playing} playing"] if outlet.playing else []
    words += [f"{outlet.recording} recording"] if outlet.recording else []
    words += _levelled("output", outlet.levels.output)
    words += _levelled("microphone", outlet.levels.input or Level())
    doing = [f"{name} {told}" for name, wire in outlet.wires.items() if wire and (told := _doing(wire))]
    return "; ".join([", ".join(words), *doing])


def _doing(wire: Wire) -> str:
    """What a wire does, if that is worth a word."""
    since = time.strftime("%H:%M:%S", time.localtime(wire.since)) if wire.since is not None else ""
    match wire.state:
        case "connected":
            return f"connected to {wire.leads_to}"
        case "waiting":
            return f"silent, waits for {wire.leads_to} since {since}"
        case "refused":
            return f"silent, refused by {wire.leads_to} since {since}"
    return ""


def _levelled(what: str, level: Level) -> list[str]:
    if level.muted:
        return [f"{what} muted"]
    return [] if level.volume == VOLUME_NORM else [f"{what} at {percent(level.volume)}%"]


def table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Lines in which the columns of `rows` stand below each other; the first row is the header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield click.style(line, bold=True) if number == 0 else line


def _row(outlet: Outlet) -> tuple[str, ...]:
    return (
        outlet.name,
        outlet.output,
        outlet.input or "-",
        str(outlet.permissions or "-"),
        state(outlet),
        outlet.note or "-",
    )
