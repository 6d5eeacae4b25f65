"""Short playback streams of s16 stereo at 48 kHz, 192 bytes a millisecond, so that little time passes."""

from __future__ import annotations

from typing import Any

from eardrum.protocol.catalog import Ack, CorkPlaybackStream, PlaybackStreamCreated, Started, Underflow
from eardrum.testing.conformance.client import Talk, expect

MS = 192  # bytes
TLENGTH = 60 * MS
NEVER = 2**64 - 1
NEWS = (Started, Underflow, Ack)


def short(talk: Talk, **fields: Any) -> PlaybackStreamCreated:
    """A stream of 60 ms that starts when 40 ms are written."""
    return talk.play(**{"tlength": TLENGTH, "minreq": 10 * MS, "prebuf": 40 * MS, **fields})


def write(talk: Talk, ms: int, channel: int = 0) -> None:
    talk.write(channel, bytes(ms * MS))


def cork(talk: Talk, corked: bool, channel: int = 0) -> None:
    talk.must(Ack, CorkPlaybackStream(channel=channel, cork=corked))


def read_index(talk: Talk, channel: int = 0) -> int:
    return talk.settle(channel).read_index


def stays(talk: Talk, channel: int = 0) -> None:
    """The stream does not play while time passes."""
    before = read_index(talk, channel)
    talk.moment()
    expect(read_index(talk, channel), before)


def plays_to(talk: Talk, index: int, channel: int = 0) -> None:
    """The stream plays until its read index is there."""
    talk.until(lambda: talk.latency(channel).read_index >= index, "the stream to play on")
