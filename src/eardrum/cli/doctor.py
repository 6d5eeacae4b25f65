"""`eardrum doctor`: what keeps a container from its sound, or gives it more than sound, and what mends it."""

from __future__ import annotations

import contextlib
import os
import stat
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from eardrum.cli import options, trial
from eardrum.cli.control import Control, NoDesk, Outlet
from eardrum.containers.examination import OURS, Finding, examine
from eardrum.kernel import probe
from eardrum.kernel.confinement.layers import ALL, Layer
from eardrum.kernel.process_view import ProcessView, visitors
from eardrum.protocol.kinds import COOKIE_BYTES
from eardrum.terms.errors import Complaint, PulseError, shown
from eardrum.upstream.addresses import Address

_MARKS = ("/run/.containerenv", "/.dockerenv")  # what engines leave in a container
_TO_START = 30.0  # seconds for an engine
_TAKE_AGAIN = "`eardrum close` and open it again, with the same mounts"


class Patient(NamedTuple):
    """Something that was looked at."""

    about: str
    findings: list[Finding]


@click.command(
    "doctor",
    short_help="Find what keeps a container from its sound.",
    context_settings={"allow_interspersed_args": False},
)
@options.runtime_dir
@click.option(
    "--pid", type=click.IntRange(min=1), metavar="PID", help="Look at this process, whatever it was started by."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--patience", default="2s", show_default=True, metavar="TIME", callback=options.seconds,
    help="How long a server may take to answer.",
)  # fmt: skip
@click.argument("what", nargs=-1, type=click.UNPROCESSED, metavar="[NAME | -- ENGINE ...]")
def verb(runtime: Path, pid: int | None, as_json: bool, patience: float, what: tuple[str, ...]) -> int:
    """Find what keeps a container from its sound, or gives it more than sound.

    Looks at outlet NAME, or at every outlet that is open, and at the containers that it is mounted into. Inside a
    container it looks at that; with --pid, at any process. `doctor -- podman run ... IMAGE COMMAND` starts that
    container with an outlet, and with an idle shell in place of COMMAND, looks at it, and ends it.

    Every finding is a line, and the next one says what mends it. It changes nothing. The exit status is 1 if something
    was found.
    """
    if pid is not None:
        patients = [_process(pid, patience)]
    elif len(what) > 1:
        patients = list(_trial(runtime, what, patience))
    else:
        patients = list(_outlets(runtime, what[0] if what else None, patience))
    if as_json:
        findings = [
            {"about": shown(about)} | {key: shown(text) for key, text in finding._asdict().items()}
            for about, found in patients
            for finding in found
        ]
        click.echo(msgspec.json.format(msgspec.json.encode({"findings": findings}), indent=2).decode())
    else:
        for line in _lines(patients):
            click.echo(line)
    return 1 if any(patient.findings for patient in patients) else 0


def _inside() -> bool:
    return "container" in os.environ or any(Path(mark).exists() for mark in _MARKS)


def _outlets(runtime: Path, name: str | None, patience: float) -> Iterator[Patient]:
    """The desk, the outlets that are meant, and whoever has them."""
    try:
        with Control(runtime) as control:
            outlets = control.outlets()
    except NoDesk:
        if name is None and _inside():
            yield _process(os.getpid(), patience)
            return
        yield Patient("the desk", [Finding("no-desk", f"no desk serves {runtime}", "start one: `eardrum up`")])
        return
    meant = [outlet for outlet in outlets if name in (None, outlet.name)]
    if name is not None and not meant:
        what = f"no outlet {name} is open in {runtime}"
        yield Patient(f"outlet {name}", [Finding("no-outlet", what, f"open it: `eardrum open {name}`")])
    for outlet in meant:
        yield Patient(f"outlet {outlet.name}", [*_outlet(outlet, patience), *_confinement(runtime, outlet.name)])
        for pid in visitors(Path(outlet.directory)):
            with contextlib.suppress(Complaint):  # it has ended since
                yield _process(pid, patience)


def _outlet(outlet: Outlet, patience: float) -> Iterator[Finding]:
    """What is wrong on this side of the mount."""
    yield from _socket(outlet, patience)
    for wire, its in outlet.wires.items():
        if its is not None and its.state in ("waiting", "refused"):
            refused = its.state == "refused"
            said = outlet.note or f"{wire} is silent: {its.leads_to} {'refuses it' if refused else 'is not there'}"
            what, _, mend = said.partition("; ")
            yield Finding(f"wire-{its.state}", what, mend or "see on the host whether its sound server runs")
    muted = {"output": outlet.levels.output.muted, "input": bool(outlet.levels.input and outlet.levels.input.muted)}
    for wire, place in (("output", outlet.name), ("input", f"{outlet.name}/in")):
        if muted[wire]:
            yield Finding("muted", f"its {wire} is muted by you", f"`eardrum mute {place} off`")


def _confinement(runtime: Path, name: str) -> Iterator[Finding]:
    """Which layers its worker is without, which has just been asked something."""
    with contextlib.suppress(Complaint), Control(runtime) as control:
        held = next((outlet.confinement for outlet in control.outlets() if outlet.name == name), None)
        lacking = [layer for layer in Layer(ALL).names if held is not None and layer not in held]
        if lacking:
            what = f"its worker is confined without {', '.join(lacking)}, which this kernel does not give"
            yield Finding("confinement", what, "take a newer kernel; `eardrum up --require-confinement` insists on it")


def _socket(outlet: Outlet, patience: float) -> Iterator[Finding]:
    path = Path(outlet.socket)
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):  # a link may lead anywhere
            yield Finding("socket-replaced", f"{path} is no socket; somebody put something else there", _TAKE_AGAIN)
            return
    except OSError:
        yield Finding("socket-gone", f"{path} is not there any more; somebody removed it", _TAKE_AGAIN)
        return
    answer = probe.ask(Address(outlet.socket), bytes(COOKIE_BYTES), patience)
    if answer.error is PulseError.CONNECTIONTERMINATED:
        what = f"it hangs up: {outlet.connections} programs are connected, as many as its budget allows"
        yield Finding("too-many-clients", what, "end some, or open it with --budget connections=NUMBER")
    elif answer.problem:
        yield Finding("no-answer", f"{path}: {answer.problem}", _TAKE_AGAIN)
    elif answer.server != OURS:
        yield Finding("socket-replaced", f"{path} leads to {answer.server}; somebody put it there", _TAKE_AGAIN)


def _trial(runtime: Path, command: Sequence[str], patience: float) -> Iterator[Patient]:
    """A container that is started for this."""
    with trial.tried(runtime, command, _TO_START + patience) as (outlet, pid, status, said):
        if pid is not None:
            yield _process(pid, patience)
            return
        about = command[0]
        lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
        if status is None:
            what = (
                f"no process has {outlet.directory} mounted after {_TO_START:g} s; the engine's last words: {lines[-1]}"
            )
        else:
            what = f"the engine ended with status {status}: {lines[-1]}"
        yield Patient(
            about, [Finding("engine", what, "run the same with `eardrum run` in front, and mend what it says")]
        )


def _process(pid: int, patience: float) -> Patient:
    view = ProcessView(pid)
    try:
        return Patient(f"process {pid} ({view.name})", list(examine(view, patience)))
    finally:
        view.close()


def _lines(patients: Sequence[Patient]) -> Iterable[str]:
    for about, findings in patients:
        yield f"{shown(about)}: {'well' if not findings else ''}".rstrip()
        for finding in findings:
            yield click.style(f"  {finding.code}: {shown(finding.what)}", fg="yellow")
            yield textwrap.indent(shown(finding.mend), "    mend: ")
    if not patients:
        yield "no outlet is open; `eardrum open NAME` opens one"
