"""What the worker of an outlet makes of its spec."""

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    CreatePlaybackStream,
    CreateRecordStream,
    GetClientInfoList,
    GetServerInfo,
    GetSinkInfo,
    GetSourceInfo,
    GetSourceInfoList,
    GetSourceOutputInfoList,
    LoadModule,
)
from eardrum.server.events import INPUT, OUTPUT
from eardrum.server.rights import Right
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.workers import S16, until
from eardrum.worker.records import MUTED, Kind, Record
from eardrum.worker.spec import Knob, Level


@pytest.fixture
def caller(workers):
    """Makes a program on an outlet with these wires."""
    made = []

    def make(output="null", input="", **options):
        worker = workers.outlet(output, input, **options)
        made.append((worker, worker.join()))
        return made[-1][1]

    yield make
    for worker, caller in made:
        worker.close()
        caller.close()
        assert worker.ends() == 0


def test_without_an_input_there_is_no_microphone(caller):
    program = caller()
    assert [source.name for source in program.ask(GetSourceInfoList()).items] == ["output.monitor"]
    assert program.ask(CreateRecordStream(sample_spec=S16, channel_map=STEREO)) == PulseError.NOENTITY
    assert program.ask(GetSourceInfo(name="input")) == PulseError.NOENTITY


def test_with_an_input_there_is_one(caller):
    program = caller(input="silence")
    assert program.ask(GetServerInfo()).default_source == "input"
    assert program.record().source_name == "input"


def test_no_wiring_gives_more_rights_than_playing_and_recording(caller):
    assert caller("null", "silence").ask(LoadModule(name="module-null-sink")) == PulseError.ACCESS


def test_levels_are_those_that_the_desk_kept(workers):
    spec_levels = {"output_level": Level((VOLUME_NORM // 2, 7), True), "input_level": Level((1, 2), False)}
    worker = workers.outlet("null", "silence", **spec_levels)
    with worker.join() as program:
        sink, source = program.ask(GetSinkInfo()), program.ask(GetSourceInfo(name="input"))
        assert (sink.volume, sink.muted) == ((VOLUME_NORM // 2, 7), True)
        assert (source.volume, source.muted) == ((1, 2), False)
    worker.close()
    assert worker.ends() == 0


def test_a_worker_that_holds_a_file_stays_until_it_is_told_to_finish(workers, tmp_path):
    path = tmp_path / "heard.wav"
    worker = workers.outlet(f"file:{path}", file=path)
    worker.join().close()
    worker.join().close()
    assert worker.status is None
    worker.says(Record(Kind.FINISH))
    worker.hears(Kind.FINISHED)
    assert worker.ends() == 0
    worker.close()


def test_what_the_person_has_set_is_known_from_the_start(workers):
    worker = workers.outlet("null", "silence", output_knob=Knob(VOLUME_NORM, muted=True))
    with worker.join() as program:
        assert program.ask(GetSinkInfo(index=0)).muted
        assert not program.ask(GetSourceInfo(index=1)).muted
        worker.says(Record(Kind.KNOB, OUTPUT, VOLUME_NORM))
        worker.says(Record(Kind.KNOB, INPUT | MUTED, VOLUME_NORM))
        until(lambda: not program.ask(GetSinkInfo(index=0)).muted, "the sink to sound")
        until(lambda: program.ask(GetSourceInfo(index=1)).muted, "the microphone to be silent")
    worker.close()
    assert worker.ends() == 0


PLAY = CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2)
RECORD = CreateRecordStream(sample_spec=S16, channel_map=STEREO)
STEPS = np.arange(1, 9601, dtype="<i2").tobytes()


def hears(listener, samples):
    """True once the listener has heard all the samples in a row."""
    listener.until(lambda: samples in bytes(listener.sound.get(0, b"")), "what was played")
    return True


def test_a_guest_hears_what_the_outlet_plays_and_is_not_seen(workers):
    worker = workers.outlet("null")
    with worker.join() as program, worker.attach(1, Right.RECORD) as guest:
        guest.record(source_name="output", fragsize=1920)
        program.play_all(STEPS)
        assert hears(guest, STEPS)
        assert len(program.ask(GetClientInfoList()).items) == 1
        assert program.ask(GetSourceOutputInfoList()).items == []
        assert guest.ask(PLAY) == PulseError.ACCESS
    worker.close()
    assert worker.ends() == 0


def test_a_guest_plays_into_the_microphone_and_another_hears_it(workers):
    worker = workers.outlet("null", "silence")
    with worker.join() as program, worker.attach(1, Right.PLAY) as player, worker.attach(2, Right.RECORD) as listener:
        program.record(fragsize=1920)
        listener.record(source_name="input", fragsize=1920)
        player.play_all(STEPS)
        assert hears(program, STEPS)
        assert hears(listener, STEPS)
        assert player.ask(RECORD) == PulseError.NOENTITY
    worker.close()
    assert worker.ends() == 0


def test_without_its_desk_a_worker_that_needs_a_wire_ends(workers):
    worker = workers.outlet("room:hall")
    with worker.join() as program:
        worker.close()
        program.say(PLAY)
        assert program.ends()
    assert worker.ends() == 0
