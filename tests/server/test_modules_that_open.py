"""Modules that have a FIFO or a socket opened: only a server that stands for its own user does that."""

import pytest

from eardrum.protocol import catalog as c
from eardrum.server.admission import USUAL_COOKIE, Admission
from eardrum.server.core import Server
from eardrum.server.effects import CloseFifo, Listen, OpenFifo, StopListening
from eardrum.server.events import Opened
from eardrum.server.mixed import Buses
from eardrum.server.objects import Sink, Source, View
from eardrum.server.rights import Right
from eardrum.terms.audio import SampleFormat, SampleSpec
from eardrum.terms.errors import PulseError
from eardrum.testing.stage import ALL, Stage


def standard_view(number: int, buses: Buses, usual_group: str | None = None) -> View:
    sink = Sink(0, "output", "Output", buses.output)
    monitor = Source(0, "output.monitor", "Monitor", buses.output, monitor_of=sink)
    return View(number, "server", [sink], [monitor], hears_itself=True, opens=True, usual_group=usual_group)


@pytest.fixture
def stage():
    return Stage(Server(standard_view))


@pytest.fixture
def owner(stage):
    return stage.join(ALL | Right.OWN | Right.MODULES)


def loads(program, name, argument):
    """Begin to load a module; returns the tag and what must be opened for it."""
    tag = program.say(c.LoadModule(name=f"module-{name}", argument=argument))
    return tag, program.stage.others.pop()


def test_a_pipe_sink_is_there_when_its_fifo_is_open(stage, owner):
    tag, effect = loads(owner, "pipe-sink", "file=/tmp/out sink_name=pipe rate=44100 format=s16le channels=1")
    assert effect == OpenFifo(effect.token, 2, "/tmp/out", SampleSpec(SampleFormat.S16LE, 1, 44100), False)
    assert tag not in owner.answers
    stage.happens(Opened(effect.token))
    module = owner.answers.pop(tag)
    assert owner.play(sink_name="pipe").sink_name == "pipe"
    assert owner.ask(c.UnloadModule(index=module.index)) == c.Ack()
    assert stage.others == [CloseFifo(2)]


def test_a_fifo_that_cannot_be_opened_leaves_no_module(stage, owner):
    tag, effect = loads(owner, "pipe-source", "file=/nowhere/in")
    assert effect.reads
    stage.happens(Opened(effect.token, "/nowhere/in: No such file or directory"))
    assert owner.answers.pop(tag) is PulseError.MODINITFAILED
    assert owner.ask(c.GetModuleInfoList()).items == []
    assert [source.name for source in owner.ask(c.GetSourceInfoList()).items] == ["output.monitor"]
    assert stage.others == []


def test_a_socket_more_is_listened_at_until_its_module_is_unloaded(stage, owner):
    tag, effect = loads(owner, "native-protocol-unix", "auth-anonymous=1 socket=/tmp/pulse-socket")
    assert effect == Listen(effect.token, 0, "/tmp/pulse-socket", Admission(anonymous=True, cookie=USUAL_COOKIE))
    stage.happens(Opened(effect.token))
    assert owner.answers.pop(tag) == c.ModuleLoaded(index=0)
    owner.ask(c.UnloadModule(index=0))
    assert stage.others == [StopListening(0)]


@pytest.mark.parametrize(
    ("argument", "path", "admission"),
    [
        ("", "native", Admission(cookie="cookie")),
        ("socket=other", "other", Admission(cookie="cookie")),
        ("auth-group=audio auth-cookie-enabled=no", "native", Admission(group="audio")),
        ("auth-group=audio auth-group-enable=no auth-cookie-enabled=0", "native", Admission()),
        ("auth-cookie=/etc/tune", "native", Admission(cookie="/etc/tune")),
        ("cookie=old", "native", Admission(cookie="old")),
        ("srbchannel=0 auth-anonymous=yes", "native", Admission(anonymous=True, cookie="cookie")),
    ],
)
def test_who_is_let_in_there_is_what_its_arguments_say(owner, argument, path, admission):
    _, effect = loads(owner, "native-protocol-unix", argument)
    assert (effect.path, effect.admission) == (path, admission)


def test_a_server_of_all_users_has_a_usual_group():
    stage = Stage(Server(lambda number, buses: standard_view(number, buses, "pulse-access")))
    owner = stage.join(ALL | Right.OWN | Right.MODULES)
    groups = [
        loads(owner, "native-protocol-unix", argument)[1].admission.group
        for argument in ("", "auth-group=audio", "auth-group-enable=no")
    ]
    assert groups == ["pulse-access", "audio", None]


@pytest.mark.parametrize(
    ("name", "argument"),
    [("pipe-sink", ""), ("pipe-sink", "file=out"), ("native-protocol-unix", "auth-cookie-enabled=perhaps"),
     ("native-protocol-unix", "auth-ip-acl=127.0.0.1"),
     ("native-protocol-unix", "socket=/tmp/s auth-anonymous=maybe")],
)  # fmt: skip
def test_what_names_no_path_or_cannot_be_obeyed_is_refused(owner, name, argument):
    assert owner.ask(c.LoadModule(name=f"module-{name}", argument=argument)) is PulseError.MODINITFAILED
    assert owner.ask(c.GetModuleInfoList()).items == []
