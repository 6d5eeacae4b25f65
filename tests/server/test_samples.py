"""The sample cache: what is uploaded is kept, shown, played and removed."""

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    MASK_ALL,
    Ack,
    CreateUploadStream,
    DeletePlaybackStream,
    DeleteUploadStream,
    DrainPlaybackStream,
    FinishUploadStream,
    GetSampleInfo,
    GetSampleInfoList,
    GetSinkInputInfo,
    GetSinkInputInfoList,
    KillSinkInput,
    PlaybackStreamCreated,
    PlaySample,
    RemoveSample,
    Request,
    SamplePlayed,
    Subscribe,
    SubscribeEvent,
    UploadStreamCreated,
)
from eardrum.server.effects import Reissue, ReissueSound
from eardrum.server.events import OUTPUT, UpstreamAnswered, UpstreamReady, UpstreamTold
from eardrum.server.samples import MAX_SAMPLE, Tape
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.stage import ALL, FLOAT, sine

FRAME = FLOAT.frame_bytes
FILE = "file:/x.wav"
BELL = sine(440, 4800)


@pytest.fixture
def program(outlet):
    return outlet(FILE).join()


def uploading(length, name="bell", **fields):
    return CreateUploadStream(name=name, sample_spec=FLOAT, channel_map=STEREO, length=length, **fields)


def upload(program, sound=BELL, name="bell", **fields):
    data = sound.tobytes()
    made = program.ask(uploading(len(data), name, **fields))
    assert isinstance(made, UploadStreamCreated), made
    program.write(made.channel, data)
    return program.ask(FinishUploadStream(channel=made.channel))


def test_a_sample_is_played_as_it_was_uploaded_and_ends_by_itself(program):
    upload(program)
    played = program.ask(PlaySample(name="bell"))
    assert program.ask(GetSinkInputInfo(index=played.index)).client_index is not program.number
    program.stage.passes(0.5)
    assert np.array_equal(program.stage.written(), BELL)
    assert program.ask(GetSinkInputInfoList()).items == []
    assert program.stage.due is None


def test_it_has_the_volume_and_the_properties_that_are_said_with_the_command(program):
    upload(program, proplist={"media.name": b"Bell\0", "media.title": b"A bell\0"})
    played = program.ask(PlaySample(name="bell", volume=VOLUME_NORM // 2, proplist={"media.role": b"music\0"}))
    info = program.ask(GetSinkInputInfo(index=played.index))
    assert (info.name, info.volume) == ("bell", (VOLUME_NORM // 2,) * 2)
    assert (info.proplist["media.role"], info.proplist["media.title"]) == (b"music\0", b"A bell\0")
    program.stage.passes(0.5)
    assert np.allclose(program.stage.written(), BELL / 8)


def test_a_sample_is_shown_and_one_of_the_same_name_takes_its_place(program):
    program.ask(Subscribe(mask=MASK_ALL))
    upload(program)
    assert program.ask(GetSampleInfo(name="bell")).duration == 100_000
    upload(program, sine(440, 480))
    (info,) = program.ask(GetSampleInfoList()).items
    assert (info.index, info.duration, info.nbytes) == (0, 10_000, 480 * FRAME)
    assert program.ask(RemoveSample(name="bell")) == Ack()
    assert program.ask(GetSampleInfo(index=0)) == PulseError.NOENTITY
    events = [(event.event, event.index) for event in program.tell_all(SubscribeEvent) if event.event & 0xF == 6]
    assert events == [(0x06, 0), (0x16, 0), (0x26, 0)]


def test_what_plays_plays_on_when_its_sample_is_removed(program):
    upload(program)
    program.ask(PlaySample(name="bell"))
    program.ask(RemoveSample(name="bell"))
    program.stage.passes(0.5)
    assert np.array_equal(program.stage.written(), BELL)


def test_a_sample_that_plays_can_be_killed(program):
    upload(program)
    played = program.ask(PlaySample(name="bell"))
    assert program.ask(KillSinkInput(index=played.index)) == Ack()
    program.stage.passes(0.5)
    assert not len(program.stage.written())


def test_of_a_sample_counts_what_came_and_not_more_than_was_announced(program):
    for nbytes, kept in ((200, 200), (204, 200), (1000, 400)):
        made = program.ask(uploading(400))
        program.write(made.channel, bytes(nbytes))
        assert program.ask(FinishUploadStream(channel=made.channel)) == Ack()
        assert program.ask(GetSampleInfo(name="bell")).nbytes == kept


def test_an_upload_ends_once(program):
    made = program.ask(uploading(400))
    assert program.ask(FinishUploadStream(channel=made.channel)) == PulseError.TOOLARGE
    assert program.ask(FinishUploadStream(channel=made.channel)) == PulseError.NOENTITY
    made = program.ask(uploading(400))
    assert program.ask(DeletePlaybackStream(channel=made.channel)) == PulseError.NOENTITY
    assert program.ask(DeleteUploadStream(channel=made.channel)) == Ack()
    assert program.ask(GetSampleInfoList()).items == []


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (uploading(0), PulseError.INVALID),
        (uploading(FRAME + 1), PulseError.INVALID),
        (uploading(MAX_SAMPLE + FRAME), PulseError.TOOLARGE),
        (uploading(FRAME, "a b"), PulseError.INVALID),
        (uploading(FRAME, ""), PulseError.INVALID),
        (uploading(FRAME, None), PulseError.INVALID),
    ],
)
def test_what_is_no_sample_is_refused(program, message, error):
    assert program.ask(message) == error


def test_a_sample_without_a_name_is_called_by_its_properties(program):
    assert upload(program, name=None, proplist={"event.id": b"ding\0", "media.name": b"dong\0"}) == Ack()
    assert program.ask(GetSampleInfo(name="ding")).index == 0


def test_a_sample_is_not_called_as_a_device(program):
    assert upload(program, name="output") == PulseError.INTERNAL


@pytest.mark.case("P40")
def test_all_samples_of_a_view_have_a_bound(program):
    for _ in range(4):
        assert isinstance(program.ask(uploading(1 << 20)), UploadStreamCreated)
    assert program.ask(uploading(FRAME)) == PulseError.TOOLARGE
    program.leave()
    other = program.stage.join()
    for _ in range(256):
        assert isinstance(other.ask(uploading(FRAME)), UploadStreamCreated)
    assert other.ask(uploading(FRAME)) == PulseError.TOOLARGE


def test_samples_of_one_outlet_are_none_of_another(room):
    one, other = room.join(view=1), room.join(view=2)
    upload(one)
    assert other.ask(PlaySample(name="bell")) == PulseError.NOENTITY
    assert other.ask(GetSampleInfoList()).items == []


def test_it_is_known_whether_samples_are_kept(program):
    assert not program.stage.server.keeps_something
    upload(program)
    assert program.stage.server.keeps_something


def test_a_tape_is_read_to_its_end_without_a_copy():
    tape = Tape(b"abcdef")
    assert (bytes(tape.take(4)), bytes(tape.take(2)), tape.r, tape.w) == (b"abcd", b"ef", 6, 6)


def test_a_carried_sample_is_fed_as_the_upstream_asks_and_drained(outlet):
    stage = outlet("host")
    stage.happens(UpstreamReady(OUTPUT))
    program = stage.join(ALL)
    upload(program)
    tag = program.say(PlaySample(name="bell"))
    asked = stage.others[-1]
    half = len(BELL) // 2 * FRAME
    created = PlaybackStreamCreated(channel=5, sink_input=6, missing=half, maxlength=1 << 22)
    stage.happens(UpstreamAnswered(asked.token, created))
    assert program.answers.pop(tag) == SamplePlayed(index=0)
    stage.happens(UpstreamTold(asked.stream, Request(channel=5, nbytes=1 << 20)))
    sent = [bytes(effect.data) for effect in stage.others if isinstance(effect, ReissueSound)]
    assert b"".join(sent) == BELL.tobytes()
    drain = stage.others[-1]
    assert isinstance(drain, Reissue)
    assert isinstance(drain.message, DrainPlaybackStream)
    stage.happens(UpstreamAnswered(drain.token, Ack()))
    assert isinstance(stage.others[-1].message, DeletePlaybackStream)
    assert program.ask(GetSinkInputInfoList()).items == []


def test_in_a_room_a_sample_ends_with_the_last_connection_of_its_outlet(room):
    other, outlet = room.join(view=2), room.join(view=1)
    upload(outlet, np.tile(BELL, (50, 1)))
    outlet.ask(PlaySample(name="bell"))
    hearing = other.record(source_name="input", fragsize=4096)
    room.passes(1)
    assert other.heard(hearing.channel)[-4000:].any()
    outlet.leave()
    other.sound.clear()
    room.passes(1)
    assert len(other.heard(hearing.channel)) > 40000
    assert not other.heard(hearing.channel)[4000:].any()
