"""`eardrum mute`: silence an outlet, or its microphone."""

from __future__ import annotations

from pathlib import Path

import click

from eardrum.cli import options
from eardrum.cli.control import Control
from eardrum.cli.place import Place


@click.command("mute", short_help="Silence an outlet or its microphone.")
@options.runtime_dir
@options.level_place
@click.argument("state", type=click.Choice(["on", "off", "toggle"]), default="on")
def verb(runtime: Path, place: Place, state: str) -> None:
    """Mute outlet NAME, or NAME/in, its microphone; with off let it sound again. Print what holds then.

    It acts at once, and no program can undo it. Programs see that their device is muted. A microphone that is muted
    gives them silence, and nothing is recorded for them meanwhile.
    """
    with Control(runtime) as control:
        click.echo(control.set_level(place, mute=state).as_text())
