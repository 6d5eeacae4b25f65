"""Events and their order, versions, what a client that does not read is told, and anything a client can say."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eardrum.protocol.catalog import (
    MASK_ALL,
    Ack,
    Auth,
    AuthReply,
    Change,
    ClientInfo,
    ClientNamed,
    CorkPlaybackStream,
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DrainPlaybackStream,
    Facility,
    GetClientInfo,
    GetClientInfoList,
    GetPlaybackLatency,
    GetSinkInfo,
    GetSinkInputInfo,
    GetSinkInputInfoList,
    KillClient,
    KillSinkInput,
    PlaybackStreamCreated,
    PlaybackStreamKilled,
    RecordStreamCreated,
    RecordStreamKilled,
    RemoveClientProplist,
    Request,
    SetClientName,
    SetSinkMute,
    SetSinkVolume,
    SetSourceVolume,
    Started,
    Stat,
    StatReply,
    Subscribe,
    SubscribeEvent,
    Underflow,
    UpdateClientProplist,
)
from eardrum.protocol.message import Message, every
from eardrum.server.core import Server
from eardrum.server.effects import KeepLevel, Reissue
from eardrum.server.events import (
    INPUT,
    OUTPUT,
    Asked,
    Clogged,
    Left,
    Sound,
    Unclogged,
    UpstreamAnswered,
    UpstreamLost,
    UpstreamReady,
    UpstreamSound,
    UpstreamTold,
)
from eardrum.server.views import outlet_view, room_view
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import FLOAT, Program, Stage
from eardrum.testing.strategies import messages

NORM = (VOLUME_NORM,) * 2
FRAME = FLOAT.frame_bytes
NEW, CHANGED, REMOVED = Change.NEW, Change.CHANGED, Change.REMOVED
SINK, SOURCE, SINK_INPUT, SOURCE_OUTPUT, CLIENT = (
    Facility.SINK, Facility.SOURCE, Facility.SINK_INPUT, Facility.SOURCE_OUTPUT, Facility.CLIENT,
)  # fmt: skip


def news(program: Program) -> list[tuple[Facility, Change, int]]:
    """The subscription events that the program has been told since the last call."""
    told = [(Facility(m.event & 0xF), Change(m.event & 0x30), m.index) for m in program.tell_all(SubscribeEvent)]
    program.told.clear()
    return told


@pytest.fixture
def watched(outlet):
    """A stage with a program that subscribed to everything."""
    stage = outlet("null", "silence")
    watcher = stage.join()
    watcher.ask(Subscribe(mask=MASK_ALL))
    watcher.told.clear()
    return stage, watcher


# -- news


def test_the_life_of_a_client_and_its_stream_is_told_in_order(watched):
    stage, watcher = watched
    program = stage.join()
    assert news(watcher) == [(CLIENT, NEW, 1), (CLIENT, CHANGED, 1)]
    program.play()
    assert news(watcher) == [(SINK_INPUT, NEW, 0), (SINK, CHANGED, 0)]
    program.ask(CorkPlaybackStream(channel=0, cork=True))
    program.ask(CorkPlaybackStream(channel=0, cork=True))
    assert news(watcher) == [(SINK_INPUT, CHANGED, 0), (SINK, CHANGED, 0)]
    program.record()
    program.leave()
    assert news(watcher) == [
        (SOURCE_OUTPUT, NEW, 0),
        (SOURCE, CHANGED, 1),
        (SINK_INPUT, REMOVED, 0),
        (SOURCE, CHANGED, 1),
        (SOURCE_OUTPUT, REMOVED, 0),
        (CLIENT, REMOVED, 1),
    ]


def test_a_program_is_told_of_its_own_doings_too_and_after_the_answer(watched):
    stage, watcher = watched
    effects = stage.server.handle(Asked(watcher.number, 99, SetSinkMute(index=0, muted=True)))
    assert [type(effect).__name__ for effect in effects] == ["KeepLevel", "Answer", "Tell"]


def test_only_what_was_subscribed_to_is_told(outlet):
    stage = outlet("null", "silence")
    watcher, program = stage.join(), stage.join()
    watcher.ask(Subscribe(mask=1 << SINK))
    program.play()
    program.ask(SetSourceVolume(name="input", volume=(0,)))
    assert news(watcher) == [(SINK, CHANGED, 0)]
    program.ask(SetSinkVolume(index=0, volume=(0,)))
    assert news(watcher) == [(SINK, CHANGED, 0)]
    watcher.ask(Subscribe(mask=0))
    program.ask(SetSinkVolume(index=0, volume=(0,)))
    assert news(watcher) == []


@pytest.mark.parametrize("mask", [0x100, 0x3FF, 0x400, 0xFFFFFFFF])
def test_a_mask_beyond_what_there_is_is_invalid(outlet, mask):
    assert outlet().join().ask(Subscribe(mask=mask)) == PulseError.INVALID


def test_what_happens_while_a_program_does_not_read_is_folded_together(watched):
    stage, watcher = watched
    program = stage.join()
    program.play()
    news(watcher)
    stage.happens(Clogged(watcher.number))
    for _ in range(100):
        program.ask(SetSinkVolume(index=0, volume=(7,)))
        program.ask(CorkPlaybackStream(channel=0, cork=True))
        program.ask(CorkPlaybackStream(channel=0, cork=False))
        extra = program.play()  # comes and goes
        program.ask(DeletePlaybackStream(channel=extra.channel))
    program.ask(DeletePlaybackStream(channel=0))
    program.play()
    assert watcher.told == []
    stage.happens(Unclogged(watcher.number))
    assert news(watcher) == [(SINK, CHANGED, 0), (SINK_INPUT, REMOVED, 0), (SINK_INPUT, NEW, 101)]
    program.ask(SetSinkVolume(index=0, volume=(8,)))
    assert news(watcher) == [(SINK, CHANGED, 0)]


def test_a_program_that_does_not_read_is_asked_for_sound_when_it_reads_again(outlet):
    stage = outlet()
    program = stage.join()
    program.play(tlength=48000 * FRAME, prebuf=0, minreq=480 * FRAME)
    stage.happens(Clogged(program.number))
    stage.passes(60.0)
    assert program.tell_all(Request) == []
    stage.happens(Unclogged(program.number))
    assert len(program.tell_all(Request)) == 1
    stage.passes(2.0)  # no request is for more than the longest queue
    assert program.requested() == pytest.approx(62 * 48000 * FRAME, abs=24000 * FRAME)


# -- versions


@pytest.mark.parametrize("said", [0, 7, 0x80000007])
def test_a_version_before_8_is_refused_and_may_be_said_again(outlet, said):
    program = outlet().connect()
    assert program.ask(Auth(version=said)) == PulseError.VERSION
    assert program.ask(Stat()) == PulseError.ACCESS
    assert program.ask(Auth(version=8)) == AuthReply(version=35)


@pytest.mark.parametrize(
    ("said", "spoken"), [(8, 8), (13, 13), (35, 35), (36, 35), (1000, 35), (0xFFFF, 35), (0xC0000023, 35)]
)
def test_a_version_is_answered_with_ours_and_the_older_is_spoken(outlet, said, spoken):
    stage = outlet()
    program = stage.connect(version=said)
    assert program.ask(Auth(version=said)) == AuthReply(version=35)
    assert stage.server.clients[program.number].version == program.speaks == spoken


def test_before_auth_there_is_a_name_and_nothing_else(outlet):
    program = outlet().connect()
    assert program.ask(SetClientName(name="early")) == ClientNamed(index=0)
    for message in (Stat(), GetClientInfoList(), Subscribe(mask=1)):
        assert program.ask(message) == PulseError.ACCESS


@pytest.mark.parametrize("version", range(8, 36))
def test_a_client_of_any_version_plays_and_is_told_only_what_it_knows(outlet, version):
    """The stage fails where a reply or an event cannot be written in the client's version."""
    stage = outlet("null", "silence")
    program = stage.connect(version=version)
    program.ask(Auth(version=version))
    program.ask(SetClientName(name="old", proplist={"application.name": b"new\0"}))
    program.ask(Subscribe(mask=MASK_ALL))
    create = CreatePlaybackStream(sample_spec=FLOAT, channel_map=STEREO, volume=NORM, name="tune", tlength=9600 * FRAME)
    assert isinstance(program.ask(create), PlaybackStreamCreated)
    program.record(name="tune")
    program.write(0, bytes(9600 * FRAME))
    stage.passes(1.0)
    for message in (GetSinkInfo(), GetSinkInputInfo(index=0), GetClientInfo(index=0), GetSinkInputInfoList()):
        assert not isinstance(program.ask(message), PulseError)
    assert program.ask(KillSinkInput(index=0)) == Ack()
    told = set(map(type, program.told))
    assert told >= {Request, Underflow, PlaybackStreamKilled, SubscribeEvent}
    assert (Started in told) == (version >= 13)
    assert all(version >= message.SINCE for message in program.told)


def test_an_old_client_is_known_by_its_name_and_so_are_its_streams(outlet):
    stage = outlet()
    old = stage.connect(version=12)
    old.ask(Auth(version=12))
    old.ask(SetClientName(name="esd\x1b[2J", proplist={}))
    old.play(name="tune")
    young = stage.join()
    assert young.ask(GetClientInfo(index=0)).name == "esd[2J"
    info = young.ask(GetSinkInputInfo(index=0))
    assert (info.name, info.proplist["application.name"]) == ("tune", b"esd[2J\0")


@pytest.mark.parametrize("version", [14, 15, 35])
def test_a_stream_that_begins_muted_is_muted_whether_that_is_set_or_not(outlet, version):
    program = outlet().join(version=version)
    stream = program.play(muted=True)
    assert program.ask(GetSinkInputInfo(index=stream.sink_input)).muted


def test_an_old_clients_name_must_be_utf8(outlet):
    program = outlet().join(version=12)
    assert program.ask(SetClientName(name="\udcff")) == PulseError.INVALID


@pytest.mark.parametrize("make", [Program.play, Program.record])
def test_a_new_stream_of_an_old_client_must_have_a_name(outlet, make):
    program = outlet("null", "silence").join(version=12)
    with pytest.raises(KeyError):  # no answer
        make(program, name=None)
    assert program.ended


# -- clients


def test_properties_are_kept_by_the_list_and_shown_without_hidden_characters(outlet):
    program = outlet().join()
    said = {
        "application.name": "red\x1b[31m\u202e".encode() + b"\0",
        "application.process.id": b"12\0",
        "application.process.user": b"me\0",
        "application.process.host": b"machine\0",
        "application.process.session_id": b"3\0",
        "native-protocol.peer": b"forged\0",
        "window.x11.display": b":0\0",
        "media.name": b"no end",
        "media.title": b"\xff\0",
    }
    program.ask(UpdateClientProplist(mode=0, proplist=said))
    info = program.ask(GetClientInfo(index=0))
    assert info == ClientInfo(
        index=0,
        name="red[31m",
        driver="eardrum",
        proplist={"application.name": b"red[31m\0", "application.process.id": b"12\0"},
    )


def test_properties_are_set_merged_replaced_and_removed(outlet):
    program = outlet().join()

    def ask(mode: int, **said: str) -> object:
        proplist = {f"media.{key}": value.encode() + b"\0" for key, value in said.items()}
        return program.ask(UpdateClientProplist(mode=mode, proplist=proplist))

    def held() -> dict[str, bytes]:
        return program.ask(GetClientInfo(index=0)).proplist

    assert ask(0, name="a", title="b") == Ack()
    assert ask(1, name="c", artist="d") == Ack()
    assert held() == {"media.name": b"a\0", "media.title": b"b\0", "media.artist": b"d\0"}
    assert ask(2, name="e") == Ack()
    assert held()["media.name"] == b"e\0"
    assert ask(3, name="f") == PulseError.INVALID
    assert program.ask(RemoveClientProplist(keys=["media.name", "media.artist", "x"])) == Ack()
    assert held() == {"media.title": b"b\0"}


def test_a_client_can_end_another_of_its_outlet_and_itself(outlet):
    stage = outlet()
    one, two = stage.join(), stage.join()
    assert one.ask(KillClient(index=1)) == Ack()
    assert two.ended
    assert one.ask(KillClient(index=0)) == Ack()
    assert one.ended


def test_a_killed_stream_is_told_to_its_own_client(outlet):
    stage = outlet("null", "silence")
    one, two = stage.join(), stage.join()
    one.play()
    assert two.ask(KillSinkInput(index=0)) == Ack()
    assert one.told == [PlaybackStreamKilled(channel=0)]
    assert one.ask(DrainPlaybackStream(channel=0)) == PulseError.NOENTITY


def test_stat_tells_nothing(outlet):
    assert outlet().join().ask(Stat()) == StatReply()


def test_levels_of_an_outlet_are_kept_and_those_of_a_room_are_not(outlet, room):
    own = outlet("null", "silence")
    program = own.join()
    program.ask(SetSinkVolume(index=0, volume=(5,)))
    program.ask(SetSourceVolume(name="input", volume=(6, 7)))
    program.ask(SetSourceVolume(name="output.monitor", volume=(8,)))
    assert own.others == [KeepLevel(OUTPUT, (5, 5), False), KeepLevel(INPUT, (6, 7), False)]
    room.join(view=1).ask(SetSinkVolume(index=0, volume=(5,)))
    assert room.others == []


def test_a_command_of_a_client_that_has_left_is_not_heard(outlet):
    stage = outlet()
    program = stage.join()
    program.leave()
    for event in (
        Asked(program.number, 1, Stat()),
        Sound(program.number, 0, 0, 0, memoryview(b""), True, 0),
        Left(program.number),
        Clogged(program.number),
    ):
        assert stage.server.handle(event) == []


def test_streams_count_by_what_they_do(outlet):
    stage = outlet("null", "silence")
    program = stage.join()
    program.play()
    program.play(corked=True)
    program.record()
    assert stage.server.count_streams() == (1, 1)


# -- whatever a client says


SAYABLE = [cls for cls in every() if cls.SENDER != "server"]
SOUND = st.builds(
    lambda channel, seek, offset, nbytes: ("sound", channel, seek, offset, nbytes),
    st.integers(0, 2),
    st.integers(0, 3),
    st.sampled_from((0, 8, -8, 4, 2**31, 2**62, 2**63 - 1, -(2**63))) | st.integers(-(2**63), 2**63 - 1),
    st.sampled_from((1, 8, 4096, 65536)),
)
SMALL = st.integers(0, 3)


def sensible(cls: type[Message]) -> st.SearchStrategy[Message]:
    """Messages of this class that more often point at something."""
    return messages(cls, 35) | messages(cls, 35).map(_pointed)


SENSIBLE = {
    "channel": 0, "index": 0, "name": None, "sink_name": None, "source_name": None, "sink_index": None,
    "source_index": None, "direct_on_input": None, "passthrough": False, "sample_spec": FLOAT, "channel_map": STEREO,
    "volume": NORM, "formats": [],
}  # fmt: skip


def _pointed(message: Message) -> Message:
    for field, value in SENSIBLE.items():
        if hasattr(message, field):
            setattr(message, field, value)
    return message


SAID = st.lists(
    st.sampled_from(SAYABLE).flatmap(sensible)
    | SOUND
    | st.sampled_from((0.0, 0.004, 0.3, 5.0))
    | st.sampled_from((Clogged, Unclogged, UpstreamLost, UpstreamReady)),
    max_size=25,
)
CREATE = CreatePlaybackStream(sample_spec=FLOAT, channel_map=STEREO, volume=NORM)
WORLDS = {
    "mixed": lambda: Server(outlet_view("box", WireEnd("null"), WireEnd("silence")), writes_file=(0,)),
    "room": lambda: Server(room_view("studio")),
    "carried": lambda: Server(outlet_view("box", WireEnd("host", ""), WireEnd("room", "r"))),
}


@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=SAID, seed=st.randoms(use_true_random=False))
def test_whatever_a_client_says_is_answered_once_and_harms_nobody(world, said, seed):
    """No exception, one answer for each command, nothing that cannot be written; a bystander plays on."""
    stage = Stage(WORLDS[world]())
    for wire in (OUTPUT, INPUT):
        stage.happens(UpstreamReady(wire))
    bystander, program = stage.join(view=0), stage.join(view=0 if world != "room" else 1)
    if world != "carried":
        bystander.play()
        program.play()
        program.record()
    else:
        for message in (CREATE, CreateRecordStream(sample_spec=FLOAT, channel_map=STEREO)):
            program.say(message)
        answer_upstream(stage, random.Random(0))
    for item in said:
        if program.ended or bystander.ended:
            break
        match item:
            case float():
                stage.passes(item)
            case ("sound", channel, seek, offset, nbytes):
                program.write(channel, bytes(nbytes), seek, offset)
            case Message():
                program.say(item)
            case _ if item in (UpstreamLost, UpstreamReady):
                wire = seed.choice((OUTPUT, INPUT))
                stage.others.clear()
                stage.happens(UpstreamLost(wire, PulseError.KILLED, over=True))
                stage.happens(
                    UpstreamReady(wire) if item is UpstreamReady else UpstreamLost(wire, PulseError.KILLED, over=True)
                )
            case event:
                stage.happens(event(program.number))
        answer_upstream(stage, seed)
    if not bystander.ended:
        assert not isinstance(bystander.ask(Stat()), PulseError)
    program.leave()
    stage.passes(3.0)
    answer_upstream(stage, seed)
    if world == "carried":
        for wire in (OUTPUT, INPUT):
            stage.happens(UpstreamLost(wire, PulseError.CONNECTIONTERMINATED, over=True))
        stage.passes(60.0)
        assert bystander.waits_for == []


UNASKED = (Request(channel=9, nbytes=2**32 - 1), PlaybackStreamKilled(channel=9), RecordStreamKilled(channel=9))


def answer_upstream(stage: Stage, seed: random.Random) -> None:
    """An upstream that says yes, something else, or nothing, and now and then more than it was asked."""
    while stage.others:
        effect = stage.others.pop(0)
        if not isinstance(effect, Reissue):
            continue
        if effect.token is not None and seed.random() < 0.8:
            stage.happens(UpstreamAnswered(effect.token, _reply(effect.message.ANSWER or Ack)))
        for told in UNASKED:
            if seed.random() < 0.1:
                stage.happens(UpstreamTold(effect.stream, told))
        if seed.random() < 0.2:
            stage.happens(UpstreamSound(effect.stream, memoryview(bytes(77))))


def _reply(cls: type[Message]) -> Message:
    if cls is PlaybackStreamCreated:
        return PlaybackStreamCreated(channel=9, sink_input=9, missing=9, maxlength=2**32 - 1)
    if cls is RecordStreamCreated:
        return RecordStreamCreated(channel=9, source_output=9, maxlength=2**32 - 1)
    return Ack()


@given(offsets=st.lists(st.tuples(st.integers(0, 3), st.integers(-(2**63), 2**63 - 1)), max_size=12))
@example([(1, -(2**40) * 8)])
@example([(0, 2**63 - 8), (0, 2**63 - 8)])
@example([(0, -(2**63)), (0, -(2**63))])
@example([(0, 2**30), (1, -(2**30))] * 6)
@settings(max_examples=50, deadline=None)
def test_no_jump_leaves_the_numbers_of_the_wire(offsets):
    stage = Stage(WORLDS["mixed"]())
    program = stage.join()
    program.play(prebuf=0)
    for seek, offset in offsets:
        program.write(0, bytes(FRAME), seek, offset // FRAME * FRAME)
    program.ask(GetPlaybackLatency(channel=0, client_time=(0, 0)))
    stage.passes(1.0)
    program.ask(CorkPlaybackStream(channel=0, cork=True))
    assert all(0 < request.nbytes <= 4 * 1024 * 1024 for request in program.tell_all(Request))
