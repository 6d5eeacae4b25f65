"""`eardrum room`: which rooms there are; one that stays."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from eardrum.cli import options
from eardrum.cli.control import Control, Room
from eardrum.cli.list import table
from eardrum.terms.names import checked_name

HEADER = ("NAME", "KEPT", "PLAYED BY", "HEARD BY", "STATE")


def _room(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return None if value is None else checked_name(value.removeprefix("room:"), "room")


@click.command("room", short_help="Keep a room, or list the rooms.")
@options.runtime_dir
@click.option("--close", is_flag=True, help="Keep room NAME no longer.")
@click.option("--json", "as_json", is_flag=True, help="Print what the control socket says, as JSON.")
@click.argument("name", required=False, callback=_room)
def verb(runtime: Path, close: bool, as_json: bool, name: str | None) -> None:
    """Keep room NAME, also while nobody uses it; or list the rooms.

    A room is there as soon as it is named, in `--output room:NAME` or `eardrum record room:NAME`, and as long as
    somebody uses it. With NAME it stays, also across desks, until `eardrum room --close NAME`.
    """
    if close and name is None:
        raise click.UsageError("--close needs the NAME of a room")
    if name is not None and as_json:
        raise click.UsageError("--json lists the rooms: leave NAME out")
    with Control(runtime) as control:
        if name is None:
            _list(control, as_json)
        elif close:
            room = control.close_room(name)
            if users := sorted({*room.players, *room.hearers}):
                click.echo(f"eardrum: room {name} goes on while outlets are wired to it: {', '.join(users)}", err=True)
        else:
            control.keep_room(name)


def state(room: Room) -> str:
    """What goes on in a room, in words."""
    words = [f"{room.playing} playing"] if room.playing else []
    words += [f"{room.recording} recording"] if room.recording else []
    return ", ".join(words) or "silent"


def _list(control: Control, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.format(control.rooms_json(), indent=2).decode())
        return
    rows = [HEADER, *(_row(room) for room in control.rooms())]
    for line in table(rows) if sys.stdout.isatty() else map("\t".join, rows):
        click.echo(line)


def _row(room: Room) -> tuple[str, ...]:
    names = [", ".join(wired) or "-" for wired in (room.players, room.hearers)]
    return room.name, "yes" if room.kept else "no", *names, state(room)
