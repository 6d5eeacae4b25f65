from __future__ import annotations

import pytest

from eardrum.containers import lxc

LINES = [
    "lxc.mount.entry = /o/game run/pulse none bind,ro,nosuid,nodev,noexec,create=dir 0 0",
    "lxc.environment = PULSE_SERVER=unix:/run/pulse/native",
    "lxc.environment = PULSE_CLIENTCONFIG=/run/pulse/client.conf",
    "lxc.environment = ALSA_CONFIG_PATH=/usr/share/alsa/alsa.conf:/run/pulse/asound.conf",
]


def test_its_configuration_says_it_in_four_lines():
    assert lxc.lines("/o/game") == LINES


def test_a_path_with_blanks_is_one_field():
    assert lxc.lines("/o/a b\\c")[0].split()[2] == r"/o/a\040b\134c"


@pytest.mark.parametrize("program", ["lxc-execute", "/usr/bin/lxc-start"])
def test_the_outlet_goes_before_all_else(program):
    words = ["-n", "game", "-s", "lxc.net.0.type=empty", "--", "sh"]
    defined = [word for line in LINES for word in ("--define", line.replace(" = ", "=", 1))]
    assert lxc.spliced([program, *words], "/o/game") == [program, *defined, *words]


@pytest.mark.parametrize(
    ("command", "name", "outlives"),
    [
        ("lxc-execute -n game -- sh -d", "game", False),
        ("lxc-execute --name=game -f conf -P /srv -- sh", "game", False),
        ("lxc-execute -qn game -d -- sh", "game", True),
        ("lxc-execute --daemon --name game -- sh", "game", True),
        ("lxc-start game", "game", True),
        ("lxc-start -F -n game", "game", False),
        ("lxc-start --foreground --rcfile conf game", "game", False),
        ("lxc-start -d", "lxc", True),
    ],
)
def test_its_name_and_whether_it_stays(command, name, outlives):
    argv = command.split()
    assert (lxc.suggested_name(argv), lxc.outlives(argv)) == (name, outlives)
