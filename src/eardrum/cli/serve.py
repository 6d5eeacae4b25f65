"""`eardrum serve`: be a sound server, in the foreground."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import click

from eardrum.cli import options
from eardrum.cli.served_place import Place, parsed
from eardrum.terms.errors import Complaint, shown
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


def _sockets(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> list[Place]:
    return [parsed(word) for word in value]


@click.command("serve", short_help="Be a sound server with every right, without a desk.")
@click.option(
    "--socket",
    "places",
    metavar="PATH[,auth=WHO][,mode=MODE]",
    multiple=True,
    callback=_sockets,
    help="Where programs connect, instead of the usual place; any number. WHO is let in besides this user: group:NAME,"
    " cookie:FILE (256 bytes, made if there is none) or anonymous (everybody); uid is nobody else, the default.",
)
@click.option(
    "--system", is_flag=True, help="Be the user pulse, and serve group pulse-access at /var/run/pulse/native."
)
@click.option("--x11", is_flag=True, help="Tell the programs of the X display where the socket is, and the cookie.")
@click.option(
    "--sink",
    default="null",
    metavar="END",
    callback=_sink,
    show_default=True,
    help="Where the sound goes: file:PATH (.wav, .flac or .opus), fifo:PATH, alsa:DEVICE or null.",
)
@click.option(
    "--source",
    metavar="END",
    callback=_source,
    help="Where a microphone comes from: file:PATH (played once), loop:PATH (again and again), fifo:PATH, alsa:DEVICE "
    "or silence.",
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
    places: list[Place],
    system: bool,
    x11: bool,
    sink: WireEnd,
    source: WireEnd | None,
    ready_fd: int | None,
    check: bool,
    shims_in: Path | None,
) -> None:
    """Be a sound server with every right for those whom it lets in, until interrupted.

    Without --socket programs of this user find it by themselves: it is at $XDG_RUNTIME_DIR/pulse/native, or where
    PULSE_RUNTIME_PATH or ~/.config/pulse lead. Else they need PULSE_SERVER=unix:PATH. It has one sink, whose monitor is
    the default source; `pactl load-module` makes more.
    """
    if shims_in is not None:
        from eardrum.cli.shims import install

        install(shims_in)
        return
    if system and places:
        raise click.UsageError("--system has its own place; leave --socket away")
    if check:
        _check(places, system)
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read once, when numpy is imported
    from eardrum.cli.own_device import OwnDevice
    from eardrum.cli.served_place import opened, published, usual_place
    from eardrum.desk.wire_files import WireFiles
    from eardrum.kernel import descriptors, system_user
    from eardrum.server.events import INPUT, OUTPUT
    from eardrum.worker import standard

    descriptors.raise_limit()
    most = descriptors.connections()
    if system:
        system_user.become_system()
    group = system_user.GROUP if system else None
    with contextlib.ExitStack() as stack:
        served = opened(places or [usual_place(group)], _say)
        for one in served:
            stack.callback(one.socket.remove)
        if x11:
            stack.callback(published(served))
        wired = WireFiles({OUTPUT: sink, INPUT: source}, lambda wire, end: OwnDevice(end, _say, captures=wire == INPUT))
        wired.begin(fresh=False)
        stack.callback(wired.end)
        ends, files = wired.take()
        said = f"serving at {' and '.join(str(one.socket.path) for one in served)}"
        if sink.kind == "file":
            said += f", recording to {ends[OUTPUT].argument}"

        def ready() -> None:
            click.echo(said)
            if most < FEW:
                _say(f"only {most} clients fit, because `ulimit -Hn` is low")
            options.say_ready(ready_fd)

        standard.serve(served, ends.get(OUTPUT, sink), source, files, usual_group=group, ready=ready, say=_say)


def _say(line: str) -> None:
    click.echo(f"eardrum: {shown(line)}", err=True)


def _check(places: Sequence[Place], system: bool) -> None:
    from eardrum.kernel.client import Client
    from eardrum.kernel.machine import surroundings
    from eardrum.kernel.upstream_socket import first_cookie
    from eardrum.protocol.catalog import GetServerInfo, ServerInfo
    from eardrum.upstream.discovery import SYSTEM_SOCKET, find, runtime_directory

    around = surroundings()
    cookies = find(around).cookies
    if system:
        paths = [Path(SYSTEM_SOCKET)]
        cookies = (str(paths[0].parent / ".config/pulse/cookie"), *cookies)
    elif places:
        paths = [place.path for place in places]
        cookies = (*(place.admission.cookie for place in places if place.admission.cookie), *cookies)
    else:
        directory, because, lacks = runtime_directory(around)
        if lacks:
            raise Complaint(f"nobody serves this user, says {because}: {lacks}")
        paths = [Path(directory, "native")]
    for path in paths:
        with Client(path, cookie=first_cookie(cookies)) as client:
            info = client.ask(GetServerInfo())
        assert isinstance(info, ServerInfo)
        click.echo(shown(f"{info.package_name} {info.package_version} serves {path}"))
