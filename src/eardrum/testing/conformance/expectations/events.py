"""Subscriptions: who is told of what, in which order."""

from __future__ import annotations

from eardrum.protocol.catalog import (
    Ack,
    Change,
    CorkPlaybackStream,
    DeletePlaybackStream,
    DeleteRecordStream,
    Facility,
    GetSinkInfo,
    KillClient,
    SetPlaybackStreamName,
    SetSinkInputMute,
    SetSinkMute,
    SetSinkVolume,
    SetSourceMute,
    SinkInfo,
    Subscribe,
    SubscribeEvent,
    UpdateClientProplist,
)
from eardrum.terms.audio import VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.conformance.client import Talk, expect
from eardrum.testing.conformance.expectation import expectation

INVALID = PulseError.INVALID
ALL = 0x2FF
NEW, CHANGED, REMOVED = Change.NEW, Change.CHANGED, Change.REMOVED
CLIENT, SINK_INPUT, SOURCE_OUTPUT = Facility.CLIENT, Facility.SINK_INPUT, Facility.SOURCE_OUTPUT
STREAMS = 1 << SINK_INPUT | 1 << SOURCE_OUTPUT


def subscribed(talk: Talk, mask: int = ALL) -> Talk:
    talk.must(Ack, Subscribe(mask=mask))
    return talk


def await_event(talk: Talk, facility: Facility, change: Change, index: int) -> None:
    talk.hear(SubscribeEvent, event=facility | change, index=index)


def events(talk: Talk, *facilities: Facility) -> list[tuple[Facility, Change, int]]:
    """What was told by now of these facilities, in its order. The fence makes sure that it is all."""
    for _ in range(3):
        talk.must(SinkInfo, GetSinkInfo())
    told = [(Facility(m.event & 0xF), Change(m.event & 0x30), m.index) for m in talk.told(SubscribeEvent)]
    return [each for each in told if each[0] in facilities]


@expectation(each={name: (mask,) for name, mask in {"0": 0, "every facility": ALL, "one": 1, "cards": 0x200}.items()})
def a_mask_may_be(talk: Talk, mask: int) -> None:
    expect(talk.ask(Subscribe(mask=mask)), Ack())


@expectation(each={hex(mask): (mask,) for mask in (0x100, 0x3FF, 0x400, 0xFFFFFFFF)})
def a_mask_cannot_be(talk: Talk, mask: int) -> None:
    expect(talk.ask(Subscribe(mask=mask)), INVALID)


@expectation
def who_has_not_subscribed_is_told_nothing(talk: Talk) -> None:
    talk.another().play(corked=True)
    expect(events(talk, *Facility), [])


@expectation
def the_last_mask_counts(talk: Talk) -> None:
    subscribed(talk)
    subscribed(talk, 1 << SOURCE_OUTPUT)
    talk.forget()
    talk.play(corked=True)
    made = talk.record(corked=True)
    await_event(talk, SOURCE_OUTPUT, NEW, made.source_output)
    expect(events(talk, *(set(Facility) - {SOURCE_OUTPUT})), [])


@expectation
def mask_0_ends_it(talk: Talk) -> None:
    subscribed(talk)
    subscribed(talk, 0)
    talk.forget()
    talk.play(corked=True)
    expect(events(talk, *Facility), [])


@expectation
def a_refused_mask_leaves_the_one_before(talk: Talk) -> None:
    subscribed(talk, STREAMS)
    expect(talk.ask(Subscribe(mask=0x400)), INVALID)
    made = talk.play(corked=True)
    await_event(talk, SINK_INPUT, NEW, made.sink_input)


@expectation
def a_client_comes_is_named_and_leaves(talk: Talk) -> None:
    subscribed(talk)
    other = talk.another()
    await_event(talk, CLIENT, CHANGED, other.index)
    other.close()
    await_event(talk, CLIENT, REMOVED, other.index)
    of_it = [
        change for change in talk.log_of(SubscribeEvent) if (change.event & 0xF, change.index) == (CLIENT, other.index)
    ]
    expect([Change(each.event & 0x30) for each in of_it], [NEW, CHANGED, REMOVED])


@expectation
def connecting_playing_and_leaving_are_told_in_this_order(talk: Talk) -> None:
    subscribed(talk)
    other = talk.another()
    await_event(talk, CLIENT, CHANGED, other.index)
    made = other.play(corked=True)
    await_event(talk, SINK_INPUT, NEW, made.sink_input)
    other.close()
    await_event(talk, CLIENT, REMOVED, other.index)
    told = [
        (Facility(each.event & 0xF), Change(each.event & 0x30))
        for each in talk.log_of(SubscribeEvent)
        if (each.event & 0xF, each.index) in ((CLIENT, other.index), (SINK_INPUT, made.sink_input))
    ]
    expect(told, [(CLIENT, NEW), (CLIENT, CHANGED), (SINK_INPUT, NEW), (SINK_INPUT, REMOVED), (CLIENT, REMOVED)])


@expectation
def ones_own_streams_are_told_of_too(talk: Talk) -> None:
    subscribed(talk, STREAMS)
    playing, recording = talk.play(corked=True), talk.record(corked=True)
    await_event(talk, SINK_INPUT, NEW, playing.sink_input)
    await_event(talk, SOURCE_OUTPUT, NEW, recording.source_output)
    talk.must(Ack, DeletePlaybackStream(channel=0))
    talk.must(Ack, DeleteRecordStream(channel=0))
    await_event(talk, SINK_INPUT, REMOVED, playing.sink_input)
    await_event(talk, SOURCE_OUTPUT, REMOVED, recording.source_output)


@expectation
def what_changes_a_stream_is_told(talk: Talk) -> None:
    made = talk.play()
    subscribed(talk, STREAMS)
    for command in (
        SetSinkInputMute(index=made.sink_input, muted=True),
        CorkPlaybackStream(channel=0, cork=True),
        SetPlaybackStreamName(channel=0, name="song"),
    ):
        talk.must(Ack, command)
        await_event(talk, SINK_INPUT, CHANGED, made.sink_input)


@expectation
def what_changes_nothing_is_not_told(talk: Talk) -> None:
    talk.play(corked=True)
    subscribed(talk, STREAMS)
    talk.must(Ack, CorkPlaybackStream(channel=0, cork=True))
    expect(events(talk, *Facility), [])


@expectation(each={"a sink's mute": (True,), "a sink's volume": (False,)})
def what_changes_a_device_is_told(talk: Talk, mute: bool) -> None:
    index = talk.must(SinkInfo, GetSinkInfo(name="output")).index
    subscribed(talk, 1 << Facility.SINK)
    for strength in (True, False):
        change = SetSinkMute(index=index, muted=strength)
        talk.must(Ack, change if mute else SetSinkVolume(index=index, volume=(VOLUME_NORM - strength,)))
        await_event(talk, Facility.SINK, CHANGED, index)


@expectation
def what_changes_a_source_is_told(talk: Talk) -> None:
    subscribed(talk, 1 << Facility.SOURCE)
    for muted in (True, False):
        talk.must(Ack, SetSourceMute(name="input", muted=muted))
        expect(talk.hear(SubscribeEvent).event, Facility.SOURCE | CHANGED)


@expectation
def what_changes_a_client_is_told(talk: Talk) -> None:
    subscribed(talk, 1 << CLIENT)
    talk.must(Ack, UpdateClientProplist(mode=2, proplist={"media.title": b"song\0"}))
    await_event(talk, CLIENT, CHANGED, talk.index)


@expectation
def a_killed_client_takes_its_streams_along(talk: Talk) -> None:
    other = talk.another()
    made = other.play(corked=True)
    subscribed(talk)
    talk.must(Ack, KillClient(index=other.index))
    await_event(talk, SINK_INPUT, REMOVED, made.sink_input)
    await_event(talk, CLIENT, REMOVED, other.index)


@expectation
def of_many_changes_at_once_some_are_told(talk: Talk) -> None:
    made = talk.play(corked=True)
    subscribed(talk, STREAMS)
    tags = [talk.say(SetSinkInputMute(index=made.sink_input, muted=bool(n % 2))) for n in range(100)]
    for tag in tags:
        talk.answer(tag)
    await_event(talk, SINK_INPUT, CHANGED, made.sink_input)


@expectation
def a_name_as_it_was_is_no_news(talk: Talk) -> None:
    made = talk.play(corked=True)
    subscribed(talk)
    talk.must(Ack, SetPlaybackStreamName(channel=made.channel, name="song"))
    await_event(talk, SINK_INPUT, CHANGED, made.sink_input)
    talk.forget()
    talk.must(Ack, SetPlaybackStreamName(channel=made.channel, name="song"))
    expect(events(talk, SINK_INPUT), [])


@expectation
def a_sink_that_begins_or_ends_to_run_has_changed(talk: Talk) -> None:
    other = talk.another()
    sink = talk.must(SinkInfo, GetSinkInfo()).index
    subscribed(talk, 1 << Facility.SINK | 1 << SINK_INPUT)
    made = other.play()
    await_event(talk, SINK_INPUT, NEW, made.sink_input)
    await_event(talk, Facility.SINK, CHANGED, sink)
    other.must(Ack, CorkPlaybackStream(channel=0, cork=True))
    await_event(talk, SINK_INPUT, CHANGED, made.sink_input)
    await_event(talk, Facility.SINK, CHANGED, sink)
    other.must(Ack, CorkPlaybackStream(channel=0, cork=False))
    await_event(talk, Facility.SINK, CHANGED, sink)
    other.must(Ack, DeletePlaybackStream(channel=0))
    await_event(talk, Facility.SINK, CHANGED, sink)
    await_event(talk, SINK_INPUT, REMOVED, made.sink_input)
