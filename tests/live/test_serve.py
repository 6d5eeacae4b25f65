"""`eardrum serve`, with the programs that would otherwise speak to PulseAudio."""

from __future__ import annotations

import contextlib
import os
import pwd
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
    assert f"User Name: {pwd.getpwuid(os.geteuid()).pw_name}" in told


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
    assert process_of(stage, server).wait(30) == 0
    assert stage.run([EARDRUM, "serve", "--socket", path, "--check"]).returncode == 1


def test_a_recording_is_whole_when_it_is_ended_while_playing(stage, serve, sounds, assert_tones, load):
    path = stage.directory / "ended.wav"
    server = serve("--sink", f"file:{path}")
    player = stage.start("ended-player", ["paplay", str(sounds / "long.wav")], {"PULSE_SERVER": server.address})
    wait_until(lambda: path.stat().st_size > 200_000, "a second of sound", 30)
    process = process_of(stage, server)
    process.terminate()
    assert process.wait(30) == 0
    player.wait(30)
    assert_tones(heard.trimmed(load(path)))


def test_a_module_makes_a_second_socket_and_takes_it_away(stage, serve):
    server = serve()
    path = stage.directory / "second/native"
    stage.pactl(server.address, "load-module", "module-native-protocol-unix", f"socket={path}", "auth-anonymous=1")
    assert path.stat().st_mode & 0o777 == 0o777
    assert "auto_null" in stage.pactl(f"unix:{path}", "info")
    stage.pactl(server.address, "unload-module", "module-native-protocol-unix")
    assert not path.exists()
    assert "auto_null" in stage.pactl(server.address, "info")


def test_a_module_that_cannot_be_made_leaves_the_rest_alone(stage, serve):
    server = serve()
    for words in (
        ("module-native-protocol-unix", f"socket={server.address.removeprefix('unix:')}"),
        ("module-native-protocol-unix", "socket=/dev/null/x"),
        ("module-pipe-sink", "file=/dev/null/x"),
    ):
        with pytest.raises(RuntimeError, match="Module initialization failed"):
            stage.pactl(server.address, "load-module", *words)
    assert "auto_null" in stage.pactl(server.address, "info")


def test_a_hundred_clients_are_served(stage, serve, talk):
    server = serve()
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(talk(server))
        assert len(stage.pactl(server.address, "list", "short", "clients").splitlines()) >= 100


def test_everything_is_listed(stage, serve):
    listed = stage.pactl(serve("--source", "silence").address, "list")
    assert "Name: auto_null\n" in listed
    assert "Name: input\n" in listed


@pytest.mark.parametrize("first", ["", "tini -- "], ids=["alone", "under tini"])
def test_as_the_first_process_it_buries_orphans_and_heeds_signals(first, stage, sounds):
    path = stage.make_directory("first") / "native"
    script = f'(sleep 0.01 & exec true) & exec "{EARDRUM}" serve --socket "{path}"'
    argv = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script]
    process = stage.start("first", argv)
    stage.await_listener(process, "first", path)
    inner = int(stage.run(["pgrep", "-P", str(process.pid)]).stdout)
    zombies = ["ps", "-o", "stat=", "--ppid", str(inner)]
    wait_until(lambda: "Z" not in stage.run(zombies).stdout, "no zombie", 30)
    stage.play(f"unix:{path}", sounds / "short.wav")
    os.kill(inner, signal.SIGTERM)
    assert process.wait(30) == 0
    assert not path.exists()


def test_it_says_when_few_clients_fit(stage, sounds, assert_whole):
    path = stage.make_directory("few") / "native"
    process = stage.start("few", ["sh", "-c", f'ulimit -n 200; exec "{EARDRUM}" serve --socket "{path}"'])
    stage.await_listener(process, "few", path)
    recording = stage.record(f"unix:{path}")
    stage.play(f"unix:{path}", sounds / "tone.wav")
    assert_whole(recording.finish())
    assert "clients fit, because `ulimit -Hn` is low" in stage.log("few")
    end(process)


def test_only_the_directory_of_its_socket_must_be_writable(stage):
    place = stage.make_directory("readonly")
    argv = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", str(place), str(place)]
    argv += ["--unshare-pid", "--unsetenv", "HOME", "--unsetenv", "XDG_RUNTIME_DIR", "--die-with-parent"]
    process = stage.start("readonly", [*argv, EARDRUM, "serve", "--socket", str(place / "native")])
    stage.await_listener(process, "readonly", place / "native")
    assert "Default Sink: auto_null" in stage.pactl(f"unix:{place}/native", "info")
    stage.pactl(f"unix:{place}/native", "exit")
    assert process.wait(30) == 0
