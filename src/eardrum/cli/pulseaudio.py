"""`eardrum pulseaudio`: what the small `pulseaudio` of `serve --install-shims` runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from eardrum import __version__
from eardrum.kernel.client import Client
from eardrum.kernel.machine import surroundings
from eardrum.kernel.standard_place import user_directory
from eardrum.kernel.upstream_socket import Unreachable
from eardrum.protocol.catalog import Exit
from eardrum.terms.errors import Complaint, shown
from eardrum.upstream import discovery
from eardrum.upstream.client_conf import boolean

# options about which nothing is to be done here: there is no log, no pid file, no shared memory, no idle exit
_WITHOUT_EFFECT = frozenset((
    "disallow-exit", "disallow-module-loading", "log-level", "log-time", "log-meta", "realtime", "high-priority",
    "use-pid-file", "disable-shm", "enable-memfd", "fail", "no-cpu-limit", "cleanup-shm",
))  # fmt: skip
_WITHOUT_EFFECT_WITH_VALUE = frozenset(
    ("exit-idle-time", "log-target", "resample-method", "scache-idle-time", "dl-search-path")
)


class _Shim(click.Command):
    """Passes over the options without effect; click would take the value of `--exit-idle-time=-1` for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        kept = []
        rest = iter(args)
        for word in rest:
            name, equals, _ = word.removeprefix("--").partition("=")
            if not word.startswith("--") or name not in _WITHOUT_EFFECT | _WITHOUT_EFFECT_WITH_VALUE:
                kept.append(word)
            elif name in _WITHOUT_EFFECT_WITH_VALUE and not equals:
                next(rest, None)
        return super().parse_args(ctx, kept)


@click.command("pulseaudio", cls=_Shim, hidden=True)
@click.option("--start", is_flag=True)
@click.option("-D", "--daemonize", is_flag=False, flag_value="yes", default="no")
@click.option("--check", is_flag=True)
@click.option("-k", "--kill", is_flag=True)
@click.option("--version", is_flag=True)
@click.option("--system", is_flag=False, flag_value="yes", default="no")
@click.option("-L", "--load", "loads", multiple=True)
@click.option("-F", "--file", "scripts", multiple=True, type=click.Path(path_type=Path))
@click.option("-n", "no_script", is_flag=True, expose_value=False)
@click.option("-v", "--verbose", count=True, expose_value=False)
def verb(
    start: bool, daemonize: str, check: bool, kill: bool, version: bool, system: str, loads: tuple[str, ...],
    scripts: tuple[Path, ...],
) -> int:  # fmt: skip
    """Be a sound server where clients look for one, or speak to the one that is there."""
    if version:
        click.echo(f"eardrum {__version__}")
        return 0
    for_all = bool(boolean(system))
    path = place(for_all)
    if check:
        return 0 if _answers(path) else 1
    if kill:
        with Client(path) as client:
            client.ask(Exit())
        return 0
    if start and _answers(path):
        return 0
    lines = [f"load-module {load.removeprefix('load-module ')}" for load in loads]
    lines += [line for script in scripts for line in _lines(script)]
    argv = [sys.executable, "-P", "-m", "eardrum", "serve", *_socket_options(path, for_all)]
    if start or boolean(daemonize):
        _start(argv, path, lines)
        return 0
    return _become(argv, path, lines)


def place(system: bool) -> Path:
    """Where clients of this user look for their server first. Directory and link are made if they lack."""
    if system:
        return Path(discovery.SYSTEM_SOCKET)
    around = surroundings()
    found = discovery.find(around)
    if found.paths and found.paths[0] != discovery.SYSTEM_SOCKET:
        return Path(found.paths[0])
    return user_directory(around) / "native"


def _socket_options(path: Path, system: bool) -> list[str]:
    """What makes `serve` listen there: in its usual place it needs no word."""
    if system:
        return ["--socket", f"{path},auth=anonymous"]
    return ["--socket", str(path)] if discovery.search(surroundings()).named_by else []


def _answers(path: Path) -> bool:
    try:
        Client(path).close()
    except Unreachable:
        return False
    return True


def _lines(script: Path) -> list[str]:
    try:
        return script.read_text().splitlines()
    except OSError as error:
        raise Complaint(f"{script}: {error.strerror}") from None


def _start(argv: Sequence[str], path: Path, lines: Sequence[str]) -> None:
    """Start the server in a session of its own; returns when it serves and has done the lines."""
    readable, writable = os.pipe()
    with tempfile.TemporaryFile("w+") as said:  # who started us may read standard error to its end
        server = subprocess.Popen(
            [*argv, "--ready-fd", str(writable)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            pass_fds=(writable,),
            start_new_session=True,
        )
        os.close(writable)
        with open(readable, "rb") as ready:
            if not ready.read(1):
                status = server.wait()
                said.seek(0)
                *before, last = said.read().strip().splitlines() or [""]
                for line in before:
                    click.echo(shown(line), err=True)
                raise Complaint(last.removeprefix("eardrum: "), status)
    _do(path, lines)
    server.returncode = 0  # it lives on


def _become(argv: Sequence[str], path: Path, lines: Sequence[str]) -> int:
    """Be the server, in this process; a child does the lines and ends."""
    readable, writable = os.pipe()
    if lines and not os.fork():
        os.close(writable)
        with open(readable, "rb") as ready:
            if ready.read(1):
                try:
                    _do(path, lines)
                except Complaint as complaint:
                    click.echo(f"eardrum: {shown(str(complaint))}", err=True)
        os._exit(0)
    os.close(readable)
    os.set_inheritable(writable, True)
    os.execv(argv[0], [*argv, "--ready-fd", str(writable)])


def _do(path: Path, lines: Sequence[str]) -> None:
    from eardrum.cli.server_commands import obey_line

    for line in lines:
        with Client(path) as client:
            click.echo(obey_line(client, line), nl=False)
