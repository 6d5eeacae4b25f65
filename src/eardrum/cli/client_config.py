"""`eardrum client-config`: the files by which programs in a container find their sound."""

from __future__ import annotations

import os
from pathlib import Path

import click

from eardrum.cli import options
from eardrum.cli.control import Control
from eardrum.containers import client_kit
from eardrum.kernel.outlet_directory import LONGEST_PATH
from eardrum.terms.errors import Complaint

WHERE = {
    "client.conf": "PULSE_CLIENTCONFIG names it, or it is /etc/pulse/client.conf in the container",
    "asound.conf": "it is /etc/asound.conf in the container; ALSA programs need libasound2-plugins there",
}


@click.command("client-config", short_help="Write what programs read to find a socket.")
@options.runtime_dir
@click.option(
    "--socket",
    "path",
    metavar="PATH",
    help=f"Where programs see the socket.  [default: {client_kit.DIRECTORY}/native, as in containers of `eardrum run`]",
)
@click.option("--cookie", metavar="FILE", help="Where programs see the server's cookie; outlets need none.")
@click.option("--output", "directory", metavar="DIR", type=click.Path(path_type=Path), help="Write them into DIR.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.argument("name", required=False)
def verb(
    runtime: Path, path: str | None, cookie: str | None, directory: Path | None, force: bool, name: str | None
) -> None:
    """Print a client.conf and an asound.conf, or write them into a directory.

    With NAME: for programs of this machine, to play into that open outlet. Else for a container that has an outlet's
    directory mounted, or for any server's socket.
    """
    if name is not None and path is not None:
        raise click.UsageError("say NAME or --socket, not both")
    if name is not None:
        with Control(runtime) as control:
            path = control.named(name).socket
    server = f"unix:{_checked('--socket', path)}" if path else client_kit.server()
    texts = {
        "client.conf": client_kit.client_conf(server, _checked("--cookie", cookie) if cookie else None),
        "asound.conf": client_kit.asound_conf(),
    }
    if directory is None:
        click.echo("\n".join(f"# {file}: {WHERE[file]}\n{text}" for file, text in texts.items()), nl=False)
        return
    if not force:
        for file, text in texts.items():
            _check_absent(directory / file, text)
    for file, text in texts.items():
        _write(directory / file, text)
        click.echo(directory / file)


def _checked(option: str, path: str) -> str:
    """The path, made absolute. Raises Complaint for one that client.conf cannot say or libpulse cannot reach."""
    absolute = str(Path(path).absolute())
    if not absolute.isprintable() or any(char in absolute for char in " #;"):
        raise Complaint(
            f"{option} {path}: has a blank, # or ;, which client.conf cannot hold; use another path", status=2
        )
    length = len(os.fsencode(absolute))
    if option == "--socket" and length > LONGEST_PATH:
        raise Complaint(f"{option} {path}: has {length} bytes, of which libpulse takes {LONGEST_PATH}", status=2)
    return absolute


def _check_absent(path: Path, text: str) -> None:
    """Raises Complaint if something else is there."""
    try:
        same = path.read_bytes() == text.encode()
    except FileNotFoundError:
        return
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}") from None
    if not same:
        raise Complaint(f"{path}: is there already and says something else; --force overwrites it")


def _write(path: Path, text: str) -> None:
    """Readable for everybody, because the container's users may be anybody."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
    except OSError as error:
        raise Complaint(f"{path}: {error.strerror}") from None
