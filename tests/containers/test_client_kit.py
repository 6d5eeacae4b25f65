from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from eardrum.containers.client_kit import README, asound_conf, client_conf, files, server, variables

pytestmark = pytest.mark.live


def test_variables_name_what_lies_there():
    for value in variables("/here").values():
        path = value.removeprefix("unix:").rpartition(":")[2]
        assert path.removeprefix("/here/") in {"native", *files()}


def test_the_readme_is_short_and_tells_of_every_variable():
    assert len(README.splitlines()) == 5
    for name, value in variables().items():
        assert f"{name}=" in README
        assert name == "PULSE_SERVER" or value in README


@pytest.fixture
def called(tmp_path: Path) -> Iterator[threading.Event]:
    """Set when somebody connects to `native` in tmp_path, who is then hung up on."""
    event = threading.Event()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "native"))
        listening.listen()

        def answer() -> None:
            try:
                listening.accept()[0].close()
                event.set()
            except OSError:
                pass

        thread = threading.Thread(target=answer)
        thread.start()
        yield event
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def calls(called: threading.Event, command: list[str], tmp_path: Path, **variables: str) -> bool:
    """True if the command connects; it is not waited for, for it may try again."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    with subprocess.Popen(command, env=environ | variables, stderr=subprocess.DEVNULL) as process:
        came = called.wait(20)
        process.kill()
    return came


def test_libpulse_goes_to_the_server_of_client_conf(called, tmp_path):
    conf = tmp_path / "client.conf"
    conf.write_text(client_conf(server(str(tmp_path))))
    assert calls(called, ["pactl", "info"], tmp_path, PULSE_CLIENTCONFIG=str(conf))


def test_the_default_of_alsa_is_pulse(called, tmp_path):
    conf = tmp_path / "asound.conf"
    conf.write_text(asound_conf())
    silence = ["aplay", "-q", "-d", "1", "-f", "cd", "/dev/zero"]
    config_path = f"/usr/share/alsa/alsa.conf:{conf}"
    assert calls(called, silence, tmp_path, PULSE_SERVER=server(str(tmp_path)), ALSA_CONFIG_PATH=config_path)
