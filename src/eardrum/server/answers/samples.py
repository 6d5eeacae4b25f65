"""The sample cache: samples are uploaded, shown, played and removed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from eardrum.protocol.catalog import (
    Ack,
    Change,
    CreateUploadStream,
    DeleteUploadStream,
    Facility,
    FinishUploadStream,
    GetSampleInfo,
    GetSampleInfoList,
    PlaySample,
    RemoveSample,
    SampleInfo,
    SampleInfoList,
    SamplePlayed,
    UploadStreamCreated,
)
from eardrum.server.answers.table import Answers
from eardrum.server.objects import Client, Sink
from eardrum.server.played_sample import CarriedSample, MixedSample
from eardrum.server.routing import check_room
from eardrum.server.samples import MAX_SAMPLE, Sample, Upload
from eardrum.server.stream import Agreed
from eardrum.terms.audio import VOLUME_MAX, VOLUME_NORM, valid_map
from eardrum.terms.errors import PulseError, Refused
from eardrum.terms.names import valid_device_name
from eardrum.terms.properties import cleaned, text, value

if TYPE_CHECKING:
    from eardrum.server.core import Server


def create(server: Server, client: Client, tag: int, message: CreateUploadStream) -> UploadStreamCreated:
    spec, channel_map = message.sample_spec, message.channel_map
    proplist = cleaned(message.proplist)
    if client.version < 13 and message.name is not None:
        proplist = cleaned({"media.name": value(message.name)})
    name = message.name
    if name is None and client.version >= 13:
        name = text(proplist, "event.id") or text(proplist, "media.name")
    if not spec.valid or not valid_map(channel_map, spec.channels):
        raise Refused(PulseError.INVALID, f"{spec} with a map of {len(channel_map)} channels")
    if not message.length or message.length % spec.frame_bytes:
        raise Refused(PulseError.INVALID, f"{message.length} bytes of {spec}")
    if message.length > MAX_SAMPLE:
        raise Refused(PulseError.TOOLARGE, f"more than {MAX_SAMPLE} bytes")
    if not name or not valid_device_name(name):
        raise Refused(PulseError.INVALID, "no name of a sample")
    _check_budget(client, message.length)
    channel = client.next_output_channel()
    client.uploads[channel] = Upload(channel, name, spec, channel_map, message.length, {**proplist, **client.proplist})
    return UploadStreamCreated(channel=channel, length=message.length)


def _check_budget(client: Client, nbytes: int) -> None:
    view = client.view
    uploads = [upload for each in view.clients.values() for upload in each.uploads.values()]
    held = sum(len(sample.data) for sample in view.samples.values()) + sum(upload.length for upload in uploads)
    budget = view.budget
    if held + nbytes > budget.sample_bytes or len(view.samples) + len(uploads) >= budget.samples:
        raise Refused(PulseError.TOOLARGE, f"{held} bytes in {len(view.samples)} samples")


def finish(server: Server, client: Client, tag: int, message: FinishUploadStream, upload: Upload) -> Ack:
    """The stream ends, whatever comes of it. A sample of the same name is replaced and keeps its number."""
    del client.uploads[upload.channel]
    view = client.view
    data = bytes(upload.data[: len(upload.data) // upload.spec.frame_bytes * upload.spec.frame_bytes])
    if not data:
        raise Refused(PulseError.TOOLARGE, "a sample of nothing")
    if upload.name in {sink.name for sink in view.sinks.values()} | {source.name for source in view.sources.values()}:
        raise Refused(PulseError.INTERNAL, f"{upload.name} is a device")
    before = view.samples.get(upload.name)
    index = before.index if before else view.number_for("sample")
    proplist = {"media.role": value("event"), **upload.proplist}
    view.samples[upload.name] = Sample(index, upload.name, upload.spec, upload.channel_map, data, proplist)
    view.changed(Facility.SAMPLE_CACHE, Change.CHANGED if before else Change.NEW, index)
    return Ack()


def delete(server: Server, client: Client, tag: int, message: DeleteUploadStream, upload: Upload) -> Ack:
    del client.uploads[upload.channel]
    return Ack()


def play(
    server: Server, client: Client, tag: int, message: PlaySample, sink: Sink, sample: Sample
) -> SamplePlayed | None:
    """Its properties: the sample's name, the sample's own, and over them what was said with the command."""
    level = message.volume if message.volume <= VOLUME_MAX else VOLUME_NORM
    name = value(sample.name)
    agreed = Agreed(
        sample.spec,
        sample.channel_map,
        (level,) * sample.spec.channels,
        proplist={**sample.proplist, "media.name": name, "event.id": name, **cleaned(message.proplist)},
        fail_on_suspend=True,
    )
    if sink.suspended:
        raise Refused(PulseError.NOENTITY, f"{sink.name} is suspended")
    check_room(server, client.view, sink, agreed)
    if sink.bus is None:
        carried = CarriedSample(server, client.view, sink, agreed, sample)
        carried.play(partial(_told, server, client, tag))
        return None
    stream = MixedSample(server, client.view, sink, agreed, sample, sink.bus)
    server.add(stream)
    stream.start()
    return SamplePlayed(index=stream.index)


def _told(server: Server, client: Client, tag: int, outcome: int | PulseError) -> None:
    if client.number not in server.clients:
        return
    if isinstance(outcome, PulseError):
        server.refuse(client, tag, outcome)
    else:
        server.answer(client, tag, SamplePlayed(index=outcome))


def remove(server: Server, client: Client, tag: int, message: RemoveSample, sample: Sample) -> Ack:
    """What plays of it plays on."""
    del client.view.samples[sample.name]
    client.view.changed(Facility.SAMPLE_CACHE, Change.REMOVED, sample.index)
    return Ack()


def sample_info(sample: Sample) -> SampleInfo:
    return SampleInfo(
        index=sample.index,
        name=sample.name,
        volume=(),
        duration=sample.spec.usec(len(sample.data)),
        sample_spec=sample.spec,
        channel_map=sample.channel_map,
        nbytes=len(sample.data),
        proplist=sample.proplist,
    )


ANSWERS: Answers = {
    CreateUploadStream: create,
    FinishUploadStream: finish,
    DeleteUploadStream: delete,
    PlaySample: play,
    RemoveSample: remove,
    GetSampleInfo: lambda server, client, tag, message, sample: sample_info(sample),
    GetSampleInfoList: lambda server, client, tag, message: SampleInfoList(
        items=[sample_info(sample) for sample in client.view.samples.values()]
    ),
}
