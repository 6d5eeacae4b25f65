"""Streams that outlive their upstream: an outlet's core on stage, and as its upstream the core of a room, which can
fall silent, be gone and be there again.
"""

from __future__ import annotations

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    CreatePlaybackStream,
    DeletePlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    GetPlaybackLatency,
    GetSinkInputInfoList,
    PlaybackBufferAttrChanged,
    PlaybackStreamKilled,
    Request,
    SetPlaybackStreamBufferAttr,
    SetSinkInputMute,
    SetSinkInputVolume,
    Started,
    Underflow,
    UpdatePlaybackStreamSampleRate,
)
from eardrum.protocol.message import Message
from eardrum.server.core import Server
from eardrum.server.effects import NO_STREAM, Reissue, ReissueSound, WantUpstream, WireSays
from eardrum.server.events import (
    OUTPUT,
    Clogged,
    Rewired,
    Unclogged,
    UpstreamAnswered,
    UpstreamLost,
    UpstreamReady,
    UpstreamRefused,
    UpstreamTold,
)
from eardrum.server.stand_in import StandIn
from eardrum.server.views import outlet_view, room_view
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd, output_end
from eardrum.testing.stage import ALL, FLOAT, Program, Stage, sine

NORM = (VOLUME_NORM,) * 2
FRAME = FLOAT.frame_bytes
TIME = (1, 2)
STEP = 0.01  # seconds
STUDIO = WireEnd("room", "studio")
SECOND = 48000
PROMPT = {"tlength": 9600 * FRAME, "minreq": 480 * FRAME, "prebuf": 4800 * FRAME}  # 200 ms


class Room:
    """An upstream: a room, where somebody else hears what the outlet plays."""

    def __init__(self) -> None:
        self.stage = Stage(Server(room_view("studio")))
        self.guest = self.stage.attach(ALL, view=1)
        self.ear = self.stage.attach(ALL, view=2)
        self.ear.record(source_name="input", fragsize=480 * FRAME)
        self.channels: dict[int, int] = {}  # by the outlet's number of the stream
        self.asked: list[Message] = []
        self.refuses: PulseError | None = None

    def heard(self) -> np.ndarray:
        return self.ear.heard()


class World:
    """An outlet whose output is carried to a room, if there is one."""

    def __init__(self, output: WireEnd = STUDIO) -> None:
        self.stage = Stage(Server(outlet_view("box", output, None)))
        self.room: Room | None = None
        self.waiting: list[tuple[int | None, int, type[Message]]] = []
        self.players: list[Player] = []
        self.player = Player(self, self.stage.join(ALL))

    def rises(self) -> Room:
        """There is a room."""
        self.room = Room()
        self.stage.happens(UpstreamReady(OUTPUT))
        self.carry()
        return self.room

    def hangs(self, seconds: float) -> None:
        """The room is there and does nothing."""
        room, self.room = self.room, None
        self.passes(seconds)
        self.room = room

    def falls(self) -> None:
        """There is none any more."""
        self.carry()
        self.room = None
        self.stage.happens(UpstreamLost(OUTPUT, PulseError.CONNECTIONTERMINATED, over=True))

    def leads_to(self, end: str) -> None:
        """Its output does, from now on."""
        self.stage.happens(Rewired(OUTPUT, output_end(end)))

    def wanted(self) -> list[bool]:
        """What was said about wanting an upstream, and not looked at yet."""
        said = [effect.wanted for effect in self.stage.others if isinstance(effect, WantUpstream)]
        self.stage.others = [effect for effect in self.stage.others if not isinstance(effect, WantUpstream)]
        return said

    def passes(self, seconds: float) -> None:
        """Time passes, and everybody who plays does as asked."""
        for _ in range(round(seconds / STEP)):
            self.stage.passes(STEP)
            self.carry()
            if self.room:
                self.room.stage.passes(STEP)
                self.carry()
            for player in self.players:
                player.writes()
            self.carry()

    def carry(self) -> None:
        """What the outlet's core says is heard in the room, and the other way."""
        kept = []
        while self.stage.others:
            effect = self.stage.others.pop(0)
            if isinstance(effect, ReissueSound) and self.room:
                channel = self.room.channels.get(effect.stream)
                if channel is not None:
                    self.room.guest.write(channel, bytes(effect.data), effect.seek, effect.offset)
            elif isinstance(effect, Reissue) and self.room:
                self._say(self.room, effect)
            elif isinstance(effect, WantUpstream | WireSays):
                kept.append(effect)
            if self.room:
                self._hear(self.room)
        self.stage.others = kept
        if self.room:
            self._hear(self.room)

    def _say(self, room: Room, effect: Reissue) -> None:
        message, stream = effect.message, effect.stream
        room.asked.append(message)
        if isinstance(message, CreatePlaybackStream):
            if room.refuses:
                self.stage.happens(UpstreamRefused(effect.token, room.refuses))
                return
        elif stream != NO_STREAM:
            if stream not in room.channels:
                return
            if hasattr(message, "channel"):
                message.channel = room.channels[stream]
            else:
                message.index = room.channels[stream]  # they count alike where nobody else plays
        tag = room.guest.say(message)
        self.waiting.append((effect.token, tag, stream))
        if isinstance(message, CreatePlaybackStream):
            room.channels[stream] = room.guest.answers[tag].channel

    def _hear(self, room: Room) -> None:
        for token, tag, stream in tuple(self.waiting):
            if tag in room.guest.answers:
                self.waiting.remove((token, tag, stream))
                outcome = room.guest.answers.pop(tag)
                if token is not None:
                    happened = UpstreamRefused if isinstance(outcome, PulseError) else UpstreamAnswered
                    self.stage.happens(happened(token, outcome))
        told, room.guest.told[:] = tuple(room.guest.told), []
        for message in told:
            for stream, channel in room.channels.items():
                if getattr(message, "channel", None) == channel:
                    self.stage.happens(UpstreamTold(stream, message))


class Player:
    """Plays a tone as it is asked to."""

    def __init__(self, world: World, program: Program) -> None:
        self.world = world
        world.players.append(self)
        self.program = program
        self.channel = -1
        self.sound = b""
        self.written = 0
        self.granted = 0
        self.answer = None

    def plays(self, seconds: float, **fields: object) -> None:
        self.sound = sine(440, round(seconds * SECOND)).tobytes()
        fields = {**PROMPT, "sync_id": self.program.tag, **fields}
        create = CreatePlaybackStream(sample_spec=FLOAT, channel_map=STEREO, volume=NORM, **fields)
        self.answer = self.program.say(create)
        self.world.carry()
        self.writes()
        self.world.carry()

    def writes(self) -> None:
        """As much as it was asked for."""
        if self.channel < 0 and self.answer in self.program.answers:
            created = self.program.answers[self.answer]
            if isinstance(created, PulseError):
                return
            self.channel, self.granted = created.channel, created.missing
        asked = sum(request.nbytes for request in self.told(Request))
        more = self.sound[self.written : self.granted + asked]
        if more and self.channel >= 0:
            self.program.write(self.channel, more)
            self.written += len(more)

    def told(self, kind: type[Message]) -> list:
        return [message for message in self.program.tell_all(kind) if message.channel == self.channel]

    def asks(self, message: Message) -> object:
        tag = self.program.say(message)
        self.world.carry()
        return self.program.answers.pop(tag)

    def drains(self) -> int:
        tag = self.program.say(DrainPlaybackStream(channel=self.channel))
        self.world.carry()
        return tag

    def latency(self):
        return self.asks(GetPlaybackLatency(channel=self.channel, client_time=TIME))

    def heard_at(self) -> float:
        """The moment of its sound that is heard now, in seconds."""
        latency = self.latency()
        return latency.read_index / FRAME / SECOND - latency.sink_latency / 1e6


@pytest.fixture
def world() -> World:
    return World()


def sounding(samples: np.ndarray) -> np.ndarray:
    """From the first frame that is no silence to the last."""
    (loud,) = np.nonzero(np.abs(samples).max(axis=1) > 1e-4)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def assert_part_of_the_tone(samples: np.ndarray) -> None:
    """A tone of 440 Hz at half of full level that goes on without a gap or a jump."""
    assert len(samples) > 100
    wave = samples[:, 0]
    angle = 2 * np.pi * 440 / SECOND
    assert np.abs(wave[2:] - 2 * np.cos(angle) * wave[1:-1] + wave[:-2]).max() < 1e-4
    assert np.abs(wave).max() == pytest.approx(0.5, abs=1e-3)


def test_sound_goes_on_when_the_upstream_is_back_and_nobody_was_told(world):
    world.rises()
    world.player.plays(5.0)
    world.passes(1.0)
    world.falls()
    assert world.wanted() == [True]
    world.passes(1.0)
    room = world.rises()
    world.passes(1.0)
    assert world.player.told(PlaybackStreamKilled) == []
    assert world.player.told(Underflow) == []
    heard = sounding(room.heard())
    assert_part_of_the_tone(heard)
    assert len(heard) > 0.9 * SECOND


def test_time_goes_on_while_there_is_no_upstream_and_neither_index_jumps(world):
    world.rises()
    world.player.plays(10.0)
    before, began = None, world.stage.now
    for wave in range(20):
        for _ in range(10):
            world.passes(0.02)
            latency, heard = world.player.latency(), world.player.heard_at()
            assert latency.write_index == world.player.written
            if before is not None:
                assert heard == pytest.approx(before + 0.02, abs=0.0151)
            before = heard
        if wave % 2:
            world.rises()
        else:
            world.falls()
    assert before == pytest.approx(world.stage.now - began, abs=0.05)


def test_a_client_is_asked_for_no_more_than_before(world):
    world.rises()
    world.player.plays(30.0)
    for _ in range(20):
        world.passes(0.3)
        world.falls()
        world.passes(0.3)
        world.rises()
    asked = world.player.granted + sum(request.nbytes for request in world.player.told(Request))
    heard = round(world.player.heard_at() * SECOND) * FRAME
    assert asked - heard <= PROMPT["tlength"] * 1.1
    assert world.player.told(Underflow) == []


def test_who_ran_dry_on_a_hung_upstream_is_asked_to_go_on(world):
    """It had told where it was, so that all it was given is known to have been due."""
    world.rises()
    world.player.plays(10.0)
    world.passes(1.0)
    world.player.latency()
    world.hangs(3.0)
    before = world.player.written
    world.falls()
    world.passes(1.0)
    assert len(world.player.told(Underflow)) == 1
    assert 1.0 <= (world.player.written - before) / FRAME / SECOND <= 1.2  # tlength is 0.2
    world.rises()
    world.passes(1.0)
    assert len(world.player.told(Underflow)) == 1


def test_nothing_that_became_old_is_played(world):
    world.rises()
    world.player.plays(10.0)
    world.passes(0.5)
    world.falls()
    world.passes(3.0)
    room = world.rises()
    at = world.player.heard_at()
    world.passes(1.0)
    heard = sounding(room.heard())
    first = round(at * SECOND)
    expected = sine(440, 10 * SECOND)[first : first + len(heard)]
    assert np.abs(heard[100:] - expected[100:]).max() < 0.05


def test_a_drain_that_the_upstream_did_not_answer_is_answered_when_all_was_due(world):
    world.rises()
    world.player.plays(0.9)
    world.passes(0.75)
    tag = world.player.drains()
    world.falls()
    world.passes(0.05)
    assert tag in world.player.program.waits_for
    world.passes(0.2)
    assert world.player.program.answers.pop(tag) == Ack()


def test_a_drain_outlives_the_way_back(world):
    world.rises()
    world.player.plays(1.0)
    world.passes(0.5)
    world.falls()
    world.passes(0.4)
    tag = world.player.drains()
    room = world.rises()
    assert tag in world.player.program.waits_for
    world.passes(0.3)
    assert world.player.program.answers.pop(tag) == Ack()
    assert_part_of_the_tone(sounding(room.heard()))


@pytest.mark.parametrize("answered", [True, False], ids=["answered", "not answered"])
def test_each_question_is_answered_once(world, answered):
    """The stage watches that none is answered twice."""
    room = world.rises()
    world.player.plays(5.0)
    world.passes(0.5)
    if not answered:
        room.guest.waits_for.clear()
        world.carry = lambda: None
    channel, program = world.player.channel, world.player.program
    asked = [
        SetPlaybackStreamBufferAttr(channel=channel, tlength=4800 * FRAME),
        GetPlaybackLatency(channel=channel, client_time=TIME),
        CorkPlaybackStream(channel=channel, cork=True),
        FlushPlaybackStream(channel=channel),
        CorkPlaybackStream(channel=channel, cork=False),
        DrainPlaybackStream(channel=channel),
    ]
    for message in asked:
        program.say(message)
    world.stage.happens(UpstreamLost(OUTPUT, PulseError.CONNECTIONTERMINATED, over=True))
    world.stage.passes(1.0)
    assert program.waits_for == []
    assert not any(isinstance(answer, PulseError) for answer in program.answers.values())


def test_a_stream_is_made_anew_as_its_client_left_it(world):
    world.rises()
    world.player.plays(5.0, variable_rate=True, no_remix=True)
    world.passes(0.5)
    world.falls()
    channel, program = world.player.channel, world.player.program
    assert program.ask(SetSinkInputVolume(index=0, volume=(VOLUME_NORM // 2,) * 2)) == Ack()
    assert program.ask(SetSinkInputMute(index=0, muted=True)) == Ack()
    assert program.ask(UpdatePlaybackStreamSampleRate(channel=channel, rate=44100)) == Ack()
    attr = SetPlaybackStreamBufferAttr(channel=channel, tlength=19200 * FRAME, minreq=960 * FRAME, adjust_latency=True)
    assert not isinstance(program.ask(attr), PulseError)
    assert program.ask(CorkPlaybackStream(channel=channel, cork=True)) == Ack()
    room = world.rises()
    create = room.asked[0]
    assert create.sample_spec == FLOAT._replace(rate=44100)
    assert (create.tlength, create.minreq, create.adjust_latency) == (19200 * FRAME, 960 * FRAME, True)
    assert (create.volume, create.muted, create.no_remix) == ((VOLUME_NORM // 2,) * 2, True, True)
    world.passes(0.5)
    assert not room.heard().any()
    (stream,) = room.guest.ask(GetSinkInputInfoList()).items
    assert stream.corked
    assert stream.muted
    assert world.player.asks(CorkPlaybackStream(channel=channel, cork=False)) == Ack()
    assert world.player.asks(SetSinkInputMute(index=0, muted=False)) == Ack()
    world.passes(0.5)
    assert room.heard().any()


def test_a_corked_stream_keeps_its_place_and_wakes_nobody(world):
    world.rises()
    world.player.plays(5.0)
    world.passes(0.5)
    world.player.asks(CorkPlaybackStream(channel=0, cork=True))
    at = world.player.heard_at()
    world.falls()
    assert world.stage.due is None
    world.passes(1.0)
    assert world.player.heard_at() == pytest.approx(at, abs=0.011)
    world.rises()
    world.passes(1.0)
    assert world.player.heard_at() == pytest.approx(at, abs=0.011)


def test_a_stream_that_begins_without_an_upstream_is_stood_in_for_and_heard_later(world):
    world.player.plays(5.0)
    assert world.wanted() == [True]
    assert world.player.channel < 0
    world.stage.happens(UpstreamLost(OUTPUT, PulseError.CONNECTIONREFUSED))
    world.passes(1.0)
    assert world.player.channel == 0
    assert world.player.heard_at() == pytest.approx(1.0, abs=0.05)
    assert len(world.player.told(Started)) == 1
    assert world.wanted() == []
    room = world.rises()
    world.passes(1.0)
    assert_part_of_the_tone(sounding(room.heard()))


def test_other_metrics_of_another_upstream_are_told(world):
    world.stage.happens(UpstreamReady(OUTPUT))
    world.player.plays(5.0)
    world.stage.happens(UpstreamLost(OUTPUT, PulseError.CONNECTIONTERMINATED, over=True))
    room = world.rises()
    (changed,) = world.player.told(PlaybackBufferAttrChanged) or [None]
    (create,) = [message for message in room.asked if isinstance(message, CreatePlaybackStream)]
    assert create.tlength == PROMPT["tlength"]
    assert changed is None


def test_what_ends_while_there_is_no_upstream_is_not_made_anew(world):
    world.rises()
    world.player.plays(5.0)
    world.passes(0.5)
    world.falls()
    world.wanted()
    assert world.player.program.ask(DeletePlaybackStream(channel=0)) == Ack()
    assert world.wanted() == [False]
    world.passes(0.1)
    assert world.stage.due is None
    room = world.rises()
    assert room.asked == []


def test_a_client_that_leaves_takes_its_stand_in_along(world):
    world.rises()
    world.player.plays(5.0)
    world.passes(0.5)
    world.falls()
    world.player.program.leave()
    assert world.wanted() == [True, False]
    world.passes(0.1)
    assert world.stage.due is None


def test_a_client_that_does_not_read_is_asked_when_it_does(world):
    world.rises()
    world.player.plays(5.0)
    world.passes(0.5)
    world.stage.happens(Clogged(1))
    before = len(world.player.told(Request))
    world.falls()
    world.passes(0.5)
    world.rises()
    world.passes(0.5)
    assert len(world.player.told(Request)) == before
    world.stage.happens(Unclogged(1))
    assert len(world.player.told(Request)) == before + 1


def test_a_group_goes_on_together(world):
    program = world.player.program
    world.player.plays(5.0, sync_id=7, corked=True)
    world.stage.happens(UpstreamLost(OUTPUT, PulseError.CONNECTIONREFUSED))
    second = Player(world, program)
    second.plays(5.0, sync_id=7, corked=True)
    world.passes(0.1)
    world.player.asks(CorkPlaybackStream(channel=0, cork=False))
    world.passes(0.2)
    room = world.rises()
    world.passes(0.5)
    made = [message for message in room.asked if isinstance(message, CreatePlaybackStream)]
    assert [message.corked for message in made] == [True, True]
    assert len({message.sync_id for message in made}) == 1
    heard = sounding(room.heard())
    assert_part_of_the_tone(heard / 2)
    assert second.latency().read_index == world.player.latency().read_index


def test_what_is_refused_for_no_fault_of_the_client_is_stood_in_for_and_tried_again(world):
    room = world.rises()
    room.refuses = PulseError.NOENTITY
    world.player.plays(20.0)
    world.passes(1.0)
    assert world.player.channel == 0
    assert not room.heard().any()
    room.refuses = None
    world.passes(4.0)
    assert_part_of_the_tone(sounding(room.heard()))


def test_what_the_client_should_not_ask_is_refused(world):
    room = world.rises()
    room.refuses = PulseError.INVALID
    world.player.plays(1.0)
    assert world.player.program.answers.pop(world.player.answer) == PulseError.INVALID
    assert world.player.program.ask(GetSinkInputInfoList()).items == []


def test_the_monitor_hears_a_stand_in_without_a_gap(world):
    world.rises()
    program = world.player.program
    hearing = program.record(source_name="output.monitor", fragsize=480 * FRAME)
    world.player.plays(5.0)
    world.passes(1.0)
    world.falls()
    world.passes(1.0)
    world.rises()
    world.passes(1.0)
    heard = sounding(program.heard(hearing.channel))
    assert len(heard) > 2.9 * SECOND
    assert_part_of_the_tone(heard)


def test_a_wire_that_leads_nowhere_has_stand_ins_and_wants_nothing(world):
    world.player.plays(30.0)
    world.wanted()
    world.stage.happens(Rewired(OUTPUT, WireEnd("null")))
    world.passes(1.0)
    assert world.player.heard_at() == pytest.approx(1.0, abs=0.05)
    assert world.wanted() == []
    world.stage.happens(Rewired(OUTPUT, WireEnd("room", "studio")))
    assert world.wanted() == [True]
    room = world.rises()
    world.passes(1.0)
    assert_part_of_the_tone(sounding(room.heard()))


def test_another_upstream_takes_the_place_of_one_that_is_there(world):
    world.rises()
    world.player.plays(5.0)
    world.passes(1.0)
    world.wanted()
    world.stage.happens(UpstreamLost(OUTPUT, PulseError.CONNECTIONTERMINATED))  # as another is there
    room = world.rises()
    world.passes(1.0)
    assert world.wanted() == []
    assert_part_of_the_tone(sounding(room.heard()))


def test_a_server_that_ends_kills_its_streams_which_is_not_the_end(world):
    world.rises()
    world.player.plays(5.0)
    world.passes(0.5)
    world.room = None
    world.stage.happens(UpstreamTold(1, PlaybackStreamKilled(channel=0)))
    world.stage.happens(UpstreamLost(OUTPUT, PulseError.CONNECTIONTERMINATED, over=True))
    world.passes(0.5)
    assert world.player.told(PlaybackStreamKilled) == []
    room = world.rises()
    world.passes(0.5)
    assert_part_of_the_tone(sounding(room.heard()))


def test_a_stream_that_is_killed_by_a_server_that_lives_is_killed(world):
    world.rises()
    world.player.plays(5.0)
    world.passes(0.5)
    world.stage.happens(UpstreamTold(1, PlaybackStreamKilled(channel=0)))
    world.carry()
    assert len(world.player.told(PlaybackStreamKilled)) == 1
    assert world.player.program.ask(GetSinkInputInfoList()).items == []


# -- what was mixed, because its wire led nowhere


@pytest.fixture
def nowhere() -> World:
    return World(WireEnd("null"))


def test_what_was_mixed_is_carried_when_its_wire_leads_upstream(nowhere):
    nowhere.player.plays(10.0)
    nowhere.passes(1.0)
    assert nowhere.wanted() == []
    before = nowhere.player.heard_at()
    nowhere.leads_to("room:studio")
    assert nowhere.wanted() == [True]
    assert nowhere.player.heard_at() == pytest.approx(before, abs=0.001)
    nowhere.passes(0.3)
    room = nowhere.rises()
    at = nowhere.player.heard_at()
    nowhere.passes(1.0)
    assert_part_of_the_tone(sounding(room.heard()))
    expected = sine(440, 10 * SECOND)[round(at * SECOND) :]
    heard = sounding(room.heard())
    assert np.abs(heard[100:] - expected[100 : len(heard)]).max() < 0.05
    assert [message for message in nowhere.player.program.told if isinstance(message, PlaybackStreamKilled)] == []
    assert nowhere.player.told(Underflow) == []
    (shown,) = nowhere.player.asks(GetSinkInputInfoList()).items
    assert shown.index == 0


def test_it_goes_there_and_back_and_is_asked_for_no_more_than_before(nowhere):
    nowhere.player.plays(30.0)
    for _ in range(10):
        nowhere.passes(0.3)
        nowhere.leads_to("room:studio")
        nowhere.passes(0.1)
        nowhere.rises()
        nowhere.passes(0.3)
        nowhere.leads_to("null")
        nowhere.falls()
    asked = nowhere.player.granted + sum(request.nbytes for request in nowhere.player.told(Request))
    heard = round(nowhere.player.heard_at() * SECOND) * FRAME
    assert asked - heard <= PROMPT["tlength"] * 1.1
    assert nowhere.player.heard_at() == pytest.approx(7.0, abs=0.1)
    assert nowhere.player.told(Underflow) == []
    assert nowhere.wanted() == [True] * 10


def test_what_was_asked_while_it_was_mixed_is_answered_once(nowhere):
    nowhere.player.plays(0.9)
    nowhere.passes(0.75)
    tag = nowhere.player.drains()
    nowhere.leads_to("room:studio")
    nowhere.passes(0.05)
    assert tag in nowhere.player.program.waits_for
    nowhere.passes(0.2)
    assert nowhere.player.program.answers.pop(tag) == Ack()


def test_a_group_and_what_is_corked_are_carried_as_they_are(nowhere):
    one, two = nowhere.player, Player(nowhere, nowhere.player.program)
    one.plays(5.0, sync_id=7, corked=True)
    two.plays(5.0, sync_id=7, corked=True)
    nowhere.passes(0.1)
    nowhere.leads_to("room:studio")
    room = nowhere.rises()
    made = [message for message in room.asked if isinstance(message, CreatePlaybackStream)]
    assert [message.corked for message in made] == [True, True]
    assert made[0].sync_id == made[1].sync_id
    nowhere.passes(0.2)
    assert len(sounding(room.heard())) == 0
    assert one.asks(CorkPlaybackStream(channel=one.channel, cork=False)) == Ack()
    nowhere.passes(1.0)
    assert len(sounding(room.heard())) > 0.7 * SECOND


def test_all_that_was_asked_for_a_mixed_stream_is_asked_upstream(nowhere):
    said = {"muted_set": True, "dont_inhibit_auto_suspend": True, "variable_rate": True, "adjust_latency": True}
    nowhere.player.plays(1.0, no_remix=True, **said)
    nowhere.leads_to("room:studio")
    room = nowhere.rises()
    (asked,) = [message for message in room.asked if isinstance(message, CreatePlaybackStream)]
    assert {name: getattr(asked, name) for name in said} == said
    assert asked.no_remix
    assert (asked.tlength, asked.minreq, asked.prebuf) == (PROMPT["tlength"], PROMPT["minreq"], PROMPT["prebuf"])


def test_the_monitor_goes_on_and_so_does_who_records_one_stream(nowhere):
    nowhere.player.plays(10.0)
    everything, one = nowhere.stage.join(ALL), nowhere.stage.join(ALL)
    everything.record(source_name="output.monitor", fragsize=480 * FRAME)
    one.record(source_name="output.monitor", fragsize=480 * FRAME, direct_on_input=0)
    nowhere.passes(1.0)
    nowhere.leads_to("room:studio")
    nowhere.passes(0.5)
    nowhere.rises()
    nowhere.passes(1.0)
    assert len(everything.heard()) == pytest.approx(2.5 * SECOND, abs=0.02 * SECOND)
    assert_part_of_the_tone(sounding(everything.heard())[: 2 * SECOND - 4800])
    assert len(sounding(one.heard())) > 1.4 * SECOND


def test_who_comes_later_is_carried_from_the_start(nowhere):
    nowhere.leads_to("room:studio")
    assert nowhere.wanted() == []
    nowhere.player.plays(1.0)
    assert nowhere.wanted() == [True]
    room = nowhere.rises()
    nowhere.passes(1.2)
    assert len(sounding(room.heard())) > 0.95 * SECOND


@pytest.mark.parametrize(("read", "write"), [(-(1 << 63), 1 << 63), (-3, 5), (1 << 70, 1 << 71)])
def test_whatever_an_upstream_has_counted_it_begins_at_a_frame_that_can_be_told(world, read, write):
    world.rises()
    world.player.plays(1.0)
    stream = next(iter(world.stage.server.clients[1].playback.values()))
    stand_in = StandIn(stream, world.stage.server.buses.output)
    stand_in.take_over(stream.attr, 0, read=read, write=write, missing=0, playing=False)
    for index in (stand_in.ring.r, stand_in.ring.w):
        assert index % FRAME == 0
        assert abs(index) <= 1 << 62
