"""What the monitor of a sink hears of what is played into it.

Streams play one value all the time, s16 mono or stereo at 48 kHz, so that what is heard is a number.
"""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import Any

from eardrum.protocol.catalog import (
    Ack,
    PlaybackStreamCreated,
    SetSinkInputMute,
    SetSinkInputVolume,
    SetSinkVolume,
)
from eardrum.terms.audio import VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import S16, Talk, expect
from eardrum.testing.conformance.expectation import expectation

MS = 192  # bytes
LOUD = 16_000
HALF = VOLUME_NORM // 2


def play(talk: Talk, sample: int = LOUD, **fields: Any) -> PlaybackStreamCreated:
    """A stream of this value for a second."""
    made = talk.play(**{"tlength": 100 * MS, "prebuf": 0, "minreq": 10 * MS, **fields})
    sound = array.array("h", [sample]) * 96_000
    talk.write(made.channel, sound.tobytes(), 2, 0)
    return made


def listen(talk: Talk, spec: SampleSpec = S16, **fields: Any) -> Callable[[], int]:
    """Record the monitor; returns what tells the last value that was heard."""
    made = talk.record(spec, **{"source_name": "output.monitor", "fragsize": 10 * MS, **fields})
    return lambda: array.array("h", bytes(talk.sound.get(made.channel, bytes(2))[-2:]))[0]


def await_value(talk: Talk, heard: Callable[[], int], value: int, near: int = 1) -> None:
    talk.until(lambda: abs(heard() - value) <= near, f"the value {value}")


@expectation
def a_stream_is_heard_as_loud_as_it_is(talk: Talk) -> None:
    heard = listen(talk)
    play(talk)
    await_value(talk, heard, LOUD)


@expectation
def two_streams_are_added(talk: Talk) -> None:
    heard = listen(talk)
    play(talk, 1000)
    play(talk, 2000)
    await_value(talk, heard, 3000, near=2)


@expectation
def too_loud_is_cut_off(talk: Talk) -> None:
    heard = listen(talk)
    play(talk, 30_000)
    play(talk, 30_000)
    await_value(talk, heard, 32_767)


@expectation
def half_the_volume_is_an_eighth(talk: Talk) -> None:
    heard = listen(talk)
    play(talk, volume=(HALF, HALF))
    await_value(talk, heard, LOUD // 8)


@expectation
def a_volume_that_is_not_set_is_100_percent(talk: Talk) -> None:
    heard = listen(talk)
    play(talk, volume=(HALF, HALF), volume_set=False)
    await_value(talk, heard, LOUD)


@expectation
def the_volume_of_a_stream_changes_while_it_plays(talk: Talk) -> None:
    heard = listen(talk)
    made = play(talk)
    await_value(talk, heard, LOUD)
    talk.must(Ack, SetSinkInputVolume(index=made.sink_input, volume=(HALF,)))
    await_value(talk, heard, LOUD // 8)


@expectation
def the_volume_of_a_sink_counts_too(talk: Talk) -> None:
    heard = listen(talk)
    talk.must(Ack, SetSinkVolume(name="output", volume=(HALF,)))
    try:
        play(talk, volume=(HALF, HALF))
        await_value(talk, heard, LOUD // 64)
    finally:
        talk.must(Ack, SetSinkVolume(name="output", volume=(VOLUME_NORM,)))


@expectation
def a_muted_stream_is_not_heard(talk: Talk) -> None:
    heard = listen(talk)
    made = play(talk, muted=True, muted_set=True)
    play(talk, 1000)
    await_value(talk, heard, 1000)
    talk.must(Ack, SetSinkInputMute(index=made.sink_input, muted=False))
    await_value(talk, heard, LOUD + 1000, near=2)


@expectation(versions=(13, 35))
def a_stream_that_begins_muted_is_muted_whether_that_is_set_or_not(talk: Talk) -> None:
    heard = listen(talk)
    play(talk, muted=True, muted_set=False)
    play(talk, 1000)
    await_value(talk, heard, 1000)


@expectation
def a_corked_stream_is_not_heard(talk: Talk) -> None:
    heard = listen(talk)
    play(talk, corked=True)
    play(talk, 1000)
    await_value(talk, heard, 1000)


@expectation
def mono_is_heard_on_both_sides(talk: Talk) -> None:
    heard = talk.record(source_name="output.monitor", fragsize=10 * MS)
    made = talk.play(S16._replace(channels=1), tlength=50 * MS, prebuf=0)
    talk.write(made.channel, array.array("h", [LOUD] * 48_000).tobytes(), 2, 0)
    wanted = array.array("h", [LOUD, LOUD]).tobytes()
    talk.until(lambda: talk.sound.get(heard.channel, b"")[-4:] == wanted, "both sides")


@expectation
def who_records_mono_hears_the_middle_of_both_sides(talk: Talk) -> None:
    heard = listen(talk, S16._replace(channels=1))
    made = talk.play(tlength=100 * MS, prebuf=0)
    talk.write(made.channel, array.array("h", [8000, 4000] * 48_000).tobytes(), 2, 0)
    await_value(talk, heard, 6000)


@expectation
def a_record_stream_has_a_volume_of_its_own(talk: Talk) -> None:
    heard = listen(talk, volume=(HALF, HALF), volume_set=True)
    play(talk)
    await_value(talk, heard, LOUD // 8)


# what is special


@expectation
def peaks_are_the_loudest_sample_of_each_interval(talk: Talk) -> None:
    meter = SampleSpec(SampleFormat.FLOAT32LE, 1, 25)
    heard = talk.record(meter, source_name="output.monitor", peak_detect=True, fragsize=4)
    made = talk.play(tlength=100 * MS, prebuf=0, minreq=10 * MS)
    clicks = array.array("h", [LOUD, LOUD, *[0] * 2000]) * 48
    talk.write(made.channel, clicks.tobytes(), 2, 0)
    talk.moment(300 * MS)
    talk.settle(made.channel)
    peaks = array.array("f", bytes(talk.sound.get(heard.channel, b"")))
    expect(max(peaks, default=0) > 0.4, True)


@expectation
def one_sink_input_is_recorded_alone(talk: Talk) -> None:
    listen(talk)  # some servers let go of what nobody hears
    made = play(talk, 1000)
    play(talk, 2000)
    await_value(talk, listen(talk, direct_on_input=made.sink_input), 1000)


@expectation
def one_sink_input_of_another_client_is_recorded_alone(talk: Talk) -> None:
    listen(talk)
    made = play(talk.another(), 1000)
    play(talk, 2000)
    await_value(talk, listen(talk, direct_on_input=made.sink_input), 1000)


@expectation
def one_sink_input_that_is_not_there_is_no_entity(talk: Talk) -> None:
    expect(talk.ask(talk.recording(source_name="output.monitor", direct_on_input=4711)), PulseError.NOENTITY)


@expectation
def one_sink_input_is_heard_only_by_the_monitor_of_its_sink(talk: Talk) -> None:
    made = talk.play(corked=True)
    asking = talk.recording(source_name="input", direct_on_input=made.sink_input)
    expect(talk.ask(asking), PulseError.INVALID)


MONO, SWAPPED, CENTER_LEFT = b"\0", b"\2\1", b"\3\1"
WAYS: dict[str, tuple[bytes, dict[str, bool], list[int]]] = {
    "by their names": (SWAPPED, {}, [4000, 8000]),
    "by their names alone with no_remix": (CENTER_LEFT, {"no_remix": True}, [4000, 0]),
    "in their order with no_remap": (SWAPPED, {"no_remap": True}, [8000, 4000]),
    "to the first one with no_remap": (MONO, {"no_remap": True}, [8000, 0]),
}


@expectation(each=WAYS)
def channels_go(talk: Talk, channel_map: bytes, flags: dict[str, bool], wanted: list[int]) -> None:
    spec = S16._replace(channels=len(channel_map))
    heard = talk.record(source_name="output.monitor", fragsize=10 * MS)
    made = talk.play(spec, channel_map=channel_map, tlength=100 * MS, prebuf=0, **flags)
    talk.write(made.channel, array.array("h", [8000, 4000][: spec.channels] * 48_000).tobytes(), 2, 0)

    def last() -> list[int]:
        return array.array("h", bytes(talk.sound.get(heard.channel, bytes(4))[-4:])).tolist()

    talk.until(lambda: last() == wanted, f"{wanted}")
