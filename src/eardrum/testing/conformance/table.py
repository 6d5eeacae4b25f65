"""The table of differences, from the expectations themselves."""

from __future__ import annotations

from eardrum.testing.conformance.expectation import CARRIED, MIXED, OURS, Kind, Reason, When
from eardrum.testing.conformance.expectations import EVERY

HEAD = """# Where an outlet differs from PulseAudio

The conformance suite (`eardrum.testing.conformance`) holds {total} expectations against a real PulseAudio 16.1, against
an outlet that mixes by itself, and against one whose sound that PulseAudio plays. {same} of them hold on all three.
This page lists the other {others}; each line is checked as well. It is written by
`python -m eardrum.testing.conformance > docs/differences.md`.
"""
SECTIONS = {When.ON_PURPOSE: "On purpose", When.NOT_YET: "Not yet"}
ONLY = {MIXED: "an outlet that mixes: ", CARRIED: "an outlet in front of PulseAudio: ", OURS: ""}

Row = tuple[str, str, str]  # topic, sentence, what our server does
Where = dict[str, frozenset[Kind]]  # cases of the sentence, and on which of our servers they differ


def markdown() -> str:
    """The page."""
    same = sum(not expectation.differences for expectation in EVERY)
    parts = [HEAD.format(total=len(EVERY), same=same, others=len(EVERY) - same)]
    for when, title in SECTIONS.items():
        parts.append(f"\n## {title}\n\n| PulseAudio | an outlet | why |\n|---|---|---|\n")
        parts += [line for reason, rows in _by_reason().items() if reason.when is when for line in _lines(reason, rows)]
    return "".join(parts)


def _by_reason() -> dict[Reason, dict[Row, Where]]:
    found: dict[Reason, dict[Row, Where]] = {}
    for expectation in EVERY:
        for reason, _, words, on in expectation.differences:
            row = (expectation.topic, expectation.sentence, words)
            where = found.setdefault(reason, {}).setdefault(row, {})
            where[expectation.case] = where.get(expectation.case, frozenset()) | on
    return found


def _lines(reason: Reason, rows: dict[Row, Where]) -> list[str]:
    lines = []
    for (topic, sentence, words), where in rows.items():
        cases = "; ".join(filter(None, where))
        only = ONLY[next(iter(where.values()))]
        lines.append(f"| {topic}: {sentence}{': ' * bool(cases)}{cases} | {only}{words} | {reason.why} |\n")
    return lines
