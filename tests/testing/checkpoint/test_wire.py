"""The checkpoint reads what the product writes, and takes nothing that could be written in another way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.protocol import codec
from eardrum.protocol.message import NEWEST, every
from eardrum.terms.errors import RemoteProtocolError
from eardrum.testing.checkpoint.law import ALLOWED
from eardrum.testing.checkpoint.passage import read
from eardrum.testing.checkpoint.wire import Reader, Unreadable
from eardrum.testing.strategies import messages

COMMANDS = {cls.CODE: cls for cls in every() if cls.SENDER != "server" and cls.CODE in ALLOWED}


def taken(packet: bytes) -> bool:
    """Whether the checkpoint can read this command."""
    reader = Reader(packet)
    try:
        code = reader.expect("L")
        reader.expect("L")
        read(reader, ALLOWED[code])
    except (Unreadable, KeyError):
        return False
    return True


def test_it_is_told_of_every_command_that_it_allows() -> None:
    assert COMMANDS.keys() == ALLOWED.keys()


@pytest.mark.parametrize("code", ALLOWED)
@given(data=st.data())
def test_what_is_taken_is_written_in_the_one_canonical_way(code, data) -> None:
    cls = COMMANDS[code]
    packet = bytearray(codec.encode(data.draw(messages(cls, NEWEST)), 7, NEWEST))
    for position, value in data.draw(st.lists(st.tuples(st.integers(10, 500), st.integers(0, 255)), max_size=2)):
        packet[position : position + 1] = bytes((value,))
    assert taken(bytes(packet)) <= canonical(bytes(packet))


def canonical(packet: bytes) -> bool:
    try:
        tag, message = codec.decode(packet, NEWEST, lambda _: pytest.fail("no reply"))
    except RemoteProtocolError:
        return False
    return codec.encode(message, tag, NEWEST) == packet


@pytest.mark.parametrize("code", ALLOWED)
@given(data=st.data())
def test_a_byte_too_many_and_a_byte_too_few_are_not_taken(code, data) -> None:
    packet = codec.encode(data.draw(messages(COMMANDS[code], NEWEST)), 7, NEWEST)
    assert not taken(packet + b"N")
    assert not any(taken(packet[:end]) for end in range(len(packet)))
