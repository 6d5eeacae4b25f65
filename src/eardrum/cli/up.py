"""`eardrum up`: be the desk, in the foreground."""

from __future__ import annotations

import os
from pathlib import Path

import click

from eardrum.cli import options
from eardrum.terms.names import SPEAKERS


@click.command("up")
@options.runtime_dir
@click.option("--upstream", metavar="ADDRESS", help="The host's sound server as in PULSE_SERVER, or none.")
@options.ready_fd
@click.option("--until-fd", type=int, metavar="N", help="End when nobody holds the other end of this pipe any more.")
def verb(runtime: Path, upstream: str | None, ready_fd: int | None, until_fd: int | None) -> int:
    """Serve outlets until interrupted."""
    from eardrum.desk.main import run_desk

    def announce(host: str) -> None:
        click.echo(f"serving in {runtime}, host is {f'room:{SPEAKERS}' if host == 'none' else host}")
        options.say_ready(ready_fd)

    if options.is_makeshift(runtime, os.environ, os.getuid()):
        click.echo(f"eardrum: outlets are in {runtime}, because XDG_RUNTIME_DIR is not set", err=True)
    return run_desk(runtime, upstream, announce, until=until_fd)
