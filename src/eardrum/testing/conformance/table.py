"""The table of differences, from the expectations themselves."""

from __future__ import annotations

from collections.abc import Iterator

from eardrum.testing.conformance.expectation import (
    CARRIED,
    MIXED,
    OUTLETS,
    SERVE,
    Expectation,
    Kind,
    When,
)
from eardrum.testing.conformance.expectations import EVERY

HEAD = """# Where Eardrum differs from PulseAudio

The conformance suite (`eardrum.testing.conformance`) holds {total} expectations against a real PulseAudio 16.1, against
an outlet that mixes by itself, against one whose sound that PulseAudio plays, and against `eardrum serve` with a null
sink and a null source that a script made. {same} of them hold everywhere. This page lists the other {others}, of which
{serve} differ on `serve`; `=` is what does not differ. Each line is checked as well. The page is written by
`python -m eardrum.testing.conformance > docs/differences.md`.
"""
SECTIONS = {When.ON_PURPOSE: "On purpose", When.NOT_YET: "Not yet"}
COLUMNS = (OUTLETS, SERVE)
ONLY = {MIXED: "an outlet that mixes: ", CARRIED: "an outlet in front of PulseAudio: "}


def markdown() -> str:
    """The page."""
    differing = [expectation for expectation in EVERY if expectation.differences]
    serve = sum(expectation.difference("serve") is not None for expectation in EVERY)
    head = HEAD.format(total=len(EVERY), same=len(EVERY) - len(differing), others=len(differing), serve=serve)
    parts = [head]
    for when, title in SECTIONS.items():
        parts.append(f"\n## {title}\n\n| PulseAudio | an outlet | `serve` | why |\n|---|---|---|---|\n")
        parts += _lines(when)
    return "".join(parts)


def _lines(when: When) -> Iterator[str]:
    """Expectations that differ in the same way for the same reasons are one line, which lists their cases."""
    found: dict[str, dict[tuple[str, str, str], list[str]]] = {}
    for expectation in EVERY:
        if any(difference.reason.when is when for difference in expectation.differences):
            row = expectation.topic, expectation.sentence, " | ".join(_cell(expectation, kinds) for kinds in COLUMNS)
            found.setdefault(_why(expectation), {}).setdefault(row, []).append(expectation.case)
    for why, rows in found.items():
        for (topic, sentence, cells), cases in rows.items():
            listed = "; ".join(filter(None, cases))
            yield f"| {topic}: {sentence}{': ' * bool(listed)}{listed} | {cells} | {why} |\n"


def _why(expectation: Expectation) -> str:
    """The reasons; one that is for `serve` beside another says so."""
    differences = expectation.differences
    general = [difference.reason for difference in differences if difference.on != SERVE or len(differences) == 1]
    for_serve = [f"`serve`: {difference.reason.why}" for difference in differences if difference.reason not in general]
    return " ".join([*dict.fromkeys(reason.why for reason in general), *for_serve])


def _cell(expectation: Expectation, kinds: frozenset[Kind]) -> str:
    """What our servers of these kinds do instead; `=` if they do not differ."""
    told: dict[str, frozenset[Kind]] = {}
    for difference in expectation.differences:
        if on := difference.on & kinds:
            told[difference.words] = told.get(difference.words, frozenset()) | on
    return "; ".join(ONLY.get(on, "") + words for words, on in told.items()) or "="
