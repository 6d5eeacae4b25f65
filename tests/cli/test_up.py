from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from eardrum.cli.control import Control, NoDesk
from eardrum.kernel.outlet_directory import connect

UP = [sys.executable, "-m", "eardrum", "up", "--runtime-dir"]


def refused(*words: str) -> tuple[int, str]:
    """Exit status and last line of an `up` that does not come to serve."""
    ended = subprocess.run([*UP, *words], capture_output=True, text=True, timeout=60)
    assert ended.stdout == ""
    return ended.returncode, ended.stderr.splitlines()[-1]


def test_serves_until_a_signal(runtime):
    readable, writable = os.pipe()
    command = [*UP, str(runtime), "--upstream", "none", "--ready-fd", str(writable)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=[writable]) as desk:
        os.close(writable)
        with open(readable, "rb") as ready:
            assert ready.read() == b"\n"
        assert desk.stdout
        assert desk.stdout.readline() == f"serving in {runtime}, host is room:speakers\n"
        with Control(runtime) as control:
            assert control.outlets() == []
        status, line = refused(str(runtime))
        assert status == 1
        assert line.startswith("eardrum: ")
        assert str(runtime) in line
        desk.send_signal(signal.SIGTERM)
        assert desk.wait(20) == 0
    with pytest.raises(NoDesk):
        Control(runtime)


@pytest.mark.parametrize("words", [["/dev/null/x"], ["/proc/x"], ["{runtime}", "--upstream", "tcp:far"]])
def test_what_is_wrong_is_one_line(runtime: Path, words: list[str]):
    status, line = refused(*(word.format(runtime=runtime) for word in words))
    assert status in (1, 2)
    assert line.startswith("eardrum: ")


def test_the_configuration_is_read(runtime, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("[budget]\nstream = 1\n")
    line = f"eardrum: {file}:2: budget.stream: is no key; is streams meant?"
    assert refused(str(runtime), "--upstream", "none", "--config", str(file)) == (78, line)


def test_a_configuration_is_looked_at(tmp_path):
    def check(text: str) -> tuple[int, str, str]:
        file = tmp_path / ".config/eardrum/config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)
        environment = {
            key: value for key, value in os.environ.items() if key not in ("EARDRUM_CONFIG", "XDG_CONFIG_HOME")
        }
        command = [sys.executable, "-m", "eardrum", "up", "--check"]
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=environment | {"HOME": str(tmp_path)}
        )
        return ended.returncode, ended.stdout, ended.stderr

    file = tmp_path / ".config/eardrum/config.toml"
    assert check("[[outlet]]\nname = 'radio'\n") == (0, f"{file}: is right\n", "")
    complaint = f"eardrum: {file}:1: budget: must be a table, and is a whole number\n"
    assert check("budget = 1") == (78, "", complaint)


def test_a_service_manager_hands_over_the_socket_and_hears_how_it_goes(runtime):
    with socket.socket(socket.AF_UNIX) as given, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        given.bind(str(runtime / "control"))
        (runtime / "control").chmod(0o600)
        given.listen()
        manager.bind(str(runtime / "notify"))
        manager.settimeout(60)
        script = f'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&{given.fileno()}'
        command = ["bash", "-c", script, "bash", *UP, str(runtime), "--upstream", "none"]
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            pass_fds=[given.fileno()],
            env=os.environ | {"NOTIFY_SOCKET": str(runtime / "notify")},
        ) as desk:
            with Control(runtime) as control:  # waits in the socket until there is a desk
                assert control.outlets() == []
            assert manager.recv(1024) == b"READY=1\nSTATUS=Serves outlets; host is none"
            desk.send_signal(signal.SIGTERM)
            assert desk.wait(20) == 0
        assert manager.recv(1024) == b"STOPPING=1\nSTATUS=Completes recordings"
        waiting = connect(runtime / "control")  # the manager goes on to listen
        given.accept()[0].close()
        waiting.close()


def test_for_all_users_it_is_no_ordinary_users_desk(runtime):
    status, line = refused(str(runtime), "--system", "--upstream", "none", "--config", "/nowhere")
    assert status in (1, 2)
    assert line.startswith("eardrum: ")
