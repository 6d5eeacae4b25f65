"""What a play-only outlet refuses, and what another outlet's objects look like from it: as if they did not exist."""

from __future__ import annotations

import pytest

from eardrum.protocol.catalog import KillClient, KillSinkInput, KillSourceOutput
from eardrum.protocol.conversation import ErrorReply
from eardrum.terms.errors import PulseError

LISTEN = ("parec", "--format=s16le", "--rate=48000", "--channels=2", "--latency-msec=50")


@pytest.fixture
def spy(desk):
    """A play-only outlet, idle."""
    return desk.open("spy", output="null")


@pytest.fixture
def stranger(desk, stage, endless, until):
    """Another outlet, playing; its stream is number `index` there."""
    outlet = desk.open("stranger", output="room:parlour")
    endless(outlet.address)
    until(lambda: stage.pactl(outlet.address, "list", "short", "sink-inputs"), "the stranger to play")
    return outlet


@pytest.fixture
def index(stage, stranger):
    return stage.pactl(stranger.address, "list", "short", "sink-inputs").split("\t")[0]


def test_recording_is_refused_without_an_input(desk, contained):
    parec = contained("bubblewrap", 0, *LISTEN)
    done = desk.command("run", "--name=spy", "--output=room:parlour", "--", *parec)
    assert done.returncode == 1
    assert done.stderr.endswith("Stream error: No such entity\n")
    assert done.stdout == ""


def test_the_same_recording_works_with_an_input(desk, contained, stage, until):
    parec = contained("bubblewrap", 0, *LISTEN)
    heard = stage.directory / "the-same-recording.raw"
    with heard.open("wb") as sound:
        desk.start("spy", "run", "--name=spy", "--output=null", "--input=room:parlour", "--", *parec, stdout=sound)
    until(lambda: heard.stat().st_size > 48_000, "parec to record")


@pytest.mark.parametrize(
    "words",
    [
        ("load-module", "module-null-sink"),
        ("load-module", "module-pipe-sink", "file=/tmp/pipe"),
        ("unload-module", "0"),
        ("exit",),
        ("suspend-sink", "output", "1"),
        ("set-default-source", "output.monitor"),
    ],
    ids=" ".join,
)
def test_what_is_not_for_programs_is_refused(stage, spy, words):
    done = stage.run(["pactl", *words], {"PULSE_SERVER": spy.address})
    assert done.returncode == 1
    assert done.stderr in ("Failure: Access denied\n", "Failure: No such entity\n")
    assert stage.pactl(spy.address, "info")


@pytest.mark.parametrize(
    "words",
    [
        ("set-sink-input-mute", "INDEX", "1"),
        ("set-sink-input-volume", "INDEX", "10%"),
        ("move-sink-input", "INDEX", "output"),
    ],
    ids=lambda words: words[0],
)
def test_anothers_stream_does_not_exist(stage, spy, index, words):
    words = [index if word == "INDEX" else word for word in words]
    done = stage.run(["pactl", *words], {"PULSE_SERVER": spy.address})
    assert done.returncode == 1
    assert done.stderr.endswith(": No such entity\n")


@pytest.mark.parametrize("kill", [KillClient, KillSinkInput, KillSourceOutput])
def test_nobody_else_can_be_killed(stage, talk, spy, stranger, index, kill):
    with talk(spy) as spying:
        for number in {*range(8)} - {spying.index}:
            answer = spying.ask(kill(index=number))
            assert isinstance(answer, ErrorReply)
            assert answer.code in (PulseError.ACCESS, PulseError.NOENTITY)
    assert stage.pactl(stranger.address, "list", "short", "sink-inputs").split("\t")[0] == index
