"""The closed vocabulary between desk and worker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.terms.errors import RemoteProtocolError
from eardrum.worker.records import FROM_DESK, FROM_WORKER, RECORD_BYTES, Kind, Record, parse

U32 = st.integers(0, 0xFFFFFFFF)


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_is_said_by_one_side_only(kind):
    said = bytes(Record(kind, 1, 2, 3))
    assert len(said) == RECORD_BYTES
    assert (kind in FROM_DESK) != (kind in FROM_WORKER)
    speaker, listener = (FROM_DESK, FROM_WORKER) if kind in FROM_DESK else (FROM_WORKER, FROM_DESK)
    assert parse(said, speaker) == (kind, 1, 2, 3)
    with pytest.raises(RemoteProtocolError):
        parse(said, listener)


@given(st.sampled_from(sorted(FROM_WORKER)), U32, U32, U32)
def test_what_is_said_is_what_is_heard(kind, a, b, c):
    assert parse(bytes(Record(kind, a, b, c)), FROM_WORKER) == Record(kind, a, b, c)


@given(st.binary(max_size=2 * RECORD_BYTES))
def test_anything_else_is_refused(data):
    try:
        record = parse(data, FROM_WORKER)
    except RemoteProtocolError:
        return
    assert bytes(record) == data


@pytest.mark.parametrize("place", [1, 2, 3])
def test_nothing_hides_between_the_numbers(place):
    said = bytearray(bytes(Record(Kind.READY)))
    said[place] = 1
    with pytest.raises(RemoteProtocolError):
        parse(bytes(said), FROM_WORKER)
