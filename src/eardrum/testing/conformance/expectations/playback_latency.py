"""What a playback stream says of itself."""

from __future__ import annotations

from itertools import pairwise

from eardrum.protocol.catalog import (
    Underflow,
)
from eardrum.terms.audio import SampleSpec
from eardrum.testing.conformance.client import S16, Talk, expect
from eardrum.testing.conformance.expectation import expectation
from eardrum.testing.conformance.short_streams import MS, NEVER, cork, plays_to, short, write


@expectation
def while_it_is_corked_a_stream_is_not_playing(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    plays_to(talk, 30 * MS)
    cork(talk, True)
    latency = talk.settle(0)
    expect((latency.playing, latency.playing_for), (False, 0))


@expectation
def the_time_of_the_client_is_echoed_and_that_of_the_server_told(talk: Talk) -> None:
    short(talk)
    told = talk.latency(0)
    expect((told.client_time, told.unused), ((1, 2), 0))
    expect((told.server_time[0] > 1_600_000_000, told.server_time[1] < 1_000_000), (True, True))


@expectation
def before_its_first_start_a_stream_has_been_starved_for_ever(talk: Talk) -> None:
    short(talk)
    latency = talk.settle(0)
    expect((latency.playing, latency.underrun_for, latency.playing_for), (False, NEVER, 0))


@expectation
def while_it_plays_a_stream_counts_for_how_long(talk: Talk) -> None:
    short(talk, tlength=1000 * MS)
    write(talk, 1000)
    plays_to(talk, 30 * MS)
    latency = talk.latency(0)
    expect((latency.playing, latency.underrun_for), (True, 0))
    expect(0 < latency.playing_for <= 1000 * MS, True)


@expectation
def after_an_underrun_it_counts_for_how_long_it_has_been_starved(talk: Talk) -> None:
    short(talk)
    write(talk, 50)
    talk.hear(Underflow)
    talk.until(lambda: talk.latency(0).underrun_for > 10 * MS, "the underrun to grow")
    expect(talk.latency(0).playing_for, 0)


@expectation
def two_streams_play_at_once(talk: Talk) -> None:
    for channel in (0, 1):
        short(talk)
        write(talk, 50, channel)
    for channel in (0, 1):
        talk.hear(Underflow, channel=channel)


SECOND = 1_000_000  # µs
CLOCKS = {
    "short": (S16, 50 * MS),
    "short at another rate": (S16._replace(rate=44_100), 50 * MS),
    "long": (S16, 2000 * MS),
    "long at another rate": (S16._replace(rate=32_000), 2000 * MS),
}


@expectation(each=CLOCKS)
def what_is_heard_goes_on_as_the_clock_does_where_buffers_are(talk: Talk, spec: SampleSpec, tlength: int) -> None:
    made = talk.play(spec, tlength=tlength, prebuf=0, minreq=tlength // 5)
    talk.write(made.channel, bytes(spec.bytes_for(3 * SECOND)), 2)
    moments: list[tuple[int, int]] = []  # by the server's clock and by what is heard, in µs

    def measure() -> bool:
        told = talk.latency(made.channel)
        seconds, rest = told.server_time
        heard = spec.usec(told.read_index) - told.sink_latency
        if heard > SECOND // 5:
            moments.append((seconds * SECOND + rest, heard))
        return bool(moments) and moments[-1][0] - moments[0][0] > SECOND

    talk.until(measure, "a second to pass")
    back = min(after[1] - before[1] for before, after in pairwise(moments))
    expect(back > -2000, True)
    took, heard = (last - first for first, last in zip(moments[0], moments[-1], strict=True))
    expect(round(heard / took, 1), 1.0)
