from __future__ import annotations

import pytest

from eardrum.containers.engines import way_of
from eardrum.terms.errors import Complaint

KNOWN = {
    "podman run img": "img",
    "/usr/bin/docker run img": "img",
    "nerdctl create img": "img",
    "systemd-nspawn -D /srv/player": "player",
    "lxc-execute -n player -- sh": "player",
    "lxc-start player": "player",
    "distrobox enter player": "player",
    "distrobox-enter player": "player",
    "toolbox run -c player sh": "player",
    "flatpak run org.example.Player": "Player",
    "firejail player": "player",
}


@pytest.mark.parametrize("command", KNOWN)
def test_an_engine_is_known_by_its_name(command):
    way = way_of(tuple(command.split()))
    assert way is not None
    assert way.suggested_name == KNOWN[command]


@pytest.mark.parametrize("command", ["paplay tune.wav", "/srv/podman/player run img"])
def test_any_other_command_is_no_engines(command):
    assert way_of(command.split()) is None


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("incus launch images:debian/12 player", "incus"),
        ("lxc launch images:debian/12 player", "incus"),
        ("docker compose up", "compose"),
        ("podman --log-level debug compose up", "compose"),
        ("docker-compose up", "compose"),
        ("podman-compose up", "compose"),
    ],
)
def test_engines_that_are_told_beforehand(command, flags):
    with pytest.raises(Complaint, match=f"eardrum flags {flags} NAME") as raised:
        way_of(tuple(command.split()))
    assert raised.value.status == 125
