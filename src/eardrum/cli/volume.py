"""`eardrum volume`: how loud an outlet is."""

from __future__ import annotations

from pathlib import Path

import click

from eardrum.cli import options
from eardrum.cli.control import Control
from eardrum.cli.place import Place

_STEPS = {"ignore_unknown_options": True}  # -5% is none


@click.command("volume", short_help="Set how loud an outlet is.", context_settings=_STEPS)
@options.runtime_dir
@options.level_place
@click.argument("level", required=False)
def verb(runtime: Path, place: Place, level: str | None) -> None:
    """Set how loud outlet NAME is, or NAME/in, its microphone.

    LEVEL is 60%, or with a sign more or less than now: +5%, -5%, -6dB. Without LEVEL print what it is.

    It acts at once, behind all levels that programs set: they neither see nor change it. It is kept until the outlet
    is closed.
    """
    with Control(runtime) as control:
        held = control.level(place) if level is None else control.set_level(place, volume=level)
    click.echo(held.as_text())
