"""`eardrum close`: take an outlet away."""

from __future__ import annotations

from pathlib import Path

import click

from eardrum.cli import cdi, options
from eardrum.cli.control import Control


@click.command("close")
@options.runtime_dir
@options.name_argument
@cdi.directory
def verb(runtime: Path, name: str, cdi_dir: Path) -> None:
    """Close outlet NAME. When this returns, its recording is complete, and it is no device any more.

    An outlet of the configuration is opened again by the next desk.
    """
    with Control(runtime) as control:
        comes_back = control.close(name)
    cdi.remove(cdi_dir, name, str(runtime / "outlets" / name))
    if comes_back:
        click.echo(f"eardrum: {name}: the next desk opens it again, because it is in the configuration", err=True)
