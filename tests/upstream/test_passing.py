"""A direction of a connection that is looked through: however its bytes come, the same passes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eardrum.protocol.catalog import CorkPlaybackStream, Exit, Stat
from eardrum.protocol.codec import packet
from eardrum.protocol.packets import DESCRIPTOR_BYTES, control, sound_head
from eardrum.terms.errors import RemoteProtocolError
from eardrum.upstream.passing import Passing

CORK, STAT, EXIT = packet(CorkPlaybackStream(channel=1, cork=True), 0, 35), packet(Stat(), 1, 35), packet(Exit(), 2, 35)
NOISE = bytes(range(1, 251)) * 40
LONGEST = 64


def passing(*heeded: int, instead: bytes | None = None, sound: bytes | None = None) -> tuple[Passing, list[bytes]]:
    seen: list[bytes] = []

    def look(data: memoryview) -> bytes | None:
        seen.append(bytes(data))
        return instead

    return Passing(heeded, look, lambda channel, length, flags: sound, LONGEST), seen


def passed(passing: Passing, data: bytes, cuts: Sequence[int] = ()) -> bytes:
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = (memoryview(data)[start:stop] for start, stop in pairwise(edges))
    return b"".join(bytes(part) for piece in pieces for part in passing.feed(piece))


def test_what_is_not_heeded_passes_in_one_run():
    way, seen = passing()
    data = CORK + sound_head(3, len(NOISE)) + NOISE + STAT
    assert [bytes(part) for part in way.feed(memoryview(data))] == [data]
    assert seen == []


@given(cuts=st.lists(st.integers(0, 2 * len(NOISE)), max_size=12))
def test_however_it_is_cut(cuts):
    data = CORK + sound_head(3, len(NOISE)) + NOISE + STAT + sound_head(4, 7) + NOISE[:7] + EXIT
    way, seen = passing(Stat.CODE, instead=b"instead")
    assert passed(way, data, cuts) == data.replace(STAT, b"instead")
    assert seen == [STAT]
    way, _ = passing(sound=b"\x80")
    silent = data.replace(NOISE, b"\x80" * len(NOISE)).replace(NOISE[:7], b"\x80" * 7)
    assert passed(way, data, cuts) == silent


def test_sound_is_not_waited_for():
    way, _ = passing()
    assert passed(way, sound_head(3, len(NOISE)) + NOISE[:1]) == sound_head(3, len(NOISE)) + NOISE[:1]
    assert passed(way, NOISE[1:]) == NOISE[1:]


def test_a_command_is():
    way, seen = passing(Stat.CODE)
    assert passed(way, STAT[:-1]) == b""
    assert seen == []
    assert passed(way, STAT[-1:]) == STAT
    assert seen == [STAT]


@pytest.mark.parametrize("length", [0, 9, LONGEST + 1])
def test_a_control_packet_has_its_lengths(length):
    way, _ = passing()
    with pytest.raises(RemoteProtocolError):
        way.feed(memoryview(control(bytes(length))[:DESCRIPTOR_BYTES]))
