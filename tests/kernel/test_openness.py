"""What is asked of a server, and what is concluded. What real servers answer is in tests/live/test_probe.py."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from eardrum.kernel.client import Client
from eardrum.kernel.openness import SHARING, Verdict, examine
from eardrum.protocol import catalog as c
from eardrum.protocol.conversation import Serving
from eardrum.protocol.message import NEWEST
from eardrum.terms.audio import MONO, VOLUME_NORM, SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError, Refused

SPEC = SampleSpec(SampleFormat.S16LE, 1, 48000)
NAMELESS = c.ServerInfo(
    package_name=None, package_version=None, user_name=None, host_name=None,
    sample_spec=SPEC, default_sink="", default_source="desk", cookie=0,
)  # fmt: skip


def source(index: int, name: str, monitor_of: int | None = None) -> c.SourceInfo:
    return c.SourceInfo(
        index=index, name=name, description=name.title(), sample_spec=SPEC, channel_map=MONO, volume=(VOLUME_NORM,),
        muted=False, driver="", monitor_of_sink_index=monitor_of,
    )  # fmt: skip


class Scripted:
    """A server that answers by type of command, and refuses what it has no answer for."""

    def __init__(self, **answers):
        self.heard = []
        self.error = PulseError.ACCESS  # of every refusal
        self.offers = 0
        self.info = NAMELESS
        self.answers = answers
        self.index = 0

    def answer(self, message):
        match message:
            case c.Auth():
                return c.AuthReply(version=NEWEST | (message.version & self.offers))
            case c.SetClientName():
                self.index += 1
                return c.ClientNamed(index=self.index)
            case c.GetServerInfo():
                return self.info
        return self.answers.get(type(message).__name__)

    def converse(self, connection):
        talk = Serving(NEWEST)
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(65536):
                for said in talk.receive(memoryview(data)):
                    self.heard.append(said.message)
                    answer = self.answer(said.message)
                    connection.sendall(talk.say(answer, said.tag) if answer else talk.refuse(said.tag, self.error))


@contextlib.contextmanager
def joined(server, **options):
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=server.converse, args=(theirs,))
    thread.start()
    with Client(Path(), 20, connection=ours, **options) as client:
        yield client
    thread.join()


def findings(server: Scripted) -> dict[str, tuple[str, str]]:
    """Verdict and line by question, and the last verdict of all as `all`."""
    with joined(server, sharing=SHARING) as sharer:
        shared = sharer.shared
    with joined(server) as client, joined(server) as other:
        found = examine(client, other, shared)
    told = {finding.question: (str(finding.verdict), finding.said) for finding in found.findings}
    return told | {"all": (str(found.verdict), found.server)}


def test_a_server_that_refuses_everything_is_closed():
    found = findings(Scripted())
    assert {verdict for verdict, _ in found.values()} == {"closed"}
    assert found["all"][1] == "unnamed"
    assert found["learn who and where"][1] == "nothing"
    assert found["load modules"][1] == "refused: ACCESS"


def test_nothing_is_said_that_could_change_anything():
    """Besides a stream that is corked, and deleted."""
    mics = c.SourceInfoList(items=[source(3, "desk"), source(4, "tune.monitor", 1)])
    created = c.RecordStreamCreated(channel=7, source_output=1)
    server = Scripted(GetSourceInfoList=mics, CreateRecordStream=created, DeleteRecordStream=c.Ack())
    found = findings(server)
    assert found["record a microphone"] == ("open", "Desk")
    assert found["hear what plays"] == ("open", "Tune.Monitor, which has all that plays there")
    streams = [message for message in server.heard if isinstance(message, c.CreateRecordStream | c.DeleteRecordStream)]
    assert [type(message).__name__ for message in streams] == ["CreateRecordStream", "DeleteRecordStream"] * 2
    assert all(message.corked for message in streams[::2])
    assert [message.channel for message in streams[1::2]] == [7, 7]
    others = {type(message).__name__ for message in server.heard} - {"CreateRecordStream", "DeleteRecordStream"}
    looks = {name for name in others if name.startswith("Get")}
    assert others - looks == {"Auth", "SetClientName", "KillClient", "LoadModule", "SetSinkVolume", "SetDefaultSink"}
    by_type = {type(message): message for message in server.heard}
    assert by_type[c.KillClient].index == by_type[c.SetSinkVolume].index == 0xFFFF_FFF0
    assert by_type[c.SetSinkVolume].name is None
    assert "probe-means-nothing" in by_type[c.LoadModule].name
    assert "probe-means-nothing" in by_type[c.SetDefaultSink].name


def test_who_looks_for_what_is_not_there_would_have_done_it():
    server = Scripted()
    server.error = PulseError.NOENTITY
    found = findings(server)
    for question in ("end other programs", "load modules", "change devices"):
        assert found[question][0] == "open"
    assert found["change devices"][1] == "volumes, which one is the default"
    assert found["all"][0] == "open"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PulseError.NOENTITY, "any"),
        (PulseError.MODINITFAILED, "any, unless --disallow-module-loading is set: it does not tell"),
    ],
)
def test_modules(error, told):
    server = Scripted()
    server.error = error
    assert findings(server)["load modules"] == ("open", told)


@pytest.mark.parametrize("error", [PulseError.ACCESS, PulseError.NOTSUPPORTED, PulseError.NOTIMPLEMENTED])
def test_refusals(error):
    server = Scripted()
    server.error = error
    assert findings(server)["load modules"] == ("closed", f"refused: {error.name}")


def clients(*names: str) -> c.ClientInfoList:
    """The two that ask are 1 and 2."""
    return c.ClientInfoList(items=[c.ClientInfo(index=n + 1, name=name, driver="") for n, name in enumerate(names)])


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        (clients("eardrum"), ("closed", "none")),
        (clients("eardrum", "eardrum"), ("open", "all, and what they play; now none")),
        (clients("eardrum", "eardrum", "mpv"), ("open", "all, and what they play; now 1: mpv")),
        (
            clients("eardrum", "eardrum", "a\x1b[2J", "a\x1b[2J", "b", "c"),
            ("open", "all, and what they play; now 4: a\ufffd[2J, b, …"),
        ),
    ],
)
def test_other_programs(listed, told):
    assert findings(Scripted(GetClientInfoList=listed))["see other programs"] == told


def test_a_microphone_that_is_refused_is_closed_and_the_next_is_tried():
    mics = c.SourceInfoList(items=[source(3, "other"), source(4, "desk")])
    server = Scripted(GetSourceInfoList=mics)
    assert findings(server)["record a microphone"] == ("closed", "refused: ACCESS")
    assert [m.source_index for m in server.heard if isinstance(m, c.CreateRecordStream)] == [
        4,
        3,
    ]  # the usual one first


def test_what_is_told_of_user_and_machine():
    modules = c.ModuleInfoList(items=[c.ModuleInfo(index=0, name="x", used=0)])
    server = Scripted(GetModuleInfoList=modules)
    server.info = replace(NAMELESS, user_name="eve\n", host_name="vm", cookie=0xBEEF)
    found = findings(server)["learn who and where"]
    assert found == ("open", "user eve\ufffd, host vm, cookie 0000beef, 1 module")


@pytest.mark.parametrize("offers", [0, 1 << 30, 1 << 31, SHARING])
def test_shared_memory(offers):
    server = Scripted()
    server.offers = offers
    assert findings(server)["share memory"][0] == ("open" if offers else "closed")


def test_on_an_outlet_all_that_is_allowed_concerns_the_outlet():
    lists = {"GetClientInfoList": clients("eardrum", "eardrum", "mpv")}
    mics = c.SourceInfoList(items=[source(3, "input"), source(4, "output.monitor", 1)])
    created = c.RecordStreamCreated(channel=7, source_output=1)
    server = Scripted(**lists, GetSourceInfoList=mics, CreateRecordStream=created, DeleteRecordStream=c.Ack())
    server.info = replace(NAMELESS, package_name="eardrum", package_version="1", user_name="eardrum", host_name="bot")
    server.error = PulseError.NOENTITY
    found = findings(server)
    assert {verdict for verdict, _ in found.values()} == {"outlet", "closed"}
    assert found["all"] == ("outlet", "eardrum 1")
    assert found["see other programs"][1] == "those of this outlet; now 1: mpv"
    assert found["learn who and where"][1] == "the outlet's name, bot"
    assert found["change devices"][1] == "volumes, which one is the default; of this outlet"
    server.info = replace(server.info, user_name="alice")  # as `eardrum serve` says
    assert findings(server)["all"][0] == "open"


def test_who_tells_nothing_at_all_cannot_be_examined():
    server = Scripted()
    server.info = None
    with pytest.raises(Refused):
        findings(server)


def test_a_verdict_is_the_worst_of_all():
    assert list(Verdict) == ["open", "outlet", "closed"]
