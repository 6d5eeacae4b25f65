from __future__ import annotations

import configparser
import json
import shlex

import pytest
import yaml

from eardrum.containers import bubblewrap, client_kit, lxc, nspawn, oci, session
from eardrum.containers.configuration import BESIDE, TEXTS

DIRECTORY = "/run/user/1000/eardrum/outlets/radio"
OPTIONS = {
    "podman": oci.flags,
    "docker": oci.flags,
    "nerdctl": oci.flags,
    "bwrap": bubblewrap.flags,
    "nspawn": nspawn.flags,
    "toolbox": session.toolbox_words,
    "flatpak": session.flatpak_flags,
    "firejail": session.firejail_flags,
}


def text(engine: str, directory: str = DIRECTORY) -> str:
    return TEXTS[engine]("radio", directory)


@pytest.mark.parametrize("engine", OPTIONS)
def test_options_are_those_of_run_and_a_shell_reads_them_back(engine):
    assert shlex.split(text(engine, "/o/my $game")) == OPTIONS[engine]("/o/my $game")


@pytest.mark.parametrize("engine", TEXTS)
def test_every_text_tells_of_directory_and_socket(engine):
    assert DIRECTORY in text(engine)
    assert "/native" in text(engine)
    assert not text(engine).endswith("\n")


def test_compose():
    service = yaml.safe_load(text("compose", "/o/a: $b"))["services"]["radio"]
    assert service["environment"] == client_kit.variables()
    assert service["volumes"] == [
        {
            "type": "bind",
            "source": "/o/a: $$b",
            "target": "/run/pulse",
            "read_only": True,
            "bind": {"create_host_path": False},
        }
    ]


def test_quadlet():
    read = configparser.ConfigParser(interpolation=None, strict=False)
    read.read_string(text("quadlet", "/o/50%"))
    assert read["Container"]["Volume"] == "/o/50%%:/run/pulse:ro"
    assert "Environment=PULSE_SERVER=unix:/run/pulse/native" in text("quadlet")


def test_devcontainer():
    read = json.loads(text("devcontainer"))
    assert read["mounts"] == [f"type=bind,source={DIRECTORY},target=/run/pulse,readonly"]
    assert read["containerEnv"] == client_kit.variables()


def test_lxc():
    assert text("lxc").splitlines() == lxc.lines(DIRECTORY)


def test_incus_is_told_by_commands():
    device, variables = [shlex.split(line) for line in text("incus").splitlines()]
    assert device[-3:] == [f"source={DIRECTORY}", "path=/opt/sound", "readonly=true"]
    assert "environment.PULSE_SERVER=unix:/opt/sound/native" in variables


def test_distrobox_is_told_by_its_environment():
    words = shlex.split(text("distrobox"))
    assert dict(word.split("=", 1) for word in words) == client_kit.variables(DIRECTORY)


def test_engines_that_share_the_session_are_those_of_which_it_is_said():
    assert set(BESIDE) == {"distrobox", "toolbox", "flatpak", "firejail"}
    assert all(line.startswith(f"{engine}: ") for engine, line in BESIDE.items())
