"""A check can fail: what is not met is told, and so is a difference that is none."""

from __future__ import annotations

import pytest

from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Unmet, expect
from eardrum.testing.conformance.expectation import EXPECTATIONS, MIXED, Reason, When, differs, expectation

REASON = Reason(When.ON_PURPOSE, "because")


@pytest.fixture
def declared():
    """What a test declares; the suite does not keep it."""
    before = len(EXPECTATIONS)
    yield lambda: EXPECTATIONS[before:]
    del EXPECTATIONS[before:]


def only(declared):
    (found,) = declared()
    return found


def test_what_is_met_holds_everywhere(declared):
    @expectation
    def seven_is_told(talk):
        expect(talk, 7)

    for kind in ("pulseaudio", "mixed", "carried"):
        only(declared).judge(kind, 7)
        with pytest.raises(Unmet, match="expected 7, got 8"):
            only(declared).judge(kind, 8)


def test_a_declared_difference_must_be_there_and_be_the_one_that_is_declared(declared):
    @expectation
    @differs(REASON, 8, "eight", on=MIXED)
    def seven_is_told(talk):
        expect(talk, 7)

    only(declared).judge("mixed", 8)
    with pytest.raises(AssertionError, match="no longer differs: because"):
        only(declared).judge("mixed", 7)
    with pytest.raises(Unmet, match="expected 7, got 9"):
        only(declared).judge("mixed", 9)
    for kind in ("pulseaudio", "carried"):
        with pytest.raises(Unmet):
            only(declared).judge(kind, 8)


def test_cases_and_versions_are_expectations_of_their_own(declared):
    @expectation(each={"one": (1,), "two": (2,)}, versions=(8, 35))
    @differs(REASON, 3, "three", cases=("two",))
    def a_number_is_told(talk, number):
        expect(talk, number)

    assert [found.case for found in declared()] == [
        "one, version 8", "one, version 35", "two, version 8", "two, version 35",
    ]  # fmt: skip
    assert [found.version for found in declared()] == [8, 35, 8, 35]
    assert [bool(found.differences) for found in declared()] == [False, False, True, True]
    for found, told in zip(declared(), (1, 1, 3, 3), strict=True):
        found.judge("carried", told)


def test_the_name_of_the_function_is_the_sentence(declared):
    @expectation
    def auth_with_no_cookie_is_no_json_of_4_kib(talk):
        pass

    assert str(only(declared)) == "test expectation: AUTH with no cookie is no JSON of 4 KiB"


@pytest.mark.parametrize(("instead", "words"), [(PulseError.ACCESS, "`ACCESS`"), (PulseError.BUSY, "`BUSY`")])
def test_errors_need_no_words(declared, instead, words):
    @expectation
    @differs(REASON, instead)
    def it_is_granted(talk):
        pass

    assert only(declared).difference("mixed").words == words


def test_other_differences_need_words():
    with pytest.raises(AssertionError, match="needs words"):
        differs(REASON, 7)
