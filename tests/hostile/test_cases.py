"""Every case of the threat model is shown by a test on each back end, or it is said why not.

A test says which case it shows with `@pytest.mark.case("P13")`; its parameter `attacked` says on which back end.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from eardrum.testing.arena import BACKENDS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = [f"P{number:02}" for number in range(1, 75)]
COLLECT = """
import pytest
class Collected:
    def pytest_collection_finish(self, session):
        for item in session.items:
            for mark in item.iter_markers("case"):
                print(*mark.args, item.callspec.params.get("attacked") if hasattr(item, "callspec") else None)
raise SystemExit(pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", HERE], plugins=[Collected()]))
"""


@pytest.fixture(scope="module")
def marked(request: pytest.FixtureRequest) -> set[tuple[str, str]]:
    """Cases and the back ends on which a test of this directory shows them, whichever tests are run now."""
    files = {path for path in HERE.glob("test_*.py") if "mark.case(" in path.read_text()} - {Path(__file__)}
    items = [item for item in request.session.items if item.path in files]
    if {item.path for item in items} == files and not request.config.option.keyword:
        backends = [(item, item.callspec.params.get("attacked")) for item in items if hasattr(item, "callspec")]
        return {(mark.args[0], backend) for item, backend in backends for mark in item.iter_markers("case")}
    program = COLLECT.replace("HERE", repr(str(HERE)))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout
    return {(words[0], words[1]) for words in map(str.split, done.stdout.splitlines()) if words and words[0] in CASES}


def left_out() -> dict[tuple[str, str], dict[str, object]]:
    entries = tomllib.loads((HERE / "cases.toml").read_text())["left_out"]
    return {
        (case, backend): entry for entry in entries for case in entry["cases"] for backend in entry.get("on", BACKENDS)
    }


def test_every_case_is_shown_on_each_back_end_or_it_is_said_why_not(marked):
    wanted = {(case, backend) for case in CASES for backend in BACKENDS}
    assert sorted(wanted - marked - left_out().keys()) == []


def test_what_is_shown_is_not_said_to_be_left_out(marked):
    assert sorted(marked & left_out().keys()) == []


def test_only_cases_are_named(marked):
    assert {case for case, _ in [*marked, *left_out()]} <= set(CASES)


def test_a_reason_is_given_and_what_shows_the_case_instead_exists():
    for (case, _), entry in left_out().items():
        assert entry["why"], case
        assert "shown" not in entry or (ROOT / str(entry["shown"])).exists(), entry["shown"]
