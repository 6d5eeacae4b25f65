from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

PLUGIN = """
from eardrum.testing.second_try import SecondTry

def pytest_configure(config):
    config.addinivalue_line("markers", "live: in real time")
    config.pluginmanager.register(SecondTry("live", bound={bound}))
"""
FAILS_AT_FIRST = """
import pytest
tries = []

@pytest.fixture(scope="session")
def server():
    yield
    tries.append("ended")

@pytest.mark.live
def test_it(server):
    tries.append("begun")
    assert tries == ["begun", "ended", "begun"]
"""
FAILS_IN_A_FIXTURE = """
import pytest
tries = []

@pytest.fixture(scope="session")
def server():
    tries.append("begun")
    assert len(tries) == 2

@pytest.mark.live
def test_it(server):
    pass
"""
ALWAYS, NEVER = 0.0, 1000.0  # the machine stands still for so many seconds at any time


@pytest.fixture
def suite(pytester):
    """Runs these tests on a machine that stands still in this way; what came of them."""

    def run(tests, bound, *options):
        pytester.makeconftest(PLUGIN.format(bound=bound))
        pytester.makepyfile(tests)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)

    return run


@pytest.mark.parametrize("options", [(), ("--numprocesses=2",)], ids=["alone", "side by side"])
def test_a_failure_while_the_machine_stands_still_is_tried_again_with_new_fixtures(suite, options):
    done = suite(FAILS_AT_FIRST, ALWAYS, *options)
    assert (done.ret, done.parseoutcomes()) == (0, {"passed": 1, "disturbed": 1})
    done.stdout.re_match_lines([r"=+ tried twice.* =+", r".*::test_it: \d+ ms; .*assert \['begun'\] == .*"])


def test_a_second_failure_is_one(suite):
    done = suite(FAILS_AT_FIRST.replace("assert", "assert not"), ALWAYS)
    assert (done.ret, done.parseoutcomes()) == (0, {"passed": 1})
    done = suite(FAILS_AT_FIRST + "    assert not tries", ALWAYS)
    assert (done.ret, done.parseoutcomes()) == (1, {"failed": 1, "disturbed": 1})


def test_on_a_quiet_machine_a_failure_is_one_at_once(suite):
    done = suite(FAILS_AT_FIRST, NEVER)
    assert (done.ret, done.parseoutcomes()) == (1, {"failed": 1})


def test_a_fixture_that_fails_is_tried_again_too(suite):
    done = suite(FAILS_IN_A_FIXTURE, ALWAYS)
    assert (done.ret, done.parseoutcomes()) == (0, {"passed": 1, "disturbed": 1})
    done.stdout.fnmatch_lines(["*::test_it: * ms; *assert 1 == 2"])


def test_others_are_left_alone(suite):
    done = suite(FAILS_AT_FIRST.replace("@pytest.mark.live", ""), ALWAYS)
    assert (done.ret, done.parseoutcomes()) == (1, {"failed": 1})
