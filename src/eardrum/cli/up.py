"""`eardrum up`: be the desk, in the foreground."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec
from click.core import ParameterSource

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
@click.option(
    "--require-confinement", "require", is_flag=True, help="Do not start if the kernel lacks a layer of it for workers."
)
@click.option("--check", is_flag=True, help="Serve nothing: see whether the configuration is right.")
@options.ready_fd
@click.option("--until-fd", type=int, metavar="N", help="End when nobody holds the other end of this pipe any more.")
@click.option(
    "--system",
    is_flag=True,
    help="Serve all users, in /run/eardrum, as the user eardrum; members of the group eardrum may give orders.",
)
@click.option("--install", is_flag=True, help="Serve nothing: write the systemd units of a desk at login.")
@click.option("--uninstall", is_flag=True, help="Serve nothing: end that desk, and remove the units.")
@click.pass_context
def verb(
    ctx: click.Context,
    runtime: Path,
    upstream: str | None,
    config_file: Path | None,
    require: bool,
    check: bool,
    ready_fd: int | None,
    until_fd: int | None,
    system: bool,
    install: bool,
    uninstall: bool,
) -> int:
    """Serve outlets until interrupted.

    With --system, --install and --uninstall mean the units of the machine: the desk is there when it has booted.
    """
    if install or uninstall:
        from eardrum.cli import units

        typed = [name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        if {"install", "uninstall"} <= {*typed} or {*typed} - {"install", "uninstall", "system"}:
            raise click.UsageError("--install and --uninstall stand alone or with --system; the rest is configuration")
        (units.install if install else units.uninstall)(system)
        return 0
    from eardrum.desk import config
    from eardrum.desk.main import run_desk
    from eardrum.kernel import system_user
    from eardrum.kernel.outlet_directory import SHARED

    if system and ctx.get_parameter_source("runtime") is ParameterSource.DEFAULT:
        runtime = SHARED
    if system and not check:
        system_user.become_desk(runtime)
    there = config_file or config.found((config.SYSTEM,) if system else config.places(os.environ))
    wanted = config.read(there) if there else config.Config()
    if require:
        wanted = msgspec.structs.replace(wanted, confinement=config.Confinement(require=True))
    if check:
        click.echo(f"{there}: is right" if there else "there is no configuration")
        return 0

    def announce(host: str) -> None:
        click.echo(f"serving in {runtime}, host is {f'room:{SPEAKERS}' if host == 'none' else host}")
        options.say_ready(ready_fd)

    if options.is_makeshift(runtime, os.environ, os.getuid()):
        click.echo(f"eardrum: outlets are in {runtime}, because XDG_RUNTIME_DIR is not set", err=True)
    return run_desk(runtime, upstream, announce, wanted, system=system, until=until_fd)
