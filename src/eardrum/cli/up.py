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
@click.option(
    "--config",
    "config_file",
    envvar="EARDRUM_CONFIG",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The configuration.  [default: ~/.config/eardrum/config.toml, else /etc/eardrum/config.toml]",
)
@click.option("--check", is_flag=True, help="Serve nothing: see whether the configuration is right.")
@options.ready_fd
@click.option("--until-fd", type=int, metavar="N", help="End when nobody holds the other end of this pipe any more.")
def verb(
    runtime: Path,
    upstream: str | None,
    config_file: Path | None,
    check: bool,
    ready_fd: int | None,
    until_fd: int | None,
) -> int:
    """Serve outlets until interrupted."""
    from eardrum.desk import config
    from eardrum.desk.main import run_desk

    there = config_file or config.found(config.places(os.environ))
    wanted = config.read(there) if there else config.Config()
    if check:
        click.echo(f"{there}: is right" if there else "there is no configuration")
        return 0

    def announce(host: str) -> None:
        click.echo(f"serving in {runtime}, host is {f'room:{SPEAKERS}' if host == 'none' else host}")
        options.say_ready(ready_fd)

    if options.is_makeshift(runtime, os.environ, os.getuid()):
        click.echo(f"eardrum: outlets are in {runtime}, because XDG_RUNTIME_DIR is not set", err=True)
    return run_desk(runtime, upstream, announce, wanted, until=until_fd)
