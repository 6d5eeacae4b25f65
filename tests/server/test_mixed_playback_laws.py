"""What holds for a mixed playback stream whatever its client does and however time passes.

The law of the queue: at any moment

    tlength = (w - r) + (asked for - written) + missing

with the write and read index w and r, `asked for` the bytes that the client was told it may write (the reply's and all
requests'), `written` what it wrote, relative offsets included, and `missing` what the server will yet ask for. A client
that writes what it is asked for thus has tlength bytes in the queue, whatever else it did before.
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from eardrum.protocol.catalog import (
    Ack,
    CorkPlaybackStream,
    DeletePlaybackStream,
    DrainPlaybackStream,
    FlushPlaybackStream,
    GetPlaybackLatency,
    PrebufPlaybackStream,
    Request,
    SetPlaybackStreamBufferAttr,
    SetSinkInputMute,
    Started,
    TriggerPlaybackStream,
    Underflow,
    UpdatePlaybackStreamSampleRate,
)
from eardrum.server.core import Server
from eardrum.server.events import Clogged, Unclogged
from eardrum.server.mixed import MAX_PERIOD, MIN_PERIOD, MIN_REST
from eardrum.server.mixed_playback import MixedPlayback
from eardrum.server.routing import suspend
from eardrum.server.views import outlet_view
from eardrum.terms.audio import INVALID, MAX_QUEUE, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.terms.names import WireEnd
from eardrum.testing.stage import Stage

SPECS = st.builds(
    SampleSpec,
    st.sampled_from((SampleFormat.U8, SampleFormat.S16LE, SampleFormat.FLOAT32BE)),
    st.sampled_from((1, 2)),
    st.sampled_from((48000, 44100, 8000, 96000)),
)
METRIC = st.sampled_from((0, 8, 1000, 4096, 44100, 200_000, INVALID))
FRAMES = st.integers(1, 20_000)
SECONDS = st.sampled_from((0.0, 0.001, 0.005, 0.02, 0.1, 0.25, 1.0))


class OneStream(RuleBasedStateMachine):
    """A client with one stream on a null sink."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(Server(outlet_view("box", WireEnd("null"), None)))
        self.program = self.stage.join()
        self.stream: MixedPlayback | None = None
        self.drains: list[int] = []
        self.written = 0
        self.read_index = 0
        self.heard_told = 0
        self.runs_on_when_empty = False  # it had prebuf 0 at some time

    @precondition(lambda self: self.stream is None)
    @rule(spec=SPECS, tlength=METRIC, prebuf=METRIC, minreq=METRIC, maxlength=METRIC, corked=st.booleans())
    def begins(self, spec, tlength, prebuf, minreq, maxlength, corked):
        reply = self.program.play(
            spec,
            channel_map=bytes((1, 2))[: spec.channels],
            tlength=tlength,
            prebuf=prebuf,
            minreq=minreq,
            maxlength=maxlength,
            corked=corked,
        )
        self.channel = reply.channel
        self.stream = self.stage.server.clients[self.program.number].playback[reply.channel]
        self.first_reply = reply.missing
        self.written = 0
        self.read_index = 0
        self.heard_told = len(self.program.told)
        self.runs_on_when_empty = False

    def ask(self, message):
        assert self.program.ask(message) == Ack()

    there = precondition(lambda self: self.stream is not None)

    @there
    @rule(frames=FRAMES, offset=st.just(0) | st.integers(-5000, 5000), seek=st.just(0) | st.integers(0, 3))
    def writes(self, frames, offset, seek):
        frame = self.stream.frame_bytes
        nbytes = frames * frame
        self.program.write(self.channel, bytes(nbytes), seek, offset * frame)
        self.written += nbytes + (offset * frame if seek == 0 else 0)

    @there
    @rule()
    def writes_what_it_was_asked_for(self):
        wanted = self.asked_for - self.written
        if wanted > 0:
            self.program.write(self.channel, bytes(min(wanted, MAX_QUEUE)))
            self.written += min(wanted, MAX_QUEUE)

    @there
    @rule(corked=st.booleans())
    def corks(self, corked):
        self.ask(CorkPlaybackStream(channel=self.channel, cork=corked))

    @there
    @rule(kind=st.sampled_from((FlushPlaybackStream, TriggerPlaybackStream, PrebufPlaybackStream)))
    def flushes_or_triggers_or_prebuffers(self, kind):
        self.ask(kind(channel=self.channel))

    @there
    @rule()
    def drains(self):
        self.drains.append(self.program.say(DrainPlaybackStream(channel=self.channel)))

    @there
    @rule(tlength=METRIC, prebuf=METRIC, minreq=METRIC, maxlength=METRIC, adjust=st.booleans(), early=st.booleans())
    def changes_its_metrics(self, tlength, prebuf, minreq, maxlength, adjust, early):
        reply = self.program.ask(
            SetPlaybackStreamBufferAttr(
                channel=self.channel, tlength=tlength, prebuf=prebuf, minreq=minreq, maxlength=maxlength,
                adjust_latency=adjust, early_requests=early,
            )
        )  # fmt: skip
        assert reply.tlength == self.stream.attr.tlength

    @there
    @rule(rate=st.sampled_from((44100, 48000, 16000)))
    def changes_its_rate(self, rate):
        self.ask(UpdatePlaybackStreamSampleRate(channel=self.channel, rate=rate))

    @there
    @rule(muted=st.booleans())
    def mutes(self, muted):
        self.ask(SetSinkInputMute(index=self.stream.index, muted=muted))

    @there
    @rule(clogged=st.booleans())
    def stops_or_starts_reading(self, clogged):
        self.stage.happens((Clogged if clogged else Unclogged)(self.program.number))

    @rule(suspended=st.booleans())
    def the_sink_is_suspended_or_goes_on(self, suspended):
        server = self.stage.server
        suspend(server, server.view(0), server.view(0).sinks[0], suspended)
        self.stage.passes(0.0)

    @there
    @rule()
    def asks_for_the_latency(self):
        latency = self.program.ask(GetPlaybackLatency(channel=self.channel, client_time=(0, 0)))
        assert latency.read_index >= self.stream.ring.r
        assert latency.write_index == self.stream.ring.w

    @there
    @rule()
    def ends(self):
        self.ask(DeletePlaybackStream(channel=self.channel))
        for tag in self.drains:
            assert self.program.answers.pop(tag) in (Ack(), PulseError.NOENTITY)
        self.drains.clear()
        self.stream = None

    @rule(seconds=SECONDS)
    def time_passes(self, seconds):
        end, wakes = self.stage.now + seconds, 0
        while self.stage.due is not None and self.stage.due <= end:
            self.stage.passes(max(0.0, self.stage.due - self.stage.now))
            wakes += 1
        self.stage.passes(max(0.0, end - self.stage.now))
        shortest = MIN_REST if self.drains else MIN_PERIOD
        assert wakes <= seconds / shortest + 3, f"{wakes} wake-ups in {seconds} s"

    @rule(seconds=st.floats(0, 5))
    def the_machine_sleeps(self, seconds):
        self.stage.sleeps(seconds)

    # -- laws

    @property
    def asked_for(self) -> int:
        requests = [m for m in self.program.told[self.heard_told :] if isinstance(m, Request)]
        return self.first_reply + sum(m.nbytes for m in requests if m.channel == self.channel)

    @invariant()
    def the_law_of_the_queue(self):
        if self.stream is not None:
            ring = self.stream.ring
            queued = ring.w - ring.r
            wanted = self.stream.attr.tlength + self.stream._asked_ahead
            assert wanted == queued + (self.asked_for - self.written) + self.stream.missing

    @invariant()
    def the_read_index_never_falls(self):
        if self.stream is not None:
            assert self.stream.ring.r >= self.read_index
            self.read_index = self.stream.ring.r

    @invariant()
    def the_queue_holds_whole_frames(self):
        if self.stream is not None:
            frame = self.stream.frame_bytes
            assert (self.stream.ring.r % frame, self.stream.ring.w % frame) == (0, 0)

    @invariant()
    def a_drain_is_answered_once_and_only_while_one_waits(self):
        """The stage fails at an answer that nothing waits for."""
        open_drains = [tag for tag in self.drains if tag not in self.program.answers]
        assert self.program.waits_for == open_drains
        if self.stream is not None:
            assert self.stream.draining == open_drains

    @invariant()
    def between_two_underruns_is_a_start_unless_silence_counts_as_playing(self):
        if self.stream is not None and not self.stream.attr.prebuf:
            self.runs_on_when_empty = True
        if self.runs_on_when_empty:
            return
        told = [type(m) for m in self.program.told[self.heard_told :] if isinstance(m, Started | Underflow)]
        for before, after in pairwise(told):
            assert (before, after) != (Underflow, Underflow)

    @invariant()
    def what_can_play_plays_and_what_cannot_does_not(self):
        if self.stream is not None:
            stream = self.stream
            if stream.corked or stream.sink.suspended:
                assert not stream.bus.plays(stream)
            elif not stream.prebuffering and stream.voice.fill:
                assert stream.bus.plays(stream)
        if self.stage.server.buses.output._streams:
            assert self.stage.due is not None
            assert self.stage.due <= self.stage.now + MAX_PERIOD

    def teardown(self):
        """Uncorked and given time, every drain is answered."""
        if self.stream is not None and self.drains:
            self.the_sink_is_suspended_or_goes_on(False)
            self.ask(CorkPlaybackStream(channel=self.channel, cork=False))
            rest = (self.stream.rest or 0.0) + 1.0
            self.stage.passes(rest)
            assert self.program.waits_for == []
        self.program.leave()


TestOneStream = OneStream.TestCase
TestOneStream.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
