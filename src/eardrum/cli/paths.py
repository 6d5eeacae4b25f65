"""`eardrum paths`: every place where a sound socket could be, and where a client ends up."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator

import click
import msgspec

from eardrum.cli import options
from eardrum.kernel.places import Cookie, Lying, Report, Spot, look_around
from eardrum.terms.errors import shown

WIDEST = 100  # columns


@click.command("paths", short_help="Explain where programs look for sound, and who answers.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.option(
    "--patience",
    default="1s",
    show_default=True,
    metavar="TIME",
    callback=options.seconds,
    help="How long a server may take to answer.",
)
def verb(as_json: bool, patience: float) -> int:
    """Explain where sound programs of this user look for their server, in which order, who answers, and which one wins.

    Run it as the user, with the variables and inside the container of the program whose sound is missing. It changes
    nothing and starts nothing. The exit status is 1 if no server takes the program.
    """
    report = look_around(patience)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(report), indent=2))  # escapes what is no text in a path
    else:
        for line in lines(report, min(shutil.get_terminal_size((80, 24)).columns, WIDEST)):
            click.echo(line)
    for complaint in report.complaints:
        click.echo(f"eardrum: {shown(complaint)}", err=True)
    return 0 if report.winner and report.winner.answer and not report.winner.answer.problem else 1


def lines(report: Report, width: int) -> Iterator[str]:
    """The report for people."""
    yield from _wrapped(_verdict(report), width)
    yield ""
    yield _title("Where a client looks, in this order")
    for spot in report.places:
        yield from _spot(spot, f"{spot.number}.", width)
    if report.autospawn:
        yield from _wrapped(
            f"then it starts {report.autospawn} (autospawn), and looks at the first one again", width, 5
        )
    yield ""
    yield _title("Where it does not look")
    for spot in (*report.passed_over, *report.others):
        yield from _spot(spot, "-", width)
    yield ""
    yield _title("What it reads")
    for name, value in report.variables.items():
        if value is not None:
            yield from _wrapped(f"{name} = {value or '(set, and empty)'}", width, 2)
    unset = [name for name, value in report.variables.items() if value is None]
    yield from _wrapped(f"not set: {', '.join(unset)}", width, 2)
    yield from _wrapped(f"machine-id: {report.machine_id}", width, 2)
    for file in report.client_conf:
        yield from _wrapped(f"{file.path}: {file.state}", width, 2)
    for key, setting in report.settings.items():
        yield from _wrapped(f"{key} = {setting.value} ({setting.where})", width, 4)
    for cookie in report.cookies:
        yield from _wrapped(_cookie(cookie), width, 2)


def _verdict(report: Report) -> str:
    who = (
        f"A client of {report.user} (uid {report.uid})"
        if report.user != str(report.uid)
        else f"A client of uid {report.uid}"
    )
    if not report.winner or not report.winner.answer:
        then = _autospawn(report) if report.autospawn else "it says `Connection refused`"
        return f"{who} finds no server: {report.why}; {then}."
    where = f"{who} connects to {report.winner.address}"
    if report.winner.answer.problem:
        return f"{where} and gets nowhere: {report.winner.answer.problem}. It tries no other place: {report.why}."
    return f"{where}, {_server(report.winner)}: {report.why}."


def _autospawn(report: Report) -> str:
    if report.autospawns:
        return f"it starts {report.autospawn} (autospawn), and looks once more where its user's server would be"
    unknown = "client.conf does not say whether, and libpulse's own default is yes, but no in Debian"
    return f"it may start {report.autospawn} (autospawn): {unknown}"


def _server(spot: Spot) -> str:
    answer = spot.answer
    return f"{answer.server} {answer.version}, protocol {answer.protocol}" if answer else ""


def _spot(spot: Spot, mark: str, width: int) -> Iterator[str]:
    address, because = shown(f"  {mark:<3}{spot.address}"), shown(f"({spot.because})")
    fits = len(address) + 2 + len(because) <= width
    yield f"{address}  {because}" if fits else address  # which is never broken
    for text in ([] if fits else [because]) + [*_details(spot)]:
        yield from _wrapped(text, width, 5)


def _details(spot: Spot) -> Iterator[str]:
    if spot.lying:
        yield _lying(spot.lying, spot.directory)
    if spot.note:
        yield spot.note
    if spot.answer and not spot.answer.problem:
        yield f"answers: {_server(spot)}"
    elif spot.answer and (spot.answer.connects or not (spot.lying and spot.lying.problem)):
        yield spot.answer.problem


def _lying(there: Lying, directory: Lying | None) -> str:
    said = _described(there)
    if directory is None:
        return said
    return f"{said}; its directory: {directory.problem}" if directory.problem else f"{said}, in {_described(directory)}"


def _described(there: Lying) -> str:
    said = there.problem or f"{there.kind} {there.owner}:{there.group} {there.mode}"
    return f"link to {there.link}: {said}" if there.link else said


def _cookie(cookie: Cookie) -> str:
    return f"cookie {cookie.path or cookie.because}: {cookie.state}{' (this is sent)' if cookie.sent else ''}"


def _title(text: str) -> str:
    return click.style(text, bold=True)


def _wrapped(text: str, width: int, indent: int = 0, hanging: int = 2) -> list[str]:
    """`text` in lines; a path is never broken."""
    first, rest = " " * indent, " " * (indent + hanging)
    return textwrap.wrap(
        shown(text), width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
