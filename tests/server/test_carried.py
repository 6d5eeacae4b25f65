"""Carried streams as plays: what a client says, what is said upstream for it, and what it is told.

The stream is 1 between core and upstream; the client knows it as channel 0. What the upstream calls it never shows.
"""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import ANY

import numpy as np
import pytest

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    CreatePlaybackStream,
    CreateRecordStream,
    DeletePlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    GetPlaybackLatency,
    GetSinkInputInfoList,
    Overflow,
    PlaybackBufferAttrChanged,
    PlaybackBufferAttrSet,
    PlaybackLatency,
    PlaybackStreamCreated,
    PlaybackStreamEvent,
    PlaybackStreamKilled,
    PlaybackStreamMoved,
    PlaybackStreamSuspended,
    PrebufPlaybackStream,
    RecordStreamCreated,
    Request,
    SetClientName,
    SetPlaybackStreamBufferAttr,
    SetSinkInputMute,
    SetSinkInputVolume,
    SetSinkMute,
    SetSinkVolume,
    Started,
    Stat,
    StatReply,
    TriggerPlaybackStream,
    Underflow,
    UpdatePlaybackStreamSampleRate,
)
from eardrum.server.core import Server
from eardrum.server.effects import (
    NO_STREAM,
    Answer,
    KeepLevel,
    Refuse,
    Reissue,
    ReissueSound,
    Tell,
    WakeMe,
    WantUpstream,
    WireSays,
)
from eardrum.server.events import (
    INPUT,
    OUTPUT,
    Asked,
    Clogged,
    Joined,
    Left,
    Sound,
    Turned,
    Unclogged,
    UpstreamAnswered,
    UpstreamLost,
    UpstreamReady,
    UpstreamRefused,
    UpstreamTold,
    Woke,
)
from eardrum.server.knob import Knob
from eardrum.server.views import outlet_view
from eardrum.server.wires import RETRY
from eardrum.terms.audio import MAX_QUEUE, STEREO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.playbook import Play
from eardrum.testing.stage import ALL, FLOAT, Stage

SPEC = SampleSpec(SampleFormat.S16LE, 2, 44100)
FRAME = SPEC.frame_bytes
NORM = (VOLUME_NORM, VOLUME_NORM)
HALF = VOLUME_NORM // 2
TIME = (3, 4)

CREATE = CreatePlaybackStream(
    sample_spec=SPEC, channel_map=STEREO, volume=NORM, volume_set=False, tlength=8820, minreq=2204, sync_id=5,
    adjust_latency=True, variable_rate=True,
)  # fmt: skip
NAMES = {
    "application.name": b"box\0",
    "application.id": b"eardrum.box\0",
    "application.icon_name": b"audio-card\0",
    "module-stream-restore.id": b"eardrum-box\0",
}
CREATE_UPSTREAM = replace(CREATE, sync_id=1, proplist=NAMES)
CREATED_UPSTREAM = PlaybackStreamCreated(
    channel=99, sink_input=98, missing=8000, maxlength=4000000, tlength=8820, prebuf=4416, minreq=2204,
    sample_spec=SPEC, channel_map=STEREO, sink_index=97, sink_name="the-hosts-own", latency=12500,
)  # fmt: skip
CREATED = PlaybackStreamCreated(
    channel=0, sink_input=0, missing=8000, maxlength=4000000, tlength=8820, prebuf=4416, minreq=2204,
    sample_spec=SPEC, channel_map=STEREO, sink_index=0, sink_name="output", latency=12500, format=ANY,
)  # fmt: skip
STOOD_IN_FOR = replace(
    CREATED, missing=6616, maxlength=4194304, tlength=6616, prebuf=4416, latency=ANY, suspended=False
)
METRICS = {"maxlength": 4000000, "tlength": 4000, "prebuf": 3000, "minreq": 1000, "latency": 50}


def outlet(output: str = "room", argument: str = "studio", clients: int = 1) -> Play:
    """A core whose both wires are carried, with connected clients that have said AUTH."""
    core = Server(outlet_view("box", WireEnd(output, argument), WireEnd("room", "studio")))
    play = Play(core)
    for client in range(1, clients + 1):
        play = play >> Joined(client, 0, ALL, 35)
    return play


def playing() -> Play:
    """An outlet with one stream that plays: tag 1, token 1, number 1, channel 0."""
    return (
        outlet()
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, CREATE)
        << Reissue(OUTPUT, 1, 1, CREATE_UPSTREAM)
        >> UpstreamAnswered(1, CREATED_UPSTREAM)
        << Answer(1, 1, CREATED)
    )


# -- making a stream


def test_a_stream_waits_for_its_upstream_and_is_told_with_our_numbers():
    (
        outlet()
        >> Asked(1, 1, CREATE)
        << WantUpstream(OUTPUT)
        >> Asked(1, 2, GetSinkInputInfoList())
        << Answer(1, 2, ANY)
        >> UpstreamReady(OUTPUT)
        << Reissue(OUTPUT, 1, 1, CREATE_UPSTREAM)
        >> UpstreamAnswered(1, CREATED_UPSTREAM)
        << Answer(1, 1, CREATED)
    ).over()


def test_the_upstream_is_wanted_once_for_all_that_wait():
    (
        outlet()
        >> Asked(1, 1, CREATE)
        << WantUpstream(OUTPUT)
        >> Asked(1, 2, CREATE)
        >> UpstreamReady(OUTPUT)
        << Reissue(OUTPUT, 1, 1, ANY)
        << Reissue(OUTPUT, 2, 2, ANY)
    ).over()


def test_an_upstream_that_cannot_be_had_is_stood_in_for_and_goes_on_being_wanted():
    (
        outlet()
        >> Asked(1, 1, CREATE)
        << WantUpstream(OUTPUT)
        >> UpstreamLost(OUTPUT, PulseError.CONNECTIONREFUSED)
        << Answer(1, 1, STOOD_IN_FOR)
        >> Asked(1, 2, replace(CREATE, sync_id=6))
        << Answer(1, 2, ANY)
        >> UpstreamReady(OUTPUT)
        << Reissue(OUTPUT, 1, 1, replace(CREATE_UPSTREAM, corked=True))
        << Reissue(OUTPUT, 2, 2, replace(CREATE_UPSTREAM, corked=True, sync_id=2))
    ).over()


@pytest.mark.parametrize("error", [PulseError.INVALID, PulseError.NOTSUPPORTED])
def test_what_a_client_should_not_have_asked_is_refused_and_nothing_remains(error):
    (
        outlet()
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, CREATE)
        << Reissue(OUTPUT, 1, 1, ANY)
        >> UpstreamRefused(1, error)
        << Refuse(1, 1, error)
        << WireSays(OUTPUT, error)
        >> Asked(1, 2, CREATE)
        << Reissue(OUTPUT, 2, 2, ANY)
        >> UpstreamAnswered(2, CREATED_UPSTREAM)
        << Answer(1, 2, CREATED)
        << WireSays(OUTPUT, None)
    ).over()


@pytest.mark.parametrize(
    "outcome",
    [UpstreamRefused(1, PulseError.TOOLARGE), UpstreamRefused(1, PulseError.NOENTITY), UpstreamAnswered(1, Ack())],
    ids=["too large", "no entity", "of another kind"],
)
def test_what_is_refused_for_no_fault_of_the_client_is_stood_in_for_and_asked_again(outcome):
    says = [WireSays(OUTPUT, outcome.error)] if isinstance(outcome, UpstreamRefused) else []
    play = outlet() >> UpstreamReady(OUTPUT) >> Asked(1, 1, CREATE) << Reissue(OUTPUT, 1, 1, ANY)
    play = play >> outcome << Answer(1, 1, STOOD_IN_FOR)
    for effect in says:
        play = play << effect
    play = play << WakeMe(RETRY) >> Woke(RETRY, 0.0)
    (play << Reissue(OUTPUT, 1, 2, replace(CREATE_UPSTREAM, corked=True)) << WakeMe(None)).over()


def test_a_client_that_is_gone_before_the_answer_leaves_nothing_upstream():
    (
        outlet()
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, CREATE)
        << Reissue(OUTPUT, 1, 1, ANY)
        >> Left(1)
        >> UpstreamAnswered(1, CREATED_UPSTREAM)
        << Reissue(OUTPUT, 1, None, DeletePlaybackStream(channel=1))
    ).over()


def test_sound_before_the_answer_is_sound_for_nothing():
    (
        outlet()
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, CREATE)
        << Reissue(OUTPUT, 1, 1, ANY)
        >> Sound(1, 0, 0, 0, memoryview(bytes(FRAME)), True, FRAME)
    ).over()


def test_streams_that_the_upstream_has_not_made_yet_count():
    play = outlet() >> UpstreamReady(OUTPUT)
    for number in range(1, 257):
        play = play >> Asked(1, number, CREATE) << Reissue(OUTPUT, number, number, ANY)
    (play >> Asked(1, 5000, CREATE) << Refuse(1, 5000, PulseError.TOOLARGE, ANY)).over()


def test_the_commands_of_a_client_that_may_wait_for_an_answer_are_counted():
    play = playing()
    drain = DrainPlaybackStream(channel=0)
    for tag in range(1024):
        play = play >> Asked(1, tag, drain) << Reissue(OUTPUT, 1, 2 + tag, ANY)
    (
        play
        >> Asked(1, 5000, drain)
        << Refuse(1, 5000, PulseError.TOOLARGE, ANY)
        >> UpstreamAnswered(2, Ack())
        << Answer(1, 0, Ack())
        >> Asked(1, 5001, Stat())
        << Answer(1, 5001, ANY)
    ).over()


# -- what the upstream is told


def test_the_upstream_hears_the_outlets_name_and_what_the_sound_is_and_nothing_of_the_program():
    said = {
        "media.name": b"Tune" + b"\0",
        "media.role": b"music\0",
        "application.name": b"mpv\0",
        "application.process.id": b"42\0",
        "application.process.binary": b"mpv\0",
        "window.id": b"7\0",
        "module-stream-restore.id": b"stolen\0",
        "filter.want": b"echo-cancel\0",
        "device.intended_roles": b"phone\0",
    }
    (
        outlet()
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, SetClientName(proplist={"application.name": b"program\0", "media.title": b"Title\0"}))
        << Answer(1, 1, ANY)
        >> Asked(1, 2, replace(CREATE, proplist=said))
        << Reissue(
            OUTPUT,
            1,
            1,
            replace(
                CREATE_UPSTREAM,
                proplist={"media.name": b"Tune\0", "media.title": b"Title\0", **NAMES},
            ),
        )
    ).over()


def test_a_sink_of_the_host_is_asked_for_by_its_name_and_only_by_the_wiring():
    said = replace(CREATE, sink_name="output", no_move=True, fail_on_suspend=True, relative_volume=True)
    (
        outlet("host", "speakers.left")
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, said)
        << Reissue(OUTPUT, 1, 1, replace(CREATE_UPSTREAM, sink_name="speakers.left"))
    ).over()


def test_sync_groups_of_two_clients_never_meet():
    (
        outlet(clients=2)
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, CREATE)
        << Reissue(OUTPUT, 1, 1, replace(CREATE_UPSTREAM, sync_id=1))
        >> Asked(2, 1, CREATE)
        << Reissue(OUTPUT, 2, 2, replace(CREATE_UPSTREAM, sync_id=2))
        >> Asked(1, 2, replace(CREATE, sync_id=6))
        << Reissue(OUTPUT, 3, 3, replace(CREATE_UPSTREAM, sync_id=3))
        >> Asked(1, 3, CREATE)
        << Reissue(OUTPUT, 4, 4, replace(CREATE_UPSTREAM, sync_id=1))
    ).over()


def test_a_volume_is_said_upstream_when_somebody_in_the_outlet_has_moved_one():
    (
        outlet()
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, SetSinkVolume(name="output", volume=(HALF,)))
        << KeepLevel(OUTPUT, (HALF, HALF), False)
        << Answer(1, 1, Ack())
        >> Asked(1, 2, replace(CREATE, volume=(HALF, VOLUME_NORM), volume_set=True, muted=True, muted_set=True))
        << Reissue(
            OUTPUT,
            1,
            1,
            replace(CREATE_UPSTREAM, volume=(HALF // 2, HALF), volume_set=True, muted=True, muted_set=True),
        )
    ).over()


def test_what_the_person_has_set_is_said_upstream_and_said_again_when_the_stream_is_there():
    (
        outlet()
        >> UpstreamReady(OUTPUT)
        >> Turned(OUTPUT, HALF, True)
        >> Asked(1, 1, CREATE)
        << Reissue(
            OUTPUT,
            1,
            1,
            replace(CREATE_UPSTREAM, volume=(HALF, HALF), volume_set=True, muted=True, muted_set=True),
        )
        >> UpstreamAnswered(1, CREATED_UPSTREAM)
        << Reissue(OUTPUT, 1, None, SetSinkInputVolume(index=1, volume=(HALF, HALF)))
        << Reissue(OUTPUT, 1, None, SetSinkInputMute(index=1, muted=True))
        << Answer(1, 1, CREATED)
        >> Turned(OUTPUT, VOLUME_NORM, False)
        << Reissue(OUTPUT, 1, None, SetSinkInputVolume(index=1, volume=NORM))
        << Reissue(OUTPUT, 1, None, SetSinkInputMute(index=1, muted=False))
    ).over()


def test_a_ceiling_is_over_whatever_is_set():
    core = Server(outlet_view("box", WireEnd("host"), None), knobs=(Knob(ceiling=HALF), Knob()))
    (
        Play(core)
        >> Joined(1, 0, ALL, 35)
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, CREATE)
        << Reissue(OUTPUT, 1, 1, replace(CREATE_UPSTREAM, volume=(HALF, HALF), volume_set=True, muted_set=True))
        >> UpstreamAnswered(1, CREATED_UPSTREAM)
        << Reissue(OUTPUT, 1, None, SetSinkInputVolume(index=1, volume=(HALF, HALF)))
        << Reissue(OUTPUT, 1, None, SetSinkInputMute(index=1, muted=False))
        << Answer(1, 1, CREATED)
        >> Asked(1, 2, SetSinkInputVolume(index=0, volume=(4 * VOLUME_NORM,)))
        << Reissue(OUTPUT, 1, None, SetSinkInputVolume(index=1, volume=(HALF, HALF)))
        << Reissue(OUTPUT, 1, None, SetSinkInputMute(index=1, muted=False))
        << Answer(1, 2, Ack())
    ).over()


def test_a_level_that_moves_before_the_stream_is_there_is_said_when_it_is():
    (
        outlet()
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, CREATE)
        << Reissue(OUTPUT, 1, 1, CREATE_UPSTREAM)
        >> Asked(1, 2, SetSinkMute(index=0, muted=True))
        << KeepLevel(OUTPUT, NORM, True)
        << Answer(1, 2, Ack())
        >> UpstreamAnswered(1, CREATED_UPSTREAM)
        << Reissue(OUTPUT, 1, None, SetSinkInputVolume(index=1, volume=NORM))
        << Reissue(OUTPUT, 1, None, SetSinkInputMute(index=1, muted=True))
        << Answer(1, 1, CREATED)
    ).over()


def test_the_streams_volume_and_the_sinks_multiply_upstream():
    (
        playing()
        >> Asked(1, 2, SetSinkInputVolume(index=0, volume=(HALF, VOLUME_NORM)))
        << Reissue(OUTPUT, 1, None, SetSinkInputVolume(index=1, volume=(HALF, VOLUME_NORM)))
        << Reissue(OUTPUT, 1, None, SetSinkInputMute(index=1, muted=False))
        << Answer(1, 2, Ack())
        >> Asked(1, 3, SetSinkVolume(index=0, volume=(HALF, HALF)))
        << Reissue(OUTPUT, 1, None, SetSinkInputVolume(index=1, volume=(HALF // 2, HALF)))
        << Reissue(OUTPUT, 1, None, SetSinkInputMute(index=1, muted=False))
        << KeepLevel(OUTPUT, (HALF, HALF), False)
        << Answer(1, 3, Ack())
        >> Asked(1, 4, SetSinkMute(index=0, muted=True))
        << Reissue(OUTPUT, 1, None, SetSinkInputVolume(index=1, volume=(HALF // 2, HALF)))
        << Reissue(OUTPUT, 1, None, SetSinkInputMute(index=1, muted=True))
        << KeepLevel(OUTPUT, (HALF, HALF), True)
        << Answer(1, 4, Ack())
    ).over()


@pytest.mark.parametrize(
    ("asked", "said", "reply"),
    [
        (CorkPlaybackStream(channel=0, cork=True), CorkPlaybackStream(channel=1, cork=True), Ack()),
        (FlushPlaybackStream(channel=0), FlushPlaybackStream(channel=1), Ack()),
        (DrainPlaybackStream(channel=0), DrainPlaybackStream(channel=1), Ack()),
        (TriggerPlaybackStream(channel=0), TriggerPlaybackStream(channel=1), Ack()),
        (PrebufPlaybackStream(channel=0), PrebufPlaybackStream(channel=1), Ack()),
        (
            UpdatePlaybackStreamSampleRate(channel=0, rate=55_124),
            UpdatePlaybackStreamSampleRate(channel=1, rate=55_100),
            Ack(),
        ),
        (
            SetPlaybackStreamBufferAttr(channel=0, tlength=4000, early_requests=True),
            SetPlaybackStreamBufferAttr(channel=1, tlength=4000, early_requests=True),
            PlaybackBufferAttrSet(**METRICS),
        ),
        (
            SetPlaybackStreamBufferAttr(channel=0, tlength=2**31, minreq=2**31),
            SetPlaybackStreamBufferAttr(channel=1, tlength=MAX_QUEUE, minreq=MAX_QUEUE),
            PlaybackBufferAttrSet(**METRICS),
        ),
        (
            GetPlaybackLatency(channel=0, client_time=TIME),
            GetPlaybackLatency(channel=1, client_time=TIME),
            PlaybackLatency(
                sink_latency=5, playing=True, client_time=TIME, server_time=(1, 2), write_index=3, read_index=2
            ),
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_is_asked_of_a_stream_is_asked_upstream_and_its_answer_is_the_answer(asked, said, reply):
    (
        playing()
        >> Asked(1, 2, asked)
        << Reissue(OUTPUT, 1, 2, said)
        >> UpstreamAnswered(2, reply)
        << Answer(1, 2, reply)
        >> Asked(1, 3, asked)
        << Reissue(OUTPUT, 1, 3, said)
        >> UpstreamRefused(3, PulseError.BADSTATE)
        << Refuse(1, 3, PulseError.BADSTATE)
    ).over()


# -- sound


def piece(nbytes: int, total: int, first: bool = True, seek: int = 0, offset: int = 0, fill: int = 1) -> Sound:
    return Sound(1, 0, seek, offset, memoryview(bytes((fill,)) * nbytes), first, total)


def test_samples_go_upstream_as_they_are():
    (
        playing()
        >> piece(8, 8, seek=1, offset=40)
        << ReissueSound(OUTPUT, 1, 1, 40, bytes((1,)) * 8)
        >> piece(4, 4)
        << ReissueSound(OUTPUT, 1, 0, 0, bytes((1,)) * 4)
    ).over()


@pytest.mark.parametrize(("nbytes", "offset"), [(FRAME + 1, 0), (1, 0), (FRAME, 1), (FRAME, -FRAME - 1)])
def test_a_packet_that_is_not_whole_frames_in_its_place_is_dropped(nbytes, offset):
    (playing() >> piece(nbytes, nbytes, offset=offset)).over()


def test_all_of_an_unaligned_long_packet_is_dropped_and_the_next_is_not():
    (
        playing()
        >> piece(65536, 100001)
        >> piece(100001 - 65536, 100001, first=False)
        >> piece(4, 4)
        << ReissueSound(OUTPUT, 1, 0, 0, bytes((1,)) * 4)
    ).over()


def test_pieces_of_a_long_packet_stay_whole_frames_and_only_the_first_jumps():
    s24 = SampleSpec(SampleFormat.S24LE, 2, 44100)  # 6 bytes a frame, and a piece is not a multiple of 6
    (
        outlet()
        >> UpstreamReady(OUTPUT)
        >> Asked(1, 1, replace(CREATE, sample_spec=s24))
        << Reissue(OUTPUT, 1, 1, ANY)
        >> UpstreamAnswered(1, CREATED_UPSTREAM)
        << Answer(1, 1, ANY)
        >> piece(20, 60, seek=1, offset=12)
        << ReissueSound(OUTPUT, 1, 1, 12, bytes((1,)) * 18)
        >> piece(20, 60, first=False, seek=1, offset=12, fill=2)
        << ReissueSound(OUTPUT, 1, 0, 0, bytes((1, 1)) + bytes((2,)) * 16)
        >> piece(20, 60, first=False, seek=1, offset=12, fill=3)
        << ReissueSound(OUTPUT, 1, 0, 0, bytes((2,)) * 4 + bytes((3,)) * 20)
    ).over()


# -- what the upstream tells


@pytest.mark.parametrize(
    ("told", "passed"),
    [
        (Request(channel=99, nbytes=77), Request(channel=0, nbytes=77)),
        (Started(channel=99), Started(channel=0)),
        (Underflow(channel=99, read_index=5), Underflow(channel=0, read_index=5)),
        (Overflow(channel=99), Overflow(channel=0)),
        (PlaybackStreamSuspended(channel=99, suspended=True), PlaybackStreamSuspended(channel=0, suspended=True)),
        (PlaybackBufferAttrChanged(channel=99, **METRICS), PlaybackBufferAttrChanged(channel=0, **METRICS)),
        (
            PlaybackStreamMoved(channel=99, sink_index=4, sink_name="secret", suspended=False, **METRICS),
            PlaybackBufferAttrChanged(channel=0, **METRICS),
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_the_upstream_tells_is_told_under_our_number(told, passed):
    (playing() >> UpstreamTold(1, told) << Tell(1, passed)).over()


def test_a_move_to_a_sink_that_sleeps_and_back_is_told_once_each():
    moved = PlaybackStreamMoved(channel=99, sink_index=4, sink_name="secret", suspended=True, **METRICS)
    (
        playing()
        >> UpstreamTold(1, moved)
        << Tell(1, PlaybackBufferAttrChanged(channel=0, **METRICS))
        << Tell(1, PlaybackStreamSuspended(channel=0, suspended=True))
        >> UpstreamTold(1, moved)
        << Tell(1, PlaybackBufferAttrChanged(channel=0, **METRICS))
        >> UpstreamTold(1, PlaybackStreamSuspended(channel=99, suspended=False))
        << Tell(1, PlaybackStreamSuspended(channel=0, suspended=False))
        >> UpstreamTold(1, replace(moved, suspended=False))
        << Tell(1, PlaybackBufferAttrChanged(channel=0, **METRICS))
    ).over()


@pytest.mark.parametrize("rate", [1, 8000, 33_024, 55_125, 192_000])
def test_a_rate_far_from_that_which_it_was_made_with_is_refused(rate):
    update = UpdatePlaybackStreamSampleRate(channel=0, rate=rate)
    (playing() >> Asked(1, 2, update) << Refuse(1, 2, PulseError.NOTSUPPORTED, ANY)).over()


def test_what_is_not_known_to_be_harmless_is_not_passed_on():
    told = PlaybackStreamEvent(channel=99, event="request-cork", proplist={"application.name": b"somebody\0"})
    (playing() >> UpstreamTold(1, told) >> UpstreamTold(7, Started(channel=3))).over()


def test_a_stream_that_the_upstream_kills_is_killed_if_the_upstream_lives_on():
    (
        playing()
        >> Asked(1, 2, DrainPlaybackStream(channel=0))
        << Reissue(OUTPUT, 1, 2, ANY)
        >> UpstreamTold(1, PlaybackStreamKilled(channel=99))
        << Reissue(OUTPUT, NO_STREAM, 3, Stat())
        >> UpstreamAnswered(3, StatReply())
        << Tell(1, PlaybackStreamKilled(channel=0))
        << Refuse(1, 2, PulseError.NOENTITY)
        << Reissue(OUTPUT, 1, None, DeletePlaybackStream(channel=1))
        >> Asked(1, 3, CorkPlaybackStream(channel=0, cork=True))
        << Refuse(1, 3, PulseError.NOENTITY, ANY)
    ).over()


def test_a_client_that_does_not_read_is_asked_for_all_at_once_when_it_reads_again():
    (
        playing()
        >> Clogged(1)
        >> UpstreamTold(1, Request(channel=99, nbytes=100))
        >> UpstreamTold(1, Request(channel=99, nbytes=200))
        >> Unclogged(1)
        << Tell(1, Request(channel=0, nbytes=300))
        >> UpstreamTold(1, Request(channel=99, nbytes=5))
        << Tell(1, Request(channel=0, nbytes=5))
    ).over()


# -- the end


def test_when_a_stream_is_deleted_all_that_was_asked_about_it_is_answered_and_nothing_twice():
    (
        playing()
        >> Asked(1, 2, DrainPlaybackStream(channel=0))
        << Reissue(OUTPUT, 1, 2, ANY)
        >> Asked(1, 3, GetPlaybackLatency(channel=0, client_time=TIME))
        << Reissue(OUTPUT, 1, 3, ANY)
        >> Asked(1, 4, DeletePlaybackStream(channel=0))
        << Refuse(1, 2, PulseError.NOENTITY)
        << Refuse(1, 3, PulseError.NOENTITY)
        << Reissue(OUTPUT, 1, None, DeletePlaybackStream(channel=1))
        << Answer(1, 4, Ack())
        >> UpstreamRefused(2, PulseError.NOENTITY)
        >> UpstreamRefused(3, PulseError.NOENTITY)
    ).over()


def test_a_client_that_leaves_takes_its_streams_along():
    (playing() >> Left(1) << Reissue(OUTPUT, 1, None, DeletePlaybackStream(channel=1))).over()


def test_what_a_lost_upstream_was_asked_its_stand_in_answers_and_a_new_stream_has_one_at_once():
    (
        playing()
        >> Asked(1, 2, CorkPlaybackStream(channel=0, cork=True))
        << Reissue(OUTPUT, 1, 2, ANY)
        >> Asked(1, 3, CREATE)
        << Reissue(OUTPUT, 2, 3, ANY)
        >> UpstreamLost(OUTPUT, PulseError.CONNECTIONTERMINATED, over=True)
        << Answer(1, 3, ANY)
        << Answer(1, 2, Ack())
        << WantUpstream(OUTPUT)
        >> piece(4, 4)
        >> Asked(1, 4, CREATE)
        << Answer(1, 4, ANY)
    ).over()


def test_one_wire_that_is_lost_leaves_the_other_alone():
    record = CreateRecordStream(sample_spec=SPEC, channel_map=STEREO, corked=True)
    created = RecordStreamCreated(channel=3, source_output=4)
    (
        playing()
        >> UpstreamReady(INPUT)
        >> Asked(1, 2, record)
        << Reissue(INPUT, 2, 2, ANY)
        >> UpstreamAnswered(2, created)
        << Answer(1, 2, ANY)
        >> UpstreamLost(INPUT, PulseError.CONNECTIONTERMINATED, over=True)
        << WantUpstream(INPUT)
        >> UpstreamTold(1, Started(channel=99))
        << Tell(1, Started(channel=0))
    ).over()


def test_levels_said_while_the_upstream_is_away_are_not_worth_a_connection():
    (
        outlet()
        >> Asked(1, 1, SetSinkMute(index=0, muted=True))
        << KeepLevel(OUTPUT, NORM, True)
        << Answer(1, 1, Ack())
    ).over()


def test_under_a_ceiling_samples_end_at_full_scale():
    core = Server(outlet_view("box", WireEnd("host"), None), knobs=(Knob(ceiling=HALF), Knob()))
    stage = Stage(core)
    stage.happens(UpstreamReady(OUTPUT))
    program = stage.join()
    program.say(replace(CREATE, sample_spec=FLOAT))
    stage.happens(UpstreamAnswered(1, replace(CREATED_UPSTREAM, sample_spec=FLOAT)))
    program.write(0, np.array([0.5, 1.5, -9.0, -1.0], np.float32).tobytes())
    (sound,) = (effect for effect in stage.others if isinstance(effect, ReissueSound))
    assert list(np.frombuffer(sound.data, np.float32)) == [0.5, 1.0, -1.0, -1.0]
