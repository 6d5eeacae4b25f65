"""The page of differences is that of the expectations."""

from __future__ import annotations

from pathlib import Path

from eardrum.testing.conformance.expectations import EVERY
from eardrum.testing.conformance.table import markdown

PAGE = Path(__file__).parents[3] / "docs/differences.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == markdown(), "python -m eardrum.testing.conformance >docs/differences.md"


def test_every_difference_is_in_it():
    page = markdown()
    for expectation in EVERY:
        for difference in expectation.differences:
            assert f"{expectation.topic}: {expectation.sentence}" in page
            assert difference.reason.why in page


def test_no_two_expectations_have_the_same_name():
    names = [str(expectation) for expectation in EVERY]
    assert len(names) == len(set(names))
