"""What an outlet may use, and what becomes of who wants more: each limit, set short, before each back end."""

from __future__ import annotations

import array
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from eardrum.cli.control import Control, Opening
from eardrum.protocol import catalog as c
from eardrum.protocol.message import Message
from eardrum.protocol.packets import sound_head
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError
from eardrum.testing.arena import BACKENDS, Arena
from eardrum.testing.processes import descriptors, private_memory
from eardrum.testing.servers import wait_until
from eardrum.testing.workers import S16, Caller, ends_at_once, floods

pytestmark = pytest.mark.parametrize("attacked", BACKENDS, indirect=True)
TIGHT = "tight"
MIB = 1 << 20
SLACK = 2.0  # MiB


@pytest.fixture
def tight(victim: Arena) -> Iterator[Callable[..., None]]:
    """Opens the outlet `tight`, as the one that is attacked, with these limits."""
    with Control(victim.desk.runtime) as control, ExitStack() as stack:

        def open_it(**limits: float) -> None:
            like = victim.desk.list()["kit"]
            control.open(Opening(TIGHT, like["output"], like["input"], modules=True, budget=limits))
            stack.callback(control.close, TIGHT)

        yield open_it


def worker(victim: Arena) -> int:
    return int(victim.desk.list()[TIGHT]["worker"])


@contextmanager
def costs(victim: Arena, most: float) -> Iterator[None]:
    """What happens within makes the worker of the outlet no larger than by so many MiB."""
    with victim.join(TIGHT) as first:
        stream = first.play(prebuf=0)
        first.write(stream.channel, bytes(stream.missing))
        first.record(source_name="output.monitor")
        first.until(lambda: first.sound, "sound")
    with victim.join(TIGHT) as keeper:
        keeper.ask(c.Stat())
        before = private_memory(worker(victim))
        yield
        keeper.ask(c.Stat())
        assert private_memory(worker(victim)) - before <= most


@pytest.mark.case("P04")
def test_who_does_not_say_auth_in_time_is_sent_away(victim, tight):
    tight(auth_seconds=0.3)
    with victim.join(TIGHT) as known, victim.connect(TIGHT) as mute, victim.connect(TIGHT) as slow:
        slow.sendall(bytes(3))
        assert ends_at_once(mute)
        assert ends_at_once(slow)
        assert known.ask(c.Stat()) == c.StatReply()


@pytest.mark.case("P04")
def test_a_packet_that_does_not_become_whole_in_time_ends_its_connection(victim, tight):
    tight(packet_seconds=0.3)
    with victim.join(TIGHT) as quick, victim.join(TIGHT) as slow, victim.join(TIGHT) as long:
        long.socket.sendall(sound_head(0, 16 * MIB) + bytes(100_000))
        slow.socket.setblocking(False)
        for byte in sound_head(0, 4000) + bytes(3000):
            try:
                slow.socket.send(bytes((byte,)))
            except OSError:
                break
            assert quick.ask(c.Stat()) == c.StatReply()
        slow.socket.settimeout(20)
        assert ends_at_once(slow.socket)
        assert ends_at_once(long.socket)
        assert quick.ask(c.Stat()) == c.StatReply()


@pytest.mark.case("P05")
def test_long_packets_are_passed_on_while_they_come(victim, tight):
    tight()
    with costs(victim, 64 / 16 + SLACK), ExitStack() as stack:
        trickling = [stack.enter_context(victim.join(TIGHT)) for _ in range(64)]
        for caller in trickling[:4]:
            caller.play(maxlength=400_000, corked=True)
        for caller in trickling:
            caller.socket.sendall(sound_head(0, 16 * MIB))
        for _ in range(20):
            for caller in trickling:
                caller.socket.sendall(bytes(20_001))
        victim.bystander.goes_on()


@pytest.mark.case("P26")
@pytest.mark.case("P57")
@pytest.mark.parametrize("message", [c.SetClientName(proplist={}), c.GetSinkInfoList()], ids=["P26", "P57"])
def test_who_says_too_much_is_read_later_and_not_dropped(victim, tight, message):
    tight(commands_per_second=1000, commands_at_once=10)
    with victim.join(TIGHT) as flooding, victim.join(TIGHT) as other:
        begun = time.monotonic()
        packets = [flooding.asking.ask(message) for _ in range(800)]
        flooding.socket.sendall(b"".join(packet for _, packet in packets))
        assert other.ask(c.Stat()) == c.StatReply()
        flooding.until(lambda: len(flooding.answers) == 800, "all answers")
        assert time.monotonic() - begun >= 0.5  # no sooner than it may say so much, but for what is read at once
        assert list(flooding.answers) == [tag for tag, _ in packets]


@pytest.mark.case("P57")
def test_one_question_after_the_other_is_too_much_too(victim, tight):
    tight(commands_per_second=400, commands_at_once=10)
    with victim.join(TIGHT) as flooding:
        begun = time.monotonic()
        for _ in range(200):
            assert isinstance(flooding.ask(c.GetServerInfo()), c.ServerInfo)
        assert time.monotonic() - begun >= 0.2


def uploading(length: int, name: str) -> c.CreateUploadStream:
    return c.CreateUploadStream(name=name, sample_spec=S16, channel_map=STEREO, length=length)


@pytest.mark.case("P40")
def test_each_outlet_has_its_own_quota_of_samples(victim, tight):
    tight(samples=2)
    for outlet in ("box", "mic"):
        with victim.join(outlet) as caller:
            assert isinstance(caller.ask(uploading(4 * MIB, "all")), c.UploadStreamCreated)
            assert caller.ask(uploading(4, "more")) == PulseError.TOOLARGE
    with victim.join(TIGHT) as caller:
        for name in ("one", "two"):
            assert isinstance(caller.ask(uploading(4, name)), c.UploadStreamCreated)
        assert caller.ask(uploading(4, "three")) == PulseError.TOOLARGE
        assert caller.ask(c.PlaySample(name="all")) == PulseError.NOENTITY
        assert caller.ask(c.RemoveSample(name="all")) == PulseError.NOENTITY


def creating(**fields: int) -> c.CreatePlaybackStream:
    return c.CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2, corked=True, **fields)


@pytest.mark.case("P47")
def test_no_more_streams_than_there_may_be(victim, tight):
    tight(streams=16)
    recording = c.CreateRecordStream(sample_spec=S16, channel_map=STEREO, source_name="output.monitor", corked=True)
    with victim.join(TIGHT) as one, victim.join(TIGHT) as other:
        for create in (creating(), recording):
            outcomes = [caller.ask(create) for _ in range(10) for caller in (one, other)]
            refused = [isinstance(outcome, PulseError) for outcome in outcomes]
            assert refused == [False] * 16 + [True] * 4
            assert outcomes[16:] == [PulseError.TOOLARGE] * 4


@pytest.mark.case("P49")
def test_sound_that_nobody_asked_for_is_lost_and_said_to_be(victim, tight):
    tight(sound_bytes=MIB)
    with costs(victim, 1 + SLACK), victim.join(TIGHT) as flooding:
        streams = [flooding.play(tlength=96_000, corked=True).channel for _ in range(4)]
        for channel in streams:
            for _ in range(40):
                flooding.write(channel, bytes(64_000))
        assert flooding.ask(c.Stat()) == c.StatReply()
        assert {told.channel for told in flooding.tell_all(c.Overflow)} >= set(streams[1:])
        victim.bystander.goes_on()


def test_streams_that_could_hold_too_much_together_are_refused(victim, tight):
    tight(sound_bytes=4 * MIB)
    with victim.join(TIGHT) as caller:
        outcomes = [caller.ask(creating(tlength=MIB)) for _ in range(5)]
        assert outcomes[-1] == PulseError.TOOLARGE
        assert not any(isinstance(outcome, PulseError) for outcome in outcomes[:3])


@pytest.mark.case("P53")
def test_a_hundred_thousand_descriptors(victim, tight):
    """At full speed, with commands, with sound and with half a packet. A million: `make soak`."""
    tight()
    with victim.join(TIGHT) as caller, socket.socket() as passed:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [passed.fileno()] * 250))]
        before = descriptors(worker(victim))
        for number in range(270):
            _, question = caller.asking.ask(c.Stat())
            for packet in (question, sound_head(7, 4) + bytes(4))[number % 2 :]:
                assert caller.socket.sendmsg([packet], rights) == len(packet)
            if number % 90 == 89:
                assert caller.ask(c.Stat()) == c.StatReply()
                assert descriptors(worker(victim)) <= before + 4
    wait_until(lambda: descriptors(worker(victim)) < before, "the descriptors to be as before")


@pytest.mark.case("P56")
def test_who_never_reads_costs_little(victim, tight):
    tight()
    with costs(victim, SLACK), victim.join(TIGHT) as deaf, victim.join(TIGHT) as other:
        deaf.ask(c.Subscribe(mask=0x2FF))
        for _ in range(8):
            deaf.record(source_name="output.monitor", fragsize=4000)
        packets = b"".join(deaf.asking.ask(message)[1] for message in [c.GetSinkInfo(), c.GetServerInfo()] * 50)
        sent = floods(deaf.socket, packets)
        assert sent < 2 * MIB
        other.play(prebuf=0)
        victim.bystander.goes_on()


@pytest.mark.case("P56")
def test_of_many_who_never_read_the_worst_are_sent_away(victim, tight):
    tight(pending_bytes=130_000)
    with ExitStack() as stack:
        deaf = [stack.enter_context(victim.join(TIGHT)) for _ in range(4)]
        other = stack.enter_context(victim.join(TIGHT))
        for caller in deaf:
            with suppress(ConnectionError):
                floods(caller.socket, b"".join(caller.asking.ask(c.GetSinkInfo())[1] for _ in range(100)))
        assert len(other.ask(c.GetClientInfoList()).items) == 2  # one of them, which has more than 64 KiB, and itself


@pytest.mark.case("P58")
def test_connections_beyond_the_budget_are_closed_at_once(victim, tight):
    tight(connections=4)
    with ExitStack() as stack:
        callers = [stack.enter_context(victim.join(TIGHT)) for _ in range(4)]
        for _ in range(20):
            with victim.connect(TIGHT) as beyond:
                assert ends_at_once(beyond)
        with victim.join() as elsewhere:
            assert elsewhere.ask(c.Stat()) == c.StatReply()
        callers.pop().close()
        wait_until(lambda: victim.desk.list()[TIGHT]["connections"] == 3, "one to be gone")
        stack.enter_context(victim.join(TIGHT))


@pytest.mark.case("P58")
def test_the_streams_of_an_outlet_share_its_connections_to_the_host(victim, tight):
    tight()
    if victim.server is None:
        return  # a room is joined once

    def clients() -> int:
        return len(victim.desk.stage.pactl(victim.server.address, "list", "short", "clients").splitlines())

    with victim.join(TIGHT) as first, ExitStack() as stack:
        first.play(corked=True)
        before = clients()
        for _ in range(10):
            stack.enter_context(victim.join(TIGHT)).play(corked=True)
        assert clients() == before


@pytest.mark.case("P59")
def test_a_client_that_is_stopped_stays_costs_little_and_goes_on(victim, tight):
    tight(unread_sound_bytes=100_000)
    with costs(victim, SLACK), victim.join(TIGHT) as stopped, victim.join(TIGHT) as other:
        asleep = os.fork()
        if not asleep:  # holds the connection too, as the stopped one would
            signal.pause()
            os._exit(0)
        try:
            os.kill(asleep, signal.SIGSTOP)
            stream = stopped.play(prebuf=0)
            stopped.record(source_name="output.monitor", fragsize=4000)
            for _ in range(20):
                victim.bystander.goes_on()
                assert other.ask(c.Stat()) == c.StatReply()
        finally:
            os.kill(asleep, signal.SIGKILL)
            os.waitpid(asleep, 0)
        assert stopped.ask(c.Stat()) == c.StatReply()
        stopped.sound.clear()
        stopped.until(lambda: stopped.sound, "sound")
        stopped.write(stream.channel, bytes(4000))


@pytest.mark.case("P60")
def test_events_that_nobody_reads_are_put_together(victim, tight):
    tight(events_per_second=10)
    with victim.join(TIGHT) as subscriber, victim.join(TIGHT) as busy:
        subscriber.ask(c.Subscribe(mask=0x2FF))
        stream = busy.play(corked=True)
        begun = time.monotonic()
        for number in range(1000):
            assert busy.ask(c.SetSinkInputVolume(index=stream.sink_input, volume=(number,) * 2)) == c.Ack()
        busy.ask(c.DeletePlaybackStream(channel=stream.channel))
        gone = c.SubscribeEvent(event=c.Facility.SINK_INPUT | c.Change.REMOVED, index=stream.sink_input)
        subscriber.until(lambda: gone in subscriber.told, "the end of the stream")
        assert len(subscriber.tell_all(c.SubscribeEvent)) <= 10 * (time.monotonic() - begun + 2)


def test_commands_that_wait_for_their_answer_are_counted(victim, tight):
    tight(unanswered=20)
    with victim.join(TIGHT) as caller:
        stream = caller.play(tlength=400_000, prebuf=0)
        caller.write(stream.channel, bytes(400_000))
        tags = [caller.say(c.DrainPlaybackStream(channel=stream.channel)) for _ in range(21)]
        assert caller.answer(tags[-1]) == PulseError.TOOLARGE


def test_modules_and_their_streams_are_counted(victim, tight):
    def load(caller: Caller, name: str) -> Message | PulseError:
        answer: Message | PulseError = caller.ask(c.LoadModule(name=f"module-{name}"))
        return answer

    tight(modules=3, module_streams=1)
    with victim.join(TIGHT) as script:
        assert isinstance(load(script, "null-sink"), c.ModuleLoaded)
        script.ask(c.LoadModule(name="module-loopback", argument="source=null.monitor sink=null"))
        for _ in range(3):
            last = load(script, "null-sink")
        assert last == PulseError.MODINITFAILED
        for module in script.ask(c.GetModuleInfoList()).items:
            script.ask(c.UnloadModule(index=module.index))
