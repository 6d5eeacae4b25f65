"""Short sounds that a server keeps and plays by name."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    MASK_ALL,
    Ack,
    CreateUploadStream,
    DeletePlaybackStream,
    DeleteUploadStream,
    FinishUploadStream,
    GetSampleInfo,
    GetSinkInputInfo,
    GetSinkInputInfoList,
    PlaySample,
    RemoveSample,
    SampleInfo,
    SamplePlayed,
    SinkInputInfo,
    SinkInputInfoList,
    Subscribe,
    SubscribeEvent,
    UploadStreamCreated,
)
from eardrum.protocol.message import Message
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import S16, Talk, expect, map_of
from eardrum.testing.conformance.expectation import expectation

INVALID, NOENTITY, TOOLARGE = PulseError.INVALID, PulseError.NOENTITY, PulseError.TOOLARGE
MIB = 1024 * 1024

SAMPLES: dict[str, tuple[Message, PulseError]] = {
    "PLAY_SAMPLE of no sample": (PlaySample(name="no-such"), NOENTITY),
    "PLAY_SAMPLE without a name": (PlaySample(name=None), INVALID),
    "PLAY_SAMPLE of a name that none can have": (PlaySample(name="a b"), INVALID),
    "PLAY_SAMPLE by sink's index and name": (PlaySample(sink_index=0, sink_name="output", name="bell"), INVALID),
    "PLAY_SAMPLE into no sink": (PlaySample(sink_name="no-such", name="bell"), NOENTITY),
    "REMOVE_SAMPLE of no sample": (RemoveSample(name="no-such"), NOENTITY),
    "REMOVE_SAMPLE without a name": (RemoveSample(name=None), INVALID),
    "REMOVE_SAMPLE of a name that none can have": (RemoveSample(name="a b"), INVALID),
}


@expectation(each=SAMPLES)
def a_sample_is_needed_for(talk: Talk, command: Message, error: PulseError) -> None:
    expect(talk.ask(command), error)


def uploading(length: int, name: str = "bell") -> CreateUploadStream:
    return CreateUploadStream(name=name, sample_spec=S16, channel_map=map_of(S16), length=length)


@expectation(each={"more than 16 MiB": (16 * MIB + 4, TOOLARGE), "nothing": (0, INVALID), "half a frame": (6, INVALID)})
def a_sample_cannot_be(talk: Talk, nbytes: int, error: PulseError) -> None:
    expect(talk.ask(uploading(nbytes)), error)


@expectation
def a_sample_is_uploaded_played_and_removed(talk: Talk) -> None:
    made = talk.must(UploadStreamCreated, uploading(400))
    talk.write(made.channel, bytes(400))
    talk.must(Ack, FinishUploadStream(channel=made.channel))
    expect(talk.ask(FinishUploadStream(channel=made.channel)), NOENTITY)
    expect(isinstance(talk.ask(PlaySample(name="bell")), PulseError), False)
    talk.must(Ack, RemoveSample(name="bell"))


@expectation
def an_upload_of_nothing_is_too_large(talk: Talk) -> None:
    made = talk.must(UploadStreamCreated, uploading(400))
    expect(talk.ask(FinishUploadStream(channel=made.channel)), TOOLARGE)
    expect(talk.ask(DeleteUploadStream(channel=made.channel)), NOENTITY)


@expectation
def upload_and_playback_streams_count_together(talk: Talk) -> None:
    expect(talk.play(corked=True).channel, 0)
    expect(talk.must(UploadStreamCreated, uploading(400)).channel, 1)
    expect(talk.play(corked=True).channel, 2)


def upload(talk: Talk, nbytes: int = 400, **fields: object) -> None:
    """A sample `bell` of 400 bytes, of which so many come."""
    given = {"name": "bell", "sample_spec": S16, "channel_map": map_of(S16), "length": 400}
    made = talk.must(UploadStreamCreated, CreateUploadStream(**{**given, **fields}))  # type: ignore[arg-type]
    talk.write(made.channel, bytes(nbytes))
    talk.must(Ack, FinishUploadStream(channel=made.channel))


@expectation(each={"half of it": (200, 200), "all": (400, 400), "too much": (1000, 400)})
def of_a_sample_counts_what_came(talk: Talk, nbytes: int, kept: int) -> None:
    upload(talk, nbytes)
    info = talk.must(SampleInfo, GetSampleInfo(name="bell"))
    expect((info.nbytes, info.duration, info.volume), (kept, kept * 1_000_000 // 192_000, ()))
    expect(info.proplist["media.role"], b"event\0")


@expectation
def a_sample_of_the_same_name_takes_its_place(talk: Talk) -> None:
    upload(talk)
    before = talk.must(SampleInfo, GetSampleInfo(name="bell"))
    upload(talk, 200)
    after = talk.must(SampleInfo, GetSampleInfo(name="bell"))
    expect((after.index, after.nbytes), (before.index, 200))


@expectation
def events_tell_of_samples(talk: Talk) -> None:
    upload(talk, name="ding")
    talk.must(Ack, Subscribe(mask=MASK_ALL))
    upload(talk, name="ding")
    talk.hear(SubscribeEvent, event=0x16)
    talk.must(Ack, RemoveSample(name="ding"))
    talk.hear(SubscribeEvent, event=0x26)
    upload(talk, name="ding")
    talk.hear(SubscribeEvent, event=0x06)
    talk.must(Ack, RemoveSample(name="ding"))


NAMES: dict[str, tuple[dict[str, bytes], PulseError | None]] = {
    "its event": ({"event.id": b"ding\0", "media.name": b"a b\0"}, None),
    "its media name": ({"media.name": b"ding\0"}, None),
    "no name": ({}, INVALID),
    "no valid name": ({"event.id": b"a b\0", "media.name": b"ding\0"}, INVALID),
}


@expectation(each=NAMES)
def a_sample_without_a_name_is_called_by(talk: Talk, said: dict[str, bytes], error: PulseError | None) -> None:
    asking = CreateUploadStream(name=None, sample_spec=S16, channel_map=map_of(S16), length=400, proplist=said)
    answer = talk.ask(asking)
    expect(answer if isinstance(answer, PulseError) else None, error)


@expectation
def a_sample_is_not_called_as_a_sink(talk: Talk) -> None:
    made = talk.must(UploadStreamCreated, uploading(400, "output"))
    talk.write(made.channel, bytes(400))
    expect(talk.ask(FinishUploadStream(channel=made.channel)), PulseError.INTERNAL)


@expectation
def an_upload_stream_is_no_playback_stream(talk: Talk) -> None:
    upload_channel = talk.must(UploadStreamCreated, uploading(400)).channel
    played = talk.play(corked=True).channel
    expect(talk.ask(DeletePlaybackStream(channel=upload_channel)), NOENTITY)
    expect(talk.ask(DeleteUploadStream(channel=played)), NOENTITY)
    expect(talk.ask(FinishUploadStream(channel=played)), NOENTITY)


@expectation
def a_sample_that_plays_is_a_sink_input_of_no_client(talk: Talk) -> None:
    upload(talk, 192_000, length=192_000)
    played = talk.must(SamplePlayed, PlaySample(name="bell", volume=VOLUME_NORM // 2))
    info = talk.must(SinkInputInfo, GetSinkInputInfo(index=played.index))
    expect((info.client_index, info.module_index), (None, None))
    expect((info.name, info.volume), ("bell", (VOLUME_NORM // 2,) * 2))
    expect([info.proplist[key] for key in ("event.id", "media.role")], [b"bell\0", b"event\0"])


@expectation
def a_sample_that_plays_ends_by_itself(talk: Talk) -> None:
    upload(talk, 19_200, length=19_200)
    played = talk.must(SamplePlayed, PlaySample(name="bell"))

    def gone() -> bool:
        there = talk.must(SinkInputInfoList, GetSinkInputInfoList()).items
        return all(info.index != played.index for info in there)

    talk.until(gone, "the sample to end")
