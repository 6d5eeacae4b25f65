"""A real worker: forked from a real nursery, confined so that a forbidden call would end it, spoken to over sockets."""

from __future__ import annotations

import os
import resource
import socket

import numpy as np
import pytest
import soundfile

from eardrum.kernel import seqpacket
from eardrum.protocol.catalog import (
    MASK_ALL,
    Ack,
    Auth,
    AuthReply,
    ClientNamed,
    CreatePlaybackStream,
    EnableSrbchannel,
    GetClientInfoList,
    GetServerInfo,
    GetSinkInfoList,
    GetSinkInputInfoList,
    KillClient,
    Request,
    SetClientName,
    SetSinkMute,
    SetSinkVolume,
    Stat,
    StatReply,
    Subscribe,
    UpdateClientProplist,
)
from eardrum.protocol.message import Message
from eardrum.protocol.packets import CONTROL, sound_head
from eardrum.server.events import OUTPUT
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.budget import Budget
from eardrum.testing.workers import S16, Caller, Worker, ends_at_once, floods, until
from eardrum.worker import outlet
from eardrum.worker.desk_link import DeskLink
from eardrum.worker.records import MUTED, Kind, Record
from eardrum.worker.spec import OutletSpec

QUESTIONS = 40_000  # more than fit between a worker and a client that does not read
CREATE = CreatePlaybackStream(sample_spec=S16, channel_map=STEREO, volume=(VOLUME_NORM,) * 2)


def noise(frames: int) -> np.ndarray:
    """Stereo frames of s16, none of them silence."""
    made = np.random.default_rng(1).integers(1, 2**15, (frames, 2)).astype("<i2")
    made[::3] *= -1
    return made


# -- clients


def test_a_client_says_who_it_is_and_sees_its_outlet(grow):
    with Caller(grow().connect()) as caller:
        assert caller.ask(Auth(version=35)) == AuthReply(version=35)
        assert caller.ask(SetClientName(proplist={"application.name": b"test\0"})) == ClientNamed(index=0)
        assert caller.ask(GetServerInfo()).host_name == "box"
        assert [sink.name for sink in caller.ask(GetSinkInfoList()).items] == ["output"]
        assert [client.name for client in caller.ask(GetClientInfoList()).items] == ["test"]


def test_what_is_played_into_a_file_is_in_it_to_the_frame(grow, tmp_path):
    path = tmp_path / "heard.wav"
    worker = grow(f"file:{path}", file=path)
    played = noise(30_000)
    with worker.join() as caller:
        caller.play_all(played.tobytes())
    worker.says(Record(Kind.FINISH))
    worker.hears(Kind.FINISHED)
    heard, rate = soundfile.read(path, dtype="int16")
    assert rate == 48000
    assert np.array_equal(heard, played)


def test_several_clients_play_and_record_at_once(grow):
    worker = grow(input="silence")
    with worker.join() as one, worker.join() as two:
        two.record(source_name="output.monitor", fragsize=1920)
        played = noise(9600).tobytes()
        one.play_all(played)
        two.until(lambda: played in bytes(two.sound.get(0, b"")), "all that was played")


def test_garbage_ends_its_own_connection_only(grow):
    worker = grow()
    with worker.join() as bystander:
        bystander.play()
        for garbage in (b"GET / HTTP/1.1\r\n\r\n" * 10, bytes(1000), b"\xff" * 1000, sound_head(CONTROL, 8) + bytes(8)):
            with worker.connect() as connection:
                connection.sendall(garbage)
                assert ends_at_once(connection)
        with worker.join() as impostor:  # well begun, then garbage
            impostor.play()
            impostor.socket.sendall(sound_head(CONTROL, 40) + bytes(40))
            assert impostor.ends()
        assert len(bystander.ask(GetClientInfoList()).items) == 1
        assert len(bystander.ask(GetSinkInputInfoList()).items) == 1


def test_a_command_that_is_nobodys_to_say_ends_the_connection_and_what_was_said_before_is_answered(grow):
    with grow().join() as caller:
        tag = caller.say(Stat())
        caller.say(EnableSrbchannel())
        never = caller.say(Stat())
        assert caller.ends()
        assert caller.answers[tag] == StatReply()
        assert never not in caller.answers


@pytest.mark.case("P58")
def test_connections_beyond_the_budget_are_closed_and_room_is_made_by_those_who_leave(grow):
    most = 20
    worker = grow(budget=Budget(connections=most))
    connections = [worker.connect() for _ in range(most - 1)]
    with worker.join() as caller:
        for _ in range(3):
            with worker.connect() as beyond:
                assert ends_at_once(beyond)
        assert caller.ask(Stat()) == StatReply()
        connections.pop().close()
        until(lambda: len(caller.ask(GetClientInfoList()).items) == most - 1, "room")
        with worker.join() as late:
            assert late.ask(Stat()) == StatReply()
    for connection in connections:
        connection.close()


def test_a_killed_client_that_does_not_read_is_gone_nevertheless(grow):
    worker = grow()
    with worker.join() as victim, worker.join() as killer:
        victim.play()
        floods(victim.socket, questions(victim, Stat()))
        assert killer.ask(KillClient(index=0)) == Ack()
        until(lambda: len(killer.ask(GetClientInfoList()).items) == 1, "the victim to be gone")
        assert killer.ask(GetSinkInputInfoList()).items == []


# -- a client that does not do its part


def questions(caller: Caller, *messages: Message) -> bytes:
    """Packets that ask this."""
    return b"".join(caller.asking.ask(message)[1] for message in messages)


def test_a_client_that_does_not_read_is_not_read_from_and_loses_nothing(grow):
    worker = grow()
    with worker.join() as deaf, worker.join() as bystander:
        before = worker.memory()
        packets = questions(deaf, *[Stat()] * QUESTIONS)
        sent = floods(deaf.socket, packets)
        assert 30_000 < sent < len(packets)
        assert bystander.ask(Stat()) == StatReply()
        assert worker.memory() - before < 2048
        whole = -(-sent * QUESTIONS // len(packets))
        deaf.until(lambda: len(deaf.answers) >= whole - 1, "all answers")
        deaf.socket.sendall(packets[sent : whole * len(packets) // QUESTIONS])  # the rest of the last question
        deaf.until(lambda: len(deaf.answers) == whole, "the last answer")


def test_few_questions_with_long_answers_take_little_memory(grow):
    """Each answer tells of 200 streams with long names: together they would be gigabytes."""
    worker = grow()
    with worker.join() as deaf, worker.join() as bystander:
        words = "ü".encode() * 250 + b"\0"
        for _ in range(200):
            deaf.play(proplist={f"media.{key}": words for key in ("name", "title", "artist", "role", "language")})
        before = worker.memory()
        floods(deaf.socket, questions(deaf, *[GetSinkInputInfoList()] * 2000))
        assert bystander.ask(Stat()) == StatReply()
        assert worker.memory() - before < 8192


def test_news_for_a_client_that_does_not_read_does_not_pile_up(grow):
    worker = grow()
    with worker.join() as deaf, worker.join() as busy:
        deaf.ask(Subscribe(mask=MASK_ALL))
        busy.play()
        floods(deaf.socket, questions(deaf, Stat()))
        before = worker.memory()
        for _ in range(50):
            _, packet = busy.asking.ask(UpdateClientProplist(mode=2, proplist={}))
            busy.socket.sendall(packet * 1000)
            busy.ask(Stat())
            busy.answers.clear()
        assert worker.memory() - before < 2048


# -- the desk


def test_it_counts_for_the_desk_and_tells_of_levels(grow):
    worker = grow()
    with worker.join() as caller:
        caller.play()
        caller.play(corked=True)
        caller.record(source_name="output.monitor")
        until(lambda: worker.hears(Kind.COUNTS)[1:] == (1, 1, 1), "the right counts")
        caller.ask(SetSinkVolume(index=0, volume=(7, 8)))
        assert worker.hears(Kind.LEVEL) == Record(Kind.LEVEL, OUTPUT, 7, 8)
        caller.ask(SetSinkMute(index=0, muted=True))
        assert worker.hears(Kind.LEVEL) == Record(Kind.LEVEL, OUTPUT | MUTED, 7, 8)
    until(lambda: worker.hears(Kind.COUNTS)[1:] == (0, 0, 0), "the right counts")


def test_finish_completes_the_file_with_all_that_was_heard(grow, tmp_path):
    path = tmp_path / "heard.flac"
    worker = grow(f"file:{path}", file=path)
    with worker.join() as caller:
        caller.play(tlength=4 * 48000, prebuf=4)
        played = noise(240_000)
        caller.write(0, played.tobytes())
        caller.until(lambda: caller.tell_all(Request), "it to play")
        worker.says(Record(Kind.FINISH))
        worker.hears(Kind.FINISHED)
        assert caller.ends()
    heard, _ = soundfile.read(path, dtype="int16")
    assert 0 < len(heard) < 240_000
    assert np.array_equal(heard, played[: len(heard)])
    assert worker.ends() == 0


def test_finish_is_said_once(grow):
    worker = grow()
    worker.says(Record(Kind.FINISH))
    worker.hears(Kind.FINISHED)
    assert worker.ends() == 0
    assert worker.link.recv(100) == b""


def test_it_retires_only_while_nobody_is_connected(grow):
    worker = grow()
    with worker.join() as caller:
        worker.says(Record(Kind.RETIRE))
        worker.hears(Kind.STAYS)
        assert caller.ask(Stat()) == StatReply()
    until(lambda: worker.hears(Kind.COUNTS).a == 0, "it to be alone")
    worker.says(Record(Kind.RETIRE))
    worker.hears(Kind.FINISHED)
    assert worker.ends() == 0


def test_a_file_that_cannot_be_written_on_is_told_and_the_outlet_plays_on(grow, tmp_path):
    path = tmp_path / "heard.wav"
    worker = grow(f"file:{path}", file=path)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))
    with worker.join() as caller:
        caller.play_all(noise(30_000).tobytes())
        worker.hears(Kind.FILE_FAILED)
        caller.play_all(noise(1000).tobytes())
    heard, _ = soundfile.read(path, dtype="int16")
    assert np.array_equal(heard, noise(30_000)[: len(heard)])


def test_without_its_desk_it_goes_on_until_its_last_connection_is_gone(grow):
    worker = grow()
    with worker.join() as one:
        worker.close()
        with worker.join() as two:
            one.close()
            two.play_all(noise(4800).tobytes())
            assert worker.status is None
    assert worker.ends() == 0


@pytest.mark.parametrize(
    "said",
    [b"x", bytes(16), bytes(Record(Kind.READY)), bytes(Record(Kind.FINISH)) + b"\0", bytes((99,)) + bytes(15)],
    ids=["short", "nothing", "its own word", "long", "unknown"],
)
def test_a_desk_that_says_what_no_desk_says_is_treated_as_gone(grow, said):
    worker = grow()
    with worker.join() as caller:
        seqpacket.send(worker.link, said)
        assert caller.ask(Stat()) == StatReply()
        assert worker.status is None
    assert worker.ends() == 0


def test_descriptors_that_come_with_nonsense_are_closed(grow):
    worker = grow()
    with worker.join() as caller:
        before = worker.descriptors()
        reading, writing = os.pipe()
        seqpacket.send(worker.link, b"nonsense", [writing])
        os.close(writing)
        assert os.read(reading, 1) == b""
        os.close(reading)
        assert caller.ask(Stat()) == StatReply()
        assert worker.descriptors() <= before


def test_it_ends_a_while_after_its_last_connection(workers, tmp_path, monkeypatch):
    monkeypatch.setattr(DeskLink, "lingers", 0.3)
    ours, theirs = seqpacket.pair()
    path = workers._directory / "lingering"
    with ours, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        pid = os.fork()
        if not pid:
            status = 1
            try:
                ours.close()
                outlet.serve(OutletSpec("box", "null"), os.dup(theirs.fileno()), os.dup(listening.fileno()), ())
                status = 0
            finally:
                os._exit(status)
        theirs.close()
        worker = Worker(workers, 0, pid, ours, path)
        worker.hears(Kind.READY)
        with worker.join() as caller:
            assert caller.ask(Stat()) == StatReply()
        worker.hears(Kind.FINISHED)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
