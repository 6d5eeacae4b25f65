"""`eardrum rewire`: have an open outlet lead elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from eardrum.cli import options
from eardrum.cli.control import Control


@click.command("rewire", short_help="Have an open outlet lead elsewhere.")
@options.runtime_dir
@options.name_argument
@options.new_output
@options.new_input
def verb(runtime: Path, name: str, output: str | None, input_: str | None) -> None:
    """Have the open outlet NAME lead elsewhere, also after a restart unless it is one of the configuration.

    From host, a room, null or silence to another of them, programs that are connected play and record on. Other ends
    need that no program is connected, and an outlet that was opened without a microphone gets one only then.
    """
    if output is None and input_ is None:
        raise click.UsageError("say what is to change: --output END, --input END or both")
    with Control(runtime) as control:
        outlet = control.rewire(name, output, input_)
    if outlet.configured:
        click.echo(f"eardrum: {name}: the next desk has it as it is in the configuration", err=True)
    if outlet.note:
        click.echo(f"eardrum: {name}: {outlet.note}", err=True)
