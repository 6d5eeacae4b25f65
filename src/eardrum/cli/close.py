"""`eardrum close`: take an outlet away."""

from __future__ import annotations

from pathlib import Path

import click

from eardrum.cli import options
from eardrum.cli.control import Control


@click.command("close")
@options.runtime_dir
@options.name_argument
def verb(runtime: Path, name: str) -> None:
    """Close outlet NAME. When this returns, its recording is complete."""
    with Control(runtime) as control:
        control.close(name)
