"""For pytest: a test that fails while the machine stands still is tried once again, from the beginning, and named.

What comes in: reports of tests. What goes out: for a failure without a standstill, the failure; for one with it, the
standstill and the reports of a second try. It never asks which test it is: what is wrong with us is wrong on a quiet
machine too, and fails twice.
"""

from __future__ import annotations

import time

import pytest
from _pytest.runner import runtestprotocol

from eardrum.testing.witness import Witness

BOUND = 0.04  # seconds
DISTURBED = "disturbed"  # the outcome of a first try that does not count
_STOOD = "seconds that the machine stood still"


class SecondTry:
    """The plugin, for tests with one of these marks."""

    def __init__(self, *marks: str, bound: float = BOUND) -> None:
        """A processor stands still if nothing that was due ran on it for `bound` seconds."""
        self._marks = marks
        self._bound = bound
        self._witness: Witness | None = None
        self._tried: pytest.Item | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        if item is self._tried or not any(map(item.get_closest_marker, self._marks)):
            return None  # the usual way
        self._witness = self._witness or Witness(self._bound)
        self._tried = item
        began = time.monotonic()
        self._witness.forget(began)
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        failures = [report for report in reports if report.failed]
        stood = self._witness.longest(began) if failures else 0.0
        for report in failures if stood else reports:
            if stood:
                report.outcome = DISTURBED  # type: ignore[assignment]
                report.user_properties.append((_STOOD, stood))
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if stood:
            item.session._setupstate.teardown_exact(None)  # of its fixtures none is left
            hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        return True

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        return (DISTURBED, "d", DISTURBED.upper()) if str(report.outcome) == DISTURBED else None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        disturbed = terminalreporter.stats.get(DISTURBED, [])
        if disturbed:
            terminalreporter.section("tried twice, for the machine stood still during the first")
        for report in disturbed:
            stood = dict(report.user_properties)[_STOOD]
            said = [line[1:].strip() for line in report.longreprtext.splitlines() if line.startswith("E ")]
            terminalreporter.line(f"{report.nodeid}: {stood * 1000:.0f} ms; {' '.join(said[:1])}")

    def pytest_unconfigure(self) -> None:
        if self._witness:
            self._witness.close()
