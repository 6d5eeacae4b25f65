"""The command line: what a person types comes in; results leave on stdout, talk on stderr, and an exit status.

One file per verb, and only the file of the verb asked for is imported. Never: decides what an outlet may do. It asks
the desk; `play` and `record` are then guests of a worker, and open their files as the person who typed them.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Any

import click

from eardrum import __version__
from eardrum.terms.errors import Complaint, shown

VERBS = (
    "up", "open", "close", "rewire", "list", "volume", "mute", "room", "play", "record", "run", "flags", "trace",
    "heard", "serve", "paths", "probe", "doctor", "client-config",
)  # fmt: skip
HIDDEN = ("pulseaudio", "pacmd")  # what the shims of `serve` run


class Verbs(click.Group):
    """Finds a verb in the module of its name, and turns every way to fail into one line and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*VERBS]  # once the verb is imported, `list` here is its module

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS + HIDDEN:
            return None
        verb: click.Command = importlib.import_module(f"eardrum.cli.{cmd_name.replace('-', '_')}").verb
        return verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], VERBS, 1)
            raise click.UsageError(error.message + (f" Did you mean '{near[0]}'?" if near else ""), ctx) from None

    def main(self, *args: Any, **extra: Any) -> Any:
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except Complaint as complaint:
            click.echo(f"eardrum: {shown(str(complaint))}", err=True)
            status = complaint.status
        except click.ClickException as error:
            error.show()
            status = error.exit_code
        except click.Abort:
            status = 130
        sys.exit(status)


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="eardrum %(version)s")
@click.pass_context
def eardrum(ctx: click.Context) -> None:
    """Sound for Linux containers: sound passes, nothing else does."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False


def main() -> None:
    """The command `eardrum`; ends the process."""
    eardrum.main()
