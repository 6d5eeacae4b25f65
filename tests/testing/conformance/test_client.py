"""The client against a server that does what it is told."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from eardrum.protocol.catalog import (
    Auth,
    AuthReply,
    ClientNamed,
    GetServerInfo,
    LookupSink,
    SetClientName,
    Started,
    Stat,
    StatReply,
    Subscribe,
    Underflow,
)
from eardrum.protocol.conversation import Command, Serving
from eardrum.protocol.packets import sound_head
from eardrum.terms.errors import PulseError, RemoteProtocolError
from eardrum.testing.conformance import client
from eardrum.testing.conformance.client import Fate, Talk, Unmet, expect

ANSWERS = {Auth: AuthReply(version=35), SetClientName: ClientNamed(index=3), Stat: StatReply()}


class Obedient(threading.Thread):
    """Answers AUTH, names and STAT; refuses LOOKUP_SINK; tells news and sound at SUBSCRIBE; hangs up at the rest."""

    def __init__(self, path):
        super().__init__()
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(path)
        self.listening.listen()

    def run(self):
        with (
            self.listening,
            self.listening.accept()[0] as connection,
            contextlib.suppress(RemoteProtocolError, OSError),
        ):
            conversation = Serving()
            while data := connection.recv(65_536):
                for command in conversation.receive(memoryview(data)):
                    said = self.answer(conversation, command)
                    if said is None:
                        return
                    connection.sendall(said)

    def answer(self, conversation, command):
        if not isinstance(command, Command):
            return b""
        match command.message:
            case LookupSink():
                return conversation.refuse(command.tag, PulseError.NOENTITY)
            case Subscribe():
                news = conversation.say(Underflow(channel=1)) + conversation.say(Started(channel=2))
                return news + sound_head(5, 4) + b"loud"
        reply = ANSWERS.get(type(command.message))
        return None if reply is None else conversation.say(reply, command.tag)


@pytest.fixture
def talk(tmp_path):
    path = str(tmp_path / "native")
    server = Obedient(path)
    server.start()
    talk = Talk(path)
    yield talk
    talk.close()
    server.join()


def test_a_reply_an_error_and_the_end_are_answers(talk):
    assert talk.introduced().index == 3
    assert talk.ask(Stat()) == StatReply()
    assert talk.ask(LookupSink(name="a")) == PulseError.NOENTITY
    assert talk.fate is Fate.ALIVE
    assert talk.ask(GetServerInfo()) is Fate.CLOSED
    assert talk.fate is Fate.CLOSED


def test_what_must_be_granted_and_is_not_is_unmet(talk):
    with pytest.raises(Unmet) as unmet:
        talk.introduced().must(StatReply, LookupSink(name="a"))
    assert unmet.value.got == PulseError.NOENTITY


def test_news_are_heard_once_each_and_kept_in_their_order(talk):
    talk.introduced().say(Subscribe(mask=0))
    assert talk.hear(Started, channel=2) == Started(channel=2)
    assert talk.told(Started) == []
    assert talk.hear(Underflow).channel == 1
    assert talk.order(Started, Underflow) == ["Underflow", "Started"]
    talk.until(lambda: 5 in talk.sound, "sound")
    assert talk.sound[5] == b"loud"
    talk.forget()
    assert (talk.log, talk.sound) == ([], {})


def test_what_does_not_come_is_silence(talk, monkeypatch):
    monkeypatch.setattr(client, "DEADLINE", 0.01)
    with pytest.raises(Unmet) as unmet:
        talk.hear(Started)
    assert unmet.value.got is Fate.SILENCE
    with pytest.raises(Unmet) as unmet:
        talk.until(lambda: False, "the impossible")
    assert unmet.value.got is Fate.SILENCE


def test_an_end_while_waiting_for_news_is_told(talk):
    talk.introduced().say(GetServerInfo())
    with pytest.raises(Unmet) as unmet:
        talk.hear(Started)
    assert unmet.value.got is Fate.CLOSED


def test_bytes_are_sent_as_they_are(talk):
    assert talk.introduced().after(b"\0" * 20) is Fate.CLOSED


def test_expect_says_what_was_seen():
    expect(1, 1)
    with pytest.raises(Unmet, match="expected 2, got 1"):
        expect(1, 2)
