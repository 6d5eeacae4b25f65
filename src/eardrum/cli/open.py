"""`eardrum open`: give a container its outlet."""

from __future__ import annotations

from pathlib import Path

import click

from eardrum.cli import cdi, options
from eardrum.cli.control import Control, Opening
from eardrum.containers.cdi import KIND
from eardrum.terms.budget import Said
from eardrum.terms.errors import Complaint


@click.command("open")
@options.runtime_dir
@options.name_argument
@options.output
@options.input_
@click.option("--mode", default="0666", show_default=True, help="The socket's mode: 0600, 0660 or 0666.")
@click.option("--group", help="The socket's group.")
@options.hear
@options.ceiling
@options.gate
@options.budget
@options.modules
@click.option("--cdi", "device", is_flag=True, help=f"Make it a device of containers: --device {KIND}=NAME.")
@cdi.directory
def verb(
    runtime: Path,
    name: str,
    output: str,
    input_: str | None,
    mode: str,
    group: str | None,
    ceiling: str | None,
    gate: bool | None,
    budget: Said,
    hear: bool,
    modules: bool,
    device: bool,
    cdi_dir: Path,
) -> None:
    """Open outlet NAME and print its directory.

    Mount the directory at /run/pulse in the container. The outlet is open until `eardrum close NAME`.
    """
    if device:
        cdi.check(name)
    with Control(runtime) as control:
        outlet = control.open(Opening(name, output, input_, mode, group, modules, hear, ceiling, gate, budget))
        if device:
            try:
                cdi.write(cdi_dir, name, outlet.directory, runtime)
            except Complaint:
                control.close(name)
                raise
    click.echo(outlet.directory)
    if outlet.note:
        click.echo(f"eardrum: {name}: {outlet.note}", err=True)
