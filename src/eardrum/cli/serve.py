"""`eardrum serve`: be a sound server, in the foreground."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import click

from eardrum.cli import options
from eardrum.terms.errors import Complaint
from eardrum.terms.names import WireEnd, input_end, output_end

FEW = 1024  # connections; so many or more go without saying


def _sink(ctx: click.Context, param: click.Parameter, value: str) -> WireEnd:
    return _end_here("--sink", output_end(options.checked_output(value)))


def _source(ctx: click.Context, param: click.Parameter, value: str | None) -> WireEnd | None:
    return None if value is None else _end_here("--source", input_end(options.checked_input(value)))


def _end_here(option: str, end: WireEnd) -> WireEnd:
    if end.kind in ("host", "room"):
        raise Complaint(f"{option} {end}: only an outlet's wire leads to a room or the host; see `eardrum open`", 2)
    return end


def _mode(ctx: click.Context, param: click.Parameter, value: str) -> int:
    if value not in ("0600", "0660", "0666"):
        raise Complaint(f"--mode {value}: use 0600, 0660 or 0666", status=2)
    return int(value, 8)


@click.command("serve", short_help="Be a sound server with every right, without a desk.")
@click.option("--socket", "path", metavar="PATH", type=click.Path(path_type=Path), help="Where programs connect.")
@click.option("--mode", default="0600", show_default=True, callback=_mode, help="The socket's mode: 0600, 0660, 0666.")
@click.option(
    "--sink",
    default="null",
    metavar="END",
    callback=_sink,
    show_default=True,
    help="Where the sound goes: file:PATH (.wav, .flac or .opus), fifo:PATH or null.",
)
@click.option(
    "--source",
    metavar="END",
    callback=_source,
    help="Where a microphone comes from: file:PATH (played once), loop:PATH (again and again), fifo:PATH or silence.",
)
@options.ready_fd
@click.option("--check", is_flag=True, help="Serve nothing: see whether a server answers at the socket.")
@click.option(
    "--install-shims",
    "shims_in",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Serve nothing: write commands `pulseaudio` and `pacmd` into DIR, for scripts that start PulseAudio.",
)
def verb(
    path: Path | None,
    mode: int,
    sink: WireEnd,
    source: WireEnd | None,
    ready_fd: int | None,
    check: bool,
    shims_in: Path | None,
) -> None:
    """Be a sound server with every right for those who can open the socket, until interrupted.

    Programs find it by PULSE_SERVER=unix:PATH. It has one sink, whose monitor is the default source; `pactl
    load-module` makes more.
    """
    if shims_in is not None:
        from eardrum.cli.shims import install

        install(shims_in)
        return
    if path is None:
        raise click.UsageError("say where programs connect: --socket PATH")
    if check:
        _check(path)
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read once, when numpy is imported
    from eardrum.desk.wire_files import WireFiles
    from eardrum.kernel import descriptors
    from eardrum.kernel.server_socket import ServerSocket
    from eardrum.server.events import INPUT, OUTPUT
    from eardrum.worker import standard

    descriptors.raise_limit()
    most = descriptors.connections()
    with contextlib.ExitStack() as stack:
        socket = ServerSocket(path, mode)
        stack.callback(socket.remove)
        wired = WireFiles({OUTPUT: sink, INPUT: source})
        wired.begin(fresh=False)
        stack.callback(wired.end)
        ends, files = wired.take()
        said = f"serving at {socket.path}"
        if sink.kind == "file":
            said += f", recording to {ends[OUTPUT].argument}"

        def ready() -> None:
            click.echo(said)
            if most < FEW:
                _say(f"only {most} clients fit, because `ulimit -Hn` is low")
            options.say_ready(ready_fd)

        standard.serve(
            socket.listening.detach(), ends.get(OUTPUT, sink), source, files, most=most, ready=ready, say=_say
        )


def _say(line: str) -> None:
    click.echo(f"eardrum: {line}", err=True)


def _check(path: Path) -> None:
    from eardrum.kernel.client import Client
    from eardrum.protocol.catalog import GetServerInfo, ServerInfo

    with Client(path) as client:
        info = client.ask(GetServerInfo())
    assert isinstance(info, ServerInfo)
    click.echo(f"{info.package_name} {info.package_version} serves {path}")
