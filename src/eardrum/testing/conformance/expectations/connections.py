"""How many may be connected, and what they may leave behind."""

from __future__ import annotations

from eardrum.protocol.catalog import Auth, AuthReply
from eardrum.testing.conformance.client import Fate, Talk, expect
from eardrum.testing.conformance.expectation import differs, expectation
from eardrum.testing.conformance.reasons import MANY

MOST = 64


@expectation
@differs(MANY, Fate.ALIVE, "it is served")
def with_64_connections_one_more_is_closed_at_once(talk: Talk) -> None:
    strangers = [talk.stranger() for _ in range(MOST)]
    fates = [stranger.fate for stranger in strangers]
    expect(fates[-1], Fate.CLOSED)


@expectation
def a_connection_that_ends_makes_room(talk: Talk) -> None:
    for _ in range(MOST + 10):
        other = talk.stranger()
        other.must(AuthReply, Auth(version=35))
        other.close()


@expectation
def half_a_packet_is_no_harm_to_others(talk: Talk) -> None:
    other = talk.stranger()
    other.send(b"\0\0\1\0\xff\xff")
    other.close()
    expect(talk.fate, Fate.ALIVE)


@expectation
def leaving_while_playing_and_recording_is_no_harm_to_others(talk: Talk) -> None:
    other = talk.another()
    other.play()
    other.write(0, bytes(100_000))
    other.record(source_name="output.monitor")
    other.close()
    expect(talk.fate, Fate.ALIVE)
