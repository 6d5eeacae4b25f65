"""The limits of an outlet: their names, and what may be said of them."""

from __future__ import annotations

import pytest

from eardrum.terms.budget import Budget, parsed
from eardrum.terms.errors import Complaint


def test_what_is_said_replaces_single_limits():
    assert Budget().but({"streams": 16, "auth_seconds": 1}) == Budget(streams=16, auth_seconds=1.0)
    assert Budget(streams=8).but({}) == Budget(streams=8)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"stream": 16}, "unknown field `stream`; limits are connections, "),
        ({"streams": -1}, ">= 0"),
        ({"streams": 1.5}, "float"),
        ({"auth_seconds": 0}, "> 0"),
        ({"upstream_connections": 64}, "<= 8"),
    ],
)
def test_a_limit_that_cannot_be_is_named(said, complaint):
    with pytest.raises(Complaint, match=complaint) as raised:
        Budget().but(said)
    assert raised.value.status == 2


def test_limits_are_typed_as_name_and_number():
    assert parsed(["streams=16", "auth_seconds=2.5", "sample_bytes=1_000_000"]) == {
        "streams": 16,
        "auth_seconds": 2.5,
        "sample_bytes": 1_000_000,
    }
    for text in ("streams", "streams=many", "=", "streams=-1", "stream=1"):
        with pytest.raises(Complaint, match="budget"):
            parsed([text])
