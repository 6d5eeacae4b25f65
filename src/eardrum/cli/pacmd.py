"""`eardrum pacmd`: what the small `pacmd` of `serve --install-shims` runs."""

from __future__ import annotations

import click

from eardrum.cli.pulseaudio import place
from eardrum.cli.server_commands import obey
from eardrum.kernel.client import Client


@click.command("pacmd", hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
def verb(words: tuple[str, ...]) -> None:
    """Have the running server do one of pacmd's commands."""
    with Client(place(False)) as client:
        click.echo(obey(client, words), nl=False)
