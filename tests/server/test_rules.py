"""The whole policy as one reviewed table, and what it means in sentences.

`verdicts.txt` is written by trying every command that a client can say against every right and against objects that
are its own outlet's, another's, or nobody's. A change of policy is a diff in that file. To write it anew:

    VERDICTS=write .venv/bin/python -m pytest tests/server/test_rules.py

and then read the diff.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest

from eardrum.protocol import catalog as c
from eardrum.protocol import codec, kinds
from eardrum.protocol.kinds import Kind
from eardrum.protocol.message import Message, every, fields_of, wire_name
from eardrum.server import answers, rules
from eardrum.server.core import Server
from eardrum.server.rights import EVERY, Right
from eardrum.server.views import room_view
from eardrum.terms.audio import STEREO, VOLUME_NORM
from eardrum.terms.errors import PulseError, Refused
from eardrum.testing.stage import FLOAT, Program, Stage

VERDICTS = Path(__file__).with_name("verdicts.txt")
SAYABLE = [cls for cls in every() if cls.SENDER != "server"]

LOOK = Right.CONNECT | Right.LOOK
RIGHTS = {
    "(no AUTH)": EVERY,
    "connect": Right.CONNECT,
    "look": LOOK,
    "play": LOOK | Right.PLAY,
    "record": LOOK | Right.RECORD,
    "both": LOOK | Right.PLAY | Right.RECORD,
    "hear": LOOK | Right.PLAY | Right.RECORD | Right.HEAR,
    "modules": LOOK | Right.PLAY | Right.MODULES,
    "own": EVERY,
}
WIDTH = max(map(len, map(wire_name, SAYABLE)))

DEVICES = {"sink": ("output", "@DEFAULT_SINK@"), "source": ("input", "@DEFAULT_SOURCE@")}
MINE, THEIRS, ABSENT = 1, 4, 99  # the number of an object of our view, of another view, of nobody


# -- the world in which everything is tried


def world() -> tuple[Stage, Program]:
    """A room with two outlets in it; returns a program of the first, with a stream of each kind and every right.

    The first outlet has a second program, with two streams of each kind; the second outlet has more of everything. Each
    has a sample, and each its own.
    """
    stage = Stage(Server(room_view("studio")))
    program = _with_streams(stage.join(view=0), 1)
    _with_sample(_with_streams(stage.join(view=0), 2), "mine")
    _with_sample(_with_streams(stage.join(view=1), THEIRS + 1), "theirs")
    for _ in range(THEIRS):
        stage.join(view=1)
    return stage, program


def _with_streams(program: Program, count: int) -> Program:
    for _ in range(count):
        program.play()
        program.record(source_name="output.monitor")
    return program


def _with_sample(program: Program, name: str) -> Program:
    made = program.ask(c.CreateUploadStream(name=name, sample_spec=FLOAT, channel_map=STEREO, length=8))
    program.write(made.channel, bytes(8))
    program.ask(c.FinishUploadStream(channel=made.channel))
    return program


def verdict(right: str, message: Message) -> str:
    """What becomes of a command that a program with these rights says."""
    stage, program = world()
    client = stage.server.clients[program.number]
    client.rights = RIGHTS[right]
    if right == "(no AUTH)":
        client.version = 0
    tag = program.say(message)
    if program.ended:
        return "hang up"
    outcome = program.answers.get(tag)
    if outcome is None:
        return "later"
    return outcome.name if isinstance(outcome, PulseError) else "answer"


# -- every command, pointing at every kind of object

PLAIN: dict[Kind, Any] = {
    kinds.BOOL_: True,
    kinds.STRING_: "words",
    kinds.STRINGS_: [],
    kinds.SPEC_: FLOAT,
    kinds.MAP_: STEREO,
    kinds.VOLUME_: (VOLUME_NORM,) * 2,
    kinds.TIME_: (0, 0),
    kinds.PROPLIST_: {},
}
WHERE_TO = {c.MoveSinkInput: {"sink_name": "output"}, c.MoveSourceOutput: {"source_name": "input"}}


def plain(cls: type[Message]) -> Message:
    """The command with everything as its own default, and sensible values where there is none."""
    values = {}
    for field in fields_of(cls):
        declared = next(f for f in fields(cls) if f.name == field.name)  # type: ignore[arg-type]
        if declared.default is MISSING and declared.default_factory is MISSING:
            values[field.name] = PLAIN.get(field.kind, 1) if isinstance(field.kind, Kind) else []  # type: ignore[arg-type]
    if cls is c.Auth:
        values["version"] = 35
    return cls(**values, **WHERE_TO.get(cls, {}))


def pointing(cls: type[Message]) -> Iterator[tuple[str, Message]]:
    """The command once for each way to point at something, with what it points at in words."""
    message = plain(cls)
    refs = [field for field in fields_of(cls) if field.ref and field.name != "direct_on_input" and not field.constant]
    samples = [field.name for field in refs if field.ref and field.ref.to == "sample"]
    if samples and cls is not c.CreateUploadStream:
        yield from _samples(message, samples)
        refs = [field for field in refs if field.name not in samples]
        message = replace(message, name="mine")  # type: ignore[type-var]
        if not refs:
            return
    if not refs:
        yield "", message
        return
    first = refs[0]
    kind = first.ref.to if first.ref else ""
    if kind in DEVICES:
        yield from _devices(message, [field.name for field in refs], *DEVICES[kind])
    elif kind.endswith("_stream"):
        for words, number in (("own", 0), ("of another connection", 1), ("absent", ABSENT)):
            yield words, replace(message, **{first.name: number})  # type: ignore[type-var]
    elif kind in ("client", "sink_input", "source_output"):
        for words, number in (("of the outlet", MINE), ("of another outlet", THEIRS), ("absent", ABSENT)):
            yield words, replace(message, **{first.name: number})  # type: ignore[type-var]
    else:
        for field in refs:
            words, number = ("name", "x") if field.kind is kinds.STRING_ else ("index", 0)
            blank = dict.fromkeys((other.name for other in refs if other.name != "name" or len(refs) > 1), None)
            yield words, replace(message, **{**blank, field.name: number})  # type: ignore[type-var]


def _devices(message: Message, names: list[str], name: str, default: str) -> Iterator[tuple[str, Message]]:
    """Ways to point at a sink or source: by index, by name, by a number as name, by neither, by both."""
    by_name = names[-1]
    ways: dict[str, tuple[int | None, str | None]] = {
        "name": (None, name),
        "name of the monitor": (None, "output.monitor"),
        "absent name": (None, "elsewhere"),
        "no name": (None, "a b"),
        "default": (None, default),
        "default monitor": (None, "@DEFAULT_MONITOR@"),
        "nothing": (None, None),
    }
    if len(names) == 2:
        ways |= {
            "index 0": (0, None),
            "index 1": (1, None),
            "absent index": (ABSENT, None),
            "number as name": (None, "0"),
            "index and name": (0, name),
        }
    for words, (index, said) in ways.items():
        values: dict[str, Any] = {by_name: said}
        if len(names) == 2:
            values[names[0]] = index
        yield words, replace(message, **values)  # type: ignore[type-var]


def _samples(message: Message, names: list[str]) -> Iterator[tuple[str, Message]]:
    """Ways to point at a sample: by name, and where there is an index by that."""
    ways: dict[str, tuple[int | None, str | None]] = {
        "sample of the outlet": (None, "mine"),
        "of another outlet": (None, "theirs"),
        "absent": (None, "elsewhere"),
        "no name": (None, "a b"),
    }
    if "index" in names:
        ways |= {"by its index": (0, None), "absent index": (ABSENT, None), "index and name": (0, "mine")}
    for words, (index, name) in ways.items():
        values = {"index": index, "name": name} if "index" in names else {"name": name}
        yield words, replace(message, **values)  # type: ignore[type-var]


def verdicts_of(cls: type[Message]) -> list[str]:
    """A line for each set of verdicts on this command, with what it points at behind them."""
    verdicts: dict[str, list[str]] = {}
    for words, message in pointing(cls):
        row = "".join(f"{verdict(right, message):<14}" for right in RIGHTS)
        verdicts.setdefault(row, []).append(words)
    lines = []
    for position, (row, words_of_row) in enumerate(verdicts.items()):
        name = "" if position else wire_name(cls)
        objects = "; ".join(words_of_row) if len(verdicts) > 1 else ""
        lines.append(f"{name:<{WIDTH + 2}}{row}{objects}".rstrip())
    return lines


def let_in_by(cls: type[Message]) -> str:
    """The rights of which each alone lets this command in, whatever comes of it then."""
    stage, program = world()
    client = stage.server.clients[program.number]
    enough = []
    for right in Right:
        client.rights = right
        try:
            lets_in = rules.judge(client, plain(cls)) is not None
        except Refused as refusal:
            lets_in = refusal.error != PulseError.ACCESS
        if lets_in:
            enough.append(str(right.name))
    return f"{wire_name(cls):<{WIDTH + 2}}{' '.join(enough) or 'nobody'}"


def policy() -> str:
    """Both tables."""
    head = "".join(f"{name:<14}" for name in RIGHTS)
    lines = [f"{'':{WIDTH + 2}}{head}pointing at"]
    lines += [line for cls in SAYABLE for line in verdicts_of(cls)]
    lines += ["", f"{'':{WIDTH + 2}}rights of which each alone is enough"]
    lines += [let_in_by(cls) for cls in SAYABLE]
    return "\n".join(lines) + "\n"


def test_the_policy_is_the_reviewed_one():
    if os.environ.get("VERDICTS") == "write":
        VERDICTS.write_text(policy())
    else:
        assert policy() == VERDICTS.read_text(), "the policy changed; if that is meant, see the head of this file"


def test_every_command_has_a_row_and_no_row_is_for_what_is_not_declared():
    assert set(rules.RULES) == set(SAYABLE)


def test_every_command_that_can_pass_has_an_answer():
    """One that only the owner of a server may say is refused as not supported if there is nothing to own."""
    passing = {cls for cls, rule in rules.RULES.items() if rule.needs & ~Right.OWN and rules._nothing not in rule.finds}
    assert passing == {cls for cls in answers.ANSWERS if rules.RULES[cls].needs & ~Right.OWN}


# -- in sentences


@pytest.fixture
def others(room):
    """Another outlet in the room, that plays and listens."""
    return _with_streams(room.join(view=1), THEIRS + 1)


def say_of(stage: Stage, program: Program, message: Message) -> bytes:
    """What the program gets for the command, as bytes; the tag is always 0."""
    outcome = program.ask(message)
    return codec.encode(c.Error(code=outcome) if isinstance(outcome, PulseError) else outcome, 0, 35)


@pytest.mark.parametrize(
    "message",
    [
        c.KillSinkInput(index=THEIRS),
        c.GetSinkInputInfo(index=THEIRS),
        c.SetSinkInputMute(index=THEIRS, muted=True),
        c.SetSinkInputVolume(index=THEIRS, volume=(0,)),
        c.MoveSinkInput(index=THEIRS),
        c.GetSourceOutputInfo(index=THEIRS),
        c.KillSourceOutput(index=THEIRS),
        c.GetClientInfo(index=THEIRS),
        c.KillClient(index=THEIRS),
        c.CreateRecordStream(
            sample_spec=FLOAT, channel_map=STEREO, source_name="output.monitor", direct_on_input=THEIRS
        ),
    ],
    ids=lambda message: wire_name(type(message)),
)
def test_a_stranger_does_not_exist(room, others, message):
    """A play-only program gets exactly the same bytes for what another outlet has as for what nobody has."""
    for _ in range(THEIRS):
        room.join(view=1)
    program = room.join(RIGHTS["play"], view=0)
    field = "direct_on_input" if isinstance(message, c.CreateRecordStream) else "index"
    theirs = say_of(room, program, message)
    absent = say_of(room, program, replace(message, **{field: ABSENT}))
    assert theirs == absent == codec.encode(c.Error(code=PulseError.NOENTITY), 0, 35)


def test_who_hears_one_stream_and_names_no_source_means_the_monitor_of_its_sink(outlet):
    stage = outlet("null", "silence")
    program = stage.join()
    alone = program.play().sink_input
    ask = c.CreateRecordStream(sample_spec=FLOAT, channel_map=STEREO, direct_on_input=alone)
    assert program.ask(ask).source_name == "output.monitor"
    assert stage.join(RIGHTS["record"]).ask(ask) == PulseError.INVALID  # it may not hear that monitor


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (c.GetSinkInputInfo(index=None), PulseError.INVALID),
        (c.KillSinkInput(index=None), PulseError.NOENTITY),
        (c.GetCardInfo(index=None, name=None), PulseError.INVALID),
        (c.GetCardInfo(index=0, name="card"), PulseError.INVALID),
        (c.GetSampleInfo(index=None, name=None), PulseError.INVALID),
        (c.GetSampleInfo(index=None, name="bell"), PulseError.NOENTITY),
    ],
)
def test_what_points_at_nothing_is_refused(outlet, message, error):
    assert outlet("null").join().ask(message) == error


def test_a_sample_is_found_by_name_and_by_index(outlet):
    program = outlet("null").join()
    made = program.ask(c.CreateUploadStream(name="bell", sample_spec=FLOAT, channel_map=STEREO, length=8))
    program.write(made.channel, bytes(8))
    program.ask(c.FinishUploadStream(channel=made.channel))
    found = program.ask(c.GetSampleInfo(name="bell"))
    assert program.ask(c.GetSampleInfo(index=found.index)) == found


def test_no_number_tells_of_others(room, others):
    """Two outlets that do the same get the same numbers."""
    first = room.join(view=2)
    alone = Stage(Server(room_view("studio"))).join(view=2)
    for message in (c.SetClientName(proplist={}), c.GetClientInfoList(), c.GetSinkInputInfoList(), c.GetSinkInfoList()):
        assert say_of(room, first, message) == say_of(alone.stage, alone, message)
    mine, reference = first.play(), alone.play()
    assert mine == reference
    assert first.record() == alone.record()
    assert mine.sink_input == 0


def test_lists_show_the_own_outlet_only(room, others):
    program = room.join(view=0)
    program.play()
    assert [item.index for item in program.ask(c.GetSinkInputInfoList()).items] == [0]
    assert program.ask(c.GetSourceOutputInfoList()).items == []
    assert len(program.ask(c.GetClientInfoList()).items) == 1


def test_a_program_that_hears_all_news_hears_nothing_of_another_outlet(room):
    program, other = room.join(view=0), room.join(view=1)
    program.ask(c.Subscribe(mask=c.MASK_ALL))
    other.play()
    other.record()
    other.ask(c.SetSinkVolume(index=0, volume=(0, 0)))
    other.ask(c.UpdateClientProplist(mode=2, proplist={"application.name": b"noisy\0"}))
    other.leave()
    room.passes(3.0)
    assert program.told == []


def test_the_default_source_without_an_input_does_not_exist(outlet):
    program = outlet("null").join(RIGHTS["play"])
    for name in (None, "@DEFAULT_SOURCE@"):
        assert program.ask(c.GetSourceInfo(name=name)) == PulseError.NOENTITY
        ask = c.CreateRecordStream(sample_spec=FLOAT, channel_map=STEREO, source_name=name)
        assert program.ask(ask) == PulseError.NOENTITY
    assert program.ask(c.LookupSource(name="@DEFAULT_SOURCE@")) == PulseError.NOENTITY
    assert program.ask(c.GetServerInfo()).default_source == "@DEFAULT_SOURCE@"


def test_a_monitor_is_there_when_asked_for_and_never_the_default(outlet):
    for input in ("", "silence"):
        program = outlet("null", input).join(RIGHTS["both"] if input else RIGHTS["play"])
        assert program.record(source_name="@DEFAULT_MONITOR@").source_name == "output.monitor"
        assert program.record(source_index=0).source_name == "output.monitor"
        default = program.ask(c.GetSourceInfo())
        assert default == PulseError.NOENTITY if not input else default.name == "input"


def test_what_the_server_says_of_itself_names_the_outlet_and_nothing_else(outlet):
    info = outlet("null", "silence").join().ask(c.GetServerInfo())
    assert (info.package_name, info.user_name, info.host_name) == ("eardrum", "eardrum", "box")
    assert (info.default_sink, info.default_source, info.cookie) == ("output", "input", 0)


def test_devices_tell_nothing_of_the_machine(outlet):
    program = outlet("null", "silence").join()
    devices = [*program.ask(c.GetSinkInfoList()).items, *program.ask(c.GetSourceInfoList()).items]
    assert [device.name for device in devices] == ["output", "output.monitor", "input"]
    for device in devices:
        assert set(device.proplist) == {"device.description", "device.class"}
        assert (device.driver, device.module_index, device.card_index, device.ports) == ("eardrum", None, None, [])


def test_without_the_right_a_source_is_not_named_either(room):
    """An outlet whose output goes to the room hears nothing of its input, and the other way round."""
    playing, hearing = room.attach(RIGHTS["play"]), room.attach(RIGHTS["record"])
    assert [source.name for source in playing.ask(c.GetSourceInfoList()).items] == ["output.monitor"]
    assert [source.name for source in hearing.ask(c.GetSourceInfoList()).items] == ["input"]
    assert playing.ask(c.GetServerInfo()).default_source == "@DEFAULT_SOURCE@"
    assert hearing.ask(c.GetServerInfo()).default_source == "input"
    assert playing.ask(c.GetSinkInfo()).monitor_source_name == "output.monitor"
    assert hearing.ask(c.GetSinkInfo()).monitor_source_name is None


@pytest.mark.parametrize("name", ["0" * 5000, "9" * 128, "a" * 129, "", "å", "a/b", "\udcff"])
def test_a_name_that_is_none_is_refused(outlet, name):
    program = outlet().join()
    expected = PulseError.NOENTITY if name == "9" * 128 else PulseError.INVALID
    assert program.ask(c.LookupSink(name=name)) == expected


def test_a_number_as_a_name_means_the_index(outlet):
    program = outlet().join()
    assert program.ask(c.LookupSink(name="0")) == program.ask(c.LookupSink(name="000")) == c.Found(index=0)
    assert program.ask(c.LookupSink(name="1")) == PulseError.NOENTITY


def test_shared_memory_is_answered_with_the_end_of_the_connection(outlet):
    for message in (c.EnableSrbchannel(), c.DisableSrbchannel(), c.RegisterMemfdShmid(shm_id=1)):
        program = outlet().join()
        program.say(message)
        assert program.ended


def test_what_only_an_owner_may_do_is_refused_to_everybody_else(outlet):
    program = outlet("null", "silence").join()
    assert program.ask(c.LoadModule(name="module-null-sink")) == PulseError.ACCESS
    assert program.ask(c.Exit()) == PulseError.ACCESS
    assert program.ask(c.StreamRestoreRead()) == PulseError.ACCESS
