"""The bus: rooms, several listeners, the clock."""

from itertools import pairwise

import numpy as np
import pytest

from eardrum.protocol.catalog import CorkPlaybackStream, DrainPlaybackStream, GetSinkInfo, GetSourceInfo, SetSinkMute
from eardrum.server.events import Brought, Passed, Sound, Woke
from eardrum.server.mixed import MAX_LATE, MAX_PERIOD, MIN_PERIOD, sum_of
from eardrum.server.rights import Right
from eardrum.testing.stage import ALL, FLOAT, PLAY_ONLY, sine

FRAME = FLOAT.frame_bytes
SECOND = 48000 * FRAME
QUICK = {"fragsize": SECOND // 100}
DEEP = {"tlength": 4 * SECOND, "prebuf": FRAME}
HEAR_ONLY = Right.CONNECT | Right.LOOK | Right.RECORD
FILE = "file:/x.wav"


def found(heard: np.ndarray, tune: np.ndarray) -> int:
    """The frame at which the tune begins to be heard; what is before it must be silence."""
    (sounding,) = np.nonzero(np.abs(heard).max(axis=1))
    assert len(sounding), "nothing was heard"
    start = int(sounding[0]) - int(np.nonzero(np.abs(tune).max(axis=1))[0][0])
    assert np.array_equal(heard[start : start + len(tune)], tune), "something else was heard"
    return start


# -- what nobody hears


@pytest.mark.parametrize("rate", [48000, 44100])
def test_who_plays_is_asked_for_as_much_when_nobody_hears_it(outlet, rate):
    asked = []
    for end in ("null", FILE):
        stage = outlet(end)
        program = stage.join()
        program.play(FLOAT._replace(rate=rate), tlength=SECOND // 5, prebuf=FRAME)
        program.write(0, bytes(SECOND // 5))
        stage.passes(0.19)
        asked.append(program.requested())
    unheard, heard = asked
    assert 0 < unheard <= heard  # a resampler takes something in advance
    assert heard - unheard == (0 if rate == 48000 else pytest.approx(0.023 * rate * FRAME, rel=0.1))


def test_who_begins_to_listen_hears_what_is_played_from_then_on(outlet):
    stage = outlet()
    program, listener = stage.join(), stage.join(ALL | Right.HEAR)
    program.play(**DEEP)
    program.write(0, sine(440, 48000).tobytes())
    stage.passes(0.25)
    listener.record(source_name="output.monitor", **QUICK)
    stage.passes(0.5)
    heard = listener.heard()
    assert len(heard) >= 20_000
    assert np.array_equal(heard, sine(440, 48000)[12_000 : 12_000 + len(heard)])


def test_what_several_have_sent_is_handed_in_at_once_and_before_the_buses_go_on(outlet):
    stage = outlet(FILE)
    programs = [stage.join() for _ in range(2)]
    for program in programs:
        program.play(tlength=960 * FRAME, prebuf=480 * FRAME, minreq=240 * FRAME)
        program.write(0, sine(440, 480, 0.25).tobytes())
    stage.now += 0.02
    stage.happens(Passed(stage.now, 0.0))
    data = memoryview(sine(440, 960, 0.25)[480:].tobytes())
    stage.happens(Brought([Sound(program.number, 0, 0, 0, data, True, len(data)) for program in programs]))
    stage.happens(Woke(stage.now, 0.0))
    assert np.array_equal(stage.written(), sine(440, 960, 0.5))


# -- rooms


def test_each_hears_the_others_and_nothing_of_itself(room):
    tunes = [sine(440, 24000, 0.25), sine(660, 24000, 0.25), sine(880, 24000, 0.25)]
    programs = [room.join(view=view) for view in range(3)]
    for program in programs:
        program.record(**QUICK)
        program.play(**DEEP)
    for program, tune in zip(programs, tunes, strict=True):
        program.write(0, tune.tobytes())
    room.passes(0.6)
    for program, own in zip(programs, tunes, strict=True):
        assert np.array_equal(program.heard()[:24000], sum(tune for tune in tunes if tune is not own))


def test_what_one_plays_is_exactly_nothing_in_what_it_hears(room):
    """Not the sum of all minus its own, which would leave its sound as rounding noise."""
    loud, other = room.join(view=0), room.join(view=1)
    for program in (loud, other):
        program.record(**QUICK)
        program.play(**DEEP)
    loud.write(0, sine(1000, 24000, 1.0).tobytes())
    other.write(0, sine(100, 24000, 1e-6).tobytes())
    room.passes(0.6)
    assert np.array_equal(loud.heard()[:24000], sine(100, 24000, 1e-6))
    assert np.array_equal(other.heard()[:24000], sine(1000, 24000, 1.0))


def test_alone_in_a_room_one_hears_nothing(room):
    program = room.join()
    program.record(**QUICK)
    program.play(**DEEP)
    program.write(0, sine(440, 24000).tobytes())
    room.passes(0.6)
    assert not program.heard().any()


def test_two_programs_of_one_outlet_do_not_hear_each_other(room):
    one, two = room.join(view=0), room.join(view=0)
    one.record(**QUICK)
    two.play(**DEEP)
    two.write(0, sine(440, 24000).tobytes())
    room.passes(0.6)
    assert not one.heard().any()
    one.record(source_name="output.monitor", **QUICK)
    two.write(0, sine(440, 24000).tobytes())
    room.passes(0.6)
    assert one.heard(1).any()


def test_a_monitor_in_a_room_has_the_own_outlet_only(room):
    one, other = room.join(view=0), room.join(view=1)
    one.record(source_name="output.monitor", **QUICK)
    for program, frequency in ((one, 440), (other, 660)):
        program.play(**DEEP)
        program.write(0, sine(frequency, 24000).tobytes())
    room.passes(0.6)
    assert np.array_equal(one.heard()[:24000], sine(440, 24000))


def test_who_comes_later_hears_on_from_then(room):
    player, first, late = room.join(PLAY_ONLY, 0), room.join(HEAR_ONLY, 1), room.join(HEAR_ONLY, 2)
    first.record(**QUICK)
    player.play(**DEEP)
    tune = sine(440, 48000)
    player.write(0, tune.tobytes())
    room.passes(0.5)
    late.record(**QUICK)
    room.passes(0.6)
    assert np.array_equal(first.heard()[:48000], tune)
    assert np.array_equal(late.heard()[:24000], tune[24000:])


def test_all_listeners_hear_the_same_at_the_same_time(room):
    player, listeners = room.join(view=0), [room.join(HEAR_ONLY, view) for view in (1, 2, 2)]
    for fragsize, listener in zip((SECOND // 100, SECOND // 20, SECOND // 20), listeners, strict=True):
        listener.record(fragsize=fragsize)
    player.play(**DEEP)
    tune = sine(440, 24000)
    player.write(0, tune.tobytes())
    room.passes(0.6)
    assert [found(listener.heard(), tune) for listener in listeners] == [0, 0, 0]


def test_while_nobody_plays_there_is_silence_at_the_pace_of_the_clock(room):
    listener = room.join(HEAR_ONLY, 1)
    listener.record(**QUICK)
    for seconds in range(1, 6):
        room.passes(1.0)
        frames = len(listener.heard())
        assert seconds * 48000 - 480 <= frames <= seconds * 48000
    assert not listener.heard().any()


def test_sound_stays_in_its_place_between_silences(room):
    player, listener = room.join(view=0), room.join(HEAR_ONLY, 1)
    listener.record(**QUICK)
    player.play(**DEEP)
    room.passes(0.5)
    tune = sine(440, 4800)
    player.write(0, tune.tobytes())
    room.passes(0.5)
    assert found(listener.heard(), tune) == 24000
    assert not listener.heard()[24000 + 4800 :].any()


def test_mute_of_one_outlet_is_silence_for_the_others_and_nobody_elses(room):
    one, two, listener = room.join(view=0), room.join(view=1), room.join(HEAR_ONLY, 2)
    listener.record(**QUICK)
    for program, frequency in ((one, 440), (two, 660)):
        program.play(**DEEP)
        program.write(0, sine(frequency, 24000, 0.25).tobytes())
    one.ask(SetSinkMute(index=0, muted=True))
    room.passes(0.6)
    assert np.array_equal(listener.heard()[:24000], sine(660, 24000, 0.25))
    assert two.ask(GetSinkInfo()).muted is False


def test_who_leaves_is_heard_no_longer(room):
    player, listener = room.join(view=0), room.join(HEAR_ONLY, 1)
    listener.record(**QUICK)
    player.play(**DEEP)
    player.write(0, sine(440, 48000).tobytes())
    room.passes(0.25)
    player.leave()
    room.passes(0.5)
    assert listener.heard()[:12000].any()
    assert not listener.heard()[12000:].any()


def test_an_outlet_that_comes_back_begins_anew(room):
    program = room.join(view=7)
    program.play()
    program.ask(SetSinkMute(index=0, muted=True))
    program.leave()
    again = room.join(view=7)
    assert again.play().sink_input == 0
    assert again.ask(GetSinkInfo()).muted is False


# -- several streams of one outlet


def test_many_streams_of_other_rates_and_starts_are_summed_in_their_places(outlet):
    stage = outlet(FILE)
    expected = np.zeros((48000, 2), np.float32)
    program = stage.join()
    for start in range(0, 24000, 2400):
        channel = program.play(prebuf=FRAME).channel
        tune = sine(200 + start / 10, 12000, 0.05)
        program.write(channel, tune.tobytes())
        expected[start : start + 12000] += tune
        stage.passes(0.05)
    stage.passes(1.0)
    written = stage.written()
    assert np.allclose(written, expected[: len(written)], atol=1e-6)
    assert len(written) == 24000 - 2400 + 12000


def test_a_sum_is_as_long_as_asked():
    blocks = [np.ones((10, 2), np.float32), np.ones((10, 2), np.float32)]
    assert np.array_equal(sum_of(blocks, 4, 2), np.full((4, 2), 2, np.float32))
    assert np.array_equal(sum_of(blocks[:1], 4, 2), np.ones((4, 2), np.float32))


def test_the_state_of_devices_follows_what_plays_and_records(outlet):
    stage = outlet("null", "silence")
    program = stage.join()
    state = lambda: (program.ask(GetSinkInfo()).state, program.ask(GetSourceInfo(name="input")).state)  # noqa: E731
    assert state() == (1, 1)
    program.play()
    assert state() == (0, 1)
    program.record()
    program.ask(CorkPlaybackStream(channel=0, cork=True))
    assert state() == (1, 0)


# -- the clock


def test_wake_ups_are_never_closer_than_a_period_and_never_further(outlet):
    stage = outlet("null", "silence")
    program = stage.join()
    program.play(tlength=4000, minreq=8, prebuf=8)  # a client in a great hurry
    program.write(0, bytes(4000))
    program.record(fragsize=0)
    wakes = []
    while stage.now < 101.0:
        assert stage.due is not None
        wakes.append(stage.due)
        stage.passes(stage.due - stage.now)
    gaps = [after - before for before, after in pairwise(wakes)]
    assert min(gaps) >= MIN_PERIOD - 1e-6
    assert max(gaps) <= MAX_PERIOD
    assert len(wakes) <= 1 / MIN_PERIOD + 1


def test_a_deep_buffer_wakes_four_times_a_second(outlet):
    stage = outlet()
    program = stage.join()
    program.play()
    program.write(0, bytes(2 * SECOND))
    wakes = 0
    while stage.now < 101.0:
        stage.passes(stage.due - stage.now)
        wakes += 1
    assert wakes <= 5


def test_after_a_long_stop_what_was_due_is_not_played_in_one_burst(outlet):
    """The machine slept: at most MAX_LATE seconds are made up for, and the program is asked for no more than that."""
    stage = outlet("null", "silence")
    program = stage.join()
    program.play(tlength=4 * SECOND, prebuf=0, minreq=SECOND // 50)
    program.record(**QUICK)
    program.write(0, bytes(4 * SECOND))
    stage.passes(0.1)
    before = len(program.heard()), program.requested()
    stage.sleeps(3600.0)
    assert len(program.heard()) - before[0] <= MAX_LATE * 48000 + 480
    assert program.requested() - before[1] <= MAX_LATE * SECOND + SECOND // 50
    before_frames = len(program.heard())
    stage.passes(1.0)
    assert len(program.heard()) - before_frames == pytest.approx(48000, abs=480)


def test_a_long_stop_is_silence_in_the_file(outlet):
    stage = outlet(FILE)
    program = stage.join()
    program.play(prebuf=FRAME)
    tune = sine(440, 4800)
    program.write(0, tune.tobytes())
    stage.passes(0.5)
    stage.sleeps(60.0)
    program.write(0, tune.tobytes())
    stage.passes(0.5)
    assert found(stage.written(), tune) == 0
    assert len(stage.written()) == pytest.approx(60.5 * 48000 + 4800, abs=1)


def test_the_clock_does_not_drift(outlet):
    """Cycles are counted from one beginning: a day of them adds no frame and loses none."""
    stage = outlet("null", "silence")
    program = stage.join()
    program.record(fragsize=SECOND)
    began = stage.now
    bus = stage.server.buses.input
    for hour in range(1, 25):
        stage.sleeps(began + hour * 3600.0 + 0.123 - stage.now)
        assert bus._position == int((stage.now - began) * 48000 + 0.001)
        program.sound.clear()


def test_a_bus_that_nobody_uses_does_not_count(outlet):
    stage = outlet()
    stage.join()
    stage.passes(3600.0)
    assert stage.due is None


def test_draining_streams_are_played_to_the_end_and_no_longer(outlet):
    """The wake-up after the last sound comes when that sound ends, not a period later."""
    stage = outlet()
    program = stage.join()
    program.play()
    program.write(0, bytes(14400 * FRAME))
    tag = program.say(DrainPlaybackStream(channel=0))
    begin = stage.now
    while tag not in program.answers:
        stage.passes(stage.due - stage.now)
    assert stage.now - begin == pytest.approx(0.3, abs=0.003)
