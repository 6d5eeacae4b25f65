"""`eardrum trace -- PROGRAM` in front of an outlet, of PulseAudio and of pipewire-pulse: it plays, and all is told."""

from __future__ import annotations

import pytest

from eardrum.testing.servers import EARDRUM


@pytest.fixture(params=["outlet", "pulseaudio", "pipewire_pulse"])
def address(request):
    if request.param == "outlet":
        return request.getfixturevalue("desk").open("box", output="null").address
    return request.getfixturevalue(request.param).address


def test_a_program_plays_and_all_is_told(stage, sounds, address):
    done = stage.run([EARDRUM, "trace", "--audio", "--server", address, "--", "paplay", str(sounds / "short.wav")])
    assert done.returncode == 0, done.stderr
    told = [line.split()[3] for line in done.stderr.splitlines()]
    assert told[:4] == ["AUTH", "AUTH_REPLY", "SET_CLIENT_NAME", "CLIENT_NAMED"]
    assert {"CREATE_PLAYBACK_STREAM", "PLAYBACK_STREAM_CREATED", "SOUND", "STARTED", "REQUEST"} <= set(told)
    assert "UNREADABLE" not in told
    assert told[-2:] == ["DELETE_PLAYBACK_STREAM", "ACK"]


def test_a_refusal_names_what_it_refuses(stage, address):
    done = stage.run([EARDRUM, "trace", "--server", address, "--", "pactl", "load-module", "module-nowhere"])
    assert done.returncode == 1
    *_, refusal, failure = done.stderr.splitlines()
    assert " < ERROR tag=2 code=" in refusal
    assert refusal.endswith(" refuses=LOAD_MODULE")
    assert failure.startswith("Failure: ")


def test_run_and_trace_go_together(desk, sounds):
    play = ["trace", "--", "paplay", str(sounds / "short.wav")]
    done = desk.command("run", "--output", "null", "--", EARDRUM, *play)
    assert done.returncode == 0, done.stderr
    assert "sink_name='output'" in done.stderr
