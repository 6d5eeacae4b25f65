"""The closed vocabulary between desk and worker."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.server.events import INPUT, OUTPUT
from eardrum.terms.errors import RemoteProtocolError
from eardrum.terms.names import WireEnd
from eardrum.worker.records import (
    FROM_DESK,
    FROM_WORKER,
    RECORD_BYTES,
    Kind,
    Record,
    end_from_pipe,
    end_in_pipe,
    parse,
)

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


@pytest.mark.parametrize(
    ("wire", "end"),
    [
        (OUTPUT, WireEnd("host")),
        (OUTPUT, WireEnd("host", "a.sink-of_the_host")),
        (OUTPUT, WireEnd("null")),
        (INPUT, WireEnd("room", "parlour")),
        (INPUT, WireEnd("silence")),
    ],
)
def test_a_wire_end_travels_in_a_pipe(wire, end):
    descriptor = end_in_pipe(end)
    assert end_from_pipe(wire, descriptor) == end
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize("text", [b"", b"nowhere", b"room:", b"host:\xff", b"room:" + b"x" * 1000, b"null\0"])
def test_what_is_no_wire_end_is_refused(text):
    reader, writer = os.pipe()
    os.write(writer, text)
    os.close(writer)
    with pytest.raises(RemoteProtocolError, match="no wire end"):
        end_from_pipe(OUTPUT, reader)
