"""`eardrum trace`: what a program and its sound server say to each other, one line per packet."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from eardrum.cli import child, options
from eardrum.cli.control import Control, NoOutlet
from eardrum.cli.run import Running
from eardrum.kernel.machine import surroundings
from eardrum.kernel.tap import pass_on, server_at
from eardrum.kernel.upstream_socket import Unreachable
from eardrum.protocol.catalog import Error
from eardrum.protocol.packets import SoundPacket
from eardrum.protocol.tap import Riddle, Said
from eardrum.protocol.trace import said_json, said_line
from eardrum.terms.errors import Complaint, shown
from eardrum.upstream.discovery import find

HEX_BYTES = 48  # in one line of a golden file
_OF_THE_PROGRAM = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)


class _Trace(Running):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_name = "--" not in args  # parsing takes it away
        rest = super().parse_args(ctx, args)
        ctx.params["is_name"] = is_name
        if is_name and len(ctx.params["command"]) != 1:
            raise click.UsageError("write -- before a program: eardrum trace -- PROGRAM…", ctx)
        return rest


@click.command(
    "trace",
    cls=_Trace,
    context_settings={"allow_interspersed_args": False},
    short_help="Show what programs and their sound server say.",
)
@options.runtime_dir
@click.option("--server", metavar="ADDRESS", help="The sound server as in PULSE_SERVER.  [default: the program's own]")
@click.option("--audio", is_flag=True, help="Sound packets too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--golden", metavar="FILE", type=click.Path(path_type=Path), help="Record each packet's line and bytes.")
@click.argument("command", metavar="NAME | -- PROGRAM…", nargs=-1, required=True, type=click.UNPROCESSED)
def verb(
    runtime: Path,
    server: str | None,
    audio: bool,
    as_json: bool,
    golden: Path | None,
    command: tuple[str, ...],
    is_name: bool,
) -> int:
    """Show what programs and their sound server say to each other, one line per packet.

    \b
      seconds  connection  >  from the program   <  from the server

    With NAME: the programs of an open outlet, until it is closed or you press Ctrl-C.

    With PROGRAM: runs it and shows on stderr what it and the sound server say. Shared memory is kept off, so that sound
    comes by as well. With `eardrum run -- eardrum trace -- PROGRAM…` the server is an outlet. The exit status is the
    program's; 125 if Eardrum failed, 126 if PROGRAM cannot be executed, 127 if there is none.
    """
    if is_name:
        if server or golden:
            raise click.UsageError("--server and --golden need a program: eardrum trace -- PROGRAM…")
        return _watch(runtime, command[0], audio, as_json)
    child.located(command[0])
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="eardrum-trace-")))
        paths = _servers(server, directory)
        record = stack.enter_context(_written(golden)) if golden else None
        printer = Printer(_show, sound=audio, as_json=as_json, golden=record)
        with _tapped(directory / "native", paths, printer):
            return child.run(command, {**os.environ, "PULSE_SERVER": f"unix:{directory / 'native'}"})


def _watch(runtime: Path, name: str, audio: bool, as_json: bool) -> int:
    """Print what an open outlet's programs say; its worker tells, and may tell anything: its text is not trusted."""
    while True:
        try:
            with Control(runtime) as control:
                for line in control.trace(name, audio):
                    told = json.loads(line)
                    click.echo(json.dumps(told) if as_json else _told(told))
        except NoOutlet as gone:
            click.echo(f"eardrum: {gone}", err=True)
            return 1
        click.echo(f"eardrum: {name}: its worker has ended", err=True)


def _told(told: dict[str, Any]) -> str:
    if "missed" in told:
        return f"eardrum: {told['missed']} lines are missing"
    line, why = str(told.get("line", told)), told.get("why")
    text = f"{line} because={why!r}" if why else line
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if told.get("command") == "ERROR":
        text = click.style(text, fg="red")
    return f"{float(told.get('time', 0)):9.4f} {int(told.get('connection', 0)):2} {text}"


class Printer:
    """Gives `out` a line for each packet: for people, or JSON for programs. `golden` gets it with its bytes."""

    def __init__(
        self, out: Callable[[str], None], *, sound: bool = False, as_json: bool = False, golden: TextIO | None = None
    ) -> None:
        self._out = out
        self._sound = sound
        self._line = _for_programs if as_json else _for_people
        self._golden = golden

    def heard(self, seconds: float, connection: int, said: Said) -> None:
        """`seconds` are since the start, connections count from 1. Of sound in pieces only the first is shown."""
        if isinstance(said.what, SoundPacket) and not (self._sound and said.what.first):
            return
        self._out(self._line(seconds, connection, said))
        if self._golden:
            self._golden.write(golden_entry(connection, said))

    def lost(self, connection: int, why: str) -> None:
        """A connection for which there was no server."""
        self._out(f"eardrum: connection {connection}: {why}")


def _for_people(seconds: float, connection: int, said: Said) -> str:
    line = said_line(said)
    if isinstance(said.what, Error | Riddle):
        line = click.style(line, fg="red")
    return f"{seconds:9.4f} {connection:2} {line}"


def _for_programs(seconds: float, connection: int, said: Said) -> str:
    return json.dumps({"time": round(seconds, 6), "connection": connection, **said_json(said)})


def golden_entry(connection: int, said: Said) -> str:
    """The line without its time, and below it the packet: of control what follows the descriptor, of sound only it."""
    lines = [said.data[start : start + HEX_BYTES].hex() for start in range(0, len(said.data), HEX_BYTES)]
    return f"{connection} {said_line(said)}\n" + "".join(f"    {line}\n" for line in lines)


def _show(line: str) -> None:
    with contextlib.suppress(OSError):  # whoever read it is gone; the program goes on
        click.echo(line, err=True)


@contextlib.contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    try:
        file = path.open("w", buffering=1, encoding="utf-8")
    except OSError as error:
        raise Complaint(f"--golden {path}: cannot be written: {error.strerror}") from None
    with file:
        yield file


def _servers(given: str | None, directory: Path) -> Sequence[str]:
    """Where the server may be; one of them takes connections. Raises Complaint."""
    found = find(surroundings(directory), given)
    for note in found.notes:
        click.echo(f"eardrum: {shown(note)}", err=True)
    if not found.paths:
        raise Complaint("no UNIX socket of a sound server is named; use --server unix:/PATH")
    try:
        asyncio.run(server_at(found.paths)).close()
    except Unreachable as unreachable:
        raise Complaint(f"{unreachable}; --server ADDRESS names another") from None
    return found.paths


@contextlib.contextmanager
def _tapped(path: Path, paths: Sequence[str], printer: Printer) -> Iterator[None]:
    """While this lasts a process beside us serves `path`: the program has this one, and its signals, to itself."""
    readable, writable = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as listening:
        listening.bind(str(path))
        listening.listen(64)
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            os.close(writable)
            _serve(listening, paths, readable, printer)
    os.close(readable)
    try:
        yield
    finally:
        os.close(writable)
        os.waitpid(pid, 0)


def _serve(listening: socket.socket, paths: Sequence[str], over: int, printer: Printer) -> None:
    """The whole life of the process beside; does not return."""
    for number in _OF_THE_PROGRAM:
        signal.signal(number, signal.SIG_IGN)
    begin = time.monotonic()
    try:
        asyncio.run(
            pass_on(
                listening,
                paths,
                over,
                lambda connection, said: printer.heard(time.monotonic() - begin, connection, said),
                lambda connection, why: printer.lost(connection, str(why)),
            )
        )
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
