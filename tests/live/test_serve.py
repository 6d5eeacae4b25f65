"""`eardrum serve`, with the programs that would otherwise speak to PulseAudio."""

from __future__ import annotations

import os
import signal

import pytest

from eardrum.testing import heard
from eardrum.testing.servers import EARDRUM, end, wait_until


@pytest.fixture
def serve(stage, request):
    """Starts an `eardrum serve`; it ends with the test."""
    names = []

    def start(*options, **popen):
        names.append(f"serve-{abs(hash(request.node.name)) % 10**8}-{len(names)}")
        return stage.serve(names[-1], *options, **popen)

    yield start
    for process in stage.processes:
        if process.args[:2] == [EARDRUM, "serve"]:
            end(process)


def process_of(stage, server):
    return next(process for process in stage.processes if process.pid == server.pids[0])


def test_what_is_played_is_what_is_recorded_by_default(stage, serve, sounds, assert_whole):
    server = serve()
    recording = stage.record(server.address)
    stage.play(server.address, sounds / "tone.wav")
    assert_whole(recording.finish())


def test_it_says_what_scripts_look_for(stage, serve):
    told = stage.pactl(serve().address, "info").splitlines()
    assert "Default Sink: auto_null" in told
    assert "Default Source: auto_null.monitor" in told
    assert f"Host Name: {os.uname().nodename}" in told
    assert "User Name: root" in told or os.geteuid()


def test_its_health_is_checked(stage, serve):
    server = serve()
    path = server.address.removeprefix("unix:")
    well = stage.run([EARDRUM, "serve", "--socket", path, "--check"])
    assert (well.returncode, well.stderr) == (0, "")
    assert well.stdout.startswith("eardrum ")
    process_of(stage, server).send_signal(signal.SIGSTOP)
    stuck = stage.run([EARDRUM, "serve", "--socket", path, "--check"])
    process_of(stage, server).send_signal(signal.SIGCONT)
    assert stuck.returncode == 1
    assert len(stuck.stderr.splitlines()) == 1
    assert stage.pactl(server.address, "exit") == ""
    assert process_of(stage, server).wait(20) == 0
    assert stage.run([EARDRUM, "serve", "--socket", path, "--check"]).returncode == 1


def test_a_recording_is_whole_when_it_is_ended_while_playing(stage, serve, sounds, assert_tones, load):
    path = stage.directory / "ended.wav"
    server = serve("--sink", f"file:{path}")
    player = stage.start("ended-player", ["paplay", str(sounds / "long.wav")], {"PULSE_SERVER": server.address})
    wait_until(lambda: path.stat().st_size > 200_000, "a second of sound", 30)
    process = process_of(stage, server)
    process.terminate()
    assert process.wait(20) == 0
    player.wait(20)
    assert_tones(heard.trimmed(load(path)))
