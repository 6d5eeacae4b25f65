"""`eardrum probe`: how open a sound server's socket is, for a program that has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import click

from eardrum.kernel.client import Client
from eardrum.kernel.openness import SHARING, Openness, Verdict, examine
from eardrum.kernel.places import way_to_server
from eardrum.kernel.probe import connected, why_not
from eardrum.terms.errors import Complaint, Refused, shown
from eardrum.upstream.addresses import Address

PATIENCE = 5.0  # seconds for all of it
UNASKED = 2  # exit status: there is nobody to ask
_WORDS = {
    Verdict.OPEN: "open: who has this socket reaches beyond its own sound",
    Verdict.OUTLET: "outlet: who has this socket has its own sound, and what it was wired to",
    Verdict.CLOSED: "closed",
}
_COLOURS = {Verdict.OPEN: "red", Verdict.OUTLET: "green", Verdict.CLOSED: "green"}


@click.command("probe", short_help="Ask a sound server's socket what it would allow.")
@click.argument("address", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def verb(address: str | None, as_json: bool) -> int:
    """Ask a sound server what it would let a program do, and say how open it is.

    Run it where the program runs, in its container. ADDRESS is as in PULSE_SERVER; without it the server is asked that
    a program would find. It changes nothing there, and records nothing.

    The exit status is 0 if what it allows concerns nobody else, 1 if it is open, 2 if nobody could be asked.
    """
    try:
        where, found = _examined(address)
    except Refused as refusal:
        raise Complaint(f"the server tells nothing: {refusal.error.name}", UNASKED) from None
    except Complaint as complaint:
        raise Complaint(str(complaint), UNASKED) from None
    if as_json:
        findings = [asdict(finding) for finding in found.findings]
        told = {"address": where, "server": found.server, "protocol": found.protocol, "verdict": found.verdict}
        click.echo(json.dumps(told | {"findings": findings}, indent=2))
    else:
        for line in _lines(where, found):
            click.echo(line)
    return int(found.verdict is Verdict.OPEN)


def _examined(given: str | None) -> tuple[str, Openness]:
    """The address that answered, and what was found there. Raises Complaint, Refused."""
    where, join = _server(given)
    with join(SHARING) as sharer:
        shared = sharer.shared
    with join(0) as client, join(0) as other:
        return where, examine(client, other, shared)


def _server(given: str | None) -> tuple[str, Callable[[int], Client]]:
    """The first place that takes a connection, and how to become a client there. Raises Complaint."""
    search, cookie = way_to_server(given, PATIENCE)
    problems = []
    for place in search.places:
        if place.at is None or place.note:
            problems.append(f"{place.address}: {place.note}")
            continue
        at: Address = place.at
        try:
            connected(at, PATIENCE).close()
        except OSError as error:
            problems.append(f"{place.address}: {why_not(at, error)}")
            continue

        def join(sharing: int, at: Address = at) -> Client:
            return Client(Path(at.path or ""), PATIENCE, cookie, connected(at, PATIENCE), sharing)

        return place.address, join
    raise Complaint(f"no server to ask: {'; '.join(problems)}; name one: eardrum probe unix:/PATH")


def _lines(where: str, found: Openness) -> Iterable[str]:
    yield f"{shown(where)} is {found.server}, protocol {found.protocol}"
    yield ""
    width = max(len(finding.question) for finding in found.findings)
    for finding in found.findings:
        verdict = click.style(f"{finding.verdict:6}", fg=_COLOURS[finding.verdict])
        yield f"  {finding.question:{width}}  {verdict}  {finding.said}"
    yield ""
    yield click.style(_WORDS[found.verdict], fg=_COLOURS[found.verdict], bold=True)
