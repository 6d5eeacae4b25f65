"""`eardrum flags`: an open outlet in the words of a container engine."""

from __future__ import annotations

from pathlib import Path

import click

from eardrum.cli import options
from eardrum.cli.control import Control
from eardrum.containers.configuration import BESIDE, TEXTS


@click.command("flags", short_help="Print what an engine has to be told to mount an outlet.")
@options.runtime_dir
@click.argument("engine", type=click.Choice([*TEXTS]))
@options.name_argument
def verb(runtime: Path, engine: str, name: str) -> None:
    """Print what ENGINE has to be told to mount the open outlet NAME, for whoever does not use `eardrum run`.

    Options of podman, docker, nerdctl, bwrap, nspawn, flatpak and firejail; what comes before the command of distrobox
    and before the program of toolbox; lines of a configuration for compose, quadlet, devcontainer, cdi and lxc;
    commands of incus.
    """
    with Control(runtime) as control:
        outlet = control.named(name)
    click.echo(TEXTS[engine](outlet.name, outlet.directory))
    if engine in BESIDE:
        click.echo(f"eardrum: {BESIDE[engine]}", err=True)
