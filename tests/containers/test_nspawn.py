from __future__ import annotations

import re
import subprocess

import pytest

from eardrum.containers import nspawn

MOUNT = [
    "--bind-ro=/o/game:/run/pulse",
    "--setenv=PULSE_SERVER=unix:/run/pulse/native",
    "--setenv=PULSE_CLIENTCONFIG=/run/pulse/client.conf",
    "--setenv=ALSA_CONFIG_PATH=/usr/share/alsa/alsa.conf:/run/pulse/asound.conf",
]


def test_the_outlet_goes_before_all_else():
    words = ["-D", "/srv/game", "--setenv=PULSE_SERVER=", "sh", "-c", "true"]
    assert nspawn.spliced(["systemd-nspawn", *words], "/o/game") == ["systemd-nspawn", *MOUNT, *words]


def test_a_path_with_colons_is_one():
    assert nspawn.flags("/o:\\x")[0] == r"--bind-ro=/o\:\\x:/run/pulse"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("-D /srv/player sh", "player"),
        ("-q -bD /srv/player", "player"),
        ("--directory=/srv/player -M game", "game"),
        ("--machine game -i /srv/player.raw", "game"),
        ("--private-users --image /srv/player.raw sh -D x", "player.raw"),
        ("-U sh", "nspawn"),
    ],
)
def test_what_the_container_is_called(words, name):
    assert nspawn.suggested_name(["systemd-nspawn", *words.split()]) == name


def test_it_stays_no_longer_than_its_command():
    assert not nspawn.way(["systemd-nspawn", "-b", "-D", "/srv/player"]).outlives


@pytest.mark.live
def test_flags_are_what_this_nspawn_takes_for_flags():
    said = subprocess.run(["systemd-nspawn", "--help"], capture_output=True, text=True, check=True).stdout
    options = re.findall(r"^ +(?:-(\w) )? *(?:--([a-z0-9-]+))?(\[?=?)", said, re.MULTILINE)
    flags = {name for short, long, value in options if value != "=" for name in (short, long) if name}
    takers = {name for short, long, value in options if value == "=" for name in (short, long) if name}
    assert flags <= nspawn.FLAGS
    assert not (takers - {"private-users"}) & nspawn.FLAGS  # --help shows its values as if it needed one
