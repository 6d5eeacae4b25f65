"""A real worker of a room, to which the test attaches outlets' workers as the desk does."""

from __future__ import annotations

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    Ack,
    CreatePlaybackStream,
    CreateRecordStream,
    GetClientInfoList,
    GetSinkInputInfoList,
    KillSinkInput,
    SetSinkVolume,
    Stat,
    StatReply,
)
from eardrum.server.rights import Right
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.workers import S16, until
from eardrum.worker.records import Kind

LOOK = Right.CONNECT | Right.LOOK
PLAY, HEAR = LOOK | Right.PLAY, LOOK | Right.RECORD


@pytest.fixture
def room(workers):
    room = workers.room()
    yield room
    room.close()
    assert room.ends() == 0


def tone(frames: int, amplitude: int) -> np.ndarray:
    wave = amplitude * np.sin(np.arange(frames) / 10)
    return np.repeat(wave[:, None], 2, axis=1).astype("<i2")


def test_who_is_attached_speaks_at_once(room):
    with room.attach(view=1) as caller:
        assert caller.ask(Stat()) == StatReply()


def test_one_plays_and_another_hears_it_to_the_frame(room):
    with room.attach(1, PLAY) as player, room.attach(2, HEAR) as listener:
        listener.record(fragsize=1920)
        played = tone(9600, 10_000)
        player.play_all(played.tobytes())
        listener.until(lambda: len(bytes(listener.sound.get(0, b"")).lstrip(b"\0")) > 4 * 9600, "the tone")
        heard = np.frombuffer(bytes(listener.sound[0]), "<i2").reshape(-1, 2)
        start = int(np.nonzero(heard[:, 0])[0][0]) - 1  # its first frame is 0
        assert np.array_equal(heard[start : start + 9600], played)
        assert not heard[start + 9600 :].any()


def test_rights_are_those_of_the_wire(room):
    with room.attach(1, PLAY) as player, room.attach(2, HEAR) as listener:
        play = CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2)
        record = CreateRecordStream(sample_spec=S16, channel_map=STEREO)
        assert player.ask(record) == PulseError.NOENTITY
        assert listener.ask(play) == PulseError.ACCESS
        assert not isinstance(player.ask(play), PulseError)
        assert not isinstance(listener.ask(record), PulseError)


def test_outlets_do_not_see_each_other(room):
    with room.attach(1) as one, room.attach(2) as two:
        for _ in range(5):
            two.play()
        assert len(one.ask(GetClientInfoList()).items) == 1
        assert one.ask(GetSinkInputInfoList()).items == []
        assert one.ask(KillSinkInput(index=4)) == one.ask(KillSinkInput(index=99)) == PulseError.NOENTITY


def test_both_wires_of_an_outlet_are_one_view_that_does_not_hear_itself(room):
    with room.attach(1, PLAY) as output, room.attach(1, HEAR) as input:
        input.record(fragsize=1920)
        output.play_all(tone(9600, 10_000).tobytes())
        input.until(lambda: len(input.sound.get(0, b"")) > 4 * 9600, "silence")
        assert not any(input.sound[0])


def test_a_level_in_a_room_is_not_the_desks_business(room):
    with room.attach(1) as caller:
        assert caller.ask(SetSinkVolume(index=0, volume=(7,))) == Ack()
    until(lambda: room.hears(Kind.COUNTS)[1:] == (0, 0, 0), "the last counts")
    assert Kind.LEVEL not in {record.kind for record in room.heard}


def test_an_outlet_that_is_killed_is_not_missed(room):
    with room.attach(1, PLAY) as player, room.attach(2, HEAR) as listener:
        listener.record(fragsize=1920)
        with room.attach(3) as other:
            other.play()
            other.record()
        player.play_all(tone(9600, 10_000).tobytes())
        listener.until(lambda: len(bytes(listener.sound.get(0, b"")).strip(b"\0")) > 4 * 9000, "the tone")


def test_a_room_ends_with_its_desk(workers):
    room = workers.room()
    with room.attach(1, PLAY) as player:
        player.play()
        room.close()
        assert player.ends()
    assert room.ends() == 0
