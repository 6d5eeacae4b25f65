from __future__ import annotations

from eardrum.terms.errors import Complaint, PulseError, Refused


def test_error_codes_have_no_holes():
    assert [code.value for code in PulseError] == list(range(1, 27))
    assert (PulseError.ACCESS, PulseError.NOENTITY, PulseError.NOTSUPPORTED, PulseError.BUSY) == (1, 5, 19, 26)


def test_a_refusal_says_which_error_and_why():
    assert Refused(PulseError.NOENTITY).error is PulseError.NOENTITY
    assert str(Refused(PulseError.NOENTITY)) == "NOENTITY"
    assert str(Refused(PulseError.ACCESS, "no input wire")) == "no input wire"
    assert Refused(PulseError.ACCESS, "no input wire").why == "no input wire"


def test_a_complaint_is_one_line_and_an_exit_status():
    assert str(Complaint("no such outlet")) == "no such outlet"
    assert Complaint("no such outlet").status == 1
    assert Complaint("no such verb", status=2).status == 2
